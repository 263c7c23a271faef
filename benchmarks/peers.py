"""Black (1976) as others have it: NumPy with `scipy.special.ndtr`, QuantLib, vollib.

Every function of Greeks returns rows of price, delta, gamma, vega (per 1.00) and theta (per year),
undiscounted and of the forward, shape (5, N); scalar libraries are looped over, as their users do.
"""

import math
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray

GREEKS = ("price", "delta", "gamma", "vega", "theta")
PER_POINT = 100.0  # vollib's vega is per point of volatility
PER_DAY = 365.0  # vollib's theta is per day


class Options(NamedTuple):
    """European options on forwards, columns of shape (N,)."""

    forward: FloatArray
    strike: FloatArray
    volatility: FloatArray
    time: FloatArray
    call: BoolArray

    def first(self, count: int) -> "Options":
        """Return the first options."""
        return self.part(0, count)

    def part(self, first: int, stop: int) -> "Options":
        """Return a run of options."""
        (f, k, sigma, t, call), rows = self, slice(first, stop)
        return Options(f[rows], k[rows], sigma[rows], t[rows], call[rows])


def realistic(count: int, seed: int = 20261120) -> Options:
    """Options such as a venue lists: a day to two years, within 2.5 deviations of the forward."""
    draw = np.random.default_rng(seed)
    forward = 100_000.0 * draw.uniform(0.95, 1.05, count)
    volatility = draw.uniform(0.25, 1.2, count)
    time = draw.uniform(1.0, 730.0, count) / 365.0
    far = np.clip(draw.normal(0.0, 1.0, count), -2.5, 2.5)
    strike = forward * np.exp(far * volatility * np.sqrt(time))
    return Options(forward, strike, volatility, time, draw.random(count) < 0.5)


def tails(count: int, seed: int = 20261121) -> Options:
    """Options out of the money by 6 to 35 deviations, worth down to 1e-270 of the forward."""
    some = realistic(count, seed)
    far = np.random.default_rng(seed).uniform(6.0, 35.0, count)
    # So little total volatility that the strike stays within a factor of 33 of the forward.
    volatility = np.minimum(some.volatility, 0.1 / np.sqrt(some.time))
    side = np.where(some.call, 1.0, -1.0)
    strike = some.forward * np.exp(side * far * volatility * np.sqrt(some.time))
    return Options(some.forward, strike, volatility, some.time, some.call)


def out_of_the_money(options: Options) -> Options:
    """Return the options with the kind that has no intrinsic value."""
    return options._replace(call=options.strike >= options.forward)


def numpy_greeks(options: Options) -> FloatArray:
    """The formula as one writes it down."""
    from scipy.special import ndtr

    forward, strike, volatility, time, call = options
    root = np.sqrt(time)
    total = volatility * root
    d1 = np.log(forward / strike) / total + 0.5 * total
    sign = np.where(call, 1.0, -1.0)
    upper = ndtr(sign * d1)
    density = np.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    vega = forward * density * root
    price = sign * (forward * upper - strike * ndtr(sign * (d1 - total)))
    gamma = density / (forward * total)
    return np.stack([price, sign * upper, gamma, vega, -0.5 * vega * volatility / time])


def quantlib_greeks(options: Options) -> FloatArray:
    """Price and Greeks by QuantLib's `BlackCalculator`, one option at a time."""
    import QuantLib

    kinds = {True: QuantLib.Option.Call, False: QuantLib.Option.Put}
    found = []
    for forward, strike, volatility, time, call in _scalars(options):
        payoff = QuantLib.PlainVanillaPayoff(kinds[call], strike)
        black = QuantLib.BlackCalculator(payoff, forward, volatility * math.sqrt(time))
        found.append(
            (
                black.value(),
                black.deltaForward(),
                black.gammaForward(),
                black.vega(time),
                black.theta(forward, time),
            )
        )
    return np.array(found).T


def vollib_greeks(options: Options) -> FloatArray:
    """Black and its analytical Greeks, by vollib: one option, one figure at a time."""
    from vollib.black import undiscounted_black
    from vollib.black.greeks.analytical import delta, gamma, theta, vega

    found = []
    for forward, strike, volatility, time, call in _scalars(options):
        flag = "c" if call else "p"
        terms = (flag, forward, strike, time, 0.0, volatility)
        found.append(
            (
                undiscounted_black(forward, strike, volatility, time, flag),
                delta(*terms),
                gamma(*terms),
                vega(*terms) * PER_POINT,
                theta(*terms) * PER_DAY,
            )
        )
    return np.array(found).T


def vollib_implied(options: Options, price: FloatArray) -> FloatArray:
    """Implied volatility by vollib (Jaeckel's "Let's Be Rational"), one option at a time."""
    from vollib.black.implied_volatility import (
        implied_volatility_of_undiscounted_option_price as implied,
    )

    rows = zip(price.tolist(), _scalars(options), strict=True)
    return np.array(
        [
            implied(each, forward, strike, time, "c" if call else "p")
            for each, (forward, strike, _, time, call) in rows
        ]
    )


def _scalars(options: Options) -> list[tuple[float, float, float, float, bool]]:
    """Return the options as Python's own numbers, which scalar libraries take fastest."""
    return list(zip(*(column.tolist() for column in options), strict=True))
