"""Deleveraging by the least of the largest haircuts: nobody loses more of its profit than must be.

Who won in one instrument alone can pay for no other, so that one haircut for all does not pay every
deficit where winners differ from instrument to instrument. A linear programme finds the least h for
which every account gives at most h of its gross profit, ``sum_r t_r <= h P_w``, and every deficit
is paid, ``sum_r t_r = D_k``; whatever it binds is settled, and the rest is asked again.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.simulation.shares import levelled

TIGHT = 1e-9  # a shadow price of less binds nothing


class Winners(NamedTuple):
    """Rows that can pay, shape (R,) each.

    Attributes
    ----------
    need : number of the deficit that each pays for
    owner : number of its account
    limit : the most that it can give, money
    """

    need: IntArray
    owner: IntArray
    limit: FloatArray


def least_worst(deficit: FloatArray, winners: Winners, profit: FloatArray) -> FloatArray:
    """Return what each row gives, shape (R,), with the least largest haircut, then the next.

    Parameters
    ----------
    deficit : shape (K,); what exceeds the limits of its rows stays unpaid
    profit : shape (W,), gross, of each account that owns a row: positive
    """
    able = np.bincount(winners.need, weights=winners.limit, minlength=len(deficit))
    open_ = np.minimum(deficit, able)
    given, left = np.zeros(len(winners.limit)), open_ > 0.0
    spent = np.zeros(len(profit))
    if len(np.unique(winners.owner)) == len(winners.owner):
        return _apart(open_, winners, profit)
    while np.any(left):
        rows = np.flatnonzero(left[winners.need])
        part = Winners(winners.need[rows], winners.owner[rows], winners.limit[rows])
        found, binds = _solved(open_, part, profit, (left, spent))
        settled = left & (binds if np.any(binds & left) else left)
        done = settled[part.need]
        given[rows[done]] = found[done]
        spent += np.bincount(part.owner[done], weights=found[done], minlength=len(profit))
        left &= ~settled
    return given


def _apart(deficit: FloatArray, winners: Winners, profit: FloatArray) -> FloatArray:
    """Divide each deficit by itself, of accounts that pay for one: in proportion to profits."""
    given = np.zeros(len(winners.limit))
    for number, amount in enumerate(deficit.tolist()):
        rows = np.flatnonzero(winners.need == number)
        weight = profit[winners.owner[rows]]
        given[rows] = levelled(amount, weight, winners.limit[rows])
    return given


def _solved(
    deficit: FloatArray,
    winners: Winners,
    profit: FloatArray,
    state: tuple[BoolArray, FloatArray],
) -> tuple[FloatArray, BoolArray]:
    """Solve the programme for the deficits that are left, after what accounts have spent.

    Returns
    -------
    given : shape (R,)
    binds : shape (K,), whether a deficit makes the haircut as large as it is
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, hstack

    left, spent = state
    rows = len(winners.limit)
    number = np.cumsum(left) - 1  # of the deficits that are left
    owners, own = np.unique(winners.owner, return_inverse=True)
    ones, each = np.ones(rows), np.arange(rows)
    scale = float(np.sum(deficit[left]))
    accounts = coo_array((ones, (own, each)), (len(owners), rows))
    haircut = coo_array(-profit[owners][:, None] / scale)
    paid = coo_array((ones, (number[winners.need], each)), (int(np.sum(left)), rows))
    nothing = coo_array((int(np.sum(left)), 1))
    limit = np.append(winners.limit / scale, np.inf)
    found = linprog(
        np.append(np.zeros(rows), 1.0),
        hstack([accounts, haircut]).tocsr(),
        -spent[owners] / scale,
        hstack([paid, nothing]).tocsr(),
        deficit[left] / scale,
        np.stack([np.zeros(rows + 1), limit], axis=1),
        method="highs",
    )
    assert found.success, found.message  # the deficits are within the limits
    binds = np.zeros(len(deficit), bool)
    binds[left] = np.abs(found.eqlin.marginals) > TIGHT
    return scale * found.x[:rows], binds
