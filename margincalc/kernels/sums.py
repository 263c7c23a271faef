"""Sums of many accounts' rows by group, compiled: row after row in the order given."""

from typing import Any

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.kernels._jit import inlined, kernel
from margincalc.kernels._lanes import (
    DOUBLES,
    LINE,
    load,
    lowest_bit,
    plus,
    spread,
    store,
    times,
    unequal,
    where_less,
)
from margincalc.kernels.groups import by_label
from margincalc.kernels.screen import LONGEST, OPEN, screen_of, screened
from margincalc.kernels.shared import is_shared, once

FEWEST = 8  # rows of a group, on average, from which to screen is less work than to sum
REUSED = 4  # times that a row is read, on average, for which a copy of it pays


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
    return _lowest_of(held, values, _rows(values, len(labels)), start)


def least_beside(
    held: tuple[FloatArray, IntArray],
    values: FloatArray,
    apart: BoolArray,
    labels: IntArray,
    groups: int,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return what `least` does, and the least without what is set apart, shape (I,)."""
    held, start = _by_group(held, labels, groups)
    rows = _rows(values, len(labels))
    where, lowest = _lowest_of(held, values, rows, start)
    others, again, alone = np.empty(len(labels)), np.empty(groups, np.int64), lowest.copy()
    _without(held, apart, start, (others, again))
    _sum_open((others, held[1]), rows, start, (again, alone))
    return where, lowest, alone


def _lowest_of(
    held: tuple[FloatArray, IntArray], values: FloatArray, rows: FloatArray, start: IntArray
) -> tuple[IntArray, FloatArray]:
    """Find the least of each group: by the screen where that is less work, and in full."""
    groups, read = len(start) - 1, len(held[0])
    out = np.full(groups, OPEN), np.empty(groups)
    if 0 < FEWEST * groups <= read <= LONGEST * groups and is_shared(values):
        screen = once(screen_of, values)
        if screen is not None:
            screened(held, screen, start, out)
    _sum_open(held, rows, start, out)
    return out


def _sum_open(
    held: tuple[FloatArray, IntArray],
    rows: FloatArray,
    start: IntArray,
    out: tuple[IntArray, FloatArray],
) -> None:
    """Find the least of the groups that are open."""
    _least(held, (rows.ravel(), rows.shape[1]), start, np.empty(2 * DOUBLES), out)


def _by_group(
    held: tuple[FloatArray, IntArray], labels: IntArray, groups: int
) -> tuple[tuple[FloatArray, IntArray], IntArray]:
    """Put what is held in the order of its groups, and say where each begins."""
    start = np.zeros(groups + 1, np.int64)
    if _starts(np.ascontiguousarray(labels), start):
        return held, start
    start[:] = 0
    order = np.empty(len(labels), np.int64)
    by_label(labels, start, order)
    return (held[0][order], held[1][order]), start


def _rows(values: FloatArray, read: int) -> FloatArray:
    """Return rows of whole lanes; on cache lines of their own where they are read often enough."""
    if is_shared(values) or read > REUSED * len(values) or values.shape[1] % DOUBLES:
        return once(_aligned, values)
    return np.ascontiguousarray(values)


def _aligned(values: FloatArray) -> FloatArray:
    """Copy rows to whole cache lines: lanes that span two lines take two loads.

    What fills the last line repeats the last column, so that it is never the first of the least.
    """
    rows, columns = values.shape
    width = -(-columns // DOUBLES) * DOUBLES
    room = np.empty(rows * width + DOUBLES)
    first = -room.ctypes.data % LINE // room.itemsize
    out = room[first : first + rows * width].reshape(rows, width)
    out[:, :columns], out[:, columns:] = values, values[:, -1:]
    return out


@kernel
def _starts(labels: IntArray, start: IntArray) -> bool:
    """Find where each label begins, if they are in order; return whether they are."""
    before, row, lanes = 0, 0, LINE // labels.itemsize
    while row < labels.size:
        changes, looked_at = np.uint64(1), 1
        if 0 < row <= labels.size - lanes:
            changes, looked_at = unequal(load(labels, row), load(labels, row - 1)), lanes
        while changes:
            at = np.uint64(row) + lowest_bit(changes)
            changes &= changes - np.uint64(1)
            label = labels[at]
            if label < before:
                return False
            while before < label:
                before += 1
                start[before] = at
        row += looked_at
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


@kernel
def _least(
    held: tuple[FloatArray, IntArray],
    values: tuple[FloatArray, int],
    start: IntArray,
    room: FloatArray,
    out: tuple[IntArray, FloatArray],
) -> None:
    """Sum each group that is still open, one row after the other, and look at it.

    Parameters
    ----------
    values : rows one after the other, and how wide each is
    """
    (where, lowest), width = out, values[1]
    for group in range(lowest.size):
        if where[group] != OPEN:
            continue
        rows = np.uint64(start[group]), np.uint64(start[group + 1])
        best, at, column = spread(np.inf), spread(0.0), 0
        while column + 4 * DOUBLES <= width:
            for sums in _four(held, values, rows, column):
                at = where_less(sums, best, spread(np.float64(column)), at)
                best = where_less(sums, best, sums, best)
                column += DOUBLES
        while column < width:
            sums = _one(held, values, rows, column)
            at = where_less(sums, best, spread(np.float64(column)), at)
            best = where_less(sums, best, sums, best)
            column += DOUBLES
        store(room, 0, best)
        store(room, DOUBLES, at)
        where[group], lowest[group] = _first(room)


@inlined
def _four(
    held: tuple[FloatArray, IntArray],
    values: tuple[FloatArray, int],
    rows: tuple[np.uint64, np.uint64],
    column: int,
) -> tuple[Any, Any, Any, Any]:
    """Sum rows in some neighbouring columns, held in registers."""
    (quantity, instrument), (table, width) = held, values
    a, b, c, d = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    for row in range(*rows):
        own, at = spread(quantity[row]), instrument[row] * width + column
        a = plus(a, times(own, load(table, at)))
        b = plus(b, times(own, load(table, at + DOUBLES)))
        c = plus(c, times(own, load(table, at + 2 * DOUBLES)))
        d = plus(d, times(own, load(table, at + 3 * DOUBLES)))
    return a, b, c, d


@inlined
def _one(
    held: tuple[FloatArray, IntArray],
    values: tuple[FloatArray, int],
    rows: tuple[np.uint64, np.uint64],
    column: int,
) -> Any:
    (quantity, instrument), (table, width), total = held, values, spread(0.0)
    for row in range(*rows):
        at = instrument[row] * width + column
        total = plus(total, times(spread(quantity[row]), load(table, at)))
    return total


@inlined
def _first(room: FloatArray) -> tuple[int, float]:
    """Return the column of the least of all lanes, the first of equals, and what it is."""
    lowest = room[0]
    for lane in range(1, DOUBLES):
        lowest = room[lane] if room[lane] < lowest else lowest
    column = np.inf
    for lane in range(DOUBLES):
        own = room[DOUBLES + lane] + lane if room[lane] == lowest else np.inf
        column = own if own < column else column
    return int(column), lowest


@kernel
def _without(
    held: tuple[FloatArray, IntArray],
    apart: BoolArray,
    start: IntArray,
    out: tuple[FloatArray, IntArray],
) -> None:
    """Hold nothing of what is set apart; open the groups that hold any."""
    (quantity, instrument), (others, again) = held, out
    for group in range(again.size):
        some = False
        for row in range(np.uint64(start[group]), np.uint64(start[group + 1])):
            own = apart[np.uint64(instrument[row])]
            others[row] = 0.0 if own else quantity[row]
            some |= own
        again[group] = OPEN if some else 0
