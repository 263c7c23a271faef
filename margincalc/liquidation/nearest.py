"""The nearest spots, below and above, at which a pool's equity meets its maintenance margin.

A wide ladder of spots is walked outward from the present one, each step margined as one book of
copies, until the first sign change on either side is bracketed; all brackets are closed together.
Two crossings between neighbouring nodes of the ladder go unseen.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book
from margincalc.margin.base import MarginModel
from margincalc.pricer import current, using
from margincalc.pricing.roots import find_roots
from margincalc.risk import now

NEAR = np.exp(np.arange(-19, 20) * 0.025)  # a node every 2.5 % within -38 % and +61 %
FAR_BELOW = np.geomspace(0.02, NEAR[0], 12, endpoint=False)
FAR_ABOVE = np.geomspace(NEAR[-1], 50.0, 15)[1:]
LADDER = np.concatenate([FAR_BELOW, NEAR, FAR_ABOVE])  # multiples of spot, shape (X,)
SPOT_NODE = len(FAR_BELOW) + 19
SIDES = (slice(SPOT_NODE, None, -1), slice(SPOT_NODE, None))  # of the ladder, away from spot
ROWS_AT_ONCE = 1 << 17  # position rows of one margin call, which share the instruments revalued
ROWS_AHEAD = 1 << 14  # of nodes of a ladder that are margined before it is known which are wanted
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


def excess_at(
    book: Book,
    model: MarginModel,
    pools: IntArray,
    factor: FloatArray,
    volatility: FloatArray | None = None,
) -> FloatArray:
    """Equity less maintenance of pools in moved markets, shape (K,).

    Parameters
    ----------
    pools : shape (K,)
    factor : shape (K, U), what each spot is multiplied by
    volatility : shape (K,), what every implied volatility is multiplied by
    """
    sizes = np.bincount(book.pool, minlength=book.pools)[pools]
    batch = np.cumsum(sizes) // ROWS_AT_ONCE
    excess = np.empty(len(pools))
    with using(replace(current(), known=None)):  # a moved market is met once
        for chosen in np.split(np.arange(len(pools)), np.flatnonzero(np.diff(batch)) + 1):
            moved = None if volatility is None else volatility[chosen]
            result = model.margin(book.copies(pools[chosen], factor[chosen], moved))
            excess[chosen] = result.equity - result.maintenance
    return excess


def nearest(book: Book, model: MarginModel, underlyings: IntArray | None = None) -> Nearest:
    """Find the nearest liquidation prices of every pool, for each underlying that moves it.

    Parameters
    ----------
    underlyings : those to move, rows of the book; all of them by default
    """
    moved = book.underlying >= 0 if underlyings is None else np.isin(book.underlying, underlyings)
    held = np.flatnonzero(moved)
    held = held[group_rows(book.pool[held], book.underlying[held])[0]]
    search = _Search(book, model, book.pool[held], book.underlying[held])
    noise = search.noise()
    excess = search.ladder(noise)
    below, above = (_bracket(excess[:, side], noise, LADDER[side]) for side in SIDES)
    price = search.close(below, above) * book.spot[search.underlying]
    return Nearest(search.pool, search.underlying, price[0], price[1])


class _Search(NamedTuple):
    """Pools and the underlyings to move them by, shape (G,) each."""

    book: Book
    model: MarginModel
    pool: IntArray
    underlying: IntArray

    def excess(self, pairs: IntArray, factor: FloatArray) -> FloatArray:
        """Excess of chosen pairs, each at its own multiple of spot, shape of `pairs`."""
        moves = np.ones((len(pairs), len(self.book.spot)))
        moves[np.arange(len(pairs)), self.underlying[pairs]] = factor
        return excess_at(self.book, self.model, self.pool[pairs], moves)

    def noise(self) -> FloatArray:
        """How far below zero each pair's excess may be by rounding alone, shape (G,)."""
        gross = np.abs(self.book.quantity * now(self.book)[self.book.instrument])
        return NOISE * group_sum(gross, self.book.pool, self.book.pools)[self.pool]

    def ladder(self, noise: FloatArray) -> FloatArray:
        """Excess of every pair along the ladder, shape (G, X), 0 beyond where its sign changed.

        Node by node, because pairs at one node share the instruments that are revalued there.
        """
        excess = np.zeros((len(self.pool), len(LADDER)))
        wanted = np.ones(excess.shape, bool)
        for nodes in _outward(self._nodes_at_once()):
            node, pairs = np.nonzero((wanted & nodes).T)
            excess[pairs, node] = self.excess(pairs, LADDER[node])
            for side in SIDES:
                changed = _changes(excess[:, side] + noise[:, None]) & nodes[side][1:]
                wanted[:, side] &= ~np.any(changed, axis=1)[:, None]
            if not np.any(wanted):
                break
        return excess

    def _nodes_at_once(self) -> int:
        """How many nodes of each side are margined at once, at least one."""
        rows = np.bincount(self.book.pool, minlength=self.book.pools)[self.pool].sum()
        return max(ROWS_AHEAD // max(2 * int(rows), 1), 1)

    def close(self, below: "_Bracket", above: "_Bracket") -> FloatArray:
        """Return the crossings inside the brackets, NaN where there is none, shape (2, G)."""
        both = _Bracket(*(np.concatenate(pair) for pair in zip(below, above, strict=True)))
        chosen = np.flatnonzero(both.found)
        pairs, lift = chosen % len(self.pool), both.lift[chosen]
        root = np.full(len(both.found), np.nan)
        root[chosen] = find_roots(
            lambda numbers, factor: self.excess(pairs[numbers], factor) + lift[numbers],
            both.near[chosen],
            both.far[chosen],
            (both.near_excess[chosen] + lift, both.far_excess[chosen] + lift),
        )
        return root.reshape(2, -1)


def _outward(count: int) -> Iterator[BoolArray]:
    """Yield which nodes each step adds, shape (X,): the spot and `count` of each side, and on."""
    distance = np.abs(np.arange(len(LADDER)) - SPOT_NODE)
    for least in range(0, int(np.max(distance)) + 1, count):
        yield (distance >= least + (least > 0)) & (distance <= least + count)


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
    """Find the first change of sign, beyond noise, going away from spot."""
    change = _changes(excess + noise[:, None])
    first, each = np.argmax(change, axis=1), np.arange(len(excess))
    lift = np.where(_changes(excess)[each, first], 0.0, noise)
    ends = excess[each, first], excess[each, first + 1]
    return _Bracket(np.any(change, axis=1), factor[first], factor[first + 1], *ends, lift)


def _changes(excess: FloatArray) -> BoolArray:
    """Between which neighbours the sign changes, shape (G, X - 1)."""
    inside = np.greater_equal(excess, 0.0)
    return np.not_equal(inside[:, 1:], inside[:, :-1])
