"""A line of markets: one spot moves alone, or all move together with a beta each.

A market on the line is named by a multiple `x`: every spot is its own times ``1 + beta * (x - 1)``.
Several lines of one book are margined as one book of copies, whatever their pools and volatilities.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book
from margincalc.liquidation.moved import excess_at
from margincalc.liquidation.nearest import NOISE
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
    volatility : what every implied volatility is multiplied by
    """

    book: Book
    model: MarginModel
    pool: int
    beta: FloatArray
    volatility: float = 1.0

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

    def copies(self, x: FloatArray) -> Book:
        """Return the pool at every multiple as a book of K pools."""
        return Lines([self]).copies(np.zeros(len(x), np.int64), x)

    def excess(self, x: FloatArray) -> FloatArray:
        """Equity less maintenance of the pool at multiples, account currency, shape (K,)."""
        return Lines([self]).excess(np.zeros(len(x), np.int64), x)

    def noise(self) -> float:
        """How far below zero the excess may be by rounding alone."""
        return float(Lines([self]).noise()[0])


class Lines:
    """Lines of one book under one model, in the order of `lines`."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = tuple(lines)
        self.book, self.model = lines[0].book, lines[0].model
        self._pool = np.array([line.pool for line in lines])
        self._beta = np.array([line.beta for line in lines])
        self._volatility = np.array([line.volatility for line in lines])

    def copies(self, which: IntArray, x: FloatArray) -> Book:
        """Return K pools: that of the line ``which[k]`` in its market ``x[k]``."""
        return self.book.copies(self._pool[which], *self._moves(which, x))

    def excess(self, which: IntArray, x: FloatArray) -> FloatArray:
        """Equity less maintenance of the line ``which[k]`` at ``x[k]``, shape (K,)."""
        return excess_at(self.book, self.model, self._pool[which], *self._moves(which, x))

    def noise(self) -> FloatArray:
        """How far below zero the excess of each line may be by rounding alone."""
        here = self.copies(np.arange(len(self.lines)), np.ones(len(self.lines)))
        gross = np.abs(here.quantity * now(here)[here.instrument])
        return NOISE * group_sum(gross, here.pool, here.pools)

    def _moves(self, which: IntArray, x: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Return what spots are multiplied by, shape (K, U), and volatilities, where they are."""
        beta = self._beta[which]
        moved = np.maximum(1.0 + beta * (x[:, None] - 1.0), LEAST)
        factor = np.where(beta == 0.0, 1.0, moved)
        volatility = self._volatility[which]
        return factor, None if np.all(volatility == 1.0) else volatility


def along(book: Book, model: MarginModel, pool: int, underlying: int) -> Line:
    """Return the line on which one underlying moves alone."""
    beta = np.zeros(len(book.spot))
    beta[underlying] = 1.0
    return Line(book, model, pool, beta)
