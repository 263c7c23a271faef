"""Groups of many accounts' rows, compiled; each gives what its NumPy twin gives, to the bit.

Rows are first put together by pool, by merging runs or by counting, and then sorted inside each
pool's few rows: a venue's rows are never sorted as a whole.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from margincalc.arrays import FloatArray, IntArray
from margincalc.kernels._jit import kernel

BITS = 9
LONGEST = 1 << BITS  # rows of one pool that are sorted by themselves; longer ones are NumPy's
LARGEST = 1 << 53  # of another key there
MOST_RUNS = 4  # runs of ascending pools, as of positions and then balances, that are merged
SPREAD = 64  # pools per row, at most, that are worth counting one by one


Room = tuple[IntArray, tuple[IntArray, IntArray, IntArray]]


def group_rows(keys: tuple[npt.NDArray[Any], ...]) -> tuple[IntArray, IntArray] | None:
    """Number distinct rows as `arrays.group_rows` does, where the first key numbers pools."""
    rows, pool = len(keys[0]), keys[0]
    if (two := _two_numbers(keys)) and (found := _within(*two)):
        return found
    if pool.dtype != np.int64 or np.min(pool) < 0 or np.max(pool) >= SPREAD * rows:
        return None
    begin, order = np.zeros(int(np.max(pool)) + 2, np.int64), np.empty(rows, np.int64)
    if len(keys) == 2 and _few(keys[1]):
        least = int(np.min(keys[1]))
        return _number_two(pool, keys[1] - least, begin, order)
    if by_label(pool, begin, order) > LONGEST:
        return None
    others = np.empty((rows, len(keys) - 1))
    for column, key in enumerate(keys[1:]):
        others[:, column] = key
    start, labels = np.empty(rows, np.int64), np.empty(rows, np.int64)
    groups = _number((begin, order), others, start, labels)
    return start[:groups].copy(), labels


def _two_numbers(keys: tuple[npt.NDArray[Any], ...]) -> tuple[IntArray, IntArray] | None:
    """Return two keys of whole numbers as columns that a kernel is compiled for."""
    if len(keys) != 2 or any(key.dtype != np.int64 for key in keys):
        return None
    return np.ascontiguousarray(keys[0]), np.ascontiguousarray(keys[1])


def _few(key: npt.NDArray[Any]) -> bool:
    """Whether a key is of whole numbers so near to each other that counting sorts them."""
    return key.dtype == np.int64 and int(np.max(key)) - int(np.min(key)) < SPREAD * len(key)


def _within(pool: IntArray, other: IntArray) -> tuple[IntArray, IntArray] | None:
    """Number rows by pool and one more key where pools ascend and are small; None elsewhere."""
    begin = _runs(pool)
    if begin is None:
        return None
    start, labels = np.empty(len(pool), np.int64), np.empty(len(pool), np.int64)
    groups = _number_runs((pool, other), begin, _room(begin), (start, labels))
    return (start[:groups].copy(), labels) if groups >= 0 else None


def group_totals(
    values: FloatArray, keys: tuple[npt.NDArray[Any], ...]
) -> tuple[IntArray, FloatArray] | None:
    """Sum rows that share both keys as `arrays.group_totals` does, where the first numbers pools.

    Nothing is made but what is returned.
    """
    two = _two_numbers(keys)
    begin = _runs(two[0]) if two else None
    if two is None or begin is None:
        return None
    start, totals = np.empty(len(values), np.int64), np.empty(len(values))
    columns = *two, np.ascontiguousarray(values)
    groups = _total_runs(columns, begin, _room(begin), (start, totals))
    return (start[:groups].copy(), totals[:groups].copy()) if groups >= 0 else None


def net_short(
    held: tuple[FloatArray, IntArray], each: tuple[IntArray, FloatArray, IntArray], pool: IntArray
) -> tuple[IntArray, IntArray, FloatArray] | None:
    """Return pool, underlying and units of each series that is net short, by pool and series.

    None where pools do not ascend, or one holds too much.

    Parameters
    ----------
    held : quantities and the instrument that each is of, shape (P,)
    each : series of every instrument, -1 where it is of none, units of one, and underlying, (I,)
    """
    series, size, underlying = each
    begin = _runs(pool)
    if begin is None:
        return None
    out = np.empty(len(pool), np.int64), np.empty(len(pool), np.int64), np.empty(len(pool))
    keys, columns = (pool, series[held[1]]), (*held, size, np.ascontiguousarray(underlying))
    count = _net_short(keys, begin, _room(begin), columns, out)
    return (out[0][:count], out[1][:count], out[2][:count]) if count >= 0 else None


def _runs(pool: IntArray) -> IntArray | None:
    """Return where runs of ascending pools begin, and the end; None where that is no few pools."""
    begin = np.zeros(MOST_RUNS + 1, np.int64)
    runs = _ascending(pool, begin)
    pools = len(pool) and runs <= MOST_RUNS and np.min(pool[begin[:runs]]) >= 0
    return begin[: runs + 1] if pools else None


def _room(begin: IntArray) -> Room:
    """Return where runs begin, to be read on from, and room for the rows of one pool."""
    rows, held, more = (np.empty(LONGEST, np.int64) for _ in range(3))
    return begin[:-1].copy(), (rows, held, more)


def _number_two(
    pool: IntArray, other: IntArray, begin: IntArray, order: IntArray
) -> tuple[IntArray, IntArray]:
    """Number rows by pool and one more key: sorted by counting, the last key first."""
    begin_other, by_other = np.zeros(int(np.max(other)) + 2, np.int64), np.empty_like(order)
    by_label(other, begin_other, by_other)
    start, labels = np.empty(len(pool), np.int64), np.empty(len(pool), np.int64)
    groups = _number_sorted((pool, other), by_other, (begin, order), (start, labels))
    return start[:groups].copy(), labels


@kernel
def _before(others: FloatArray, one: int, other: int) -> int:
    """Compare two rows: -1, 0 or 1."""
    for column in range(others.shape[1]):
        if others[one, column] < others[other, column]:
            return -1
        if others[one, column] > others[other, column]:
            return 1
    return 0


@kernel
def _number(
    pools: tuple[IntArray, IntArray], others: FloatArray, start: IntArray, labels: IntArray
) -> int:
    """Sort the rows of each pool, stably, and number what differs; return how many there are."""
    (begin, order), groups = pools, 0
    for pool in range(begin.size - 1):
        for end in range(begin[pool] + 1, begin[pool + 1]):
            row, at = order[end], end
            while at > begin[pool] and _before(others, order[at - 1], row) > 0:
                order[at] = order[at - 1]
                at -= 1
            order[at] = row
        for at in range(begin[pool], begin[pool + 1]):
            row = order[at]
            if at == begin[pool] or _before(others, order[at - 1], row) != 0:
                start[groups] = row
                groups += 1
            labels[row] = groups - 1
    return groups


@kernel
def _ascending(pool: IntArray, begin: IntArray) -> int:
    """Find where runs of ascending pools begin; return how many there are, or more than fit."""
    runs = 1
    for row in range(1, pool.size):
        if pool[row] < pool[row - 1]:
            if runs == begin.size - 1:
                return runs + 1
            begin[runs] = row
            runs += 1
    begin[runs] = pool.size
    return runs


@kernel
def _next_pool(
    keys: tuple[IntArray, IntArray],
    begin: IntArray,
    at: IntArray,
    own: tuple[IntArray, IntArray, IntArray],
) -> int:
    """Gather the rows of the next pool in order of the other key; return how many, -1 if too many.

    Parameters
    ----------
    at : where each run has been read to
    own : the rows as they were gathered; in order, the other key of each before its place among
        those, in `BITS` bits; and as much room again
    """
    (pool, other), (rows, held, room) = keys, own
    least = np.int64(-1)
    for run in range(at.size):
        if at[run] < begin[run + 1] and (least < 0 or pool[at[run]] < least):
            least = pool[at[run]]
    count, last, ascending = np.uint64(0), np.int64(-LARGEST << BITS), True
    for run in range(at.size):
        row, end = np.uint64(at[run]), np.uint64(begin[run + 1])
        while row < end and pool[row] == least:
            if count == np.uint64(LONGEST) or abs(other[row]) >= LARGEST:
                return -1
            key = (other[row] << BITS) + np.int64(count)
            rows[count], held[count] = row, key
            ascending, last = ascending & (last < key), key
            count += np.uint64(1)
            row += np.uint64(1)
        at[run] = np.int64(row)
    if not ascending:
        _sort(held, room, int(count))
    return int(count)


@kernel
def _sort(held: IntArray, room: IntArray, count: int) -> None:
    """Sort a few distinct numbers, each by counting those below it: without a branch."""
    for one in range(count):
        own, below = held[np.uint64(one)], 0
        for other in range(count):
            below += held[np.uint64(other)] < own
        room[np.uint64(below)] = own
    for one in range(count):
        held[np.uint64(one)] = room[np.uint64(one)]


@kernel
def _number_runs(
    keys: tuple[IntArray, IntArray], begin: IntArray, room: Room, out: tuple[IntArray, IntArray]
) -> int:
    """Number what differs in pools that ascend in each run; -1 where a pool is too long."""
    (at, own), (start, labels), groups, done = room, out, 0, 0
    rows, held, _ = own
    while done < labels.size:
        count, before = _next_pool(keys, begin, at, own), np.int64(-LARGEST)
        if count < 0:
            return -1
        for place in range(count):
            both = held[np.uint64(place)]
            row, key = np.uint64(rows[np.uint64(both & (LONGEST - 1))]), both >> BITS
            if key != before:
                start[np.uint64(groups)] = row
                groups, before = groups + 1, key
            labels[row] = groups - 1
        done += count
    return groups


@kernel
def _total_runs(
    columns: tuple[IntArray, IntArray, FloatArray],
    begin: IntArray,
    room: Room,
    out: tuple[IntArray, FloatArray],
) -> int:
    """Sum what is the same in pools that ascend in each run; -1 where a pool is too long."""
    (pool, other, values), (at, own), (start, totals), groups, done = columns, room, out, 0, 0
    keys, (rows, held, _) = (pool, other), own
    while done < values.size:
        count, before = _next_pool(keys, begin, at, own), np.int64(-LARGEST)
        if count < 0:
            return -1
        for place in range(count):
            both = held[np.uint64(place)]
            row, key = np.uint64(rows[np.uint64(both & (LONGEST - 1))]), both >> BITS
            if key != before:
                start[np.uint64(groups)], totals[np.uint64(groups)] = row, 0.0
                groups, before = groups + 1, key
            totals[np.uint64(groups - 1)] += values[row]
        done += count
    return groups


@kernel
def _net_short(
    keys: tuple[IntArray, IntArray],
    begin: IntArray,
    room: Room,
    columns: tuple[FloatArray, IntArray, FloatArray, IntArray],
    out: tuple[IntArray, IntArray, FloatArray],
) -> int:
    """List what is short of each series in pools that ascend; -1 where a pool is too long."""
    (quantity, instrument, size, moved), (at, own), done = columns, room, 0
    (rows, order, _), (pool, underlying, net), short = own, out, np.uint64(0)
    while done < quantity.size:
        count, before, units = _next_pool(keys, begin, at, own), np.int64(-1), 0.0
        if count < 0:
            return -1
        for place in range(count):
            both = order[np.uint64(place)]
            row, key = np.uint64(rows[np.uint64(both & (LONGEST - 1))]), both >> BITS
            if key < 0:
                continue
            one = np.uint64(instrument[row])
            if key != before:
                short += np.uint64(units < 0.0)
                before, units = key, 0.0
                pool[short], underlying[short] = keys[0][row], moved[one]
            units += quantity[row] * size[one]
            net[short] = -units
        short += np.uint64(units < 0.0)
        done += count
    return int(np.int64(short))


@kernel
def _number_sorted(
    keys: tuple[IntArray, IntArray],
    by_other: IntArray,
    pools: tuple[IntArray, IntArray],
    out: tuple[IntArray, IntArray],
) -> int:
    """Sort rows that are sorted by their other key by pool, and number what differs."""
    (pool, other), (begin, order), (start, labels) = keys, pools, out
    for row in range(pool.size):
        begin[pool[row] + 1] += 1
    for number in range(begin.size - 1):
        begin[number + 1] += begin[number]
    for at in range(pool.size):
        row = by_other[at]
        order[begin[pool[row]]] = row
        begin[pool[row]] += 1
    groups, last_pool, last_other = 0, -1, -1
    for at in range(pool.size):
        row = order[at]
        if pool[row] != last_pool or other[row] != last_other:
            start[groups] = row
            groups += 1
            last_pool, last_other = pool[row], other[row]
        labels[row] = groups - 1
    return groups


@kernel
def by_label(labels: IntArray, start: IntArray, order: IntArray) -> int:
    """List the rows of each label, in their order, from ``start[g]`` to ``start[g + 1]``.

    Returns how many rows the label of most rows has.
    """
    for row in range(labels.size):
        start[labels[row] + 1] += 1
    longest = 0
    for group in range(start.size - 1):
        longest = max(longest, start[group + 1])
        start[group + 1] += start[group]
    for row in range(labels.size):
        group = labels[row]
        order[start[group]] = row
        start[group] += 1
    for group in range(start.size - 1, 0, -1):  # each begins where the one before it has ended
        start[group] = start[group - 1]
    start[0] = 0
    return int(longest)
