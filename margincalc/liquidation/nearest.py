"""The nearest spots, below and above, at which a pool's equity meets its maintenance margin.

A wide ladder of spots is margined as one book of copies, each sign change is bracketed, and all
brackets are closed together. Two crossings between neighbouring nodes of the ladder go unseen.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book
from margincalc.margin.base import MarginModel
from margincalc.pricer import current, using
from margincalc.risk import now
from margincalc.roots import find_roots

NEAR = np.exp(np.arange(-19, 20) * 0.025)  # a node every 2.5 % within -38 % and +61 %
FAR_BELOW = np.geomspace(0.02, NEAR[0], 12, endpoint=False)
FAR_ABOVE = np.geomspace(NEAR[-1], 50.0, 15)[1:]
LADDER = np.concatenate([FAR_BELOW, NEAR, FAR_ABOVE])  # multiples of spot, shape (X,)
SPOT_NODE = len(FAR_BELOW) + 19
ROWS_AT_ONCE = 1 << 14  # position rows of one margin call: bounds memory, keeps caches warm
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


def excess_at(book: Book, model: MarginModel, pools: IntArray, factor: FloatArray) -> FloatArray:
    """Equity less maintenance of pools in moved markets, shape (K,).

    Parameters
    ----------
    pools : shape (K,)
    factor : shape (K, U), what each spot is multiplied by
    """
    sizes = np.bincount(book.pool, minlength=book.pools)[pools]
    batch = np.cumsum(sizes) // ROWS_AT_ONCE
    excess = np.empty(len(pools))
    with using(replace(current(), known=None)):  # a moved market is met once
        for chosen in np.split(np.arange(len(pools)), np.flatnonzero(np.diff(batch)) + 1):
            result = model.margin(book.copies(pools[chosen], factor[chosen]))
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
    excess, noise = search.ladder(), search.noise()
    below = _bracket(excess[:, SPOT_NODE::-1], noise, LADDER[SPOT_NODE::-1])
    above = _bracket(excess[:, SPOT_NODE:], noise, LADDER[SPOT_NODE:])
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

    def ladder(self) -> FloatArray:
        """Excess of every pair along the ladder, shape (G, X).

        Node by node, because pairs at one node share the instruments that are revalued there.
        """
        pairs = np.tile(np.arange(len(self.pool)), len(LADDER))
        factor = np.repeat(LADDER, len(self.pool))
        return self.excess(pairs, factor).reshape(len(LADDER), len(self.pool)).T

    def close(self, below: "_Bracket", above: "_Bracket") -> FloatArray:
        """Return the crossings inside the brackets, NaN where there is none, shape (2, G)."""
        found, near, far, lift = (np.concatenate(both) for both in zip(below, above, strict=True))
        chosen = np.flatnonzero(found)
        pairs = chosen % len(self.pool)
        root = np.full(len(found), np.nan)
        root[chosen] = find_roots(
            lambda numbers, factor: self.excess(pairs[numbers], factor) + lift[chosen[numbers]],
            near[chosen],
            far[chosen],
        )
        return root.reshape(2, -1)


class _Bracket(NamedTuple):
    """The multiples of spot between which the sign changes first, shape (G,) each.

    Attributes
    ----------
    lift : what is added to the excess: its noise, where one end is zero but for rounding
    """

    found: BoolArray
    near: FloatArray
    far: FloatArray
    lift: FloatArray


def _bracket(excess: FloatArray, noise: FloatArray, factor: FloatArray) -> _Bracket:
    """Find the first change of sign, beyond noise, going away from spot."""
    change = _changes(excess + noise[:, None])
    first = np.argmax(change, axis=1)
    plain = _changes(excess)[np.arange(len(first)), first]
    lift = np.where(plain, 0.0, noise)
    return _Bracket(np.any(change, axis=1), factor[first], factor[first + 1], lift)


def _changes(excess: FloatArray) -> BoolArray:
    """Between which neighbours the sign changes, shape (G, X - 1)."""
    inside = np.greater_equal(excess, 0.0)
    return np.not_equal(inside[:, 1:], inside[:, :-1])
