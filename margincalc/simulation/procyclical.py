"""Margin over time: how a scan range follows volatility, and what keeps it from leaping.

Standard deviations are exponentially weighted (RiskMetrics, 1996), or filtered history: past
returns in units of the deviation of their day, at today's (Barone-Adesi, Giannopoulos and Vosper,
1999). Returns, margins and floors are shares of the price, of one day each. The tools against
procyclicality are those of article 28 of the EU's regulation 153/2013: a buffer that may be used
up, a weight on stressed observations, a floor.
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray

BUFFER = 0.25  # of article 28 (1) (a)
HORIZONS = (1, 5, 20, 30)  # days over which a rise is measured


def variances(returns: FloatArray, decay: float, first: float | None = None) -> FloatArray:
    """Variance before each return and after the last, shape (T + 1,).

    The first is `first`, or ``r_0^2``: then a quiet first day makes all early ones look wild.
    """
    found = np.empty(len(returns) + 1)
    found[0] = returns[0] ** 2 if first is None else first
    for day, squared in enumerate(returns**2):
        found[day + 1] = decay * found[day] + (1.0 - decay) * squared
    return found


def step_response(decay: float, days: int, multiple: float) -> float:
    """Margin after `days` of a volatility so many times larger, of that before.

    ``sqrt(k^2 - (k^2 - 1) lambda^n)`` (Gurrola-Perez and Murphy, 2024).
    """
    return float(np.sqrt(multiple**2 - (multiple**2 - 1.0) * decay**days))


def quantile(confidence: float) -> float:
    """Return the quantile of the standard normal, in deviations; `confidence` between 0 and 1."""
    return NormalDist().inv_cdf(confidence)


def filtered(returns: FloatArray, variance: FloatArray) -> FloatArray:
    """Past returns in units of the deviation of their day, shape (T,); 0 where that is 0.

    Times the deviation of today they are what they would be now.

    Parameters
    ----------
    variance : shape (T,), before each return
    """
    deviation = np.sqrt(variance)
    return np.divide(returns, deviation, out=np.zeros_like(returns), where=deviation > 0.0)


def shortfall(returns: FloatArray, worst: int) -> float:
    """Average loss over so many of the worst returns, positive for a loss."""
    return -float(np.mean(np.sort(returns)[:worst]))


def filtered_quantiles(
    returns: FloatArray, variance: FloatArray, confidence: float, window: int
) -> FloatArray:
    """Size of move that filtered history gives for each day from those before, shape (T,).

    NaN while there are fewer than `window` days before.

    Parameters
    ----------
    variance : shape (T,), before each return
    """
    found = np.full(len(returns), np.nan)
    if len(returns) > window:
        past = np.lib.stride_tricks.sliding_window_view(
            np.abs(filtered(returns, variance)), window
        )[:-1]
        level = np.quantile(past, confidence, axis=1, method="higher")
        found[window:] = level * np.sqrt(variance[window:])
    return found


def buffered(margin: FloatArray, share: float = BUFFER) -> FloatArray:
    """Hold a buffer while margins are calm, and use it up as they rise.

    ``B_0 = 1.25 M_0``, ``B_t = max(M_t, min(1.25 M_t, B_(t-1)))``.
    """
    held = np.empty_like(margin)
    before = (1.0 + share) * margin[0] if len(margin) else 0.0
    for day, now in enumerate(margin):
        before = max(now, min((1.0 + share) * now, before))
        held[day] = before
    return held


def stressed(margin: FloatArray, stress: float, weight: float = BUFFER) -> FloatArray:
    """Give a share of the weight to the margin of a stressed time: ``(1 - w) M + w M*``."""
    return (1.0 - weight) * margin + weight * stress


def floored(margin: FloatArray, floor: FloatArray | float) -> FloatArray:
    """Never ask for less than a floor, one for all days or one for each."""
    return np.maximum(margin, floor)


class Leaps(NamedTuple):
    """How a margin rises (Murphy, Vasios and Vause, 2014, Bank of England FSP 29).

    Attributes
    ----------
    peak_to_trough : the largest margin over the smallest
    rise : by days, the largest relative rise within so many
    mean : average margin, what it costs
    """

    peak_to_trough: float
    rise: dict[int, float]
    mean: float


def leaps(margin: FloatArray, horizons: tuple[int, ...] = HORIZONS) -> Leaps:
    """Measure a margin path, shape (T,), all positive."""
    rise = {
        days: float(np.max(margin[days:] / margin[:-days] - 1.0))
        for days in horizons
        if days < len(margin)
    }
    return Leaps(float(np.max(margin) / np.min(margin)), rise, float(np.mean(margin)))
