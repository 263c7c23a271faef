"""Rows of positions or balances: checked as they were read, and made numbers a few at a time.

What is as long as a file stays as Parquet has it; only the rows of one book are ever made columns
of 64 bits, in memory that the next book uses again.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from margincalc.arrays import AnyArray, BoolArray, FloatArray, IntArray
from margincalc.batch.universe import Rows, Universe
from margincalc.files.parquet import POSITIONS, Legible, Table, Wanted, arrow
from margincalc.portfolio import LEAST

MOST = 1e15  # of a quantity or price, as in a portfolio file


class Codes(NamedTuple):
    """A column of names: numbers of them, shape (P,), -1 where there is none."""

    code: AnyArray
    names: tuple[str, ...]

    def take(self, rows: IntArray | slice) -> "Codes":
        """Return the given rows."""
        return Codes(self.code[rows], self.names)


class Lines(NamedTuple):
    """Positions or balances of some accounts, shape (P,) each.

    Attributes
    ----------
    account, instrument : numbers: of those accounts, and of the book's instruments
    quantity, entry : entry is NaN where it is not known
    venue, pool : their names
    """

    account: IntArray
    instrument: IntArray
    quantity: FloatArray
    entry: FloatArray
    venue: Codes
    pool: Codes


class Runs(NamedTuple):
    """Runs of rows of one account, shape (R,) each.

    Attributes
    ----------
    owner : number of the account; -1 of one that is another part's
    first, length : its first row, and how many there are
    """

    owner: IntArray
    first: IntArray
    length: IntArray

    def owners(self) -> IntArray:
        """Return the account of every row, shape (P,)."""
        return np.repeat(self.owner, self.length)

    def take(self, runs: IntArray | BoolArray | slice) -> "Runs":
        """Return the given runs."""
        return Runs(self.owner[runs], self.first[runs], self.length[runs])


class Checked(NamedTuple):
    """Rows that were read, shape (P,), with what they mean.

    Attributes
    ----------
    runs : those of this part's accounts
    ordered : whether they are one after the other, by ascending account
    names, row : what each row names, and the book's row of each name, of none the last
    quantity, entry, venue, pool : as of `Lines`
    good : which rows can be; None where all can
    """

    runs: Runs
    ordered: bool
    names: Codes
    row: IntArray
    quantity: FloatArray
    entry: FloatArray
    venue: Codes
    pool: Codes
    good: BoolArray | None

    def of(self, first: int, stop: int) -> Lines:
        """Return the lines of some accounts, which are numbered from 0 then."""
        whole = self.runs
        if self.ordered:
            runs = whole.take(slice(*np.searchsorted(whole.owner, [first, stop])))
        else:
            runs = whole.take((whole.owner >= first) & (whole.owner < stop))
        account, rows = np.repeat(runs.owner - first, runs.length), self._rows(runs)
        if self.good is not None:
            kept = np.flatnonzero(self.good[rows])
            account = account[kept]
            rows = kept + rows.start if isinstance(rows, slice) else rows[kept]
        return Lines(
            account,
            self.row[self.names.code[rows]],
            self.quantity[rows],
            self.entry[rows],
            self.venue.take(rows),
            self.pool.take(rows),
        )

    def _rows(self, runs: Runs) -> IntArray | slice:
        if self.ordered and len(runs.first):
            return slice(int(runs.first[0]), int(runs.first[-1] + runs.length[-1]))
        before = np.cumsum(runs.length) - runs.length
        return np.repeat(runs.first - before, runs.length) + np.arange(np.sum(runs.length))

    def sizes(self, accounts: int) -> IntArray:
        """Return how many good rows each account has, shape (accounts,)."""
        if self.good is None:
            rows = np.bincount(self.runs.owner, self.runs.length, accounts)
        else:
            rows = np.bincount(self.of(0, accounts).account, minlength=accounts)
        return rows.astype(np.int64)


@dataclass
class Reasons:
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


def checked(
    read: Legible, wanted: dict[str, Wanted], runs: Runs, rows: Rows, universe: Universe
) -> tuple[Checked, Reasons]:
    """Say what is wrong with each row, and keep what is right of this part's accounts."""
    _, name, amount, *_ = wanted
    table = read.table
    names, venue = _codes(table, name), _codes(table, "venue")
    quantity, entry = _numbers(table, amount), _numbers(table, "entry_price")
    row, why = _rows_of(names, rows)
    reasons = Reasons(np.zeros(table.num_rows, np.int64), ["", f"no {name}", *why], any=False)
    if np.any(row[:-1] < 0) or np.min(names.code, initial=0) < 0:
        reasons.code[:] = np.where(row < 0, np.append(np.arange(len(why)) + 2, 1), 0)[names.code]
        reasons.any = bool(np.any(reasons.code))
    if wanted is POSITIONS:
        reasons.put(quantity == 0.0, f"a {amount} of 0")
    if not -MOST <= np.min(quantity, initial=0.0) <= np.max(quantity, initial=0.0) <= MOST:
        wrong = ~(np.abs(quantity) <= MOST)  # as where there is a NaN
        reasons.put(wrong, f"a {amount} that is no number from -1e15 to 1e15")
    if "entry_price" in table.column_names:
        inverse = universe.book.instruments.inverse & (universe.settlement >= 0)
        odd = (entry < 0.0) | (entry > MOST) | _written_nan(table.column("entry_price"), entry)
        odd |= (entry < LEAST) & np.append(inverse, False)[row][names.code]
        reasons.put(odd, "an entry_price that is no price")
    if universe.venue.parts:
        allowed = np.array([each in universe.venue.parts for each in (*venue.names, "")])
        beyond = "a venue for which the market's `venues` names no model"
        reasons.put(~allowed[venue.code], beyond)
    if table.num_rows and table.column("account").null_count:
        reasons.put(table.column("account").is_null().to_numpy(), "no account")
    for column, lost in read.lost:
        reasons.put(lost, f"{'an' if column[0] in 'aeiou' else 'a'} {column} that is not UTF-8")
    good = reasons.code == 0 if reasons.any else None
    own, pool = runs.take(runs.owner >= 0), _codes(table, "pool")
    return Checked(own, _ordered(own), names, row, quantity, entry, venue, pool, good), reasons


def _ordered(runs: Runs) -> bool:
    """Whether runs are one after the other, by ascending account."""
    rising = np.all(runs.owner[1:] > runs.owner[:-1])
    return bool(rising and np.all(runs.first[1:] == runs.first[:-1] + runs.length[:-1]))


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
    index = whole.indices
    if index.null_count or not pa.types.is_signed_integer(index.type):
        index = pa.compute.fill_null(index.cast(pa.int64()), -1)
    names = tuple("" if each is None else each for each in whole.dictionary.to_pylist())
    return Codes(index.to_numpy(zero_copy_only=False), names)


def _rows_of(names: Codes, rows: Rows) -> tuple[IntArray, list[str]]:
    """Return the book's row of each name, -1 where there is none, and of none; and why, by code."""
    found = [rows.get(name, "unknown") for name in names.names]
    row = np.array([*(own if isinstance(own, int) else -1 for own in found), -1], np.int64)
    return row, ["" if isinstance(own, int) else own for own in found]


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
