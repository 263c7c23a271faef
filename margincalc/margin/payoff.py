"""What options come to when they expire."""

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum, running_sums
from margincalc.book import Instruments


def least_payoff(
    columns: Instruments, units: FloatArray, labels: IntArray, groups: int
) -> FloatArray:
    """Least that groups of options can settle at, not counting what lies above their strikes.

    A payoff bends at strikes only, so that it is least at zero or at one of them. Calls are added
    up from the lowest strike and puts down from the highest, so that the work grows as the options
    and their sorting, and options that are only bought never settle below nothing.

    Parameters
    ----------
    columns, units, labels : terms of L options, units held of each, and the group of each

    Returns
    -------
    array of shape (groups,), quote currency
    """
    least = group_sum(np.where(columns.call, 0.0, units * columns.strike), labels, groups)
    order = np.lexsort((columns.strike, labels))
    strike, group, call = columns.strike[order], labels[order], columns.call[order]
    held = units[order]
    calls = _paid(np.where(call, held, 0.0), strike, group)
    puts = _paid(np.where(call, 0.0, held)[::-1], -strike[::-1], group[::-1])[::-1]
    np.minimum.at(least, group, calls + puts)
    return least


def _paid(units: FloatArray, strike: FloatArray, group: IntArray) -> FloatArray:
    """Pay at each strike what options of the strikes before it come to, shape (L,).

    Parameters
    ----------
    units, strike, group : of options beside those of their group, strikes ascending
    """
    within = np.diff(group, prepend=-1) == 0
    step = np.where(within, np.diff(strike, prepend=0.0), 0.0)
    paying = np.where(within, np.roll(running_sums(units, group), 1), 0.0)
    return running_sums(paying * step, group)
