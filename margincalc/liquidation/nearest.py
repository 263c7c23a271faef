"""The nearest spots, below and above, at which a pool's equity meets its maintenance margin.

A wide ladder of spots is walked outward from the present one until the first sign change on either
side is bracketed; all brackets are closed together. Two crossings between neighbouring nodes of the
ladder go unseen.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_sum
from margincalc.book import Book
from margincalc.liquidation.moved import Moved, batches, cut
from margincalc.margin.base import MarginModel, MarginResult
from margincalc.pricer import current, using
from margincalc.pricing.roots import find_roots
from margincalc.risk import now

NEAR = np.exp(np.arange(-19, 20) * 0.025)  # a node every 2.5 % within -38 % and +61 %
FAR_BELOW = np.geomspace(0.02, NEAR[0], 12, endpoint=False)
FAR_ABOVE = np.geomspace(NEAR[-1], 50.0, 15)[1:]
LADDER = np.concatenate([FAR_BELOW, NEAR, FAR_ABOVE])  # multiples of spot, shape (X,)
SPOT_NODE = len(FAR_BELOW) + 19
NODES = np.arange(len(LADDER))
SIDES = (NODES[SPOT_NODE::-1], NODES[SPOT_NODE:])  # nodes of each, away from spot
ROWS_AHEAD = 1 << 14  # of nodes of a ladder that are margined before it is known which are wanted
FEWER = 0.9  # share of pairs at which those that have changed sign are left behind
NOISE = 1e-13  # of gross value: an excess this far below zero is rounding, not a shortfall


class Nearest(NamedTuple):
    """Liquidation prices per pool and underlying (G pairs).

    Attributes
    ----------
    pool, underlying : rows of the book, shape (G,)
    below, above : spot at which equity equals maintenance, quote currency; NaN where there is none
    """

    pool: IntArray
    underlying: IntArray
    below: FloatArray
    above: FloatArray


def nearest(
    book: Book,
    model: MarginModel,
    underlyings: IntArray | None = None,
    result: MarginResult | None = None,
) -> Nearest:
    """Find the nearest liquidation prices of every pool, for each underlying that moves it.

    Parameters
    ----------
    underlyings : those to move, rows of the book; all of them by default
    result : what the model says of the book, where that is known
    """
    wanted = np.arange(len(book.spot)) if underlyings is None else np.unique(underlyings)
    gross = np.abs(book.quantity * now(book)[book.instrument])
    noise = NOISE * group_sum(gross, book.pool, book.pools)
    moved = cut(book, model, wanted, result or model.margin(book))
    found = np.full((2, len(moved.pool)), np.nan)
    with using(replace(current(), known=_lasting())):
        for chosen in _portions(moved):
            part = moved.take(chosen)
            found[:, chosen] = _crossings(part, noise[part.pool])
    below, above = found * book.spot[moved.underlying]
    return Nearest(moved.pool, moved.underlying, below, above)


def _lasting() -> dict[bytes, FloatArray] | None:
    """Return what values are kept in, unless that is for the one market that ticks move."""
    known = current().known
    return known if isinstance(known, dict) else None


def _portions(moved: Moved) -> list[IntArray]:
    """Return pairs that are searched together: all, or as many as one margin call takes."""
    return batches(moved.rows) if _node_by_node(moved) else [np.arange(len(moved.pool))]


def _node_by_node(moved: Moved) -> bool:
    """Whether pairs are so many that one node of the ladder is work enough for a margin call."""
    return moved.apart and _nodes_at_once(moved) == 1


def _nodes_at_once(moved: Moved) -> int:
    """How many nodes of each side are margined at once, at least one."""
    return max(ROWS_AHEAD // max(2 * int(np.sum(moved.rows)), 1), 1)


def _crossings(moved: Moved, noise: FloatArray) -> FloatArray:
    """Return the multiples of spot at the crossings below and above, shape (2, G)."""
    excess = np.zeros((len(LADDER), len(moved.pool)))  # 0 where nobody asks
    excess[SPOT_NODE] = moved.present
    if _node_by_node(moved):
        for side in SIDES:
            _walk(moved, noise, excess, side)
    else:
        _look_ahead(moved, noise, excess)
    return _close(moved, [_bracket(excess[side], noise, LADDER[side]) for side in SIDES])


def _look_ahead(moved: Moved, noise: FloatArray, excess: FloatArray) -> None:
    """Find the excess of pairs along the ladder, as many nodes of both sides in a call as pay."""
    at_once = _nodes_at_once(moved)
    going = [np.arange(len(moved.pool))] * 2  # pairs whose sign has not changed, by side
    for first in range(1, len(LADDER), at_once):
        steps = [side[first - 1 : first + at_once] for side in SIDES]
        asked = [(own, step[1:]) for own, step in zip(going, steps, strict=True)]
        pairs = np.concatenate([np.tile(own, len(nodes)) for own, nodes in asked])
        nodes = np.concatenate([np.repeat(nodes, len(own)) for own, nodes in asked])
        excess[nodes, pairs] = moved.excess(pairs, LADDER[nodes])
        for number, step in enumerate(steps):
            own = going[number]
            changed = _changes(excess[step[:, None], own] + noise[own])
            going[number] = own[~np.any(changed, axis=0)]
        if not any(len(own) for own in going):
            return


def _walk(moved: Moved, noise: FloatArray, excess: FloatArray, side: IntArray) -> None:
    """Find the excess of many pairs along one side, node by node, until all have changed sign."""
    pairs = np.arange(len(moved.pool))
    going = np.ones(len(pairs), bool)
    for step in pairwise(side.tolist()):
        excess[step[1], pairs] = moved.at(float(LADDER[step[1]]))
        going &= ~_changes(excess[np.array(step)[:, None], pairs] + noise[pairs])[0]
        if np.count_nonzero(going) <= FEWER * len(going):
            left = np.flatnonzero(going)
            moved, pairs, going = moved.take(left), pairs[left], going[left]
        if not len(pairs):
            return


def _close(moved: Moved, brackets: Sequence["_Bracket"]) -> FloatArray:
    """Return the crossings inside the brackets of both sides, NaN where there is none, (2, G)."""
    both = _Bracket(*(np.concatenate(pair) for pair in zip(*brackets, strict=True)))
    chosen = np.flatnonzero(both.found)
    pairs, lift = chosen % len(moved.pool), both.lift[chosen]
    root = np.full(len(both.found), np.nan)
    root[chosen] = find_roots(
        lambda numbers, factor: moved.excess(pairs[numbers], factor) + lift[numbers],
        both.near[chosen],
        both.far[chosen],
        (both.near_excess[chosen] + lift, both.far_excess[chosen] + lift),
    )
    return root.reshape(2, -1)


class _Bracket(NamedTuple):
    """The multiples of spot between which the sign changes first, shape (G,) each.

    Attributes
    ----------
    near_excess, far_excess : the excess there
    lift : what is added to the excess: its noise, where one end is zero but for rounding
    """

    found: BoolArray
    near: FloatArray
    far: FloatArray
    near_excess: FloatArray
    far_excess: FloatArray
    lift: FloatArray


def _bracket(excess: FloatArray, noise: FloatArray, factor: FloatArray) -> _Bracket:
    """Find the first change of sign, beyond noise, going away from spot, along the first axis."""
    change = _changes(excess + noise)
    first, each = np.argmax(change, axis=0), np.arange(len(noise))
    lift = np.where(_changes(excess)[first, each], 0.0, noise)
    ends = excess[first, each], excess[first + 1, each]
    return _Bracket(np.any(change, axis=0), factor[first], factor[first + 1], *ends, lift)


def _changes(excess: FloatArray) -> BoolArray:
    """Between which neighbours along the first axis the sign changes."""
    inside = np.greater_equal(excess, 0.0)
    return np.not_equal(inside[1:], inside[:-1])
