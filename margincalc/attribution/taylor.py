"""The worst scenario's profit and loss by Greek: what a Taylor expansion says, and what it misses.

Terms of second order in spot and volatility, of first in time. Vanna and volga
are those of Black (1976).
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book, Kind
from margincalc.margin.base import MarginModel, Worst
from margincalc.risk import greeks, row_spot
from margincalc.scenarios import ScenarioGrid
from margincalc.times import DAYS_PER_YEAR


class Terms(NamedTuple):
    """Profit and loss by Greek, weighted as the scenario is, of any shape.

    Attributes
    ----------
    residual : profit and loss less the terms
    """

    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    vanna: FloatArray
    volga: FloatArray
    residual: FloatArray


def taylor(book: Book, model: MarginModel, worst: Worst) -> Terms:
    """Expand every position's profit and loss in its pool's worst scenario, shape (P,) each."""
    found = [np.zeros(len(book.quantity)) for _ in Terms._fields]
    for group in range(len(worst.pool)):
        own = (book.pool == worst.pool[group]) & (book.underlying == worst.underlying[group])
        rows = np.flatnonzero(own)
        scenario = _only(model.grids[worst.grid[group]], int(worst.scenario[group]))
        for column, part in zip(found, _expanded(book, rows, scenario), strict=False):
            column[rows] = part
    pnl = worst.by_position()
    # A deposit that a model leaves out of its scenarios neither gains nor loses in them.
    left_out = book.instruments.is_kind(Kind.COLLATERAL)[book.instrument] & (pnl == 0.0)
    found = [np.where(left_out, 0.0, column) for column in found]
    found[-1] = pnl - np.sum(found[:-1], axis=0)
    return Terms(*found)


def _only(grid: ScenarioGrid, row: int) -> ScenarioGrid:
    """Return one scenario of a grid."""
    one = slice(row, row + 1)
    moves = grid.spot[one], grid.volatility[one], grid.weight[one], grid.days_forward[one]
    return ScenarioGrid(*moves, grid.rule)


def _expanded(book: Book, rows: IntArray, scenario: ScenarioGrid) -> tuple[FloatArray, ...]:
    """Return the terms of position rows of one underlying, without the residual."""
    part, _ = book.restricted(rows)
    columns, number = part.instruments, part.instrument
    unit = greeks(part)
    vanna, volga = _bends(part, unit.vega)
    volatility = scenario.rule.shocked(columns.volatility, columns.time, scenario.volatility)
    bump = np.where(columns.volatility > 0.0, volatility[:, 0] - columns.volatility, 0.0)
    move = row_spot(part) * scenario.spot[0]
    years = np.minimum(scenario.days_forward[0] / DAYS_PER_YEAR, columns.time)
    terms = (
        unit.delta * move,
        0.5 * unit.gamma * move**2,
        unit.vega * bump,
        unit.theta * years,
        vanna * move * bump,
        0.5 * volga * bump**2,
    )
    size = part.quantity * scenario.weight[0]
    return tuple(size * term[number] for term in terms)


def _bends(book: Book, vega: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Vanna and volga of one long unit, in the measure of its vega, shape (I,) each.

    ``vanna = vega / F (1 - d1 / s)`` along the forward and ``volga = vega d1 d2 / sigma``, with
    ``s = sigma sqrt(T)`` (Black, 1976). An option that may be exercised early bends as the European
    one does, in proportion to its own vega.
    """
    columns, spot = book.instruments, row_spot(book)
    width = columns.volatility * np.sqrt(columns.time)
    bends = (vega != 0.0) & (width > 0.0)
    vanna, volga = np.zeros(len(vega)), np.zeros(len(vega))
    if not np.any(bends):
        return vanna, volga
    own, s, at, size = columns.take(np.flatnonzero(bends)), width[bends], spot[bends], vega[bends]
    d1 = np.log(own.forward / own.strike) / s + 0.5 * s
    slope = own.variable / at / own.forward  # relative, of the forward in the spot
    carried = np.where(own.inverse, 1.0 / at - slope, 0.0) - (1.0 / at if book.coin else 0.0)
    vanna[bends] = size * (slope * (1.0 - d1 / s) + carried)
    volga[bends] = size * d1 * (d1 - s) / own.volatility
    return vanna, volga
