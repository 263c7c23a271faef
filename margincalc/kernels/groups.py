"""Groups and sums of many accounts, compiled; each gives what its NumPy twin gives, to the bit.

Rows are first put together by pool, by counting, and then sorted inside each pool's few rows:
a venue's rows are never sorted as a whole. Sums add row after row in the order given.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from margincalc.arrays import AnyArray, FloatArray, IntArray
from margincalc.kernels._jit import inlined, kernel

LONGEST = 512  # rows of one pool that are sorted by insertion; longer ones are NumPy's
SPREAD = 64  # pools per row, at most, that are worth counting one by one
LINE = 8  # doubles of a cache line
REUSED = 4  # times that a row is read, on average, for which a copy of it pays
MAGNITUDE = 0x7FFFFFFFFFFFFFFF  # all bits of a double but its sign; the greatest whole number


def group_rows(keys: tuple[npt.NDArray[Any], ...]) -> tuple[IntArray, IntArray] | None:
    """Number distinct rows as `arrays.group_rows` does, where the first key numbers pools."""
    rows, pool = len(keys[0]), keys[0]
    if pool.dtype != np.int64 or np.min(pool) < 0 or np.max(pool) >= SPREAD * rows:
        return None
    if len(keys) == 2 and keys[1].dtype == np.int64 and (found := _within(pool, keys[1])):
        return found
    begin, order = np.zeros(int(np.max(pool)) + 2, np.int64), np.empty(rows, np.int64)
    if len(keys) == 2 and _few(keys[1]):
        least = int(np.min(keys[1]))
        return _number_two(pool, keys[1] - least, begin, order)
    if _by_label(pool, begin, order) > LONGEST:
        return None
    others = np.empty((rows, len(keys) - 1))
    for column, key in enumerate(keys[1:]):
        others[:, column] = key
    start, labels = np.empty(rows, np.int64), np.empty(rows, np.int64)
    groups = _number((begin, order), others, start, labels)
    return start[:groups].copy(), labels


def _few(key: npt.NDArray[Any]) -> bool:
    """Whether a key is of whole numbers so near to each other that counting sorts them."""
    return key.dtype == np.int64 and int(np.max(key)) - int(np.min(key)) < SPREAD * len(key)


def _within(pool: IntArray, other: IntArray) -> tuple[IntArray, IntArray] | None:
    """Number rows by pool and one more key where pools ascend and are small; None elsewhere."""
    start, labels = np.empty(len(pool), np.int64), np.empty(len(pool), np.int64)
    groups = _number_within(pool, np.ascontiguousarray(other), start, labels)
    return (start[:groups].copy(), labels) if groups >= 0 else None


def _number_two(
    pool: IntArray, other: IntArray, begin: IntArray, order: IntArray
) -> tuple[IntArray, IntArray]:
    """Number rows by pool and one more key: sorted by counting, the last key first."""
    begin_other, by_other = np.zeros(int(np.max(other)) + 2, np.int64), np.empty_like(order)
    _by_label(other, begin_other, by_other)
    start, labels = np.empty(len(pool), np.int64), np.empty(len(pool), np.int64)
    groups = _number_sorted((pool, other), by_other, (begin, order), (start, labels))
    return start[:groups].copy(), labels


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
    quantity, instrument = held
    start = np.zeros(groups + 1, np.int64)
    if not _starts(labels, start):
        start[:] = 0
        order = np.empty(len(labels), np.int64)
        _by_label(labels, start, order)
        quantity, instrument = quantity[order], instrument[order]
    rows = _aligned(values) if len(labels) > REUSED * len(values) else np.ascontiguousarray(values)
    sums = _aligned(np.empty((1, rows.shape[1])))[0, : rows.shape[1]]
    out = np.empty(groups, np.int64), np.empty(groups)
    _least((quantity, instrument), rows, start, sums, out)
    return out


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
def _number_within(pool: IntArray, other: IntArray, start: IntArray, labels: IntArray) -> int:
    """Sort the rows of each pool, stably, and number what differs; -1 where that cannot be.

    Rows that are in order already, as those of a netted book often are, are only looked at.
    """
    order, groups, row = np.empty(LONGEST, np.int64), 0, 0
    while row < pool.size:
        first, count = row, 0
        while row < pool.size and pool[row] == pool[first]:
            if count == LONGEST:
                return -1
            at, own = count, other[row]
            while at > 0 and other[order[at - 1]] > own:
                order[at] = order[at - 1]
                at -= 1
            order[at] = row
            count += 1
            row += 1
        if row < pool.size and pool[row] < pool[first]:
            return -1
        for at in range(count):
            own = order[at]
            if at == 0 or other[order[at - 1]] != other[own]:
                start[groups] = own
                groups += 1
            labels[own] = groups - 1
    return groups


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
def _by_label(labels: IntArray, start: IntArray, order: IntArray) -> int:
    """List the rows of each label, in their order, from ``start[g]`` to ``start[g + 1]``.

    Returns how many rows the label of most rows has.
    """
    for row in range(labels.size):
        start[labels[row] + 1] += 1
    longest = 0
    for group in range(start.size - 1):
        longest = max(longest, start[group + 1])
        start[group + 1] += start[group]
    fill = start[:-1].copy()
    for row in range(labels.size):
        group = labels[row]
        order[fill[group]] = row
        fill[group] += 1
    return int(longest)


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


@kernel
def _least(
    held: tuple[FloatArray, IntArray],
    values: FloatArray,
    start: IntArray,
    sums: FloatArray,
    out: tuple[IntArray, FloatArray],
) -> None:
    """Sum each group into one row that stays in cache, six positions at a time, and look at it."""
    (quantity, instrument), (where, lowest) = held, out
    for group in range(lowest.size):
        at, end = start[group], start[group + 1]
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
        lowest[group] = _lowest(sums)
        where[group] = _first(sums, lowest[group])
