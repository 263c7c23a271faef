"""Tables of many rows: CSV (perhaps gzipped) and Parquet, read as columns.

For populations of accounts and histories of prices, whose rows are too many to be objects.
"""

import csv
import gzip
import io
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import Fault, InputError, did_you_mean, few, input_error, printable, shown
from margincalc.files.parquet import LARGEST, opened, read_whole

MOST = 20  # faults of one column that are told
STDIN = "-"
CELLS = 100_000_000
_GZIP = b"\x1f\x8b"
_WRITTEN = (".yaml", ".yml", ".json")  # forms of a portfolio file, and never of a table


class Columns(NamedTuple):
    """The columns of a table, each a list of what its cells hold.

    Attributes
    ----------
    name : of the file, as messages give it
    cells : texts of a CSV file, values of a Parquet file; "" or None where there is nothing
    lines : on which each row of a CSV file ends; none of a Parquet file
    """

    name: str
    cells: Mapping[str, Sequence[Any]]
    lines: Sequence[int] = ()

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(next(iter(self.cells.values()), ()))

    def place(self, row: int, column: str = "") -> str:
        """Return where a row stands, or its cell in a column."""
        start = f"{self.name}:{self.lines[row]}" if self.lines else f"{self.name}, row {row + 1}"
        return f"{start}, column {column}" if column else start

    def first_of(self, *names: str) -> str | None:
        """Return the first of these columns that there is."""
        return next((name for name in names if name in self.cells), None)

    def need(self, *names: str, example: str) -> None:
        """Refuse a table without one of these columns."""
        missing = [name for name in names if name not in self.cells]
        if missing:
            near = did_you_mean(missing[0], self.cells)
            found = f"no column {missing[0]} among {few([*map(printable, self.cells)], 20)}"
            raise input_error(self.name, found, f"a header such as {example}", near)

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Refuse a table with a column that nothing reads."""
        names = list(known)
        for column in self.cells:
            if column not in names:
                found = f"the unknown column {shown(column)}"
                remedy = did_you_mean(column, names) or f"known are {', '.join(names)}"
                raise input_error(self.name, found, "a known column", remedy)

    def texts(self, column: str) -> list[str]:
        """Return a column as texts, "" where it has nothing."""
        return ["" if cell is None else str(cell).strip() for cell in self.cells[column]]

    def numbers(self, column: str, *, least: float = -np.inf, absent: bool = False) -> FloatArray:
        """Return a column as finite numbers; NaN for nothing, where that is allowed.

        Raises
        ------
        InputError
            With the first faults of the column.
        """
        cells = self.cells[column]
        found = np.array([_number(cell) for cell in cells], np.float64)
        empty = np.array([cell is None or cell == "" for cell in cells], bool)
        wrong = ~np.isfinite(found) | (found < least)
        if absent:
            wrong &= ~empty
        rows = np.flatnonzero(wrong)
        if len(rows):
            bound = "" if least == -np.inf else f" of at least {least:g}"
            raise InputError(
                [
                    Fault(self.place(row, column), shown(cells[row]), f"a finite number{bound}")
                    for row in rows[:MOST].tolist()
                ]
            )
        return found


def read_columns(source: str | Path) -> Columns:
    """Read a table; `-` is CSV on standard input.

    Raises
    ------
    InputError
        If there is none, or its rows are not of one length.
    MissingExtraError
        If it is a Parquet file and pyarrow is not installed.
    """
    name = printable(str(source))
    if str(source) == STDIN:
        return _csv("standard input", _bounded(sys.stdin.buffer, "standard input"))
    path = Path(source)
    if path.suffix.lower() == ".parquet":
        return _parquet(name, path)
    if path.suffix.lower() in _WRITTEN and path.is_file():
        remedy = "one account's own file is for `margin` and the commands beside it"
        raise input_error(name, "a YAML or JSON file", "a CSV or Parquet table", remedy)
    try:
        with path.open("rb") as file:
            packed = file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
            data = _bounded(gzip.GzipFile(fileobj=file) if packed else file, name)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "no readable file"
        raise input_error(name, reason.lower(), "a CSV or Parquet file") from None
    return _csv(name, data)


def _bounded(stream: "IO[bytes] | gzip.GzipFile", name: str) -> bytes:
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        wanted = f"at most {LARGEST:,} bytes of CSV"
        raise input_error(name, "more", wanted, "write it as Parquet, which is smaller")
    return data


def _csv(name: str, data: bytes) -> Columns:
    rows: list[list[str]] = []
    lines = array("q")
    count = data.count(b",") + data.count(b"\n")
    if count > CELLS:
        remedy = "leave out columns that are not read, or rows"
        raise input_error(name, f"{count:,} cells", f"at most {CELLS:,}", remedy)
    try:
        text = data.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise input_error(name, printable(str(error)), "CSV in UTF-8") from None
    if len(rows) < 2:
        raise input_error(name, "no rows", "a header and a row for each entry")
    header = [cell.strip().casefold() for cell in rows[0]]
    _refuse_twice(header, f"{name}:{lines[0]}")
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            found, wanted = f"{len(row)} cells", f"{len(header)}, as the header has"
            raise input_error(f"{name}:{line}", found, wanted)
    cells = dict(zip(header, zip(*rows[1:], strict=True), strict=True))
    return Columns(name, cells, lines[1:])


def _parquet(name: str, path: Path) -> Columns:
    with opened(str(path)) as file:
        table = read_whole(file, name, CELLS)
    if not table.num_rows:
        raise input_error(name, "no rows", "a row for each entry")
    header = [column.casefold() for column in table.column_names]
    _refuse_twice(header, name)
    columns = (column.to_pylist() for column in table.columns)
    return Columns(name, dict(zip(header, columns, strict=True)))


def _refuse_twice(header: Sequence[str], place: str) -> None:
    """Refuse a column that a table has twice; their case does not matter."""
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        remedy = "leave out or rename one of them"
        raise input_error(place, f"the column {shown(twice[0])} twice", "it once", remedy)


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")
