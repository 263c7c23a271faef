"""Divide a requirement among positions, so that the shares sum to it.

Where the requirement M is homogeneous of degree one in the quantities q, the share of position i is
``q_i dM/dq_i`` and Euler's theorem makes the sum M (Tasche, 1999, "Risk contributions and
performance measurement"). Where it is not (minima, tiers, concentration), the share is that of
Aumann and Shapley (1974), ``q_i * integral over s from 0 to 1 of dM/dq_i (s q)``, which sums to M
along the ray from nothing to the whole book, and is the same thing where both apply.

Models are piecewise smooth: one-sided differences say whether a derivative exists. Where they
differ (two scenarios tie, a hedge is exact) the share is the middle of both and has a range.
"""

from typing import Literal, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.attribution.weighted import Pooled

Method = Literal["euler", "aumann-shapley"]
SCALES = (0.25, 0.5, 2.0)  # of the book, at which homogeneity is tested
SAME = 1e-10  # relative difference below which two requirements are one
STEPS = 2.0 ** -np.arange(3.0, 20.0, 4.0)  # of a position's quantity, largest first
LINEAR = 1e-12  # rounding of a requirement, relative
CURVED = 2  # the step that suits a requirement that bends
KINK = 1e-5  # relative difference of one-sided slopes, at the smallest step, that is no curvature
RAY = 64  # steps from nothing to the whole book


class Shares(NamedTuple):
    """Shares of a requirement, shape (N,) each.

    Attributes
    ----------
    amount : sums to the requirement
    low, high : between which the share lies where it is not unique
    method : by which rule
    bent : shares whose requirement bends at every step tried: differences, not derivatives
    """

    amount: FloatArray
    low: FloatArray
    high: FloatArray
    method: Method
    bent: int = 0


def shares(whole: Pooled) -> Shares:
    """Divide a pool's maintenance margin among its positions."""
    count = len(whole.rows)
    if not count:
        nothing = np.zeros(0)
        return Shares(nothing, nothing, nothing, "euler")
    sizes = np.array([1.0, *SCALES])
    found = whole.maintenance(np.repeat(sizes[:, None], count, axis=1))
    total = float(found[0])
    if np.all(np.abs(found / sizes - total) <= SAME * abs(total)):
        return _euler(whole, total)
    return _along_the_ray(whole, total)


def _euler(whole: Pooled, total: float) -> Shares:
    up, down = _slopes(whole, total)
    scale = max(abs(total), float(np.max(np.abs([up, down]))))
    apart = np.abs(up - down)
    linear = apart <= LINEAR * scale / STEPS[:, None]
    # The largest step inside which nothing bends is exact but for rounding.
    chosen = np.where(np.any(linear, axis=0), np.argmax(linear, axis=0), CURVED)
    tied = apart[-1] > KINK * scale
    chosen[tied] = len(STEPS) - 1
    column = np.arange(len(whole.rows))
    up, down = up[chosen, column], down[chosen, column]
    middle = 0.5 * (up + down)
    amount = closed(middle, total, np.where(tied, np.abs(up - down), 0.0))
    low = np.where(tied, np.minimum(np.minimum(up, down), amount), amount)
    high = np.where(tied, np.maximum(np.maximum(up, down), amount), amount)
    bent = int(np.sum(~np.any(linear, axis=0) & ~tied))
    return Shares(amount, low, high, "euler", bent)


def _slopes(whole: Pooled, total: float) -> tuple[FloatArray, FloatArray]:
    """Change of the requirement per relative change of each position, up and down, (steps, N)."""
    count = len(whole.rows)
    signed = np.concatenate([STEPS, -STEPS])
    weight = 1.0 + signed[:, None, None] * np.eye(count)
    found = whole.maintenance(weight.reshape(-1, count)).reshape(len(signed), count)
    slope = (found - total) / signed[:, None]
    return slope[: len(STEPS)], slope[len(STEPS) :]


def _along_the_ray(whole: Pooled, total: float) -> Shares:
    """Add up the shares of each growth of the whole book by a small step."""
    count = len(whole.rows)
    edge = np.linspace(0.0, 1.0, RAY + 1)
    middle, step = 0.5 * (edge[1:] + edge[:-1]), STEPS[CURVED]
    at_edge = whole.maintenance(np.repeat(edge[:, None], count, axis=1))
    weight = _bumped(middle, step, count)
    found = whole.maintenance(weight.reshape(-1, count)).reshape(RAY, 2, count)
    slope = (found[:, 0] - found[:, 1]) / (2.0 * step) / middle[:, None] / RAY
    grown = np.diff(at_edge)
    amount = np.sum(
        [closed(part, float(growth)) for part, growth in zip(slope, grown, strict=True)], axis=0
    )
    amount = closed(amount, total)
    return Shares(amount, amount, amount, "aumann-shapley", count)


def _bumped(scale: FloatArray, step: float, count: int) -> FloatArray:
    """Scaled books with one position a little larger, then smaller, (scales, 2, N, N)."""
    bump = 1.0 + np.array([step, -step])[:, None, None] * np.eye(count)
    return scale[:, None, None, None] * bump[None]


def closed(parts: FloatArray, total: float, room: FloatArray | None = None) -> FloatArray:
    """Make parts sum to a total: what is missing goes where a share is uncertain, or else large.

    Parameters
    ----------
    room : shape of `parts`, how far each may be off; by default its own size
    """
    weight = np.abs(parts) if room is None or not np.any(room > 0.0) else room
    if not np.any(weight > 0.0):
        weight = np.ones(len(parts))
    missing = total - float(np.sum(parts))
    result: FloatArray = parts + missing * weight / np.sum(weight)
    return result
