"""A market as columns: spots, forwards and times of instruments, moved by scenarios.

Shapes are those of n instruments and S scenarios; forwards follow their spot with their own carry.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book, Instruments
from margincalc.scenarios import ScenarioGrid
from margincalc.times import DAYS_PER_YEAR


class State(NamedTuple):
    """A market as columns for n instruments and S scenarios.

    Attributes
    ----------
    base : spot before the move, shape (n, 1)
    move : relative move of it, shape (1, S) or (n, S)
    forward : shape (n, S)
    time : years to expiry, shape (n, 1) or, where days pass, (n, S)
    """

    base: FloatArray
    move: FloatArray
    forward: FloatArray
    time: FloatArray

    @property
    def spot(self) -> FloatArray:
        """Spot after the move, shape (n, S)."""
        return self.base * (1.0 + self.move)

    def take(self, rows: IntArray) -> "State":
        """Return the given instruments."""
        move = self.move if len(self.move) == 1 else self.move[rows]
        return State(self.base[rows], move, self.forward[rows], self.time[rows])


def row_spot(book: Book) -> FloatArray:
    """Spot of each instrument's underlying; 1 where it has none."""
    underlying = book.instruments.underlying
    if not len(book.spot):
        return np.ones(len(underlying))
    return np.where(underlying >= 0, book.spot[underlying], 1.0)


def moved(columns: Instruments, spot: FloatArray, grid: ScenarioGrid) -> State:
    """Move spot and forward, and let time pass along each forward's own carry.

    Parameters
    ----------
    spot : of each instrument's underlying, as `row_spot` gives it, shape (n,)
    """
    time, move = columns.time[:, None], grid.spot[None, :]
    if (columns.underlying < 0).any():
        move = np.where(columns.underlying[:, None] >= 0, move, 0.0)
    relative = move if (columns.beta == 1.0).all() else columns.beta[:, None] * move
    forward = columns.variable[:, None] * np.maximum(1.0 + relative, 0.0)
    if grid.days_forward.any():
        time = np.maximum(time - grid.days_forward / DAYS_PER_YEAR, 0.0)
        elapsed = columns.time[:, None] - time
        forward *= np.exp(-carry(columns, spot)[:, None] * elapsed)
    if columns.fixed.any():
        forward = np.maximum(columns.fixed[:, None] + forward, 0.0)
    return State(spot[:, None], move, forward, time)


def carry(columns: Instruments, spot: FloatArray) -> FloatArray:
    """Rate at which a forward runs away from its spot, per year, shape (I,).

    A forward of which part is fixed already is taken to stay where it is.
    """
    carried = (columns.time > 0.0) & (columns.fixed == 0.0) & (columns.variable > 0.0)
    rate = np.zeros(len(spot))
    np.divide(
        np.log(columns.variable / spot, where=carried, out=rate.copy()),
        columns.time,
        out=rate,
        where=carried,
    )
    return rate


def discount(columns: Instruments, state: State) -> FloatArray:
    """Factor from the Black price on the forward to the quote value, shape (I, S)."""
    factor: FloatArray = np.exp(-columns.rate[:, None] * state.time)
    if not columns.inverse.any():
        return factor
    ratio = np.ones_like(state.forward)
    inverse = columns.inverse[:, None] & (state.forward > 0.0)
    np.divide(state.spot, state.forward, out=ratio, where=inverse)
    return factor * ratio
