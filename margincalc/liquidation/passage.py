"""The probability that a geometric Brownian motion meets a barrier before a horizon.

Spot follows ``dS / S = mu dt + sigma dW``, its logarithm a Brownian motion of drift
``nu = mu - sigma ** 2 / 2``. Barriers are met at any moment, unless they are looked at only now and
then.
"""

import math
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray

POLLED = 0.5825971579390106  # -zeta(1/2) / sqrt(2 pi) of Broadie, Glasserman and Kou (1997)
CERTAIN = 8.0, 40.0  # deviations over the distance of two barriers, or drift beyond in deviations


class Walk(NamedTuple):
    """A spot and how it moves.

    Attributes
    ----------
    drift : of the spot, per year
    volatility : decimal per year
    years : to the horizon
    """

    spot: float
    drift: float
    volatility: float
    years: float

    @property
    def nu(self) -> float:
        """Drift of the logarithm."""
        return self.drift - 0.5 * self.volatility**2


def met(walk: Walk, low: float | None, high: float | None) -> float:
    """Probability that a barrier below or above is met; None where there is none."""
    if (low is not None and low >= walk.spot) or (high is not None and high <= walk.spot):
        return 1.0
    if walk.years <= 0.0 or walk.volatility <= 0.0 or (low is None and high is None):
        return 0.0
    if low is not None and high is not None:
        return either(walk, low, high)
    barrier = low if low is not None else high
    assert barrier is not None
    return single(walk, barrier)


def single(walk: Walk, barrier: float) -> float:
    """One barrier, by reflection (Harrison, 1985, "Brownian Motion and Stochastic Flows")."""
    distance, nu = math.log(barrier / walk.spot), walk.nu
    side = 1.0 if distance < 0.0 else -1.0
    width = walk.volatility * math.sqrt(walk.years)
    direct = normal(side * (distance - nu * walk.years) / width)
    power = 2.0 * nu * distance / walk.volatility**2
    beyond = normal(side * (distance + nu * walk.years) / width)
    reflected = math.exp(power + math.log(beyond)) if beyond > 0.0 else 0.0
    return min(direct + reflected, 1.0)


def either(walk: Walk, low: float, high: float) -> float:
    """Either of two barriers, by the images of the spot in both.

    Of a spot at x between barriers at 0 and a, in logarithms, images stand at ``2 n a + x`` and, of
    the other sign, at ``2 n a - x`` (Cox and Miller, 1965, "The Theory of Stochastic Processes").
    What is summed is what was lost, not what survived: few lost paths are not rounded off.
    """
    length, start = math.log(high / low), math.log(walk.spot / low)
    width, drift = walk.volatility * math.sqrt(walk.years), walk.nu * walk.years
    if width > CERTAIN[0] * length or abs(drift) > length + CERTAIN[1] * width:
        return 1.0  # what survives is below any float
    count = int((12.0 * width + abs(drift)) / (2.0 * length)) + 2
    tilt = walk.nu / walk.volatility**2
    image = 2.0 * length * np.arange(-count, count + 1, dtype=np.float64)
    images = image[image != 0.0]
    gone = normal((drift - (length - start)) / width) + normal((-start - drift) / width)
    alike = _between(images * tilt, (-start - drift - images) / width, length / width)
    other = _between((image - 2.0 * start) * tilt, (start - drift - image) / width, length / width)
    return min(max(gone + float(np.sum(other)) - float(np.sum(alike)), 0.0), 1.0)


def _between(log: FloatArray, low: FloatArray, size: float) -> FloatArray:
    """Mass of standard normals from `low` on, over a length, each times ``exp(log)``."""
    from scipy.special import log_ndtr  # the sums of other commands need none

    beyond = low > 0.0  # of an upper tail, the lower one of the other side
    least, most = np.where(beyond, -low - size, low), np.where(beyond, -low, low + size)
    mass: FloatArray = np.exp(log + log_ndtr(most)) - np.exp(log + log_ndtr(least))
    return mass


def polled(barrier: float, walk: Walk, interval: float) -> float:
    """Return the barrier that, watched always, stands for one looked at every `interval` years.

    Broadie, Glasserman and Kou (1997), "A continuity correction for discrete barrier options": it
    moves away from the spot by 0.5826 standard deviations of the interval. Good where the spot
    stands several of these from the barrier; a tenth off where there are but seven looks.
    """
    shift = POLLED * walk.volatility * math.sqrt(interval)
    return barrier * math.exp(-shift if barrier < walk.spot else shift)


def moment(walk: Walk, low: float | None, high: float | None, share: float) -> float | None:
    """Return by when the probability is `share`, in years; None if not before the horizon."""
    if met(walk, low, high) < share:
        return None
    early, late = 0.0, walk.years
    for _ in range(60):
        middle = 0.5 * (early + late)
        if met(walk._replace(years=middle), low, high) < share:
            early = middle
        else:
            late = middle
    return late


def normal(x: float) -> float:
    """Distribution of the standard normal, with its relative accuracy in the lower tail."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
