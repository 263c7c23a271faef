"""From the rows of a part to what its accounts hold; rows that cannot be are set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.batch.parts import Part
from margincalc.batch.survey import digests, filled, runs
from margincalc.batch.tables import (
    BALANCES,
    POSITIONS,
    Table,
    Wanted,
    arrow,
    columns_of,
    keys,
    opened,
    read,
)
from margincalc.batch.universe import Rows, Universe
from margincalc.portfolio import LEAST

MOST = 1e15  # of a quantity or price, as in a portfolio file
_NO_ROWS = np.zeros(0, np.int64)


class Codes(NamedTuple):
    """A column of names: numbers of them, shape (P,), -1 where there is none."""

    code: IntArray
    names: tuple[str, ...]


class Lines(NamedTuple):
    """Checked rows of positions or balances, shape (P,) each.

    Attributes
    ----------
    account, instrument : numbers: of the part's accounts, and of the book's instruments
    quantity, entry : entry is NaN where it is not known
    venue, pool : their names
    ordered : whether accounts ascend
    """

    account: IntArray
    instrument: IntArray
    quantity: FloatArray
    entry: FloatArray
    venue: Codes
    pool: Codes
    ordered: bool = False

    def take(self, rows: IntArray | slice) -> "Lines":
        """Return the given rows."""
        return Lines(
            self.account[rows],
            self.instrument[rows],
            self.quantity[rows],
            self.entry[rows],
            Codes(self.venue.code[rows], self.venue.names),
            Codes(self.pool.code[rows], self.pool.names),
            self.ordered,
        )


class Bad(NamedTuple):
    """A row set aside: where it stands, whose it is, what it says and what is wrong with it."""

    file: str
    row: int
    account: str | None
    name: str | None
    quantity: float | None
    reason: str


class Accounts(NamedTuple):
    """The accounts of a part.

    Attributes
    ----------
    names : an Arrow array, shape (n,)
    positions, balances : their lines
    bad : the rows set aside
    set_aside : how many there are of each account, shape (n,)
    """

    names: Any
    positions: Lines
    balances: Lines
    bad: tuple[Bad, ...]
    set_aside: IntArray


class _Read(NamedTuple):
    """Rows of a file as they were read.

    Attributes
    ----------
    file, row : where each run of rows comes from: file, number of its first row, how many
    accounts : of each row, an Arrow array; a row without one has its neighbour's
    """

    table: Table
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
    starts = runs(positions.accounts) if len(positions.accounts) else _NO_ROWS
    heads = positions.accounts.take(arrow().array(starts))
    names, number, holder = _named(part, heads, balances.accounts, known)
    held = _checked(positions.table, POSITIONS, universe.instruments, universe)
    owned = _checked(balances.table, BALANCES, universe.assets, universe)
    poster = np.repeat(number, np.diff(starts, append=len(positions.accounts)))
    bad: list[Bad] = []
    kept, set_aside = [], np.zeros(len(names), np.int64)
    for own, (line, reason), owner in ((positions, held, poster), (balances, owned, holder)):
        mine = owner >= 0
        wrong = np.flatnonzero((reason.code > 0) & mine) if reason.any else _NO_ROWS
        bad += _set_aside(own, wrong, reason)
        nameless = own.table.column("account").is_null().to_numpy() if len(wrong) else wrong
        np.add.at(set_aside, owner[wrong[~nameless[wrong]]], 1)
        if reason.any:
            mine &= reason.code == 0
        whole = line._replace(account=owner)
        whole = whole if np.all(mine) else whole.take(np.flatnonzero(mine))
        ordered = bool(np.all(whole.account[1:] >= whole.account[:-1]))
        kept.append(whole._replace(ordered=ordered))
    return Accounts(names, kept[0], kept[1], tuple(bad), set_aside)


def _positions(part: Part) -> _Read:
    pa = arrow()
    if not part.file:
        return _Read(
            pa.table({"account": pa.array([], pa.string())}), (), pa.array([], pa.string())
        )
    with opened(part.file) as file:
        table = read(file, part.groups, columns_of(file, part.file, POSITIONS))
    own = table.slice(part.skip, part.rows)
    accounts = filled(keys(table.column("account")), part.file).slice(part.skip, part.rows)
    return _Read(own, ((part.file, part.first + part.skip, part.rows),), accounts)


def _balances(part: Part) -> _Read:
    pa = arrow()
    tables, places, accounts = [], [], []
    for path in dict.fromkeys(path for path, _ in part.balances):
        groups = [group for own, group in part.balances if own == path]
        with opened(path) as file:
            columns = columns_of(file, path, BALANCES)
            sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
            for group in groups:
                tables.append(read(file, [group], columns))
                places.append((path, sum(sizes[:group]), sizes[group]))
                accounts.append(filled(keys(tables[-1].column("account")), path))
    if not tables:
        empty = pa.array([], pa.string())
        return _Read(pa.table({"account": empty}), (), empty)
    whole = pa.concat_tables(tables, promote_options="permissive")
    return _Read(whole, tuple(places), pa.concat_arrays(accounts))


def _named(
    part: Part, heads: Any, holders: Any, known: IntArray | None
) -> tuple[Any, IntArray, IntArray]:
    """Name the accounts of a part.

    Returns
    -------
    names : all accounts, those with balances alone among them where they are this part's
    number : of each of `heads`
    holder : number of each row of balances; -1 where it is another part's
    """
    pa = arrow()
    # Of one type, but for a side that has no rows and therefore none.
    heads = heads if len(heads) else heads.cast(holders.type)
    holders = holders if len(holders) else holders.cast(heads.type)
    mine = pa.compute.is_in(holders, value_set=heads).to_numpy(zero_copy_only=False)
    more = holders.filter(pa.array(~mine & _also(part, holders, known))).unique()
    names, number = heads, np.arange(len(heads))
    if len(more):
        names = pa.concat_arrays([heads, more])
        order = np.asarray(pa.compute.array_sort_indices(names)) if part.ascending else None
        if order is not None:
            names = names.take(pa.array(order))
            number = np.argsort(order)[: len(heads)]
    found = pa.compute.index_in(holders, value_set=names)
    holder = pa.compute.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return names, number, holder


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


@dataclass
class _Reasons:
    """What is wrong with each row, shape (P,), as numbers of texts; 0 where nothing is.

    `any` is whether anything is: a column of noughts is neither written nor looked at.
    """

    code: IntArray
    texts: list[str]
    any: bool

    def put(self, rows: BoolArray, text: str) -> None:
        """Say what is wrong with some rows."""
        if np.any(rows):
            self.any = True
            self.texts.append(text)
            self.code[rows] = len(self.texts) - 1


def _checked(
    table: Table, wanted: dict[str, Wanted], rows: Rows, universe: Universe
) -> tuple[Lines, _Reasons]:
    """Turn columns into numbers, and say what is wrong with each row."""
    _, name, amount, *_ = wanted
    names, venue = _codes(table, name), _codes(table, "venue")
    row, why = _rows_of(names, rows)
    unknown = bool(len(row)) and int(np.min(row)) < 0
    code = np.where(row < 0, names.code + 2, 0) if unknown else np.zeros(len(row), np.int64)
    reasons = _Reasons(code, ["", f"no {name}", *why], unknown)
    quantity, entry = _numbers(table, amount), _numbers(table, "entry_price")
    if wanted is POSITIONS:
        reasons.put(quantity == 0.0, f"a {amount} of 0")
    if not np.max(np.abs(quantity), initial=0.0) <= MOST:  # as where there is a NaN
        wrong = ~(np.abs(quantity) <= MOST)
        reasons.put(wrong, f"a {amount} that is no number from -1e15 to 1e15")
    if "entry_price" in table.column_names:
        inverse = universe.book.instruments.inverse & (universe.settlement >= 0)
        odd = (entry < 0.0) | (entry > MOST) | _written_nan(table.column("entry_price"), entry)
        odd |= (entry < LEAST) & np.append(inverse, False)[row]
        reasons.put(odd, "an entry_price that is no price")
    if universe.venue.parts:
        allowed = np.array([each in universe.venue.parts for each in (*venue.names, "")])
        beyond = "a venue for which the market's `venues` names no model"
        reasons.put(~allowed[venue.code], beyond)
    if table.num_rows and table.column("account").null_count:
        reasons.put(table.column("account").is_null().to_numpy(), "no account")
    nobody = np.zeros(len(row), np.int64)
    return Lines(nobody, row, quantity, entry, venue, _codes(table, "pool")), reasons


def _codes(table: Table, name: str) -> Codes:
    """Return a column of names as numbers."""
    pa = arrow()
    if name not in table.column_names:
        return Codes(np.broadcast_to(np.int64(-1), table.num_rows), ())
    column = table.column(name)
    column = column.cast(pa.string()) if pa.types.is_null(column.type) else column
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else whole.cast(pa.string()).dictionary_encode()
    index = whole.indices.cast(pa.int64())
    index = pa.compute.fill_null(index, -1) if index.null_count else index
    names = tuple("" if each is None else each for each in whole.dictionary.to_pylist())
    return Codes(index.to_numpy(zero_copy_only=False), names)


def _rows_of(names: Codes, rows: Rows) -> tuple[IntArray, list[str]]:
    """Return the book's row of each name, -1 where there is none, and why, by code."""
    found = [rows.get(name, "unknown") for name in names.names]
    row = np.array([*(own if isinstance(own, int) else -1 for own in found), -1], np.int64)
    return row[names.code], ["" if isinstance(own, int) else own for own in found]


def _numbers(table: Table, name: str) -> FloatArray:
    """Return a column of numbers, NaN where there is none."""
    pa = arrow()
    if name not in table.column_names:
        return np.broadcast_to(np.nan, table.num_rows)
    column = table.column(name)
    column = column if column.type == pa.float64() else column.cast(pa.float64(), safe=False)
    numbers: FloatArray = column.to_numpy().astype(np.float64, copy=False)
    return numbers


def _written_nan(column: Table, numbers: FloatArray) -> BoolArray:
    """Return where a column holds a NaN of its own, beside those of its nulls."""
    found: BoolArray = np.isnan(numbers)
    return found & column.is_valid().to_numpy() if column.null_count else found


def _set_aside(own: _Read, rows: IntArray, reasons: _Reasons) -> Sequence[Bad]:
    """Describe bad rows; rows are counted from 1, as people count them."""
    bad = []
    ends = np.cumsum([count for _, _, count in own.places])
    for row in rows.tolist():
        place = int(np.searchsorted(ends, row, side="right"))
        file, first, count = own.places[place]
        _, name, amount, *_ = own.table.column_names
        values = [own.table.column(each)[row].as_py() for each in ("account", name, amount)]
        account = None if values[0] is None else str(values[0])
        quantity = None if values[2] is None else float(values[2])
        number = first + row - (int(ends[place]) - count) + 1
        bad.append(
            Bad(file, number, account, values[1], quantity, reasons.texts[reasons.code[row]])
        )
    return bad
