"""One pool as an engine sees it: what it holds, what each unit is worth, and where it stands.

An engine changes quantities; money follows. Every state that it considers is margined as a copy of
the pool in one book, so that there is no second way to a requirement.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import NO_ORDERS, Book, Instruments, Kind
from margincalc.margin.base import MarginModel, MarginResult
from margincalc.risk import Greeks, greeks, now, row_spot
from margincalc.risk.aging import balances, joined

CASH = "cash"
CONTRACTS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL, Kind.SPOT)
LINEAR = (Kind.FUTURE, Kind.PERPETUAL)


@dataclass(frozen=True, eq=False)
class Desk:
    """A pool, its model, and a row of money that trades are paid from.

    Attributes
    ----------
    book : of one pool; its last row is the money, and its orders are cancelled
    """

    book: Book
    model: MarginModel

    @property
    def names(self) -> list[str]:
        """What each row holds."""
        return [self.book.names.instruments[int(row)] for row in self.book.instrument]

    @cached_property
    def unit(self) -> FloatArray:
        """What one unit of each row counts for in equity, account currency, shape (P,)."""
        return (now(self.book) + self.book.instruments.offset)[self.book.instrument]

    @cached_property
    def greeks(self) -> Greeks:
        """Greeks of one unit of each row, each of shape (P,)."""
        rows = self.book.instrument
        return Greeks(*(column[rows] for column in greeks(self.book)))

    @cached_property
    def exposure(self) -> FloatArray:
        """Signed exposure of one unit of each row: delta times spot, account currency."""
        return self.greeks.delta * row_spot(self.book)[self.book.instrument]

    @cached_property
    def notional(self) -> FloatArray:
        """Notional of one unit of each row; an option's is that of its underlying."""
        columns = self.book.instruments
        spot = row_spot(self.book)
        whole = columns.multiplier * (np.ones(len(spot)) if self.book.coin else spot)
        of_options = np.where(columns.is_kind(Kind.OPTION), whole, 0.0)[self.book.instrument]
        return np.where(self.contract, np.maximum(of_options, np.abs(self.exposure)), 0.0)

    @cached_property
    def contract(self) -> BoolArray:
        """Which rows are positions, and neither deposits nor balances, shape (P,)."""
        return self.book.instruments.is_kind(*CONTRACTS)[self.book.instrument]

    @cached_property
    def linear(self) -> BoolArray:
        """Which rows are futures and perpetuals, shape (P,)."""
        return self.book.instruments.is_kind(*LINEAR)[self.book.instrument]

    @cached_property
    def option(self) -> BoolArray:
        """Which rows are options, shape (P,)."""
        return self.book.instruments.is_kind(Kind.OPTION)[self.book.instrument]

    @cached_property
    def deposit(self) -> BoolArray:
        """Which rows are deposits, or debts where their quantity is negative, shape (P,)."""
        return self.book.instruments.is_kind(Kind.COLLATERAL)[self.book.instrument]

    def margins(self, quantity: FloatArray) -> MarginResult:
        """Margin states of the pool.

        Parameters
        ----------
        quantity : shape (K, P)

        Returns
        -------
        MarginResult of K pools
        """
        if len(quantity) == 1:
            return self.model.margin(replace(self.book, quantity=quantity[0]))
        chosen = np.zeros(len(quantity), np.int64)
        copies = self.book.copies(chosen, np.ones((len(quantity), len(self.book.spot))))
        return self.model.margin(replace(copies, quantity=quantity.ravel()))

    def alone(self, quantity: FloatArray) -> FloatArray:
        """Maintenance margin that each row would need without the others, shape (P,)."""
        return self.margins(np.diag(quantity)).maintenance

    def paid(self, quantity: FloatArray, size: FloatArray, cost: float) -> FloatArray:
        """Return quantities after trades at the mark, and a cost, paid in money.

        Parameters
        ----------
        quantity, size : shape (P,); what is bought is positive
        """
        after = quantity + size
        after[-1] -= float(np.sum(size * self.unit)) + cost
        return after

    def mark(self, row: int) -> float:
        """Price of a row per unit of what it is quoted on, account currency."""
        columns, number = self.book.instruments, self.book.instrument[row]
        if self.linear[row]:
            return float(columns.forward[number])
        return float(self.unit[row] / columns.multiplier[number])


def desk_of(book: Book, model: MarginModel, pool: int, tradable: IntArray) -> Desk:
    """Return one pool of a book with a row of money, and empty rows of what it may trade.

    Parameters
    ----------
    tradable : instruments beside those it holds, as rows of the book's
    """
    rows = np.flatnonzero(book.pool == pool)
    extra = np.setdiff1d(tradable, book.instrument[rows])
    money = len(book.instruments.kind)
    instrument = np.concatenate([np.sort(np.concatenate([book.instrument[rows], extra])), [money]])
    quantity, entry = np.zeros(len(instrument)), np.full(len(instrument), np.nan)
    place = np.searchsorted(instrument, book.instrument[rows])
    quantity[place], entry[place] = book.quantity[rows], book.entry[rows]
    single = replace(
        book,
        names=book.names._replace(
            keys=(book.names.keys[pool],), instruments=(*book.names.instruments, CASH)
        ),
        instruments=joined(book.instruments, _money(book)),
        pool=np.zeros(len(instrument), np.int64),
        instrument=instrument,
        quantity=quantity,
        entry=entry,
        limited=book.limited[[pool]],
        orders=NO_ORDERS,
    )
    return Desk(single, model)


def _money(book: Book) -> Instruments:
    """Return the row of one unit of the account's currency."""
    first = book.instruments.take(np.zeros(1, np.int64))
    own = replace(
        first,
        inverse=np.array([book.coin]),
        underlying=np.array([0 if book.coin else -1]),
    )
    return balances(own, book.spot[:1] if book.coin else np.ones(1), coin=book.coin)
