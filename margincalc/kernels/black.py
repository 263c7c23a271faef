"""Black (1976), compiled: the formulas of `pricing._kernel`, eight contracts to a register.

Limits are the same values as there: zero time or volatility, a forward or strike of zero, total
volatility without bound. Elements whose difference of Mills ratios cancels are few and are done
again, one by one, with the series of `pricing._mills`.
"""

from math import sqrt

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.kernels._elementary import exp_of_negative, log_of_ratio, mills
from margincalc.kernels._jit import inlined, kernel
from margincalc.pricing._kernel import (
    CANCELLATION,
    LEAST,
    LEAST_TOTAL,
    MOST_LOG,
    MOST_TOTAL,
    PEAK,
)
from margincalc.pricing._mills import FARTHEST, FIFTH, FIRST, SEVENTH, THIRD

FIRST_TOP, FIRST_BOTTOM = tuple(FIRST.top), tuple(FIRST.bottom)
THIRD_TOP, THIRD_BOTTOM = tuple(THIRD.top), tuple(THIRD.bottom)
FIFTH_TOP, FIFTH_BOTTOM = tuple(FIFTH.top), tuple(FIFTH.bottom)
SEVENTH_TOP, SEVENTH_BOTTOM = tuple(SEVENTH.top), tuple(SEVENTH.bottom)
UNBOUNDED = 1e308  # a ratio beyond is no double: a forward or strike is zero, or as good as


Columns = tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]
"""Forward, strike, volatility, time and call, each contiguous and of shape (N,)."""


def price(columns: Columns) -> FloatArray:
    """Undiscounted prices, shape (N,)."""
    out = np.empty(len(columns[0]))
    _prices(columns, out)
    _repair(columns, out)
    return out


def greeks(columns: Columns) -> FloatArray:
    """Price, delta, gamma, vega and theta, shape (5, N)."""
    out = np.empty((5, len(columns[0])))
    _greeks(columns, out)
    _repair(columns, out[0])
    return out


@inlined
def _standardised(
    forward: float, strike: float, volatility: float, time: float
) -> tuple[float, float, float]:
    """Return ``low * phi(d)`` and the arguments of the two Mills ratios, -d and far + half."""
    low, high = min(forward, strike), max(forward, strike)
    divisor = max(low, LEAST)
    log = MOST_LOG if high > UNBOUNDED * divisor else log_of_ratio(high, divisor)
    log = 0.0 if high == low else log
    total = min(volatility * sqrt(time), MOST_TOTAL)
    far, half = log / max(total, LEAST_TOTAL), 0.5 * total
    near = far - half
    return PEAK * exp_of_negative(-0.5 * (near * near)) * low, near, far + half


@inlined
def _priced(
    forward: float, strike: float, call: bool, parts: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return the price, NaN where it is to be repaired, and the two Mills ratios."""
    density, near, beyond = parts
    first, second = mills(min(abs(near), FARTHEST)), mills(min(beyond, FARTHEST))
    low, high = min(forward, strike), max(forward, strike)
    signed = first if near >= 0.0 else -first
    value = (signed - second) * density + (low if near < 0.0 else 0.0)
    far, total = 0.5 * (near + beyond), beyond - near
    value = np.nan if far + 1.25 > total * CANCELLATION and density > 0.0 else value
    opposite = strike if call else forward
    whole = (high - opposite) + value
    return high if whole > high else whole, first, second


@kernel
def _prices(columns: Columns, out: FloatArray) -> None:
    forward, strike, volatility, time, call = columns
    for i in range(forward.size):
        parts = _standardised(forward[i], strike[i], volatility[i], time[i])
        out[i] = _priced(forward[i], strike[i], call[i], parts)[0]


@kernel
def _greeks(columns: Columns, out: FloatArray) -> None:
    forward, strike, volatility, time, call = columns
    price, delta, gamma, vega, theta = out[0], out[1], out[2], out[3], out[4]
    for i in range(forward.size):
        f, k, sigma, root = forward[i], strike[i], volatility[i], sqrt(time[i])
        parts = _standardised(f, k, sigma, time[i])
        price[i], first, second = _priced(f, k, call[i], parts)
        density, near, _ = parts
        below = f < k
        upper = (not below) or near < 0.0  # the tail is N(-d1), else N(d1)
        unit = density / max(f, LEAST)
        tail = unit * (first if below else second)
        whole = (1.0 if upper else 0.0) - (0.0 if call[i] else 1.0)
        delta[i] = (-tail if upper else tail) + whole
        width = f * min(sigma * root, MOST_TOTAL)
        gamma[i] = unit / max(width, LEAST) if width > 0.0 else 0.0
        vega[i] = density * root
        theta[i] = -0.5 * density * sigma / max(root, LEAST) if root > 0.0 else 0.0


@kernel
def _repair(columns: Columns, out: FloatArray) -> None:
    """Do again the prices whose difference of Mills ratios cancelled."""
    forward, strike, volatility, time, call = columns
    for i in range(forward.size):
        if out[i] == out[i]:
            continue
        f, k = forward[i], strike[i]
        density, near, beyond = _standardised(f, k, volatility[i], time[i])
        far = min(0.5 * (near + beyond), FARTHEST)
        total = min(volatility[i] * sqrt(time[i]), MOST_TOTAL)
        value = _series(far, 0.5 * total) * density
        out[i] = min((max(f, k) - (k if call[i] else f)) + value, max(f, k))


@inlined
def _horner(u: float, coefficients: tuple[float, ...]) -> float:
    value = 1.0
    for coefficient in coefficients:
        value = value * u + coefficient
    return value


@inlined
def _series(centre: float, half: float) -> float:
    """``M(centre - half) - M(centre + half)``: `pricing._mills.symmetric_difference`."""
    square = half * half
    series = 1.0 + square * _horner(centre, SEVENTH_TOP) / _horner(centre, SEVENTH_BOTTOM)
    series = 1.0 + square * _horner(centre, FIFTH_TOP) / _horner(centre, FIFTH_BOTTOM) * series
    series = 1.0 + square * _horner(centre, THIRD_TOP) / _horner(centre, THIRD_BOTTOM) * series
    first = _horner(centre, FIRST_TOP) / _horner(centre, FIRST_BOTTOM)
    return 2.0 * half * first * series
