"""What limits a pairing, as the rows of its linear programme.

No leg and no share is used more than it is held; a bucket of spreads is in balance by type, and its
largest loss is a variable that is no less than what its members lose together at any price.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    group_rows,
    group_sum,
    matched,
    renumbered,
)
from margincalc.margin.programmes import Programmes
from margincalc.margin.strategies import Columns, Legs

_WHOLE = 1e-9  # a quantity this near to a whole number is one


class Losses(NamedTuple):
    """What the spreads of G buckets lose at M prices, by E entries.

    Only what is bought bends a spread's loss downward, and in balance it is level at both ends: it
    is largest at the strike of an option bought, or nowhere above nothing.

    Attributes
    ----------
    unit : of losses and costs by block, account currency: about a contract's size; shape (B,)
    block : of each bucket, shape (G,)
    bucket : of each price, shape (M,)
    price, column, lost : the entries, shape (E,) each; `lost` in units, per contract
    """

    unit: FloatArray
    block: IntArray
    bucket: IntArray
    price: IntArray
    column: IntArray
    lost: FloatArray

    def largest(self, count: FloatArray) -> FloatArray:
        """Return the blocks' sums of the largest losses, account currency, shape (B,)."""
        at_price = group_sum(count[self.column] * self.lost, self.price, len(self.bucket))
        worst = np.zeros(len(self.block))
        np.maximum.at(worst, self.bucket, at_price)
        return self.unit * group_sum(worst, self.block, len(self.unit))


def losses(legs: Legs, ways: Columns) -> Losses:
    """Return what each member of a bucket loses where the bucket may lose most."""
    size = np.ones(len(legs.shares))
    np.maximum.at(size, legs.block, legs.strike * legs.units)
    unit = 2.0 ** np.ceil(np.log2(size))  # a power of two: dividing by it loses no digit
    member = np.flatnonzero(ways.bucket >= 0)
    bucket, leg = ways.bucket[member], ways.legs[member, 0]
    buckets = int(np.max(bucket, initial=-1)) + 1
    block = np.zeros(buckets, np.int64)
    block[bucket] = legs.block[leg]
    bought = ~legs.short[leg]
    first, _ = group_rows(bucket[bought], legs.strike[leg][bought])
    place, at = bucket[bought][first], legs.strike[leg][bought][first]
    price, found = matched(place, bucket, buckets)
    option = leg[found]
    beyond = np.where(legs.call[option], 1.0, -1.0) * (at[price] - legs.strike[option])
    lost = -np.sign(legs.quantity[option]) * legs.units[option] * np.maximum(beyond, 0.0)
    return Losses(unit, block, place, price, member[found], lost / unit[legs.block[option]])


class _Rows(NamedTuple):
    """Rows of one sort, R of them, with E entries.

    Attributes
    ----------
    block, bound, whole : of each row, shape (R,); whether it must leave over a whole number
    row, column, value : the entries, shape (E,) each
    """

    block: IntArray
    bound: FloatArray
    whole: BoolArray
    row: IntArray
    column: IntArray
    value: FloatArray


def programmes(
    legs: Legs, ways: Columns, saving: FloatArray, lost: Losses, *, whole: bool
) -> Programmes:
    """Return each block's programme; its variables are the columns, then the largest losses.

    Parameters
    ----------
    saving : cost of a contract of each column, less that of its legs alone; then the requirement
        of a loss: shape (C + G,), in units
    whole : whole contracts are paired whole
    """
    counted = whole & (np.abs(legs.quantity - np.rint(legs.quantity)) <= _WHOLE)
    balance = _balance(legs, ways)
    parts = (balance, _held(legs, ways, counted), _shared(legs, ways), _lost(lost, len(ways.kind)))
    edges = np.cumsum([0, *(len(part.block) for part in parts[:-1])])
    equal = np.zeros(sum(len(part.block) for part in parts), bool)
    equal[: len(balance.block)] = True
    all_whole = np.all(np.append(counted, True)[ways.legs], axis=1)
    return Programmes(
        len(legs.shares),
        np.concatenate([legs.block[ways.legs[:, 0]], lost.block]),
        np.concatenate([part.block for part in parts]),
        saving,
        np.concatenate([part.bound for part in parts]),
        equal,
        np.concatenate([all_whole, np.zeros(len(lost.block), bool)]),
        np.concatenate([part.whole for part in parts]),
        np.concatenate([part.row + first for part, first in zip(parts, edges, strict=True)]),
        np.concatenate([part.column for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


def _held(legs: Legs, ways: Columns, counted: BoolArray) -> _Rows:
    """No leg is used more than it is held; what is left over is alone."""
    column, place = np.nonzero(ways.legs >= 0)
    leg, row = renumbered(ways.legs[column, place], len(legs.block))
    held = np.abs(legs.quantity[leg])
    return _Rows(legs.block[leg], held, counted[leg], row, column, np.ones(len(row)))


def _shared(legs: Legs, ways: Columns) -> _Rows:
    """No share covers twice."""
    column = np.flatnonzero(ways.shares)
    block, row = renumbered(legs.block[ways.legs[column, 0]], len(legs.shares))
    bound, whole = np.abs(legs.shares[block]), np.zeros(len(block), bool)
    return _Rows(block, bound, whole, row, column, ways.shares[column])


def _balance(legs: Legs, ways: Columns) -> _Rows:
    """As many units of a type are long as short in each bucket.

    Units are those of the bucket's largest contract, or near it: by a power of two, which loses no
    digit, and which keeps contracts of a billionth from being taken for nothing.
    """
    column = np.flatnonzero(ways.bucket >= 0)
    leg = ways.legs[column, 0]
    side = 2 * ways.bucket[column] + legs.call[leg]
    first, row = group_rows(side)
    block, none = legs.block[leg[first]], np.zeros(len(first))
    largest = np.zeros(len(first))
    np.maximum.at(largest, row, legs.units[leg])
    value = np.sign(legs.quantity[leg]) * legs.units[leg] / 2.0 ** np.ceil(np.log2(largest))[row]
    return _Rows(block, none, none > 0.0, row, column, value)


def _lost(lost: Losses, columns: int) -> _Rows:
    """A bucket's largest loss is no less than its loss at each price."""
    prices, none = np.arange(len(lost.bucket)), np.zeros(len(lost.bucket))
    return _Rows(
        lost.block[lost.bucket],
        none,
        none > 0.0,
        np.concatenate([lost.price, prices]),
        np.concatenate([lost.column, columns + lost.bucket]),
        np.concatenate([lost.lost, np.full(len(prices), -1.0)]),
    )
