"""Black (1976) to the last digit, by mpmath: the truth that errors are measured from."""

import mpmath as mp
import numpy as np

from benchmarks.peers import Options
from margincalc.arrays import FloatArray

DIGITS = 60  # the difference of the price's two terms costs a few of them


def exact_greeks(options: Options) -> FloatArray:
    """Price, delta, gamma, vega and theta, rounded once to doubles, shape (5, N)."""
    with mp.workdps(DIGITS):
        found = [_one(*terms) for terms in zip(*options, strict=True)]
    return np.array(found, np.float64).T


def _one(forward: float, strike: float, volatility: float, time: float, call: bool) -> list[float]:
    f, k, sigma, t = (mp.mpf(float(number)) for number in (forward, strike, volatility, time))
    total = sigma * mp.sqrt(t)
    d1 = mp.log(f / k) / total + total / 2
    sign = 1 if call else -1
    upper, lower = _below(sign * d1), _below(sign * (d1 - total))
    density = mp.exp(-d1 * d1 / 2) / mp.sqrt(2 * mp.pi)
    vega = f * density * mp.sqrt(t)
    exact = (
        sign * (f * upper - k * lower),
        sign * upper,
        density / (f * total),
        vega,
        -vega * sigma / (2 * t),
    )
    return [float(number) for number in exact]


def _below(x: mp.mpf) -> mp.mpf:
    """Return the normal distribution, as exact in the tails as elsewhere."""
    return mp.erfc(-x / mp.sqrt(2)) / 2


def worst_error(found: FloatArray, exact: FloatArray) -> float:
    """Return the largest relative error; 1 where all is lost, NaN where a figure is none."""
    return float(np.max(np.abs(found - exact) / np.abs(exact)))
