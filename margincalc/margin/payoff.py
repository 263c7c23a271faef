"""What options come to when they expire."""

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum, matched
from margincalc.book import Instruments


def least_payoff(
    columns: Instruments, units: FloatArray, labels: IntArray, groups: int
) -> FloatArray:
    """Least that groups of options can settle at, not counting what lies above their strikes.

    A payoff bends at strikes only, so that it is least at zero or at one of them.

    Parameters
    ----------
    columns, units, labels : terms of L options, units held of each, and the group of each

    Returns
    -------
    array of shape (groups,), quote currency
    """
    least = group_sum(np.where(columns.call, 0.0, units * columns.strike), labels, groups)
    price, leg = matched(labels, labels, groups)
    above = np.where(columns.call[leg], 1.0, -1.0) * (columns.strike[price] - columns.strike[leg])
    paid = group_sum(units[leg] * np.maximum(above, 0.0), price, len(units))
    np.minimum.at(least, labels, paid)
    return least
