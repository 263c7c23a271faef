"""Lots: what a pool holds of an instrument, or would hold if its orders filled."""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind


class Lots(NamedTuple):
    """Signed quantities of instruments, each of shape (L,).

    Attributes
    ----------
    pool, instrument : rows of a book
    quantity : signed
    """

    pool: IntArray
    instrument: IntArray
    quantity: FloatArray

    def take(self, rows: IntArray) -> "Lots":
        """Return the given rows."""
        return Lots(self.pool[rows], self.instrument[rows], self.quantity[rows])

    def units(self, book: Book) -> FloatArray:
        """Absolute size in units of the underlying: of an inverse contract, at its mark."""
        columns = book.instruments.take(self.instrument)
        size = np.abs(self.quantity) * columns.multiplier
        return np.divide(size, columns.forward, out=size.copy(), where=columns.inverse)

    def at_mark(self, book: Book) -> FloatArray:
        """Absolute notional of delta-one contracts at their mark, account currency."""
        columns = book.instruments.take(self.instrument)
        price = np.where(columns.inverse, 1.0, columns.forward)
        price = price / book.spot[columns.underlying] if book.coin else price
        return np.abs(self.quantity) * columns.multiplier * price

    def at_index(self, book: Book) -> FloatArray:
        """Absolute notional of delta-one contracts at the index, account currency."""
        columns = book.instruments.take(self.instrument)
        price = np.ones(len(self.quantity)) if book.coin else book.spot[columns.underlying]
        return self.units(book) * price


def held(book: Book, *kinds: Kind) -> Lots:
    """Return the position rows of some kinds as lots."""
    rows = book.rows(*kinds)
    return Lots(book.pool[rows], book.instrument[rows], book.quantity[rows])


def order_sides(book: Book) -> tuple[Lots, Lots, Lots]:
    """Return what is held where there are orders, with all buys filled, and with all sells."""
    orders, rows = book.orders, len(book.pool)
    pool = np.concatenate([book.pool, orders.pool])
    instrument = np.concatenate([book.instrument, orders.instrument])
    first, labels = group_rows(pool, instrument)
    ordered = np.zeros(len(first), bool)
    ordered[labels[rows:]] = True
    chosen = np.flatnonzero(ordered)

    def summed(quantity: FloatArray, labels: IntArray) -> FloatArray:
        return group_sum(quantity, labels, len(first))[chosen]

    present = summed(book.quantity, labels[:rows])
    buys = summed(np.maximum(orders.quantity, 0.0), labels[rows:])
    sells = summed(np.minimum(orders.quantity, 0.0), labels[rows:])
    owner, named = pool[first][chosen], instrument[first][chosen]
    sides = (present, present + buys, present + sells)
    now, bought, sold = (Lots(owner, named, side) for side in sides)
    return now, bought, sold
