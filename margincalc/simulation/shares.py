"""Divide an amount among many by weight, each up to a limit, and nothing lost in rounding.

Money is divided in whole cents (or the smallest unit of a coin), so that what is divided and what
was given add up exactly, whatever their number.
"""

import numpy as np

from margincalc.arrays import FloatArray, IntArray


def levelled(amount: float, weight: FloatArray, limit: FloatArray) -> FloatArray:
    """Divide an amount in proportion to weights, each share up to its limit.

    What the limited cannot take is divided among the others, again by weight. An amount beyond
    all limits leaves every limit filled.

    Parameters
    ----------
    amount : not negative
    weight : shape (A,), not negative; a weight of 0 takes nothing
    limit : shape (A,), not negative; may be infinite

    Returns
    -------
    array of shape (A,)
    """
    share = np.zeros(len(weight))
    able = np.flatnonzero((weight > 0.0) & (limit > 0.0))
    if not len(able) or amount <= 0.0:
        return share
    with np.errstate(over="ignore"):  # a limit that no level reaches
        ratio = limit[able] / weight[able]
        order = np.argsort(ratio, kind="stable")
        able, ratio = able[order], ratio[order]
        filled = np.concatenate(([0.0], np.cumsum(limit[able])[:-1]))
        level = (amount - filled) / np.cumsum(weight[able][::-1])[::-1]
    reached = np.flatnonzero(level <= ratio)
    if not len(reached):
        share[able] = limit[able]
        return share
    share[able] = np.minimum(limit[able], level[reached[0]] * weight[able])
    return share


def in_units(amount: int, weight: FloatArray, limit: IntArray) -> IntArray:
    """Divide a whole number as `levelled` does, into whole numbers that sum to it exactly.

    Fractions are rounded to the largest remainder, ties in the order given. What exceeds all limits
    stays undivided.

    Returns
    -------
    array of shape (A,)
    """
    able = np.where(weight > 0.0, limit, 0)
    amount = min(amount, int(np.sum(able)))
    exact = levelled(float(amount), weight, able.astype(np.float64))
    share = np.minimum(np.floor(exact).astype(np.int64), able)
    fraction = exact - share
    while (left := amount - int(np.sum(share))) != 0:
        step = 1 if left > 0 else -1
        free = np.flatnonzero(share < able if step > 0 else share > 0)
        order = free[np.argsort(-step * fraction[free], kind="stable")]
        share[order[: abs(left)]] += step
    return share


def in_turn(amount: FloatArray | float, limit: FloatArray) -> FloatArray:
    """Take an amount from each in the order given, all that one has before the next is asked."""
    return np.clip(amount - (np.cumsum(limit) - limit), 0.0, limit)


def in_turn_units(amount: int, limit: IntArray) -> IntArray:
    """Take a whole number as `in_turn` does."""
    taken: IntArray = np.clip(amount - (np.cumsum(limit) - limit), 0, limit)
    return taken
