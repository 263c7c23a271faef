"""The requirement of a pool whose positions are larger, smaller or gone.

Each choice of sizes is a copy of the pool, so that a thousand choices are one book like any other
and go through the model's one function.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book, Kind
from margincalc.margin.base import MarginModel

ROWS_AT_ONCE = 1 << 14  # position rows of one margin call: bounds memory, keeps caches warm


class Pooled(NamedTuple):
    """One pool of a book under a model.

    Attributes
    ----------
    rows : its position rows, shape (N,)
    """

    book: Book
    model: MarginModel
    pool: int
    rows: IntArray

    def maintenance(self, weight: FloatArray) -> FloatArray:
        """Maintenance margin with every position multiplied, shape (K,).

        Parameters
        ----------
        weight : shape (K, N), what each position's quantity is multiplied by; 0 takes it away
        """
        found = np.empty(len(weight))
        most = max(ROWS_AT_ONCE // max(len(self.rows), 1), 1)
        for start in range(0, len(weight), most):
            part = weight[start : start + most]
            found[start : start + most] = self.model.margin(self._copies(part)).maintenance
        return found

    def _copies(self, weight: FloatArray) -> Book:
        pools = np.full(len(weight), self.pool)
        book = self.book.copies(pools, np.ones((len(weight), len(self.book.spot))))
        flat = weight.ravel()
        scaled = replace(book, quantity=book.quantity * flat)
        kept, _ = scaled.restricted(np.flatnonzero(flat), np.arange(len(book.orders.pool)))
        return kept


def pooled(book: Book, model: MarginModel, pool: int) -> Pooled:
    """Take one pool of a book."""
    return Pooled(book, model, pool, np.flatnonzero(book.pool == pool))


class Alone(NamedTuple):
    """What single positions need, shape (N,) each.

    Attributes
    ----------
    standalone : requirement of the position without any other
    leave_one_out : what the requirement falls by without the position; adds up to nothing
    """

    standalone: FloatArray
    leave_one_out: FloatArray


def alone(whole: Pooled) -> Alone:
    """Return what each position needs alone, and what it adds to the others.

    A balance is no position: what it needs is that beyond the requirement of nothing at all.
    """
    count = len(whole.rows)
    one, all_ = np.eye(count), np.ones((1, count))
    found = whole.maintenance(np.concatenate([one, 1.0 - one, all_]))
    return Alone(found[:count], found[-1] - found[count : 2 * count])


def legs(whole: Pooled, found: Alone) -> IntArray:
    """Return the positions among which a requirement is divided, as numbers below N.

    Money that neither needs anything nor changes what others need is none of them.
    """
    kind = whole.book.kind[whole.rows]
    balance = (kind == Kind.COLLATERAL) | (kind == Kind.SETTLEMENT)
    idle = (found.standalone == 0.0) & (found.leave_one_out == 0.0)
    return np.flatnonzero(~(balance & idle))
