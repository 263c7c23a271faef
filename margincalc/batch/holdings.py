"""From the rows of a part to what its accounts hold; rows that cannot be are set aside."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, IntArray
from margincalc.batch.aside import rows_of, together
from margincalc.batch.lines import Checked, Runs, checked
from margincalc.batch.parts import Part
from margincalc.batch.survey import digests, filled, runs
from margincalc.batch.universe import Universe
from margincalc.files.parquet import (
    BALANCES,
    POSITIONS,
    Legible,
    Table,
    arrow,
    columns_of,
    flat,
    keys,
    legible,
    opened,
    read,
    sizes_of,
)


class Accounts(NamedTuple):
    """The accounts of a part.

    Attributes
    ----------
    names : an Arrow array, shape (n,)
    positions, balances : their rows
    bad : the rows set aside, a table; see `aside`
    set_aside : how many there are of each account, shape (n,)
    """

    names: Any
    positions: Checked
    balances: Checked
    bad: Table
    set_aside: IntArray


class _Read(NamedTuple):
    """Rows of a file as they were read.

    Attributes
    ----------
    file, row : where each run of rows comes from: file, number of its first row, how many
    accounts : of each row, an Arrow array; a row without one has its neighbour's
    """

    rows: Legible
    places: tuple[tuple[str, int, int], ...]
    accounts: Any


def accounts_in(part: Part, universe: Universe, known: IntArray | None) -> Accounts:
    """Read a part.

    Parameters
    ----------
    known : digests of the accounts with positions, for the part of those without

    Raises
    ------
    InputError
        For a file that cannot be read.
    """
    positions, balances = _positions(part), _balances(part)
    if part.nobody:
        return _nobodys(positions, balances, universe)
    starts = runs(positions.accounts)
    heads = positions.accounts.take(arrow().array(starts))
    names, number, holder = _named(part, heads, balances.accounts, known)
    poster = Runs(number, starts, np.diff(starts, append=len(positions.accounts)))
    held = checked(positions.rows, POSITIONS, poster, universe.instruments, universe)
    owned = checked(balances.rows, BALANCES, holder, universe.assets, universe)
    bad = []
    set_aside = np.zeros(len(names), np.int64)
    for own, (_, reasons), each in ((positions, held, poster), (balances, owned, holder)):
        if reasons.any:
            owner = each.owners()
            wrong = np.flatnonzero((reasons.code > 0) & (owner >= 0))
            bad.append(rows_of(own.rows.written, own.places, wrong, reasons))
            named = own.rows.table.column("account").is_valid().to_numpy()[wrong]
            np.add.at(set_aside, owner[wrong[named]], 1)
    return Accounts(names, held[0], owned[0], together(bad), set_aside)


def _nobodys(positions: _Read, balances: _Read, universe: Universe) -> Accounts:
    """Set every row aside."""
    none = np.zeros(0, np.int64)
    runs_of_none = Runs(none, none, none)
    held = checked(positions.rows, POSITIONS, runs_of_none, universe.instruments, universe)
    owned = checked(balances.rows, BALANCES, runs_of_none, universe.assets, universe)
    bad = [
        rows_of(own.rows.written, own.places, np.flatnonzero(reasons.code), reasons)
        for own, (_, reasons) in ((positions, held), (balances, owned))
        if reasons.any
    ]
    return Accounts(positions.accounts.slice(0, 0), held[0], owned[0], together(bad), none)


def _positions(part: Part) -> _Read:
    if not part.file:
        return _nothing()
    with opened(part.file) as file:
        table = read(file, part.groups, columns_of(file, part.file, POSITIONS))
        places = _places(file, part.file, part.groups)
    accounts, own = keys(table.column("account")), slice(part.skip, part.skip + part.rows)
    rows = _legible(table.slice(part.skip, part.rows), accounts[own])
    owners = _filled(accounts, [count for _, _, count in places])[own]
    return _Read(rows, tuple(_kept(places, part.skip, part.rows)), owners)


def _filled(accounts: Any, counts: Iterable[int]) -> Any:
    """Give rows without account to a neighbour of their row group, of so many rows, as surveyed.

    To one of the row group before, they would be a second run of what may be another part's.
    """
    if not accounts.null_count:
        return accounts
    ends = accumulate(counts, initial=0)
    each = [filled(accounts[start:end]) for start, end in pairwise(ends)]
    return arrow().concat_arrays(each)


def _places(file: Any, path: str, groups: Sequence[int]) -> list[tuple[str, int, int]]:
    """Return where the rows of row groups stand: file, number of the first, how many."""
    sizes = sizes_of(file, path)
    return [(path, sum(sizes[:group]), sizes[group]) for group in groups]


def _kept(
    places: Iterable[tuple[str, int, int]], skip: int, rows: int
) -> Iterator[tuple[str, int, int]]:
    """Yield the places of so many rows, after some that are another part's."""
    for path, first, count in places:
        lost = min(skip, count)
        kept = min(count - lost, rows)
        yield path, first + lost, kept
        skip, rows = skip - lost, rows - kept


def _legible(table: Table, accounts: Any) -> Legible:
    """Return rows, whose accounts are as they are read."""
    rows, at = legible(table), table.column_names.index("account")
    return rows._replace(table=rows.table.set_column(at, "account", accounts))


def _balances(part: Part) -> _Read:
    pa = arrow()
    tables, accounts = [], []
    places: list[tuple[str, int, int]] = []
    for path in dict.fromkeys(path for path, _ in part.balances):
        groups = [group for own, group in part.balances if own == path]
        with opened(path) as file:
            columns = columns_of(file, path, BALANCES)
            places += _places(file, path, groups)
            for group in groups:
                tables.append(read(file, [group], columns))
                accounts.append(keys(tables[-1].column("account")))
    if not tables:
        return _nothing()
    rows = _legible(_merged(tables), pa.chunked_array(accounts))
    return _Read(rows, tuple(places), pa.concat_arrays([filled(own) for own in accounts]))


def _merged(tables: Sequence[Table]) -> Table:
    """Return balances of several files as one table, also where each has types of its own."""
    pa = arrow()
    if any(table.schema != tables[0].schema for table in tables):
        tables = [_plain(table) for table in tables]
    return pa.concat_tables(tables, promote_options="default")


def _plain(table: Table) -> Table:
    """Return balances whose texts have no dictionary, and whose numbers are of 64 bits."""
    pa, made = arrow(), {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        number = BALANCES[name].holds == "number"
        made[name] = column.cast(pa.float64(), safe=False) if number else flat(column)
    return pa.table(made)


def _nothing() -> _Read:
    pa = arrow()
    empty = pa.array([], pa.string())
    return _Read(legible(pa.table({"account": empty})), (), empty)


def _named(
    part: Part, heads: Any, holders: Any, known: IntArray | None
) -> tuple[Any, IntArray, Runs]:
    """Name the accounts of a part.

    Returns
    -------
    names : all accounts, those with balances alone among them where they are this part's
    number : of each of `heads`
    holder : runs of balances of one account each
    """
    pa = arrow()
    # Of one type, but for a side that has no rows and therefore none.
    heads = heads if len(heads) else heads.cast(holders.type)
    holders = holders if len(holders) else holders.cast(heads.type)
    starts = runs(holders)
    owners = holders.take(pa.array(starts))
    names, number, found = heads, np.arange(len(heads)), pa.compute.index_in(owners, heads)
    missing = found.is_null().to_numpy(zero_copy_only=False)
    more = owners.filter(pa.array(missing & _also(part, owners, known))).unique()
    if len(more):
        names = pa.concat_arrays([heads, more])
        order = np.asarray(pa.compute.array_sort_indices(names)) if part.ascending else None
        if order is not None:
            names = names.take(pa.array(order))
            number = np.argsort(order)[: len(heads)]
        found = pa.compute.index_in(owners, names)
    holder = pa.compute.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return names, number, Runs(holder, starts, np.diff(starts, append=len(holders)))


def _also(part: Part, holders: Any, known: IntArray | None) -> BoolArray:
    """Whether accounts that have no positions here are this part's own, shape of `holders`."""
    pa = arrow()
    if part.ascending:
        own = np.ones(len(holders), bool)
        if part.after is not None:
            above = pa.compute.greater(holders, pa.scalar(part.after, holders.type))
            own &= above.to_numpy(zero_copy_only=False)
        if part.until is not None:
            below = pa.compute.less_equal(holders, pa.scalar(part.until, holders.type))
            own &= below.to_numpy(zero_copy_only=False)
        return own
    if part.file or known is None:
        return np.zeros(len(holders), bool)
    unknown: BoolArray = ~np.isin(digests(holders), known)
    return unknown
