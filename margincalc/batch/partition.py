"""Group Parquet files by account, out of core: sample, spread over files by range, sort each.

Accounts ascend through the files that result, so that `batch` keeps nothing of each in mind, and
each account's rows keep their order.
"""

from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from margincalc.batch.piece import drafted
from margincalc.batch.survey import Key
from margincalc.errors import OutputError, input_error
from margincalc.files.parquet import (
    BALANCES,
    POSITIONS,
    Wanted,
    account_keys,
    arrow,
    columns_of,
    files_of,
    opened,
    read,
)

ROWS = 1 << 22  # of positions in a file, about; the rows of one file are in memory at once
SAMPLED = 1024  # accounts of each row group
MOST_FILES = 256


def partitioned(positions: str, balances: str | None, output: str) -> int:
    """Write `positions/` and `balances/` under a folder, each in files of ascending accounts.

    Returns the number of rows.

    Raises
    ------
    InputError
        For files that cannot be read, or a folder that is not empty.
    OutputError
        If a file could not be written.
    """
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise input_error("--output", f"{output}, which is not empty", "a new folder")
    files = files_of(positions, "POSITIONS")
    bounds = _bounds(files)
    rows = _grouped(files, POSITIONS, bounds, folder / "positions")
    if balances is not None:
        own = files_of(balances, "--balances")
        rows += _grouped(own, BALANCES, bounds, folder / "balances")
    return rows


def _bounds(files: Sequence[str]) -> list[Key]:
    """Return the accounts at which files begin, but the first: of about equal numbers of rows."""
    sample: list[Any] = []
    rows = 0
    for path in files:
        with opened(path) as file:
            columns_of(file, path, POSITIONS)
            for group in range(file.num_row_groups):
                accounts = account_keys(
                    read(file, [group], ["account"]).column(0), path
                ).drop_null()
                rows += len(accounts)
                step = max(len(accounts) // SAMPLED, 1)
                sample += accounts.take(
                    arrow().array(np.arange(0, len(accounts), step))
                ).to_pylist()
    if len({isinstance(each, str) for each in sample}) > 1:
        raise input_error("POSITIONS", "accounts of two types", "texts, or whole numbers")
    sample.sort()
    count = min(max(rows // ROWS, 1), MOST_FILES)
    cuts = (sample[len(sample) * number // count] for number in range(1, count))
    return list(dict.fromkeys(cuts))


def _grouped(
    files: Sequence[str], wanted: dict[str, Wanted], bounds: Sequence[Key], folder: Path
) -> int:
    """Spread rows over one file for each range, then sort each by account."""
    pa = arrow()
    spread = [folder / f".part-{number:06d}.spread" for number in range(len(bounds) + 1)]
    try:
        folder.mkdir(parents=True)
        with ExitStack() as stack:
            writers: list[Any] = [None] * len(spread)
            rows = 0
            for table in _tables(files, wanted):
                rows += table.num_rows
                for number, part in _cut(table, bounds):
                    if writers[number] is None:
                        sink = stack.enter_context(pa.OSFile(str(spread[number]), "wb"))
                        made = pa.ipc.new_file(sink, part.schema)
                        writers[number] = stack.enter_context(made)
                    writers[number].write_table(part)
        for number, path in enumerate(spread):
            if path.exists():
                _sorted(path, folder / f"part-{number:06d}.parquet")
                path.unlink()
    except OSError as error:
        raise OutputError(f"{folder} could not be written: {error.strerror or error}") from None
    return rows


def _tables(files: Sequence[str], wanted: dict[str, Wanted]) -> Any:
    """Yield row groups with the columns wanted, all of the same types."""
    pa = arrow()
    types = {"text": pa.string(), "number": pa.float64()}
    for path in files:
        with opened(path) as file:
            columns = columns_of(file, path, wanted)
            for group in range(file.num_row_groups):
                table = read(file, [group], columns)
                made = {"account": pa.chunked_array([account_keys(table.column("account"), path)])}
                for name, column in list(wanted.items())[1:]:
                    kind = types[column.holds]
                    made[name] = (
                        table.column(name).cast(kind)
                        if name in columns
                        else pa.nulls(table.num_rows, kind)
                    )
                yield pa.table(made)


def _cut(table: Any, bounds: Sequence[Key]) -> Any:
    """Yield the rows of each range that has any, in their order."""
    pa = arrow()
    coded = table.column("account").combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    place = [
        0 if each is None else bisect_right(bounds, each) for each in coded.dictionary.to_pylist()
    ]
    index = pa.compute.fill_null(coded.indices, len(place)).to_numpy(zero_copy_only=False)
    number = np.array([*place, 0])[index]
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(len(bounds) + 2))
    for at in np.flatnonzero(np.diff(starts)).tolist():
        yield at, table.take(pa.array(order[starts[at] : starts[at + 1]]))


def _sorted(spread: Path, path: Path) -> None:
    """Write the rows of one range by ascending account, those of an account as they were."""
    pa = arrow()
    with pa.memory_map(str(spread)) as source:
        table = pa.ipc.open_file(source).read_all()
        place = pa.array(np.arange(table.num_rows))
        order = pa.compute.sort_indices(
            table.select(["account"]).append_column("place", place),
            sort_keys=[("account", "ascending"), ("place", "ascending")],
        )
        with drafted(path) as draft:
            pa.parquet.write_table(table.take(order), draft, row_group_size=1 << 20)
