"""Divide a requirement by what each position adds, averaged over all orders of arrival.

Shapley (1953), "A value for n-person games". Exact where the coalitions can be counted, else
sampled over orders and their reverses (Castro, Gomez and Tejada, 2009).
"""

from math import comb
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.attribution.weighted import Pooled

MOST_EXACT = 12  # positions: 4,096 coalitions
ORDERS = 256  # sampled, half of them the reverses of the others


class Values(NamedTuple):
    """Shapley values, shape (N,) each.

    Attributes
    ----------
    amount : sums to the requirement, less that of what is no player
    error : standard error; 0 where exact
    orders : how many were sampled; 0 where exact
    """

    amount: FloatArray
    error: FloatArray
    orders: int


def shapley(whole: Pooled, players: IntArray, seed: int) -> Values:
    """Return the Shapley value of each player's maintenance margin; that of others is 0.

    Parameters
    ----------
    players : numbers of positions of the pool; the other positions are always there
    seed : of the sampled orders
    """
    amount, error = np.zeros(len(whole.rows)), np.zeros(len(whole.rows))
    if len(players) <= MOST_EXACT:
        amount[players] = _exact(whole, players)
        return Values(amount, error, 0)
    by_order = _sampled(whole, players, np.random.default_rng(seed))
    pairs = 0.5 * (by_order[0::2] + by_order[1::2])
    amount[players] = np.mean(pairs, axis=0)
    error[players] = np.std(pairs, axis=0, ddof=1) / np.sqrt(len(pairs))
    return Values(amount, error, len(by_order))


def _exact(whole: Pooled, players: IntArray) -> FloatArray:
    count = len(players)
    number = np.arange(1 << count)
    member = (number[:, None] >> np.arange(count)) & 1 == 1
    worth = _worth(whole, players, member)
    size = np.sum(member, axis=1)
    share = np.array([1.0 / (count * comb(count - 1, k)) for k in range(count)])
    value = np.empty(count)
    for player in range(count):
        without = number[~member[:, player]]
        added = worth[without | (1 << player)] - worth[without]
        value[player] = np.sum(share[size[without]] * added)
    return value


def _sampled(whole: Pooled, players: IntArray, rng: np.random.Generator) -> FloatArray:
    """What each player adds in each order, shape (ORDERS, players)."""
    count = len(players)
    drawn = np.array([rng.permutation(count) for _ in range(ORDERS // 2)])
    orders = np.stack([drawn, drawn[:, ::-1]], axis=1).reshape(ORDERS, count)
    place = np.argsort(orders, axis=1)
    present = place[:, None, :] < np.arange(count + 1)[None, :, None]
    worth = _worth(whole, players, present.reshape(-1, count)).reshape(ORDERS, count + 1)
    return np.take_along_axis(np.diff(worth, axis=1), place, axis=1)


def _worth(whole: Pooled, players: IntArray, member: BoolArray) -> FloatArray:
    """Requirement of coalitions, shape (K,); `member` has shape (K, players)."""
    weight = np.ones((len(member), len(whole.rows)))
    weight[:, players] = member
    return whole.maintenance(weight)
