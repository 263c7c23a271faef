"""Group Parquet files by account, out of core: sample, spread over files by range, sort each.

Accounts ascend through the files that result, so that `batch` keeps nothing of each in mind, and
each account's rows keep their order. Rows without account, or with one that is not UTF-8, stay too,
in the last file: it is `batch` that sets rows aside.
"""

import os
import re
import shutil
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from margincalc.batch.survey import Key
from margincalc.errors import OutputError, input_error
from margincalc.files.folders import files_of
from margincalc.files.parquet import (
    BALANCES,
    POSITIONS,
    Wanted,
    account_keys,
    arrow,
    columns_of,
    opened,
    read,
    readable,
    sizes_of,
)
from margincalc.files.unchanged import states_of, unchanged
from margincalc.files.whole import on_disk

ROWS = 1 << 22  # of positions in a file, about; the rows of one file are in memory at once
SAMPLED = 1024  # accounts of each row group
MOST_FILES = 256
DRAFT = ".partition.draft"
_WRITTEN = re.compile(r"(positions|balances)(/\.part-\d{6}\.spread|/part-\d{6}\.parquet)?")


def partitioned(positions: str, balances: str | None, output: str) -> int:
    """Write `positions/` and `balances/` under a folder, each in files of ascending accounts.

    They appear when all of both is written, and not before. Returns the number of rows.

    Raises
    ------
    InputError
        For files that cannot be read, or a folder that is not empty.
    OutputError
        If a file could not be written; nothing stays.
    """
    files = files_of(positions, "POSITIONS")
    others = None if balances is None else files_of(balances, "--balances")
    states = states_of((*files, *(others or ())))
    with _drafted(Path(output)) as draft, unchanged(states):
        kind, bounds = _bounds(files, POSITIONS)
        if kind is None:  # nobody's positions: balances say how accounts are written
            kind = _bounds(others or (), BALANCES)[0] or arrow().string()
        rows = _grouped(files, _schema(POSITIONS, kind), bounds, draft / "positions")
        if others is not None:
            rows += _grouped(others, _schema(BALANCES, kind), bounds, draft / "balances")
    return rows


@contextmanager
def _drafted(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to write to, whose content becomes the folder's when all is written."""
    draft, fresh = folder / DRAFT, not folder.exists()
    try:
        _refuse_full(folder, draft)
        draft.mkdir(parents=True, exist_ok=True)
        with _alone(draft):
            yield draft
            for name in ("balances", "positions"):  # the one that makes it a venue's folder last
                if (draft / name).exists():
                    on_disk(draft / name)
                    (draft / name).rename(folder / name)
            on_disk(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{folder} could not be written: {reason}; nothing of it stays: make room"
        raise OutputError(message) from None
    finally:
        if fresh:
            with suppress(OSError):
                folder.rmdir()  # unless it has something


def _refuse_full(folder: Path, draft: Path) -> None:
    """Refuse a folder that has anything, but for what an interrupted run left there."""
    if folder.is_dir():
        others = [own.name for own in folder.iterdir() if own != draft]
        if not others and (not os.path.lexists(draft) or _ours(draft)):
            return
    elif not folder.exists():
        return
    left = os.path.lexists(draft)
    remedy = f"an interrupted --partition left {DRAFT} there: delete what it has" if left else ""
    found = f"{folder}, which is {'not empty' if folder.is_dir() else 'a file'}"
    raise input_error("--output", found, "a new folder", remedy or "name another")


def _ours(draft: Path) -> bool:
    """Whether a draft has nothing but what is written here."""
    if draft.is_symlink() or not draft.is_dir():
        return False
    return all(
        not path.is_symlink()
        and path.is_dir() == (path.parent == draft)
        and _WRITTEN.fullmatch(path.relative_to(draft).as_posix())
        for path in draft.rglob("*")
    )


@contextmanager
def _alone(draft: Path) -> Iterator[None]:
    """Hold a draft, emptied, against others who would write to it; it is gone in the end."""
    with _locked(draft):
        for left in draft.iterdir():
            shutil.rmtree(left)
        try:
            yield
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder, where its system and its file system have locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found = f"{folder.parent}, to which another --partition is writing"
                raise input_error("--output", found, "a new folder", "name another") from None
        yield
    finally:
        os.close(place)


def _schema(wanted: dict[str, Wanted], accounts: Any) -> Any:
    """Return the columns that are written; `accounts` is the type of the first."""
    pa = arrow()
    types = {"key": accounts, "text": pa.string(), "number": pa.float64()}
    return pa.schema([(name, types[column.holds]) for name, column in wanted.items()])


def _bounds(files: Sequence[str], wanted: dict[str, Wanted]) -> tuple[Any, list[Key]]:
    """Return how accounts are written, None where there are none, and those at which files begin.

    Of the files, all but the first begin at one; they have about equal numbers of rows.
    """
    sample: list[Any] = []
    rows, kinds = 0, []
    for path in files:
        with opened(path) as file:
            columns_of(file, path, wanted)
            for group in range(len(sizes_of(file, path))):
                accounts = account_keys(read(file, [group], ["account"]).column(0), path)
                accounts, kind = accounts.drop_null(), accounts.type
                kinds += [kind] if len(accounts) else []
                rows += len(accounts)
                step = max(len(accounts) // SAMPLED, 1)
                sample += accounts.take(
                    arrow().array(np.arange(0, len(accounts), step))
                ).to_pylist()
    if len(set(kinds)) > 1:
        raise input_error("POSITIONS", "accounts of two types", "texts, or whole numbers")
    sample.sort()
    count = min(max(rows // ROWS, 1), MOST_FILES)
    cuts = (sample[len(sample) * number // count] for number in range(1, count))
    return kinds[0] if kinds else None, list(dict.fromkeys(cuts))


def _grouped(files: Sequence[str], schema: Any, bounds: Sequence[Key], folder: Path) -> int:
    """Spread rows over one file for each range, then sort each by account."""
    pa = arrow()
    spread = [folder / f".part-{number:06d}.spread" for number in range(len(bounds) + 1)]
    folder.mkdir()
    with ExitStack() as stack:
        writers: list[Any] = [None] * len(spread)
        rows = 0
        for table in _tables(files, schema):
            rows += table.num_rows
            for number, part in _cut(table, bounds):
                if writers[number] is None:
                    sink = stack.enter_context(pa.OSFile(str(spread[number]), "wb"))
                    writers[number] = stack.enter_context(pa.ipc.new_file(sink, schema))
                writers[number].write_table(part)
    for number, path in enumerate(spread):
        if path.exists():
            _sorted(path, folder / f"part-{number:06d}.parquet")
            path.unlink()
    if not rows:
        _written(schema.empty_table(), folder / "part-000000.parquet")
    return rows


def _tables(files: Sequence[str], schema: Any) -> Iterator[Any]:
    """Yield row groups with the columns of a schema."""
    pa = arrow()
    wanted = POSITIONS if "instrument" in schema.names else BALANCES
    for path in files:
        with opened(path) as file:
            columns = columns_of(file, path, wanted)
            for group in range(len(sizes_of(file, path))):
                table = read(file, [group], columns)
                made = [pa.chunked_array([_accounts(table, path, schema.types[0])])]
                for name, kind in zip(schema.names[1:], schema.types[1:], strict=True):
                    made.append(
                        # Of whole numbers and decimals, what batch would make of them.
                        table.column(name).cast(kind, safe=False)
                        if name in columns
                        else pa.nulls(table.num_rows, kind)
                    )
                yield pa.table(made, schema=schema)


def _accounts(table: Any, path: str, kind: Any) -> Any:
    column = table.column("account")
    accounts = account_keys(column, path, as_written=True)
    if accounts.type == kind:
        return accounts
    if account_keys(column, path).null_count == len(accounts):
        return arrow().nulls(len(accounts), kind)  # nobody's, and of no type
    place, remedy = f"{path}, column account", "write accounts in one way in all files"
    raise input_error(place, "accounts of another type", "that of the positions", remedy)


def _cut(table: Any, bounds: Sequence[Key]) -> Iterator[tuple[int, Any]]:
    """Yield the rows of each range that has any, in their order."""
    pa = arrow()
    coded = table.column("account").combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    names = readable(coded.dictionary).to_pylist()
    # Nobody's rows go to the last file, which has accounts beside them.
    place = [len(bounds) if each is None else bisect_right(bounds, each) for each in names]
    index = pa.compute.fill_null(coded.indices, len(place)).to_numpy(zero_copy_only=False)
    number = np.array([*place, len(bounds)])[index]
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
        _written(table.take(order), path)


def _written(table: Any, path: Path) -> None:
    """Write a file, and see that it is on the disk."""
    arrow().parquet.write_table(table, path, row_group_size=1 << 20)
    on_disk(path)
