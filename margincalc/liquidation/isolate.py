"""Find every change of sign of an excess that is taken apart, and prove that there is no other.

All intervals are examined at once. One is settled where the bounds of the pieces say that the
excess keeps its sign, or that it only rises or only falls: then its ends tell. The others are
halved. What is left at the smallest width touches zero, or nearly: it is reported as unresolved,
never dropped.

With ``h`` a piece and ``M`` the range of its second derivative on an interval of width w:

* ``h >= chord - max(M, 0) w^2 / 8`` and ``h <= chord + max(-M, 0) w^2 / 8``;
* ``|h' - secant| <= max |M| w / 2``.

The least of straight lines is concave, so that a lower bound of their sum is found at the ends.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.liquidation.pieces import Floors, Group, Nodes, Pieces

START = 33  # nodes of the first look, evenly in the logarithm
SMALLEST = 1e-8  # relative width of an interval that is not halved again
ROUNDS = 64
MOST = 200_000  # intervals of one round: a book that needs more is not certified


class Isolated(NamedTuple):
    """What is known of a line of markets between its ends.

    Attributes
    ----------
    low, high : brackets that hold exactly one change of sign each, in order, shape (N,)
    unresolved : intervals in which the excess touches zero, or nearly, shape (M, 2)
    evaluations : of an option's value
    """

    low: FloatArray
    high: FloatArray
    unresolved: FloatArray
    evaluations: int


class _Intervals(NamedTuple):
    """Intervals of one round: ends, segment, and the pieces of each group there."""

    low: FloatArray
    high: FloatArray
    segment: IntArray
    left: tuple[Nodes, ...]
    right: tuple[Nodes, ...]

    def take(self, rows: IntArray) -> "_Intervals":
        """Return the given intervals."""
        sides = (tuple(nodes.take(rows) for nodes in side) for side in (self.left, self.right))
        return _Intervals(self.low[rows], self.high[rows], self.segment[rows], *sides)


class _Settled(NamedTuple):
    """Intervals that need no further look."""

    low: FloatArray
    high: FloatArray
    left: BoolArray  # whether the excess is not below zero at the end
    right: BoolArray
    plain: BoolArray  # whether bounds settled it, and not its smallness


def isolate(pieces: Pieces, noise: float) -> Isolated | None:
    """Isolate every change of sign; None where that would take too long.

    Parameters
    ----------
    noise : how far below zero an excess may be by rounding alone
    """
    current = _first(pieces)
    cells = sum(group.options.factor.size for group in pieces.groups)
    evaluations = (len(current.low) + 1) * cells
    done: list[_Settled] = []
    for _ in range(ROUNDS):
        settled, left = _examined(pieces.groups, current, noise)
        done.append(settled)
        if not len(left):
            return _gathered(done, evaluations)
        if len(left) > MOST:
            return None
        evaluations += len(left) * cells
        current = _halved(pieces.groups, current.take(left))
    return None


def _first(pieces: Pieces) -> _Intervals:
    """Return the intervals between the first nodes."""
    low, high = pieces.edges[0], pieces.edges[-1]
    splits = pieces.splits[(pieces.splits > low) & (pieces.splits < high)]
    x = np.unique(np.concatenate([np.geomspace(low, high, START)[1:-1], pieces.edges, splits]))
    segment = np.searchsorted(pieces.edges, x[:-1], side="right") - 1
    # A node between two segments has a value on either side.
    sides = ((x[:-1], segment), (x[1:], segment))
    left, right = (tuple(group.at(*side) for group in pieces.groups) for side in sides)
    return _Intervals(x[:-1], x[1:], segment, left, right)


def _halved(groups: tuple[Group | Floors, ...], whole: _Intervals) -> _Intervals:
    """Return both halves of every interval."""
    middle = 0.5 * (whole.low + whole.high)
    nodes = tuple(group.at(middle, whole.segment) for group in groups)
    return _Intervals(
        np.concatenate([whole.low, middle]),
        np.concatenate([middle, whole.high]),
        np.concatenate([whole.segment, whole.segment]),
        tuple(_stacked(one, two) for one, two in zip(whole.left, nodes, strict=True)),
        tuple(_stacked(two, one) for one, two in zip(whole.right, nodes, strict=True)),
    )


def _stacked(one: Nodes, other: Nodes) -> Nodes:
    return Nodes(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))


def _examined(
    groups: tuple[Group | Floors, ...], current: _Intervals, noise: float
) -> tuple[_Settled, IntArray]:
    """Settle what bounds settle, and return which intervals are left."""
    bounds = _Bounds(len(current.low))
    for group, left, right in zip(groups, current.left, current.right, strict=True):
        bounds.add(left, right, group.bends(left, right), current.high - current.low)
    ends = bounds.at_low, bounds.at_high
    not_below = tuple(end >= -noise for end in ends)
    clear = (bounds.under >= -noise) | (bounds.over < -noise)
    plain = clear | (bounds.falls > 0.0) | (bounds.rises < 0.0)
    small = current.high - current.low <= SMALLEST * current.high
    rows = np.flatnonzero(plain | small)
    settled = _Settled(
        current.low[rows], current.high[rows], not_below[0][rows], not_below[1][rows], plain[rows]
    )
    return settled, np.flatnonzero(~(plain | small))


class _Bounds:
    """Bounds of a sum of smallest pieces on N intervals, added up group by group.

    Attributes
    ----------
    at_low, at_high : the excess at the ends
    under, over : bounds of the excess
    falls, rises : bounds of its slope
    """

    def __init__(self, intervals: int) -> None:
        zero = np.zeros(intervals)
        self.at_low, self.at_high, self.falls, self.rises = zero, zero, zero, zero
        self._under = self._over = (zero, zero)

    def add(
        self, left: Nodes, right: Nodes, bend: tuple[FloatArray, FloatArray], width: FloatArray
    ) -> None:
        """Add one group, given its pieces at both ends and how they bend between."""
        less, more = bend
        w = width[:, None, None]
        sag, lift = (np.maximum(part, 0.0) * w * w / 8.0 for part in (more, -less))
        low, high = left.value, right.value
        least = tuple(_least(end - sag) for end in (low, high))
        best = np.argmin(np.maximum(low, high) + lift, axis=2)[..., None]
        most = [np.take_along_axis(end + lift, best, axis=2) for end in (low, high)]
        self.at_low = self.at_low + _least(low)
        self.at_high = self.at_high + _least(high)
        self._under = _sum(self._under, least)
        self._over = _sum(self._over, tuple(np.sum(end[..., 0], axis=1) for end in most))
        # A piece that is nowhere the smallest does not turn the slope.
        able = np.minimum(low, high) - sag <= np.maximum(*most)
        secant, turn = (high - low) / w, 0.5 * w * np.maximum(np.abs(less), np.abs(more))
        self.falls = self.falls + _least(np.where(able, secant - turn, np.inf))
        self.rises = self.rises - _least(np.where(able, -secant - turn, np.inf))

    @property
    def under(self) -> FloatArray:
        """Least that the excess may be."""
        return np.minimum(*self._under)

    @property
    def over(self) -> FloatArray:
        """Most that the excess may be."""
        return np.maximum(*self._over)


def _least(values: FloatArray) -> FloatArray:
    """Sum the smallest pieces of all groups, shape (N, G, pieces) to (N,)."""
    total: FloatArray = np.sum(np.min(values, axis=2), axis=1)
    return total


def _sum(
    one: tuple[FloatArray, FloatArray], other: tuple[FloatArray, ...]
) -> tuple[FloatArray, FloatArray]:
    return one[0] + other[0], one[1] + other[1]


def _gathered(done: list[_Settled], evaluations: int) -> Isolated:
    """Put settled intervals in order, and read changes of sign off their ends."""
    low, high, left, right, plain = (np.concatenate(column) for column in zip(*done, strict=True))
    order = np.argsort(low)
    low, high, left, right, plain = (column[order] for column in (low, high, left, right, plain))
    inside = left != right
    # Between two segments the excess may jump.
    jump = np.flatnonzero(right[:-1] != left[1:])
    brackets_low = np.concatenate([low[inside], high[jump]])
    brackets_high = np.concatenate([high[inside], high[jump]])
    turn = np.argsort(brackets_low)
    touching = np.flatnonzero(~plain & ~inside)
    unresolved = _joined(low[touching], high[touching])
    return Isolated(brackets_low[turn], brackets_high[turn], unresolved, evaluations)


def _joined(low: FloatArray, high: FloatArray) -> FloatArray:
    """Join intervals that meet, shape (M, 2)."""
    if not len(low):
        return np.zeros((0, 2))
    starts = np.flatnonzero(np.concatenate([[True], low[1:] > high[:-1]]))
    ends = np.append(starts[1:], len(low)) - 1
    return np.stack([low[starts], high[ends]], axis=1)
