"""What deposits are worth in a bad hour, and how far they may fall.

Haircuts of time and volatility, tokens that redeem late, shares of a pool, loops, and how far from
its boundary an account should act when money takes time to arrive. Falls, discounts and shares are
relative, volatilities decimals per year, probabilities between 0 and 1.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from margincalc.times import SECONDS_PER_YEAR

_NORMAL = NormalDist()


def haircut(confidence: float, volatility: float, days: float) -> float:
    """Haircut for the time that it takes to sell: ``1 - exp(-z sigma sqrt(T))``."""
    z = _NORMAL.inv_cdf(confidence)
    return 1.0 - math.exp(-z * volatility * math.sqrt(days / 365.0))


def redeemable(oracle: float, redemption: float, discount: float) -> float:
    """Value of a token that redeems late: the oracle's, or redemption less a queue's discount."""
    return min(oracle, redemption * (1.0 - discount))


def pool_share(moves: Sequence[float], weights: Sequence[float] = (0.5, 0.5)) -> float:
    """Value of a share of a constant-product pool after moves of its parts, of 1 before.

    ``prod (1 + m_i)^w_i``: the impermanent loss is the difference to ``sum w_i (1 + m_i)``.
    """
    parts = zip(moves, weights, strict=True)
    return float(math.prod((1.0 + move) ** weight for move, weight in parts))


def loop(turns: float, share: float) -> float:
    """Debt over collateral of a deposit that is borrowed against and deposited again.

    The collateral is ``turns`` times the own money, and `share` of it is what the rest is worth;
    a leverage of 3 owes 2 / 3 of what it holds.
    """
    return share * (turns - 1.0) / turns


def depeg_to_liquidation(debt_share: float, threshold: float) -> float:
    """Fall of the collateral against its debt that liquidates: ``1 - (D / C) / LT``."""
    return 1.0 - debt_share / threshold


def trigger_distance(volatility: float, seconds: float, probability: float) -> float:
    """Distance in log price at which to send money that takes so long to arrive.

    A driftless price reaches it in that time with the probability given (reflection principle):
    ``Phi^-1(1 - alpha / 2) sigma sqrt(tau)``.
    """
    z = _NORMAL.inv_cdf(1.0 - 0.5 * probability)
    return z * volatility * math.sqrt(seconds / SECONDS_PER_YEAR)


def survival_horizon(volatility: float, distance: float, probability: float) -> float:
    """Seconds within which a boundary is reached with the probability given: the inverse of it."""
    if volatility <= 0.0 or probability <= 0.0:
        return math.inf
    z = _NORMAL.inv_cdf(1.0 - 0.5 * probability)
    return SECONDS_PER_YEAR * (distance / (z * volatility)) ** 2 if z > 0.0 else math.inf
