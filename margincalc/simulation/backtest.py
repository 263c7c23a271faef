"""Whether a margin was enough as often as it said, and whether its failures came together.

The unconditional test is Kupiec's (1995, "Techniques for verifying the accuracy of risk
measurement models"), the test of independence Christoffersen's (1998, "Evaluating interval
forecasts"); their sum tests both.
"""

import math
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray


class Backtest(NamedTuple):
    """Breaches of a margin, and how likely so many and so close together are.

    Attributes
    ----------
    days, breaches, expected : counted, counted, and promised
    kupiec, christoffersen, conditional : likelihood ratios
    kupiec_p, christoffersen_p, conditional_p : their probabilities, if the margin is what it says
    """

    days: int
    breaches: int
    expected: float
    kupiec: float
    kupiec_p: float
    christoffersen: float
    christoffersen_p: float
    conditional: float
    conditional_p: float


def backtest(breached: BoolArray, confidence: float) -> Backtest:
    """Test a series of breaches, shape (T,), of a margin that promises a confidence."""
    days, breaches = len(breached), int(np.sum(breached))
    promised = 1.0 - confidence
    share = breaches / days if days else 0.0
    kupiec = 2.0 * (_likelihood(breaches, days, share) - _likelihood(breaches, days, promised))
    independent = _independence(breached)
    both = kupiec + independent
    return Backtest(
        days,
        breaches,
        promised * days,
        kupiec,
        math.erfc(math.sqrt(max(kupiec, 0.0) / 2.0)),  # chi-squared of one degree
        independent,
        math.erfc(math.sqrt(max(independent, 0.0) / 2.0)),
        both,
        math.exp(-max(both, 0.0) / 2.0),  # of two
    )


def _independence(breached: BoolArray) -> float:
    """Likelihood ratio of a breach depending on the day before."""
    before, after = breached[:-1], breached[1:]
    calm, hit = after[~before], after[before]
    together = _share(after)
    apart = sum(_likelihood(int(np.sum(each)), len(each), _share(each)) for each in (calm, hit))
    return max(2.0 * (apart - _likelihood(int(np.sum(after)), len(after), together)), 0.0)


def _share(breached: BoolArray) -> float:
    return float(np.mean(breached)) if len(breached) else 0.0


def _likelihood(breaches: int, days: int, share: float) -> float:
    """Log likelihood of so many breaches, ``0 log 0`` being nothing."""
    found = 0.0
    for count, probability in ((breaches, share), (days - breaches, 1.0 - share)):
        if count:
            found += count * math.log(probability) if probability > 0.0 else -math.inf
    return found
