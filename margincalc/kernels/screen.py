"""The least of many scenario sums, found in few dimensions and then summed in full.

What instruments make over a grid of scenarios is smooth, so that the rows of a risk array lie close
to a space of few dimensions: that of its first singular vectors (C. Eckart and G. Young, "The
approximation of one matrix by another of lower rank", Psychometrika 1, 1936). Of each row there are
kept, in one cache line, its coordinates there and the most that they leave out. A group's sums are
first made of those. Where the lowest is below the next by more than both can be wrong, rounding
included, its scenario is the worst beyond doubt, and is alone summed in doubles, in the order
given. Elsewhere the scenario is left open, and somebody sums them all. So it changes no bit.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from margincalc.arrays import FloatArray, IntArray
from margincalc.kernels._jit import inlined, kernel
from margincalc.kernels._lanes import (
    DOUBLES,
    FLOATS,
    LINE,
    fetch,
    fused,
    last_unsigned,
    load,
    lowest_bit,
    not_above,
    plus,
    spread,
    store,
    store_across,
    where_less,
)

Singles = npt.NDArray[np.float32]
OPEN = -1  # in place of the scenario
SHAPES = FLOATS - 1  # coordinates of a row; the last lane is what they leave out
FEWEST, MOST = 2 * FLOATS, 512  # scenarios for which a screen pays
BLOCK = 4 * FLOATS  # groups that are looked at together
LONGEST = 256  # rows of a group, of which the rounding is bounded
COARSEST = 1e-2  # of a row's largest value: what a screen may leave out, on average
_NEAR_NOTHING = 2.0**-900  # of a risk array's largest value, and the inverse of too much
_HALF_ULP, _LEAST_NORMAL = 2.0**-24, 2.0**-126  # of floats
_ROUNDINGS = LONGEST + 4 * FLOATS  # of a sum of coordinates and of what is made of them
_SLACK, _LEAST = np.float32(2.0**-20), np.float32(1e-30)  # of what is compared; where it underflows
_U0, _U1, _U2 = np.uint64(0), np.uint64(1), np.uint64(2)


class Screen(NamedTuple):
    """A risk array in few dimensions.

    Attributes
    ----------
    rows : coordinates of each row, then a bound of what they leave out, shape (I * FLOATS,)
    shapes : what one of each coordinate makes in every scenario, shape (SHAPES * W,); W is S in
        whole lanes, of which the last scenario fills the rest
    columns : the array itself, scenario by scenario, shape (W, I)
    """

    rows: Singles
    shapes: Singles
    columns: FloatArray


def screen_of(values: FloatArray) -> Screen | None:
    """Return the screen of an array of shape (I, S); None where it has too many dimensions."""
    if not FEWEST <= values.shape[1] <= MOST:
        return None
    values = np.pad(values, ((0, 0), (0, -values.shape[1] % FLOATS)), mode="edge")
    largest = np.max(np.abs(values), axis=1)
    if not _NEAR_NOTHING < np.max(largest) < 1.0 / _NEAR_NOTHING:
        return None
    scaled = values / np.exp2(np.ceil(np.log2(np.max(largest))))
    size = np.max(np.abs(scaled), axis=1)
    even = scaled / np.where(size > 0.0, size, 1.0)[:, None]
    shapes = np.linalg.eigh(even.T @ even)[1][:, : -SHAPES - 1 : -1]
    rows, few = aligned(len(values), FLOATS), aligned(SHAPES, values.shape[1])
    rows[:, :SHAPES], few[:] = scaled @ shapes, shapes.T
    kept, made = rows[:, :SHAPES].astype(np.float64), few.astype(np.float64)
    left = np.max(np.abs(scaled - kept @ made), axis=1)
    if np.sum(left) > COARSEST * np.sum(size):
        return None
    rounded = _ROUNDINGS * _HALF_ULP * np.max(np.abs(kept) @ np.abs(made), axis=1)
    rows[:, SHAPES] = (left + rounded) * (1.0 + 2.0**-10) + _LEAST_NORMAL
    return Screen(rows.ravel(), few.ravel(), np.ascontiguousarray(values.T))


def aligned(*shape: int) -> Singles:
    """Return floats, all 0, that begin with a cache line."""
    count = math.prod(shape)
    room = np.zeros(count + FLOATS, np.float32)
    first = -room.ctypes.data % LINE // room.itemsize
    return room[first : first + count].reshape(shape)


def screened(
    held: tuple[FloatArray, IntArray],
    screen: Screen,
    start: IntArray,
    out: tuple[IntArray, FloatArray],
) -> None:
    """Find the least of each group where it is beyond doubt; `OPEN` elsewhere."""
    room = aligned(BLOCK * FLOATS), aligned(3 * BLOCK)
    _screened(held, (*screen,), start, room, out)


@kernel
def _screened(
    held: tuple[FloatArray, IntArray],
    screen: tuple[Singles, Singles, FloatArray],
    start: IntArray,
    room: tuple[Singles, Singles],
    out: tuple[IntArray, FloatArray],
) -> None:
    """Look at a block of groups after the other, so that what they hold is read once.

    What is called is called once a block: each call counts references to every array it is given.
    """
    (rows, shapes, columns), (where, least) = screen, out
    for first in range(0, least.size, BLOCK):
        some = start[first : first + BLOCK + 1]
        _coordinates(held, rows, some, room[0])
        after = start[min(first + BLOCK, least.size)], start[min(first + 2 * BLOCK, least.size)]
        _lowest_two(shapes, room, some.size - 1, (held, after))
        found = where[first : first + BLOCK], least[first : first + BLOCK]
        _decide((held, columns, some), shapes, room, found)


@kernel
def _coordinates(
    held: tuple[FloatArray, IntArray], rows: Singles, start: IntArray, few: Singles
) -> None:
    """Sum coordinates, and what they leave out whatever the signs.

    Parameters
    ----------
    few : sums of sixteen groups beside each other, then of the next, shape (BLOCK * FLOATS,)
    """
    quantity, instrument = held
    for group in range(_U0, np.uint64(start.size - 1)):
        even, odd = spread(np.float32(0.0)), spread(np.float32(0.0))
        at, end = np.uint64(start[group]), np.uint64(start[group + _U1])
        while at + _U2 <= end:
            even = _and_row(np.float32(quantity[at]), load(rows, instrument[at] * FLOATS), even)
            at += _U1
            odd = _and_row(np.float32(quantity[at]), load(rows, instrument[at] * FLOATS), odd)
            at += _U1
        if at < end:
            even = _and_row(np.float32(quantity[at]), load(rows, instrument[at] * FLOATS), even)
        both = plus(odd, even)
        store_across(few, np.int64(_lane(group)), both)


@inlined
def _and_row(quantity: np.float32, row: Any, total: Any) -> Any:
    return fused(row, last_unsigned(spread(quantity)), total)


@inlined
def _lane(group: int) -> np.uint64:
    """Return where the coordinates of a group begin."""
    lanes = np.uint64(FLOATS)
    return np.uint64(group) // lanes * lanes * lanes + np.uint64(group) % lanes


@kernel
def _lowest_two(
    shapes: Singles,
    room: tuple[Singles, Singles],
    groups: int,
    coming: tuple[tuple[FloatArray, IntArray], tuple[int, int]],
) -> None:
    """Find the lowest of each group's sums, the next, and where the lowest is.

    It reads nothing from far, and so fetches what the next block will read.

    Parameters
    ----------
    room : coordinates, and one after the other what is found, shape (3 * BLOCK,)
    coming : what is held, and the rows of the next block: the first, and where they end
    """
    (few, found), width = room, np.uint64(shapes.size // SHAPES)
    (quantity, instrument), (row, end) = coming
    for first in range(0, groups, FLOATS):
        lowest, where, at = spread(np.float32(np.inf)), spread(np.float32(0.0)), first * FLOATS
        following = lowest
        for scenario in range(_U0, width):
            if row < end:
                fetch(quantity, row)
                fetch(instrument, row)
                row += DOUBLES
            even, odd = spread(np.float32(0.0)), spread(np.float32(0.0))
            for shape in range(0, SHAPES - 1, 2):
                one = spread(shapes[np.uint64(shape) * width + scenario])
                other = spread(shapes[np.uint64(shape + 1) * width + scenario])
                even = fused(one, load(few, at + shape * FLOATS), even)
                odd = fused(other, load(few, at + (shape + 1) * FLOATS), odd)
            one = spread(shapes[np.uint64(SHAPES - 1) * width + scenario])
            even = fused(one, load(few, at + (SHAPES - 1) * FLOATS), even)
            total = plus(odd, even)
            higher = where_less(lowest, total, total, lowest)
            following = where_less(higher, following, higher, following)
            where = where_less(total, lowest, spread(np.float32(scenario)), where)
            lowest = where_less(total, lowest, total, lowest)
        store(found, first, lowest)
        store(found, BLOCK + first, following)
        store(found, 2 * BLOCK + first, where)


@kernel
def _decide(
    exact: tuple[tuple[FloatArray, IntArray], FloatArray, IntArray],
    shapes: Singles,
    room: tuple[Singles, Singles],
    out: tuple[IntArray, FloatArray],
) -> None:
    """Sum the lowest in full, and where it is not the least beyond doubt, all that may be it."""
    (held, columns, start), (few, found), (where, least) = exact, room, out
    for group in range(_U0, np.uint64(least.size)):
        lowest, following = found[group], found[np.uint64(BLOCK) + group]
        scenario = np.uint64(found[np.uint64(2 * BLOCK) + group])
        doubt = few[_lane(group) + np.uint64(SHAPES * FLOATS)]
        beyond = lowest + np.float32(2.0) * doubt + abs(lowest) * _SLACK + _LEAST
        rows = np.uint64(start[group]), np.uint64(start[group + _U1])
        where[group], least[group] = scenario, _in_full(held, columns, scenario, rows)
        if rows[1] - rows[0] > np.uint64(LONGEST):
            where[group] = OPEN
        elif not following > beyond:
            _among(exact, shapes, few, (group, beyond), out)


@inlined
def _in_full(
    held: tuple[FloatArray, IntArray],
    columns: FloatArray,
    scenario: np.uint64,
    rows: tuple[np.uint64, np.uint64],
) -> float:
    """Return the sum of one group in one scenario, one row after the other."""
    (quantity, instrument), total = held, 0.0
    for row in range(*rows):
        total += quantity[row] * columns[scenario, np.uint64(instrument[row])]
    return total


@kernel
def _among(
    exact: tuple[tuple[FloatArray, IntArray], FloatArray, IntArray],
    shapes: Singles,
    few: Singles,
    bound: tuple[int, np.float32],
    out: tuple[IntArray, FloatArray],
) -> None:
    """Find the least of one group's sums that may be it; leave it open where none is a number.

    Parameters
    ----------
    out : what the lowest is and where, for that group; then what is found
    """
    (held, columns, start), (where, least), (group, beyond) = exact, out, bound
    width = np.uint64(shapes.size // SHAPES)
    rows = np.uint64(start[group]), np.uint64(start[group + _U1])
    lowest, known = np.uint64(where[group]), least[group]
    where[group], least[group] = OPEN, np.inf
    for first in range(_U0, width, np.uint64(FLOATS)):
        sums = spread(np.float32(0.0))
        for shape in range(SHAPES):
            one = spread(few[_lane(group) + np.uint64(shape * FLOATS)])
            sums = fused(one, load(shapes, np.int64(np.uint64(shape) * width + first)), sums)
        candidates = not_above(sums, spread(beyond))
        while candidates:
            scenario = first + lowest_bit(candidates)
            candidates &= candidates - _U1
            total = known if scenario == lowest else _in_full(held, columns, scenario, rows)
            if total < least[group]:
                where[group], least[group] = scenario, total
