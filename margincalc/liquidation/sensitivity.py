"""How a liquidation price moves with a deposit, with volatility, time and every position.

At a price where the excess g is zero, ``dS*/dy = -(dg/dy) / (dg/dS)`` (implicit function theorem).
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book.columns import Kind
from margincalc.liquidation.line import Line
from margincalc.risk import now
from margincalc.risk.aging import aged

SPOT_STEP = 1e-6  # relative
STEP = 1e-4  # of volatility, and of a day
SMOOTH = 1e-2  # relative difference of the slopes on both sides, beyond which there is a corner


class Drift(NamedTuple):
    """Change of a liquidation price, quote currency; NaN on a corner, where there is none.

    Attributes
    ----------
    deposit : per unit of account currency paid in
    volatility : per 1.00 of every volatility
    day : per day that passes
    position : per unit more of each position of the pool, bought at its present value, shape (N,)
    rows : position rows of the book, shape (N,)
    """

    deposit: float
    volatility: float
    day: float
    position: FloatArray
    rows: IntArray


def drift(line: Line, x: float, spot: float) -> Drift:
    """Return the sensitivities of the liquidation price at a multiple of spot.

    Parameters
    ----------
    spot : of the underlying that moves, quote currency
    """
    book = line.book
    rows = np.flatnonzero((book.pool == line.pool) & np.isin(book.kind, _TRADED))
    slope = _slope(line, x)
    per_unit = -spot / slope
    columns = book.instruments
    moved = [
        replace(book, instruments=replace(columns, volatility=_shifted(columns.volatility, step)))
        for step in (STEP, -STEP)
    ]
    up, down = (line._replace(book=each).excess(np.array([x]))[0] for each in moved)
    here = line.excess(np.array([x]))[0]
    later = [
        line._replace(book=aged(book, days)).excess(np.array([x]))[0] for days in (STEP, 2 * STEP)
    ]
    # One-sided, to the second order: time does not run backwards.
    per_day = (4.0 * later[0] - later[1] - 3.0 * here) / (2.0 * STEP)
    return Drift(
        deposit=per_unit,
        volatility=per_unit * (up - down) / (2.0 * STEP),
        day=per_unit * per_day,
        position=per_unit * _bought(line, x, rows),
        rows=rows,
    )


_TRADED = (int(Kind.OPTION), int(Kind.FUTURE), int(Kind.PERPETUAL), int(Kind.SPOT))


def _shifted(volatility: FloatArray, step: float) -> FloatArray:
    moved: FloatArray = np.where(volatility > 0.0, np.maximum(volatility + step, 0.0), volatility)
    return moved


def _slope(line: Line, x: float) -> float:
    """Return the slope of the excess in the multiple; NaN on a corner."""
    step = SPOT_STEP * x
    low, here, high = line.excess(np.array([x - step, x, x + step])).tolist()
    left, right = (here - low) / step, (high - here) / step
    slope = (high - low) / (2.0 * step)
    if not slope or abs(right - left) > SMOOTH * abs(slope):
        return float("nan")
    return float(slope)


def _bought(line: Line, x: float, rows: IntArray) -> FloatArray:
    """Change of the excess at x per unit of each row that is bought at its present value."""
    book, count = line.book, len(rows)
    if not count:
        return np.zeros(0)
    step = 1e-4 * np.maximum(np.abs(book.quantity[rows]), 1e-9)
    pools = np.full(2 * count, line.pool)
    copies = book.copies(pools, line.factor(np.full(2 * count, x)))
    mine = np.flatnonzero(book.pool == line.pool)
    within = np.searchsorted(mine, rows)
    quantity = copies.quantity.copy()
    for number, (at, size) in enumerate(zip(within.tolist(), step.tolist(), strict=True)):
        quantity[2 * number * len(mine) + at] += size
        quantity[(2 * number + 1) * len(mine) + at] -= size
    result = line.model.margin(replace(copies, quantity=quantity))
    excess = (result.equity - result.maintenance).reshape(count, 2)
    cost = (now(book) + book.instruments.offset)[book.instrument[rows]]
    change: FloatArray = (excess[:, 0] - excess[:, 1]) / (2.0 * step) - cost
    return change
