"""Sums of many accounts' rows by group, compiled: row after row in the order given."""

from typing import Any

import numpy as np

from margincalc.arrays import AnyArray, BoolArray, FloatArray, IntArray
from margincalc.kernels._jit import inlined, kernel
from margincalc.kernels.groups import by_label
from margincalc.kernels.screen import OPEN, screen_of, screened
from margincalc.kernels.shared import is_shared, once

FEWEST = 8  # rows of a group, on average, from which to screen is less work than to sum
LINE = 8  # doubles of a cache line
REUSED = 4  # times that a row is read, on average, for which a copy of it pays
MAGNITUDE = 0x7FFFFFFFFFFFFFFF  # all bits of a double but its sign; the greatest whole number


def group_sum(values: FloatArray, labels: IntArray, groups: int) -> FloatArray:
    """Sum rows that share a label, as `arrays.group_sum` does."""
    plain = np.ascontiguousarray(values, np.float64)
    shape = (groups, *plain.shape[1:])
    out = np.zeros(shape)
    if plain.ndim == 1:
        _sum(plain, labels, out)
    else:
        _sum_rows(plain, labels, out)
    return out


def products(
    held: tuple[FloatArray, IntArray], values: FloatArray, labels: IntArray, groups: int
) -> FloatArray:
    """Sum quantities times rows of `values` by group, shape (groups, S).

    Parameters
    ----------
    held : quantities and the row of `values` that each is of, shape (P,)
    values : shape (I, S)
    labels : shape (P,)
    """
    out = np.zeros((groups, values.shape[1]))
    _products(*held, np.ascontiguousarray(values), labels, out)
    return out


def least(
    held: tuple[FloatArray, IntArray], values: FloatArray, labels: IntArray, groups: int
) -> tuple[IntArray, FloatArray]:
    """Return where the least of each row of `products` is, and what it is; first of equals."""
    held, start = _by_group(held, labels, groups)
    return _lowest_of(held, values, start)


def least_beside(
    held: tuple[FloatArray, IntArray],
    values: FloatArray,
    apart: BoolArray,
    labels: IntArray,
    groups: int,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return what `least` does, and the least without what is set apart, shape (I,)."""
    held, start = _by_group(held, labels, groups)
    alone = np.empty(groups)
    longest = int(np.max(np.diff(start), initial=0))
    rest = np.empty(longest), np.empty(longest, np.int64)
    where, lowest = _lowest_of(held, values, start)
    rows = _rows(values, len(labels))
    room = _room(rows.shape[1]), *rest
    _least_beside((*held, apart), rows, start, room, (lowest, alone))
    return where, lowest, alone


def _lowest_of(
    held: tuple[FloatArray, IntArray], values: FloatArray, start: IntArray
) -> tuple[IntArray, FloatArray]:
    """Find the least of each group: by the screen where that is less work, and in full."""
    groups, read = len(start) - 1, len(held[0])
    out = np.full(groups, OPEN), np.empty(groups)
    if 0 < FEWEST * groups <= read and is_shared(values):
        screen = once(screen_of, values)
        if screen is not None:
            screened(held, screen, start, out)
    rows = _rows(values, read)
    _least(held, rows, start, _room(rows.shape[1]), out)
    return out


def _by_group(
    held: tuple[FloatArray, IntArray], labels: IntArray, groups: int
) -> tuple[tuple[FloatArray, IntArray], IntArray]:
    """Put what is held in the order of its groups, and say where each begins."""
    start = np.zeros(groups + 1, np.int64)
    if _starts(labels, start):
        return held, start
    start[:] = 0
    order = np.empty(len(labels), np.int64)
    by_label(labels, start, order)
    return (held[0][order], held[1][order]), start


def _rows(values: FloatArray, read: int) -> FloatArray:
    """Return rows that are read so many times, on whole cache lines where that pays."""
    if is_shared(values) or read > REUSED * len(values):
        return once(_aligned, values)
    return np.ascontiguousarray(values)


def _aligned(values: FloatArray) -> FloatArray:
    """Copy rows to whole cache lines: a register that spans two lines takes two loads.

    What fills the last line repeats the last column, so that it is never the first of the least.
    """
    rows, columns = values.shape
    width = -(-columns // LINE) * LINE
    room = np.empty(rows * width + LINE)
    first = -room.ctypes.data // room.itemsize % LINE
    out = room[first : first + rows * width].reshape(rows, width)
    out[:, :columns], out[:, columns:] = values, values[:, -1:]
    return out


def _room(columns: int) -> FloatArray:
    """Return room for a sum of rows."""
    return _aligned(np.empty((1, columns)))[0, :columns]


@kernel
def _starts(labels: IntArray, start: IntArray) -> bool:
    """Find where each label begins, if they are in order; return whether they are."""
    before = 0
    for row in range(labels.size):
        label = labels[row]
        if label < before:
            return False
        while before < label:
            before += 1
            start[before] = row
    for group in range(before + 1, start.size):
        start[group] = labels.size
    return True


@kernel
def _sum(values: FloatArray, labels: IntArray, out: FloatArray) -> None:
    for row in range(values.size):
        out[labels[row]] += values[row]


@kernel
def _sum_rows(values: FloatArray, labels: IntArray, out: FloatArray) -> None:
    for row in range(labels.size):
        group, own = np.uint64(labels[row]), np.uint64(row)
        for column in range(out.shape[1]):
            out[group, column] += values[own, column]


@kernel
def _products(
    quantity: FloatArray,
    instrument: IntArray,
    values: FloatArray,
    labels: IntArray,
    out: FloatArray,
) -> None:
    for row in range(labels.size):
        group, own, held = np.uint64(labels[row]), np.uint64(instrument[row]), quantity[row]
        for column in range(out.shape[1]):
            out[group, column] += held * values[own, column]


@inlined
def _in_order(number: float) -> int:
    """Bits of a number as a whole number: where one number is less, so is the other.

    LLVM makes vectors of the least of whole numbers; of floats it may not, for the sake of NaN.
    """
    bits = np.float64(number).view(np.int64)
    return int(bits ^ ((bits >> 63) & MAGNITUDE))


@inlined
def _lowest(sums: FloatArray) -> float:
    lowest = MAGNITUDE
    for column in range(sums.size):
        lowest = min(lowest, _in_order(sums[column]))
    return float(np.int64(lowest ^ ((lowest >> 63) & MAGNITUDE)).view(np.float64))  # and back


@inlined
def _first(sums: FloatArray, sought: float) -> int:
    """Return where a value stands first."""
    nowhere = np.int32(sums.size)
    found = nowhere
    for column in range(sums.size):
        found = min(found, np.int32(column) if sums[column] == sought else nowhere)
    return int(found)


@inlined
def _six(column: AnyArray, at: int) -> tuple[Any, ...]:
    part = column[at : at + 6]
    return part[0], part[1], part[2], part[3], part[4], part[5]


@inlined
def _add(
    sums: FloatArray, values: FloatArray, rows: tuple[int, ...], quantities: tuple[float, ...]
) -> None:
    """Add rows to the sums, one after the other; LLVM unrolls the inner loop."""
    for column in range(sums.size):
        total = sums[column]
        for number in range(len(rows)):
            total += quantities[number] * values[rows[number], column]
        sums[column] = total


@inlined
def _sum_of(
    held: tuple[FloatArray, IntArray], rows: tuple[int, int], values: FloatArray, sums: FloatArray
) -> None:
    """Sum some rows into one that stays in cache, six positions at a time."""
    (quantity, instrument), (at, end) = held, rows
    sums[:] = 0.0
    while at + 6 <= end:
        _add(sums, values, _six(instrument, at), _six(quantity, at))
        at += 6
    while at + 2 <= end:
        pair = instrument[at], instrument[at + 1]
        _add(sums, values, pair, (quantity[at], quantity[at + 1]))
        at += 2
    if at < end:
        _add(sums, values, (instrument[at],), (quantity[at],))


@kernel
def _least(
    held: tuple[FloatArray, IntArray],
    values: FloatArray,
    start: IntArray,
    sums: FloatArray,
    out: tuple[IntArray, FloatArray],
) -> None:
    """Sum each group that is still open, and look at it."""
    where, lowest = out
    for group in range(lowest.size):
        if where[group] != OPEN:
            continue
        _sum_of(held, (start[group], start[group + 1]), values, sums)
        lowest[group] = _lowest(sums)
        where[group] = _first(sums, lowest[group])


@kernel
def _least_beside(
    held: tuple[FloatArray, IntArray, BoolArray],
    values: FloatArray,
    start: IntArray,
    room: tuple[FloatArray, FloatArray, IntArray],
    out: tuple[FloatArray, FloatArray],
) -> None:
    """Sum each group that has what is set apart without it; of others the least is known."""
    (quantity, instrument, apart), (sums, some, held_in), (lowest, alone) = held, room, out
    for group in range(lowest.size):
        begin, end, count = start[group], start[group + 1], 0
        for row in range(begin, end):
            some[count], held_in[count] = quantity[row], instrument[row]
            count += 0 if apart[instrument[row]] else 1
        alone[group] = lowest[group]
        if count < end - begin:
            _sum_of((some, held_in), (0, count), values, sums)
            alone[group] = _lowest(sums)
