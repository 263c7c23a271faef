"""Black (1976) in 50-digit arithmetic, on the exact values of the float arguments: the truth."""

from typing import NamedTuple

import mpmath as mp
import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray

DIGITS = 50


class Case(NamedTuple):
    """Arguments of a pricing function, arrays of one shape (N,)."""

    forward: FloatArray
    strike: FloatArray
    volatility: FloatArray
    time: FloatArray
    call: BoolArray

    def part(self, rows: int | slice | IntArray) -> "Case":
        """Take some elements: a view where `rows` is a slice."""
        return Case(
            np.asarray(self.forward[rows]),
            np.asarray(self.strike[rows]),
            np.asarray(self.volatility[rows]),
            np.asarray(self.time[rows]),
            np.asarray(self.call[rows]),
        )


class Exact(NamedTuple):
    """High-precision price and Greeks of one option."""

    price: mp.mpf
    delta: mp.mpf
    gamma: mp.mpf
    vega: mp.mpf
    theta: mp.mpf


def exact(forward: float, strike: float, volatility: float, time: float, call: bool) -> Exact:
    """Price and Greeks of one option whose forward, strike, volatility and time are positive."""
    with mp.workdps(DIGITS):
        f, k, sigma, t = (mp.mpf(float(x)) for x in (forward, strike, volatility, time))
        total = sigma * mp.sqrt(t)
        d1 = mp.log(f / k) / total + total / 2
        side = 1 if call else -1
        first, second = mp.ncdf(side * d1), mp.ncdf(side * (d1 - total))
        density = mp.npdf(d1)
        vega = f * density * mp.sqrt(t)
        return Exact(
            price=side * (f * first - k * second),
            delta=side * first,
            gamma=density / (f * total),
            vega=vega,
            theta=-vega * sigma / (2 * t),
        )


def relative_error(found: float, wanted: mp.mpf) -> float:
    """``|found / wanted - 1|``, infinite where a zero was found and another value wanted."""
    with mp.workdps(DIGITS):
        return float(abs(mp.mpf(float(found)) - wanted) / abs(wanted)) if wanted else abs(found)


def wide_cases(count: int, seed: int) -> Case:
    """Draw options over all regions: near and far strikes, tiny and huge total volatility.

    Half of them are placed by their distance from the strike in standard deviations (up to 37,
    where prices are about 1e-300), the rest by moneyness and volatility directly.
    """
    rng = np.random.default_rng(seed)
    forward = 10.0 ** rng.uniform(-4, 7, count)
    time = 10.0 ** rng.uniform(-6, 1.5, count)
    total = 10.0 ** rng.uniform(-4, 1.5, count)
    deviations = rng.uniform(-37, 37, count)
    placed = rng.random(count) < 0.5
    log = np.where(placed, total * deviations, rng.normal(0, 1, count) * 10 ** rng.uniform(-8, 1))
    strike = forward * np.exp(np.clip(log, -300, 300))
    return Case(forward, strike, total / np.sqrt(time), time, rng.random(count) < 0.5)
