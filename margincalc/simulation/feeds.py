"""What an oracle gets wrong: error of a lag, of a threshold, of an average, and its price.

Errors, moves, thresholds and buffers are shares of the price, volatilities decimals per year,
confidences probabilities. Errors are taken as normal with variance ``sigma^2 tau``; all are of
short times, where that and the lognormal agree.
"""

import math
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.times import SECONDS_PER_YEAR

_NORMAL = NormalDist()


class Buffer(NamedTuple):
    """How far a lagging price may be off.

    Attributes
    ----------
    deviation : standard deviation of the error
    quantile : error that is exceeded with probability 1 - confidence, on one side
    shortfall : average error beyond the quantile
    """

    deviation: float
    quantile: float
    shortfall: float


def lag(volatility: float, seconds: float, confidence: float = 0.99) -> Buffer:
    """Error of a price that is so many seconds old."""
    deviation = volatility * math.sqrt(seconds / SECONDS_PER_YEAR)
    z = _NORMAL.inv_cdf(confidence)
    tail = _NORMAL.pdf(z) / (1.0 - confidence)
    return Buffer(deviation, z * deviation, tail * deviation)


def beyond(deviation: float, buffer: float) -> float:
    """Expected error beyond a buffer: ``s phi(b/s) - b Phi(-b/s)`` (Bachelier, 1900)."""
    if deviation <= 0.0:
        return max(-buffer, 0.0)
    z = buffer / deviation
    return deviation * _NORMAL.pdf(z) - buffer * _NORMAL.cdf(-z)


class Jumps(NamedTuple):
    """Falls that arrive at random: so many per year, of normal relative size."""

    rate: float
    mean: float
    deviation: float

    def beyond(self, seconds: float, buffer: float) -> float:
        """Expected loss beyond a buffer from jumps within a lag."""
        excess = self.mean - buffer
        z = excess / self.deviation if self.deviation > 0.0 else math.copysign(40.0, excess)
        each = excess * _NORMAL.cdf(z) + self.deviation * _NORMAL.pdf(z)
        return self.rate * seconds / SECONDS_PER_YEAR * each


NO_JUMPS = Jumps(0.0, 0.0, 0.0)


def beyond_step(threshold: float, deviation: float, buffer: float) -> float:
    """Expected error beyond a buffer of a feed that moves by steps, uniform within its threshold.

    The mean of `beyond` over the step: its integral from b is ``((b^2 + s^2) Phi(-b/s) - b s
    phi(b/s)) / 2``.
    """
    if threshold <= 0.0:
        return beyond(deviation, buffer)

    def tail(b: float) -> float:
        if deviation <= 0.0:
            return 0.5 * min(b, 0.0) ** 2
        z = b / deviation
        return 0.5 * deviation**2 * ((z * z + 1.0) * _NORMAL.cdf(-z) - z * _NORMAL.pdf(z))

    return (tail(buffer - threshold) - tail(buffer + threshold)) / (2.0 * threshold)


class Error(NamedTuple):
    """What the error of a feed is made of, relative.

    Attributes
    ----------
    deviation : of its normal part
    seconds : for which a jump is not seen
    threshold : of its steps
    jumps : that may come
    """

    deviation: float
    seconds: float = 0.0
    threshold: float = 0.0
    jumps: Jumps = NO_JUMPS

    def beyond(self, buffer: float) -> float:
        """Expected loss beyond a buffer."""
        within = beyond_step(self.threshold, self.deviation, buffer)
        return within + self.jumps.beyond(self.seconds, buffer)


def buffer_for(error: Error, bound: float) -> float:
    """Return the least buffer whose expected loss is at most `bound`, by halving.

    `bound` is a share of the price, above 0.
    """
    low, high = 0.0, 1.0
    if error.beyond(low) <= bound:
        return 0.0
    while error.beyond(high) > bound:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if error.beyond(middle) <= bound else (middle, high)
    return high


def deviation_feed(threshold: float, deviation: float, confidence: float) -> float:
    """Return the quantile of a feed's error: uniform within its threshold, plus a lag's.

    The feed moves when the price has moved by its threshold, and what it says is a lag old. The
    threshold and the quantile of the lag alone, added, bound it from above.

    Parameters
    ----------
    threshold : above 0
    deviation : of the error of the lag, as `lag` gives it
    confidence : of one side, between 0 and 1
    """
    if deviation <= 0.0:
        return threshold * (2.0 * confidence - 1.0)

    def integral(x: float) -> float:
        z = x / deviation
        return x * _NORMAL.cdf(z) + deviation * _NORMAL.pdf(z)

    low, high = -threshold - 40.0 * deviation, threshold + 40.0 * deviation
    for _ in range(200):
        middle = 0.5 * (low + high)
        share = (integral(middle + threshold) - integral(middle - threshold)) / (2.0 * threshold)
        low, high = (middle, high) if share < confidence else (low, middle)
    return 0.5 * (low + high)


def average_deviation(volatility: float, seconds: float) -> float:
    """Standard deviation of the error of an average over a window: ``sigma sqrt(w / 3)``."""
    return volatility * math.sqrt(seconds / SECONDS_PER_YEAR / 3.0)


Mean = Literal["arithmetic", "geometric"]


def attack_multiple(move: float, blocks: int, window: int, mean: Mean = "arithmetic") -> float:
    """Return what the price must be multiplied by in `blocks` of `window` to move the average.

    ``1 + x n / k`` for an arithmetic average, ``(1 + x)^(n / k)`` for a geometric one.
    """
    if mean == "arithmetic":
        return 1.0 + move * window / blocks
    return float((1.0 + move) ** (window / blocks))


def attack_cost(multiple: float) -> float:
    """Quote money put into a constant-product pool for that, as a share of its quote reserve.

    ``sqrt(m) - 1`` for a multiple m of the price, since ``x y`` stays as it is.
    """
    return math.sqrt(multiple) - 1.0


def confidence_multiple(confidence: float) -> float:
    """Return how many standard deviations hold a Laplace error with a probability, both sides.

    Pyth models the price as Laplace-distributed; its scale is the deviation over sqrt(2).
    """
    return -math.log(1.0 - confidence) / math.sqrt(2.0)


def confident(
    price: FloatArray, interval: FloatArray, multiple: float
) -> tuple[FloatArray, FloatArray]:
    """Return what prices count for: the low end of what is held, the high end of what is owed.

    Parameters
    ----------
    price, interval : in one unit of money, shape (T,)
    multiple : of the interval, as `confidence_multiple` gives it
    """
    width = multiple * interval
    return np.maximum(price - width, 0.0), price + width


class Limits(NamedTuple):
    """What a venue accepts of a price.

    Attributes
    ----------
    interval : widest that it may state, as a share of the price
    age : oldest that it may be, seconds
    """

    interval: float = math.inf
    age: float = math.inf

    def refused(self, price: FloatArray, interval: FloatArray, age: FloatArray) -> BoolArray:
        """Return which prices are too uncertain or too old to be used, shape (T,).

        Parameters
        ----------
        price, interval : in one unit of money, shape (T,)
        age : seconds, shape (T,)
        """
        return (interval > self.interval * price) | (age > self.age)
