"""Black (1976), compiled: the formulas of `pricing._kernel`, eight contracts to a register.

As there, a block of contracts goes through one phase after the other, and what is between two
phases stays in cache. A loop that did all of it for one contract would be a chain of steps each
waiting for the last, of which a processor looks ahead over too few to begin the next contract.

Limits are the same values as there: zero time or volatility, a forward or strike of zero, total
volatility without bound. (A forward below the least normal double divides as that one.)
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.kernels._elementary import LEAST_NORMAL, exp_of_negative, log_of_ratio, rational
from margincalc.kernels._jit import inlined, kernel
from margincalc.pricing._kernel import (
    CANCELLATION,
    LEAST,
    LEAST_TOTAL,
    MOST_LOG,
    MOST_TOTAL,
    PEAK,
)
from margincalc.pricing._mills import FARTHEST, FIFTH, FIRST, MILLS, SEVENTH, THIRD

MILLS_TOP, MILLS_BOTTOM = tuple(MILLS.top), tuple(MILLS.bottom)
FIRST_TOP, FIRST_BOTTOM = tuple(FIRST.top), tuple(FIRST.bottom)
THIRD_TOP, THIRD_BOTTOM = tuple(THIRD.top), tuple(THIRD.bottom)
FIFTH_TOP, FIFTH_BOTTOM = tuple(FIFTH.top), tuple(FIFTH.bottom)
SEVENTH_TOP, SEVENTH_BOTTOM = tuple(SEVENTH.top), tuple(SEVENTH.bottom)
UNBOUNDED = 1e308  # a ratio beyond is no double: a forward or strike is zero, or as good as
BLOCK = 1024  # contracts of one block
APART = BLOCK + 40  # doubles from buffer to buffer: of whole pages, all would share the same sets


Columns = tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]
"""Forward, strike, volatility, time and call, each contiguous and of shape (N,)."""


class Space(NamedTuple):
    """Buffers of one block: once filled, each holds what its name says, as in `pricing._kernel`.

    Attributes
    ----------
    inverse : of the total volatility
    near, beyond : the arguments of the two Mills ratios, -d and far + half
    density : ``low * phi(d)``
    """

    root: FloatArray
    total: FloatArray
    inverse: FloatArray
    near: FloatArray
    beyond: FloatArray
    density: FloatArray
    mills_near: FloatArray
    mills_beyond: FloatArray


def price(columns: Columns) -> FloatArray:
    """Undiscounted prices, shape (N,)."""
    out = np.empty(len(columns[0]))
    _prices(columns, np.empty((8, APART)), out)
    return out


def greeks(columns: Columns) -> FloatArray:
    """Price, delta, gamma, vega and theta, shape (5, N)."""
    out = np.empty((5, len(columns[0])))
    _greeks(columns, np.empty((8, APART)), out)
    return out


@kernel
def _prices(columns: Columns, buffers: FloatArray, out: FloatArray) -> None:
    for start in range(0, out.size, BLOCK):
        part, space = _block(columns, buffers, start)
        _fill(part, space)
        _price(part, space, out[start : start + BLOCK])


@kernel
def _greeks(columns: Columns, buffers: FloatArray, out: FloatArray) -> None:
    for start in range(0, out.shape[1], BLOCK):
        part, space = _block(columns, buffers, start)
        stop = start + BLOCK
        _fill(part, space)
        _price(part, space, out[0, start:stop])
        _delta_and_gamma(part, space, out[1, start:stop], out[2, start:stop])
        _vega_and_theta(part, space, out[3, start:stop], out[4, start:stop])


@inlined
def _block(columns: Columns, buffers: FloatArray, start: int) -> tuple[Columns, Space]:
    """Return a block's columns, and its buffers cut to their length."""
    forward, strike, volatility, time, call = columns
    stop = min(start + BLOCK, forward.size)
    part = forward[start:stop], strike[start:stop], volatility[start:stop], time[start:stop]
    b, n = buffers, stop - start
    space = Space(b[0, :n], b[1, :n], b[2, :n], b[3, :n], b[4, :n], b[5, :n], b[6, :n], b[7, :n])
    return (*part, call[start:stop]), space


@kernel
def _fill(columns: Columns, space: Space) -> None:
    _standardise(columns, space)
    _density(columns, space)
    _mills(space.near, space.mills_near)
    _mills(space.beyond, space.mills_beyond)


@kernel
def _standardise(columns: Columns, space: Space) -> None:
    forward, strike, volatility, time, _ = columns
    for i in range(forward.size):
        low, high = min(forward[i], strike[i]), max(forward[i], strike[i])
        divisor = max(low, LEAST)
        log = MOST_LOG if high > UNBOUNDED * divisor else log_of_ratio(high, divisor)
        log = 0.0 if high == low else log
        root = sqrt(time[i])
        total = min(volatility[i] * root, MOST_TOTAL)
        inverse = 1.0 / max(total, LEAST_TOTAL)
        far, half = log * inverse, 0.5 * total
        space.root[i], space.total[i], space.inverse[i] = root, total, inverse
        space.near[i], space.beyond[i] = far - half, far + half


@kernel
def _density(columns: Columns, space: Space) -> None:
    forward, strike = columns[0], columns[1]
    for i in range(forward.size):
        near, low = space.near[i], min(forward[i], strike[i])
        space.density[i] = PEAK * exp_of_negative(-0.5 * (near * near)) * low


@kernel
def _mills(u: FloatArray, out: FloatArray) -> None:
    for i in range(u.size):
        out[i] = rational(min(abs(u[i]), FARTHEST), MILLS_TOP, MILLS_BOTTOM)


@kernel
def _price(columns: Columns, space: Space, out: FloatArray) -> None:
    forward, strike, _, _, call = columns
    cancelled = 0
    for i in range(forward.size):
        near, density, first = space.near[i], space.density[i], space.mills_near[i]
        low, high = min(forward[i], strike[i]), max(forward[i], strike[i])
        signed = first if near >= 0.0 else -first
        value = (signed - space.mills_beyond[i]) * density + (low if near < 0.0 else 0.0)
        far = 0.5 * (near + space.beyond[i])
        lost = far + 1.25 > space.total[i] * CANCELLATION and density > 0.0
        cancelled += lost
        opposite = strike[i] if call[i] else forward[i]
        whole = (high - opposite) + value
        out[i] = np.nan if lost else min(whole, high)
    if cancelled:
        _repair(columns, space, out)


@kernel
def _repair(columns: Columns, space: Space, out: FloatArray) -> None:
    """Do again, one by one, the prices whose difference of Mills ratios cancelled."""
    forward, strike, _, _, call = columns
    for i in range(out.size):
        if out[i] == out[i]:
            continue
        f, k = forward[i], strike[i]
        far = min(0.5 * (space.near[i] + space.beyond[i]), FARTHEST)
        value = _series(far, 0.5 * space.total[i]) * space.density[i]
        out[i] = min((max(f, k) - (k if call[i] else f)) + value, max(f, k))


@inlined
def _series(centre: float, half: float) -> float:
    """``M(centre - half) - M(centre + half)``: `pricing._mills.symmetric_difference`."""
    square = half * half
    series = 1.0 + square * rational(centre, SEVENTH_TOP, SEVENTH_BOTTOM)
    series = 1.0 + square * rational(centre, FIFTH_TOP, FIFTH_BOTTOM) * series
    series = 1.0 + square * rational(centre, THIRD_TOP, THIRD_BOTTOM) * series
    return 2.0 * half * rational(centre, FIRST_TOP, FIRST_BOTTOM) * series


@kernel
def _delta_and_gamma(columns: Columns, space: Space, delta: FloatArray, gamma: FloatArray) -> None:
    forward, strike, _, _, call = columns
    for i in range(forward.size):
        f, first, second = forward[i], space.mills_near[i], space.mills_beyond[i]
        below = f < strike[i]
        upper = (not below) or space.near[i] < 0.0  # the tail is N(-d1), else N(d1)
        per_forward = 1.0 / max(f, LEAST_NORMAL)
        unit = space.density[i] * per_forward
        # The ratio falls and |near| <= beyond: a choice of one or the other would be a gather.
        tail = unit * (max(first, second) if below else min(first, second))
        whole = (1.0 if upper else 0.0) - (0.0 if call[i] else 1.0)
        delta[i] = (-tail if upper else tail) + whole
        some = f * space.total[i] > 0.0
        gamma[i] = unit * space.inverse[i] * per_forward if some else 0.0


@kernel
def _vega_and_theta(columns: Columns, space: Space, vega: FloatArray, theta: FloatArray) -> None:
    volatility = columns[2]
    for i in range(volatility.size):
        density, root, sigma = space.density[i], space.root[i], volatility[i]
        per_root = sigma * space.inverse[i]
        vega[i] = density * root
        theta[i] = -0.5 * density * sigma * per_root if root > 0.0 else 0.0
