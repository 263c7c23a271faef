"""SVI: implied volatility from five parameters of one expiry's total variance.

``w(k) = a + b (rho (k - m) + sqrt((k - m)**2 + sigma**2))`` with ``k = ln(K / F)``, as volatility
feeds publish it: forward and time are those of the fit, not the live ones, so the volatility
stays as it is until the next fit.

The parametrisation is J. Gatheral's ("A parsimonious arbitrage-free implied volatility
parameterization", 2004); the clamp of k to ``4 sqrt(a + b sigma)`` either side and the cap of w at
144 are those of Derive's volatility feed (lyra-utils).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margincalc.arrays import FloatArray
from margincalc.pricing._checks import amounts, reals, refuse

MOST_VARIANCE = 144.0  # total variance; prices are at their bounds from there on
CLAMP = 4.0  # log-moneyness is held within this many at-the-money total volatilities


@dataclass(frozen=True, slots=True)
class SVI:
    """Parameters of one fit, or arrays of several that broadcast with the strikes.

    `forward` and `time` (years) are the fit's own. `sigma` is in units of log-moneyness; it is the
    curvature at the bottom of the smile and not a volatility.
    """

    a: npt.ArrayLike
    b: npt.ArrayLike
    rho: npt.ArrayLike
    m: npt.ArrayLike
    sigma: npt.ArrayLike
    forward: npt.ArrayLike
    time: npt.ArrayLike


def volatility(fit: SVI, strike: npt.ArrayLike) -> FloatArray:
    """Volatility of each strike, a decimal per square-root year; 0 for strike 0.

    Parameters
    ----------
    fit : finite parameters; forward and time positive
    strike : finite numbers of at least 0

    Returns
    -------
    array of the broadcast shape

    Raises
    ------
    ValueError
        If a number is not as above, or the parameters give a negative total variance.
    """
    sizes = amounts(strike=strike, forward=fit.forward, time=fit.time)
    strikes, forward, time = np.broadcast_arrays(*sizes.values())
    for name, value in (("forward", forward), ("time", time)):
        refuse(name, value, value == 0.0, "the positive one that the SVI fit was made for")
    variance = _variance(fit, _log_moneyness(strikes, forward))
    return np.where(strikes > 0.0, np.sqrt(variance / time), 0.0)


def _log_moneyness(strike: FloatArray, forward: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        ratio = strike / forward
    return np.log(np.where(ratio > 0.0, ratio, 1.0))  # where makes it contiguous, too


def _variance(fit: SVI, k: FloatArray) -> FloatArray:
    numbers = reals(a=fit.a, b=fit.b, rho=fit.rho, m=fit.m, sigma=fit.sigma)
    a, b, rho, m, sigma = numbers.values()
    bottom = a + b * sigma
    wanted = "at least 0: check the sign of a, and that b >= 0, sigma >= 0 and |rho| < 1"
    refuse("a + b sigma of an SVI fit", bottom, bottom < 0.0, wanted)
    reach = CLAMP * np.sqrt(bottom)
    away = np.clip(k, -reach, reach) - m
    total = a + b * (rho * away + np.sqrt(away * away + sigma * sigma))
    refuse("total variance of an SVI fit", total, total < 0.0, wanted)
    return np.minimum(total, MOST_VARIANCE)
