"""What an oracle gets wrong: error of a lag, of a threshold, of an average, and its price.

Relative errors are taken as normal with variance ``sigma^2 tau``; all are of short times, where
that and the lognormal agree.
"""

import math
from statistics import NormalDist
from typing import Literal, NamedTuple

SECONDS = 365.0 * 86_400.0  # in a year
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
    deviation = volatility * math.sqrt(seconds / SECONDS)
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
        return self.rate * seconds / SECONDS * each


NO_JUMPS = Jumps(0.0, 0.0, 0.0)


def buffer_for(
    deviation: float, bound: float, seconds: float = 0.0, jumps: Jumps = NO_JUMPS
) -> float:
    """Return the least buffer whose expected loss is at most `bound`, by halving."""

    def expected(buffer: float) -> float:
        return beyond(deviation, buffer) + jumps.beyond(seconds, buffer)

    low, high = 0.0, 1.0
    if expected(low) <= bound:
        return 0.0
    while expected(high) > bound:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if expected(middle) <= bound else (middle, high)
    return high


def deviation_feed(threshold: float, deviation: float, confidence: float) -> float:
    """Return the quantile of a feed's error: uniform within its threshold, plus a lag's.

    The feed moves when the price has moved by its threshold, and what it says is a lag old.
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


def deviation_bound(threshold: float, buffer: float) -> float:
    """Return the simple bound of such a feed's error: its threshold and a lag's quantile."""
    return threshold + buffer


def average_deviation(volatility: float, seconds: float) -> float:
    """Standard deviation of the error of an average over a window: ``sigma sqrt(w / 3)``."""
    return volatility * math.sqrt(seconds / SECONDS / 3.0)


Mean = Literal["arithmetic", "geometric"]


def attack_multiple(move: float, blocks: int, window: int, mean: Mean = "arithmetic") -> float:
    """Return what the price must be multiplied by in `blocks` of `window` to move the average.

    ``1 + x n / k`` for an arithmetic average, ``(1 + x)^(n / k)`` for a geometric one.
    """
    if mean == "arithmetic":
        return 1.0 + move * window / blocks
    return float((1.0 + move) ** (window / blocks))


def attack_cost(multiple: float) -> float:
    """Quote money put into a constant-product pool for that, as a share of its quote reserve."""
    return math.sqrt(multiple) - 1.0


def confidence_multiple(confidence: float) -> float:
    """Return how many standard deviations hold a Laplace error with a probability, both sides.

    Pyth models the price as Laplace-distributed; its scale is the deviation over sqrt(2).
    """
    return -math.log(1.0 - confidence) / math.sqrt(2.0)


def confident(price: float, interval: float, multiple: float, *, owed: bool = False) -> float:
    """Return the price that counts: the low end of collateral, the high end of what is owed."""
    return price + multiple * interval if owed else max(price - multiple * interval, 0.0)


def rejected(price: float, interval: float, age: float, limits: tuple[float, float]) -> bool:
    """Whether a price is too uncertain (interval over price), or too old (seconds) to be used."""
    widest, oldest = limits
    return interval > widest * price or age > oldest
