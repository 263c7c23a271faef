"""CSV: rows of one kind, the columns named like their fields; positions, unless a reader says."""

import csv
import io
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from margincalc.errors import MOST_FAULTS, Fault, InputError, did_you_mean, printable, shown
from margincalc.files.broker import plain_number, plain_symbol
from margincalc.files.tree import MOST_VALUES, Tree, too_many
from margincalc.files.yaml_text import scalar
from margincalc.portfolio import Position

_ROW = re.compile(r"(\w+)\[(\d+)\]", re.ASCII)


class Sheet(NamedTuple):
    """What the rows of a CSV file are.

    Attributes
    ----------
    section : what the rows are called in paths
    row : their fields, which the columns are named like
    texts : columns that are never numbers
    needed : columns that must be there
    example : a header
    """

    section: str
    row: type[BaseModel]
    texts: tuple[str, ...]
    needed: tuple[str, ...]
    example: str


POSITIONS = Sheet(
    "positions",
    Position,
    ("instrument", "group", "venue"),
    ("instrument", "quantity"),
    "instrument,quantity,entry_price",
)


class CsvRows:
    """The rows of a CSV text, and the line of each.

    Attributes
    ----------
    unused : columns that no field was named for; only where columns are mapped
    left_out : rows that hold no position, such as cash and what stands below the table, and why;
        only where columns are mapped
    """

    def __init__(
        self,
        text: str,
        name: str,
        sheet: Sheet = POSITIONS,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._sheet = sheet
        self._mapped = columns
        self.unused: list[str] = []
        self.left_out: list[str] = []
        self._faults: list[Fault] = []
        self._lines: list[int] = []
        self.rows: list[dict[str, Tree]] = []
        if text.count(",") + text.count("\n") > MOST_VALUES:
            raise too_many(name)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
        try:
            self._read(reader)
        except csv.Error as error:
            self._fault(reader.line_num, str(error), "valid CSV", "check the quotes in this line")
        if self._faults:
            raise InputError(self._faults)

    def __call__(self, path: str) -> str:
        """Return `file:line, column name` for a path such as `positions[2].quantity`."""
        line = self.line(path)
        if not line:
            return f"{self._name}, {printable(path)}" if path else self._name
        column = path.partition("].")[2]
        return f"{self._name}:{line}, column {column}" if column else f"{self._name}:{line}"

    def line(self, path: str) -> int:
        """Return the line of a row; 0 for anything else."""
        match = _ROW.match(path)
        if not match or match[1] != self._sheet.section or int(match[2]) >= len(self._lines):
            return 0
        return self._lines[int(match[2])]

    def _read(self, reader: Any) -> None:
        columns: list[str] = []
        end = 0
        for record in reader:
            line, end = end + 1, reader.line_num  # a quoted text may span lines
            cells = [cell.strip() for cell in record]
            if not any(cells):
                continue
            if columns:
                self._row(columns, cells, line)
                if len(self._faults) > MOST_FAULTS:
                    return
                continue
            columns = self._named(cells, line)
            if not self._check_header([column for column in columns if column], line):
                return

    def _named(self, cells: list[str], line: int) -> list[str]:
        """Return the field of each column, "" for one that is not used."""
        if self._mapped is None:
            return [cell.casefold() for cell in cells]
        for column in self._mapped:
            if column not in cells:
                found, wanted = f"no column {shown(column)}", "every column of --columns"
                self._fault(line, found, wanted, did_you_mean(column, cells))
        fields = {column: self._mapped.get(column, column.casefold()) for column in cells}
        taken = {*self._mapped.values()}
        for column, field in fields.items():
            if column not in self._mapped and (
                field in taken or field not in self._sheet.row.model_fields
            ):
                fields[column] = ""
                self.unused.append(column)
        return [fields[column] for column in cells]

    def _row(self, columns: list[str], cells: list[str], line: int) -> None:
        said = dict(zip(columns, cells, strict=False))
        if self._mapped is not None and (why := self._holds_nothing(said)):
            what = said.get(self._sheet.needed[0]) or next(filter(None, cells))
            self.left_out.append(f"{self._name}:{line}, {printable(what, 60)}: {why}")
            return
        if len(cells) != len(columns):
            found, wanted = f"{len(cells)} cells", f"{len(columns)}, as the header has"
            remedy = "put a text with commas in double quotes; leave an absent cell empty"
            self._fault(line, found, wanted, remedy)
            return
        row = {
            column: self._cell(column, cell)
            for column, cell in zip(columns, cells, strict=True)
            if cell and column
        }
        self.rows.append(row)
        self._lines.append(line)

    def _holds_nothing(self, said: Mapping[str, str]) -> str:
        """Say why a row of a broker's table is no position, "" where it is one."""
        if not all(map(said.get, self._sheet.needed)):
            return "no instrument or no quantity"
        quantity = scalar(plain_number(said["quantity"]))
        return "its quantity is 0" if quantity == 0 and quantity is not False else ""

    def _cell(self, column: str, cell: str) -> Tree:
        mapped = self._mapped is not None
        if column in self._sheet.texts:
            return plain_symbol(cell) if mapped and column == "instrument" else cell
        return scalar(plain_number(cell) if mapped else cell)

    def _check_header(self, columns: list[str], line: int) -> bool:
        known = list(self._sheet.row.model_fields)
        if self._faults:
            return False
        if not any(column in known for column in columns):
            wanted = f"a header such as {self._sheet.example}"
            semicolons = "separate the columns with commas, not semicolons"
            first = columns[0] if columns else ""
            remedy = semicolons if ";" in first else "name the columns in the first line"
            self._fault(line, shown(first), wanted, remedy)
            return False
        for column in dict.fromkeys(columns):
            if column not in known:
                remedy = did_you_mean(column, known) or f"known are {', '.join(known)}"
                found = f"the unknown column {shown(column)}"
                self._fault(line, found, "a known column", remedy)
            elif columns.count(column) > 1:
                self._fault(line, f"the column {column} twice", "it once", "keep one of the two")
        missing = [column for column in self._sheet.needed if column not in columns]
        if missing and not self._faults:
            found, wanted = (
                f"no column {' or '.join(missing)}",
                f"a header such as {self._sheet.example}",
            )
            self._fault(line, found, wanted, "name the column in the first line")
        return not self._faults

    def _fault(self, line: int, found: str, wanted: str, remedy: str) -> None:
        self._faults.append(Fault(f"{self._name}:{line}", found, wanted, remedy))
