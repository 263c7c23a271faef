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


def drifts(line: Line, x: FloatArray, spot: float) -> list[Drift]:
    """Return the sensitivities of the liquidation prices at multiples of spot.

    Parameters
    ----------
    x : shape (K,)
    spot : of the underlying that moves, quote currency
    """
    if not len(x):
        return []
    book, columns = line.book, line.book.instruments
    rows = np.flatnonzero((book.pool == line.pool) & np.isin(book.kind, _TRADED))
    here, slope = _slopes(line, x)
    per_unit = -spot / slope
    moved = [
        replace(book, instruments=replace(columns, volatility=_shifted(columns.volatility, step)))
        for step in (STEP, -STEP)
    ]
    up, down = (line._replace(book=each).excess(x) for each in moved)
    later = [line._replace(book=aged(book, days)).excess(x) for days in (STEP, 2 * STEP)]
    # One-sided, to the second order: time does not run backwards.
    per_day = (4.0 * later[0] - later[1] - 3.0 * here) / (2.0 * STEP)
    volatility = per_unit * (up - down) / (2.0 * STEP)
    figures = zip(
        per_unit.tolist(), volatility.tolist(), (per_unit * per_day).tolist(), strict=True
    )
    position = per_unit[:, None] * _bought(line, x, rows)
    return [Drift(*each, own, rows) for each, own in zip(figures, position, strict=True)]


_TRADED = (int(Kind.OPTION), int(Kind.FUTURE), int(Kind.PERPETUAL), int(Kind.SPOT))


def _shifted(volatility: FloatArray, step: float) -> FloatArray:
    moved: FloatArray = np.where(volatility > 0.0, np.maximum(volatility + step, 0.0), volatility)
    return moved


def _slopes(line: Line, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the excess and its slope in the multiple; the slope is NaN on a corner."""
    step = SPOT_STEP * x
    low, here, high = line.excess(np.concatenate([x - step, x, x + step])).reshape(3, -1)
    left, right = (here - low) / step, (high - here) / step
    slope = (high - low) / (2.0 * step)
    corner = (slope == 0.0) | (np.abs(right - left) > SMOOTH * np.abs(slope))
    return here, np.where(corner, np.nan, slope)


def _bought(line: Line, x: FloatArray, rows: IntArray) -> FloatArray:
    """Change of the excess at each x per unit of each row bought at its present value, (K, N)."""
    book, count = line.book, len(rows)
    if not count:
        return np.zeros((len(x), 0))
    step = 1e-4 * np.maximum(np.abs(book.quantity[rows]), 1e-9)
    copies = line.copies(np.repeat(x, 2 * count))
    within = np.searchsorted(np.flatnonzero(book.pool == line.pool), rows)
    quantity = copies.quantity.copy().reshape(len(x), count, 2, -1)
    each = np.arange(count)
    quantity[:, each, 0, within] += step
    quantity[:, each, 1, within] -= step
    result = line.model.margin(replace(copies, quantity=quantity.ravel()))
    excess = (result.equity - result.maintenance).reshape(len(x), count, 2)
    cost = (now(book) + book.instruments.offset)[book.instrument[rows]]
    change: FloatArray = (excess[..., 0] - excess[..., 1]) / (2.0 * step) - cost
    return change
