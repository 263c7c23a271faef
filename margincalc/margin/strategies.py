"""The strategies that options and shares on one underlying can be paired into, for many accounts.

What one account holds on one underlying is a block; no pairing crosses blocks. Every strategy is a
column: what it takes of each leg, per contract. Spreads of more than two legs are not listed one by
one. Under the universal spread rule (SEC release 34-67752 and FINRA notice 12-44, both of 2012) any
options of one exercise style form a spread, if as many calls are long as short, and as many puts,
and no short option outlives a long one. It needs its largest loss at expiry, so a bucket of members
and that loss stand for every butterfly, condor and box.

Columns depend on the legs and not on prices.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, matched

WIDTH = 4  # the most legs of one column


class Strategy(IntEnum):
    """What a column is."""

    ALONE = 0  # a naked short option, or a long one paid for
    STRANGLE = 1  # short call and short put; a straddle is one
    VERTICAL = 2  # long and short of one type: the smallest spread
    MEMBER = 3  # of a bucket of spreads
    BOX = 4  # a long box of European options, which has a loan value
    COVERED = 5  # short call with shares, short put with shares sold
    PROTECTED = 6  # long put with shares, long call with shares sold
    COLLAR = 7  # shares between a long put and a short call, or the reverse conversion


class Legs(NamedTuple):
    """Options and shares of B blocks; L options, those of a block side by side.

    Attributes
    ----------
    block : of each option, ascending, shape (L,)
    quantity : signed contracts, not zero, shape (L,)
    units : shares per contract, shape (L,)
    call, strike, time, american : terms, shape (L,) each; time in years
    shares : signed, shape (B,)
    """

    block: IntArray
    quantity: FloatArray
    units: FloatArray
    call: BoolArray
    strike: FloatArray
    time: FloatArray
    american: BoolArray
    shares: FloatArray

    @property
    def short(self) -> BoolArray:
        """Whether an option is sold, shape (L,)."""
        return self.quantity < 0.0

    def of(self, chosen: BoolArray) -> tuple["Legs", BoolArray]:
        """Return some blocks, by a mask of shape (B,), and which options are theirs."""
        rows, number = chosen[self.block], np.cumsum(chosen) - 1
        some = Legs(
            number[self.block[rows]],
            self.quantity[rows],
            self.units[rows],
            self.call[rows],
            self.strike[rows],
            self.time[rows],
            self.american[rows],
            self.shares[chosen],
        )
        return some, rows


class Columns(NamedTuple):
    """Ways to pair, C columns; the first L are the legs alone.

    Attributes
    ----------
    kind : a `Strategy`, shape (C,)
    legs : rows of the options that a column takes one contract each of, shape (C, 4); -1 where none
    shares : taken by a contract of the column, shape (C,)
    bucket : of a member, shape (C,); -1 of other columns
    """

    kind: IntArray
    legs: IntArray
    shares: FloatArray
    bucket: IntArray

    def take(self, chosen: IntArray) -> "Columns":
        """Return some columns."""
        return Columns(
            self.kind[chosen], self.legs[chosen], self.shares[chosen], self.bucket[chosen]
        )


def columns(legs: Legs, *, hedged: bool) -> Columns:
    """Return every way to pair the legs of each block.

    Parameters
    ----------
    hedged : with the maintenance rules for shares that options protect
    """
    cover, protect = _beside_shares(legs)
    found = [
        _column(Strategy.ALONE, np.arange(len(legs.block))),
        _column(Strategy.STRANGLE, *_strangles(legs)),
        _column(Strategy.COVERED, cover, shares=legs.units[cover]),
    ]
    if hedged:
        bought, sold = _collars(legs, protect, cover)
        found.append(_column(Strategy.PROTECTED, protect, shares=legs.units[protect]))
        found.append(_column(Strategy.COLLAR, bought, sold, shares=legs.units[bought]))
    found.append(_column(Strategy.BOX, *_boxes(legs)))
    found += _spreads(legs)
    return Columns(*map(np.concatenate, zip(*found, strict=True)))


def _column(
    kind: Strategy,
    *legs: IntArray,
    shares: FloatArray | None = None,
    bucket: IntArray | None = None,
) -> Columns:
    """Return the columns of one kind."""
    size = len(legs[0])
    taken = np.full((size, WIDTH), -1, np.int64)
    for place, rows in enumerate(legs):
        taken[:, place] = rows
    return Columns(
        np.full(size, int(kind), np.int64),
        taken,
        np.zeros(size) if shares is None else shares,
        np.full(size, -1, np.int64) if bucket is None else bucket,
    )


def _pairs(legs: Legs, one: IntArray, other: IntArray) -> tuple[IntArray, IntArray]:
    """Pair rows of equal blocks."""
    first, second = matched(legs.block[one], legs.block[other], len(legs.shares))
    return one[first], other[second]


def _strangles(legs: Legs) -> tuple[IntArray, IntArray]:
    short = legs.short
    call, put = _pairs(legs, np.flatnonzero(short & legs.call), np.flatnonzero(short & ~legs.call))
    fits = legs.units[call] == legs.units[put]
    return call[fits], put[fits]


def _beside_shares(legs: Legs) -> tuple[IntArray, IntArray]:
    """Return the options that shares cover, and those that protect shares."""
    shares = legs.shares[legs.block]
    rising = legs.call == (shares > 0.0)
    covered = (shares != 0.0) & legs.short & rising
    return np.flatnonzero(covered), np.flatnonzero((shares != 0.0) & ~legs.short & ~rising)


def _collars(legs: Legs, protect: IntArray, cover: IntArray) -> tuple[IntArray, IntArray]:
    """Long put and short call under shares; long call and short put of one strike above none."""
    bought, sold = _pairs(legs, protect, cover)
    same = legs.strike[bought] == legs.strike[sold]
    owned = legs.shares[legs.block[bought]] > 0.0
    fits = same | (owned & (legs.strike[bought] < legs.strike[sold]))
    fits &= _alike(legs, bought, sold)
    return bought[fits], sold[fits]


def _boxes(legs: Legs) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Bought at the low strike and sold at the high one, by calls and by puts."""
    low, high = _debits(legs, call=True)
    upper, lower = _debits(legs, call=False)
    keys = (
        np.concatenate([key[calls], key[puts]])
        for key, calls, puts in (
            (legs.block, low, lower),
            (legs.strike, low, lower),
            (legs.strike, high, upper),
            (legs.time, low, lower),
            (legs.units, low, lower),
        )
    )
    first, labels = group_rows(*keys)
    calls, puts = matched(labels[: len(low)], labels[len(low) :], len(first))
    return low[calls], high[calls], upper[puts], lower[puts]


def _debits(legs: Legs, *, call: bool) -> tuple[IntArray, IntArray]:
    """European debit spreads of one expiry: the leg bought, the leg sold."""
    chosen = (legs.call == call) & ~legs.american
    bought, sold = _pairs(
        legs, np.flatnonzero(chosen & ~legs.short), np.flatnonzero(chosen & legs.short)
    )
    below, above = (bought, sold) if call else (sold, bought)
    fits = (legs.strike[below] < legs.strike[above]) & _alike(legs, bought, sold)
    return bought[fits], sold[fits]


def _alike(legs: Legs, one: IntArray, other: IntArray) -> BoolArray:
    alike: BoolArray = legs.time[one] == legs.time[other]
    alike &= legs.units[one] == legs.units[other]
    return alike


def _spreads(legs: Legs) -> tuple[Columns, Columns]:
    """Return the buckets of two legs, which are verticals, and the members of all others."""
    bucket, leg = _members(legs)
    size = np.bincount(bucket)
    first = np.flatnonzero(np.diff(bucket, prepend=-1))
    units = legs.units[leg]
    pair = size == 2
    pair[pair] = units[first[pair]] == units[first[pair] + 1]
    rest = ~pair[bucket]
    number = np.cumsum(~pair) - 1
    return (
        _column(Strategy.VERTICAL, leg[first[pair]], leg[first[pair] + 1]),
        _column(Strategy.MEMBER, leg[rest], bucket=number[bucket[rest]]),
    )


def _members(legs: Legs) -> tuple[IntArray, IntArray]:
    """Return the largest sets of legs that may form spreads together: set and leg, by set.

    A set is of one style, and holds the options sold to expire by a time, and those bought that do
    not before; of a type of which nothing is sold or nothing bought, it holds none. Of the sets of
    a block and style, in the order of their times, each takes up more options sold and gives up
    more bought. So a set that is inside any other is inside a neighbour.
    """
    style, short = 2 * legs.block + legs.american, np.flatnonzero(legs.short)
    first, _ = group_rows(style[short], legs.time[short])
    owner, last = style[short][first], legs.time[short][first]
    bucket, leg = matched(owner, style, 2 * len(legs.shares))
    sold, early = legs.short[leg], legs.time[leg] <= last[bucket]
    fits = np.where(sold, early, legs.time[leg] >= last[bucket])
    bucket, leg, sold = bucket[fits], leg[fits], sold[fits]
    side = 2 * bucket + legs.call[leg]
    count = np.bincount(2 * side + sold, minlength=4 * len(first)).reshape(-1, 2, 2)
    active = np.all(count > 0, axis=2)
    kept = _largest(owner, count, active)[bucket] & active.ravel()[side]
    first, number = group_rows(bucket[kept])
    return number, leg[kept]


def _largest(owner: IntArray, count: IntArray, active: BoolArray) -> BoolArray:
    """Whether a set is inside neither neighbour; of equal ones, the last."""
    together, alike = owner[1:] == owner[:-1], count[1:] == count[:-1]
    both = active[1:] & active[:-1]
    in_next = together & np.all(~active[:-1] | (both & alike[:, :, 0]), axis=1)
    in_last = together & np.all(~active[1:] | (both & alike[:, :, 1]), axis=1)
    kept: BoolArray = np.any(active, axis=1)
    kept[:-1] &= ~in_next
    kept[1:] &= ~in_last | in_next
    return kept
