"""A line of markets: one spot moves alone, or all move together with a beta each.

A market on the line is named by a multiple `x`: every spot is its own times ``1 + beta * (x - 1)``.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book
from margincalc.liquidation.nearest import NOISE, excess_at
from margincalc.margin.base import MarginModel
from margincalc.risk import now

LEAST = 1e-3  # of its spot, below which no underlying falls however large its beta
LOW, HIGH = 0.05, 20.0  # multiples between which is searched


class Line(NamedTuple):
    """The markets through which one pool is moved.

    Attributes
    ----------
    pool : row of the book
    beta : shape (U,), 0 of what stays
    """

    book: Book
    model: MarginModel
    pool: int
    beta: FloatArray

    @property
    def moving(self) -> IntArray:
        """The underlyings that move."""
        return np.flatnonzero(self.beta != 0.0)

    @property
    def domain(self) -> tuple[float, float]:
        """The multiples between which is searched: no spot on the way falls to nothing."""
        room = (1.0 - LEAST) / np.where(self.beta == 0.0, np.nan, self.beta)
        low = 1.0 - np.min(room[room > 0.0], initial=np.inf)
        high = 1.0 + np.min(-room[room < 0.0], initial=np.inf)
        return max(LOW, float(low)), min(HIGH, float(high))

    def factor(self, x: FloatArray) -> FloatArray:
        """Return what each spot is multiplied by, shape (K, U)."""
        moved: FloatArray = np.maximum(1.0 + self.beta * (x[:, None] - 1.0), LEAST)
        return np.where(self.beta == 0.0, 1.0, moved)

    def excess(self, x: FloatArray, volatility: FloatArray | None = None) -> FloatArray:
        """Equity less maintenance of the pool at multiples, account currency, shape (K,).

        Parameters
        ----------
        x : shape (K,)
        volatility : shape (K,), multiples of every volatility
        """
        pools = np.full(len(x), self.pool)
        return excess_at(self.book, self.model, pools, self.factor(x), volatility)

    def noise(self) -> float:
        """How far below zero the excess may be by rounding alone."""
        gross = np.abs(self.book.quantity * now(self.book)[self.book.instrument])
        return NOISE * float(group_sum(gross, self.book.pool, self.book.pools)[self.pool])


def along(book: Book, model: MarginModel, pool: int, underlying: int) -> Line:
    """Return the line on which one underlying moves alone."""
    beta = np.zeros(len(book.spot))
    beta[underlying] = 1.0
    return Line(book, model, pool, beta)
