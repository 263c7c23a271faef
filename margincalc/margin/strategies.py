"""The strategies that one account's options and shares on one underlying can be paired into.

Every strategy is a column: what it takes of each leg, per contract. Spreads of more than two legs
are not listed one by one. Under the universal spread rule (SEC release 34-67752 and FINRA notice
12-44, both of 2012) any options of one exercise style form a spread, if as many calls are long as
short, and as many puts, and no short option outlives a long one. It needs its largest loss at
expiry, so a bucket of members and that loss stand for every butterfly, condor and box.

Columns depend on the legs and not on prices, and are therefore kept between calls: a ladder of
spots builds them once.
"""

from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray

WHOLE = 1e-9  # a quantity this near to a whole number is one
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
    """Options and shares of one account on one underlying; n options, as hashable tuples.

    Attributes
    ----------
    quantity : signed contracts
    units : shares per contract
    call, strike, time, american : terms; time in years
    shares : signed
    """

    quantity: tuple[float, ...]
    units: tuple[float, ...]
    call: tuple[bool, ...]
    strike: tuple[float, ...]
    time: tuple[float, ...]
    american: tuple[bool, ...]
    shares: float


class Columns(NamedTuple):
    """The linear programme of C columns and B buckets, but for its costs.

    A variable is a number of contracts of a column, or a bucket's largest loss.

    Attributes
    ----------
    kind : a `Strategy`, shape (C,)
    legs : the options that a column takes one contract each of, shape (C, 4); -1 where none
    buckets : B
    uses : constraint by variable, shape (R, C + B); losses are in units of `unit`
    low, high : bounds of the constraints, shape (R,)
    whole : variables that count whole contracts, shape (C + B,)
    unit : account currency
    together : the columns by which all legs form one spread, shape (n,); empty if they cannot
    """

    kind: IntArray
    legs: IntArray
    buckets: int
    uses: FloatArray
    low: FloatArray
    high: FloatArray
    whole: BoolArray
    unit: float
    together: IntArray


class _Column(NamedTuple):
    kind: Strategy
    legs: tuple[int, ...]
    shares: float = 0.0
    bucket: int = -1


@lru_cache(maxsize=256)
def columns(legs: Legs, *, hedged: bool) -> Columns:
    """Return every way to pair the legs.

    Parameters
    ----------
    hedged : with the maintenance rules for shares that options protect
    """
    found = [_Column(Strategy.ALONE, (leg,)) for leg in range(len(legs.quantity))]
    found += _strangles(legs)
    found += _covered(legs)
    if hedged:
        found += _protected(legs)
        found += _collars(legs)
    found += _boxes(legs)
    buckets = _buckets(legs)
    pairs = [bucket for bucket in buckets if _is_pair(legs, bucket)]
    buckets = [bucket for bucket in buckets if bucket not in pairs]
    found += [_Column(Strategy.VERTICAL, pair) for pair in pairs]
    for number, bucket in enumerate(buckets):
        found += [_Column(Strategy.MEMBER, (leg,), bucket=number) for leg in bucket]
    return _programme(legs, found, buckets)


def _chosen(legs: Legs, *, call: bool, long: bool) -> list[int]:
    return [
        leg
        for leg, quantity in enumerate(legs.quantity)
        if legs.call[leg] == call and (quantity > 0.0) == long
    ]


def _strangles(legs: Legs) -> Iterator[_Column]:
    for call in _chosen(legs, call=True, long=False):
        for put in _chosen(legs, call=False, long=False):
            if legs.units[call] == legs.units[put]:
                yield _Column(Strategy.STRANGLE, (call, put))


def _covered(legs: Legs) -> Iterator[_Column]:
    if legs.shares:
        for leg in _chosen(legs, call=legs.shares > 0.0, long=False):
            yield _Column(Strategy.COVERED, (leg,), legs.units[leg])


def _protected(legs: Legs) -> Iterator[_Column]:
    if legs.shares:
        for leg in _chosen(legs, call=legs.shares < 0.0, long=True):
            yield _Column(Strategy.PROTECTED, (leg,), legs.units[leg])


def _collars(legs: Legs) -> Iterator[_Column]:
    """Long put and short call under shares; long call and short put of one strike above none."""
    owned = legs.shares > 0.0
    for bought in _chosen(legs, call=not owned, long=True) if legs.shares else ():
        for sold in _chosen(legs, call=owned, long=False):
            below = legs.strike[bought] <= legs.strike[sold]
            fits = below if owned else legs.strike[bought] == legs.strike[sold]
            if fits and _alike(legs, bought, sold):
                yield _Column(Strategy.COLLAR, (bought, sold), legs.units[bought])


def _boxes(legs: Legs) -> Iterator[_Column]:
    """Bought at the low strike and sold at the high one, by calls and by puts."""
    calls = list(_verticals(legs, call=True))
    puts = list(_verticals(legs, call=False))
    for low, high in calls:
        for upper, lower in puts:
            strikes = (legs.strike[low], legs.strike[high])
            same = strikes == (legs.strike[lower], legs.strike[upper])
            if same and _alike(legs, low, lower):
                yield _Column(Strategy.BOX, (low, high, upper, lower))


def _verticals(legs: Legs, *, call: bool) -> Iterator[tuple[int, int]]:
    """European debit spreads of one expiry: the leg bought, the leg sold."""
    for bought in _chosen(legs, call=call, long=True):
        for sold in _chosen(legs, call=call, long=False):
            debit = (legs.strike[bought] < legs.strike[sold]) == call
            european = not (legs.american[bought] or legs.american[sold])
            if debit and european and _alike(legs, bought, sold):
                yield bought, sold


def _alike(legs: Legs, one: int, other: int) -> bool:
    return legs.time[one] == legs.time[other] and legs.units[one] == legs.units[other]


def _buckets(legs: Legs) -> list[tuple[int, ...]]:
    """List the largest sets of legs that may form spreads together."""
    found: list[tuple[int, ...]] = []
    short = [leg for leg, quantity in enumerate(legs.quantity) if quantity < 0.0]
    for style in (False, True):
        for last in sorted({legs.time[leg] for leg in short if legs.american[leg] == style}):
            members = _members(legs, last, american=style)
            if members and not any(set(members) <= set(other) for other in found):
                found = [other for other in found if not set(other) <= set(members)] + [members]
    return found


def _members(legs: Legs, last: float, *, american: bool) -> tuple[int, ...]:
    """Return the options sold to expire by `last`, and those bought that do not before."""
    members: list[int] = []
    for call in (True, False):
        sides = [_chosen(legs, call=call, long=long) for long in (False, True)]
        sold = [leg for leg in sides[0] if legs.time[leg] <= last]
        bought = [leg for leg in sides[1] if legs.time[leg] >= last]
        sold = [leg for leg in sold if legs.american[leg] == american]
        bought = [leg for leg in bought if legs.american[leg] == american]
        if sold and bought:
            members += sold + bought
    return tuple(members)


def _is_pair(legs: Legs, bucket: tuple[int, ...]) -> bool:
    return len(bucket) == 2 and legs.units[bucket[0]] == legs.units[bucket[1]]


def _programme(legs: Legs, found: list[_Column], buckets: list[tuple[int, ...]]) -> Columns:
    """Write columns as constraints: legs are used up, shares at most, spreads as they must be."""
    count, size = len(legs.quantity), len(found)
    taken = np.full((size, WIDTH), -1, np.int64)
    uses = np.zeros((count + 1, size + len(buckets)))
    for number, column in enumerate(found):
        taken[number, : len(column.legs)] = column.legs
        uses[list(column.legs), number] = 1.0
        uses[count, number] = column.shares
    held = np.abs(np.array(legs.quantity))
    largest = max(strike * units for strike, units in zip(legs.strike, legs.units, strict=True))
    unit = 2.0 ** np.ceil(np.log2(largest))  # a power of two: dividing by it loses no digit
    blocks, low, high = [uses], [held, [-np.inf]], [held, [abs(legs.shares)]]
    for number in range(len(buckets)):
        inside = [index for index, column in enumerate(found) if column.bucket == number]
        balance, losses = _bucket_rows(legs, [found[index].legs[0] for index in inside])
        block = np.zeros((len(balance) + len(losses), size + len(buckets)))
        block[:, inside] = np.concatenate([balance, losses / unit])
        block[len(balance) :, size + number] = -1.0
        blocks.append(block)
        low += [np.zeros(len(balance)), np.full(len(losses), -np.inf)]
        high += [np.zeros(len(balance) + len(losses))]
    whole = [abs(quantity - round(quantity)) <= WHOLE for quantity in legs.quantity]
    counted = [all(whole[leg] for leg in column.legs) for column in found]
    return Columns(
        np.array([column.kind for column in found], np.int64),
        taken,
        len(buckets),
        np.concatenate(blocks),
        np.concatenate(low),
        np.concatenate(high),
        np.array(counted + [False] * len(buckets)),
        unit,
        _together(legs, found, buckets),
    )


def _together(legs: Legs, found: list[_Column], buckets: list[tuple[int, ...]]) -> IntArray:
    """Return the member columns of all legs, where they are one bucket and in balance."""
    members = [number for number, column in enumerate(found) if column.bucket == 0]
    if len(buckets) != 1 or len(members) != len(legs.quantity):
        return np.zeros(0, np.int64)
    for kind in (True, False):
        held = zip(legs.quantity, legs.units, legs.call, strict=True)
        if sum(quantity * units for quantity, units, call in held if call == kind) != 0.0:
            return np.zeros(0, np.int64)
    return np.array(sorted(members, key=lambda number: found[number].legs[0]), np.int64)


def _bucket_rows(legs: Legs, members: list[int]) -> tuple[FloatArray, FloatArray]:
    """Return the units long of either type, and the loss at every strike, per contract."""
    strike, units = np.array(legs.strike)[members], np.array(legs.units)[members]
    call = np.array(legs.call)[members]
    side = np.sign(np.array(legs.quantity)[members])
    balance = np.array([side * units * (call == kind) for kind in (True, False)])
    price = np.array(sorted(set(strike.tolist())))[:, None]
    payoff = np.maximum(np.where(call, price - strike, strike - price), 0.0)
    return balance, -side * units * payoff
