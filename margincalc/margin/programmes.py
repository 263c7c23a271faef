"""Linear programmes of a few variables, some of them whole numbers, solved many at once.

Each is solved exactly: its relaxation, which mostly is whole already, then branch and bound. A
programme is solved in one way, whatever stands beside it: small ones as dense tables, in groups of
one shape; those that are large, or branch too often, by HiGHS, each alone.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.errors import MargincalcError
from margincalc.margin.simplex import Tables, balanced, lowest, repaired, started
from margincalc.unprinted import unprinted

_STEP = 8  # tables are brought to multiples of this many rows, and columns
_DENSE = 2**13  # numbers of the largest table
_TOGETHER = 2**16  # numbers of the tables turned at once: they fit a core's own cache
_BRANCHED = 2**14  # numbers of the tables of one programme, open at one depth
_DEEPEST = 64  # branches on one another
_SAME = 1e-12  # costs this near are the same
_WHOLE = 1e-6  # a count this near to a whole number is one
_SCALE = 1e4  # of costs to HiGHS, whose tolerances are absolute: 1e-7


class Programmes(NamedTuple):
    """P programmes of C variables and R rows in all, with E entries of their rows.

    Minimise ``cost . x`` where ``x >= 0`` and ``uses . x <= bound``, or ``uses . x = 0``.

    Attributes
    ----------
    number : P
    of_column, of_row : the programme of each; shape (C,), (R,)
    cost : about one, shape (C,)
    bound : nothing or more, shape (R,)
    equal : rows that must be nothing, shape (R,)
    whole_column, whole_row : what must be a whole number, and what rows must leave over so
    row, column, value : the entries, shape (E,) each
    """

    number: int
    of_column: IntArray
    of_row: IntArray
    cost: FloatArray
    bound: FloatArray
    equal: BoolArray
    whole_column: BoolArray
    whole_row: BoolArray
    row: IntArray
    column: IntArray
    value: FloatArray

    def split(self, label: IntArray, groups: int) -> Iterator[tuple["Programmes", IntArray]]:
        """Yield the programmes of each label, -1 for none, and which columns are theirs."""
        number = _places(label + 1, groups + 1)
        sizes = np.bincount(label + 1, minlength=groups + 1)[1:]
        column_at, row_at = np.zeros(len(self.cost), np.int64), np.zeros(len(self.bound), np.int64)
        owners = (label[self.of_column], label[self.of_row], label[self.of_row[self.row]])
        parts = (_by_label(owner, groups) for owner in owners)
        for size, columns, rows, entries in zip(sizes, *parts, strict=True):
            column_at[columns], row_at[rows] = np.arange(len(columns)), np.arange(len(rows))
            own = Programmes(
                int(size),
                number[self.of_column[columns]],
                number[self.of_row[rows]],
                self.cost[columns],
                self.bound[rows],
                self.equal[rows],
                self.whole_column[columns],
                self.whole_row[rows],
                row_at[self.row[entries]],
                column_at[self.column[entries]],
                self.value[entries],
            )
            yield own, columns


def least(programmes: Programmes) -> FloatArray:
    """Return the variables, shape (C,), of a solution of lowest cost of each programme.

    Raises
    ------
    MargincalcError
        If a programme could not be solved.
    """
    found = np.zeros(len(programmes.cost))
    label, shapes = _shapes(programmes)
    alone = (label < 0) & (np.bincount(programmes.of_column, minlength=programmes.number) > 0)
    for number, (own, columns) in enumerate(programmes.split(label, len(shapes))):
        found[columns], done = _dense(own, shapes[number])
        alone[np.flatnonzero(label == number)[~done]] = True
    known: dict[tuple[bytes, ...], FloatArray] = {}
    rank = np.where(alone, np.cumsum(alone) - 1, -1)
    for own, columns in programmes.split(rank, int(np.sum(alone))):
        # Accounts that hold the same in the same market, as most of a ladder do, share a solution.
        key = tuple(part.tobytes() for part in own[3:])
        if key not in known:
            known[key] = _by_highs(own)
        found[columns] = known[key]
    return found


def _places(label: IntArray, groups: int) -> IntArray:
    """Return the place of each row among those of its label."""
    count = np.bincount(label, minlength=groups)
    place = np.empty(len(label), np.int64)
    place[np.argsort(label, kind="stable")] = np.arange(len(label)) - np.repeat(
        np.cumsum(count) - count, count
    )
    return place


def _by_label(label: IntArray, groups: int) -> list[IntArray]:
    """Return the rows of each label from nothing on."""
    order = np.argsort(label, kind="stable")
    edges = np.searchsorted(label[order], np.arange(groups + 1))
    return [order[first:last] for first, last in pairwise(edges)]


def _shapes(programmes: Programmes) -> tuple[IntArray, list[tuple[int, int]]]:
    """Return the number of each programme's shape, -1 if too large or empty, and the shapes."""
    rows = np.bincount(programmes.of_row, minlength=programmes.number)
    columns = np.bincount(programmes.of_column, minlength=programmes.number)
    tall, wide = (-(-size // _STEP) * _STEP for size in (rows, columns))
    code = np.where((columns > 0) & (tall * wide <= _DENSE), tall * 2**32 + wide, -1)
    codes = np.unique(code[code >= 0])
    label = np.where(code < 0, -1, np.searchsorted(codes, code))
    return label, [divmod(each, 2**32) for each in codes.tolist()]


def _dense(own: Programmes, shape: tuple[int, int]) -> tuple[FloatArray, BoolArray]:
    """Solve programmes of one shape; return their variables, and which programmes are done."""
    tall, wide = shape
    row_at, column_at = _places(own.of_row, own.number), _places(own.of_column, own.number)
    table = np.zeros((own.number, tall + 1, wide + 1))
    table[own.of_row[own.row], row_at[own.row], column_at[own.column]] = own.value
    table[own.of_row, row_at, -1] = own.bound
    table[own.of_column, -1, column_at] = own.cost
    whole = np.zeros((own.number, wide + tall), bool)
    whole[own.of_column, column_at] = own.whole_column
    whole[own.of_row, wide + row_at] = own.whole_row
    owner = own.of_row[own.equal]
    nth = _places(owner, own.number)
    equal = np.full((own.number, np.max(nth, initial=-1) + 1), -1)
    equal[owner, nth] = row_at[own.equal]
    counts, done = _relaxed_then_branched(started(table), equal, whole)
    return counts[own.of_column, column_at], done


def _relaxed_then_branched(
    at: Tables, equal: IntArray, whole: BoolArray
) -> tuple[FloatArray, BoolArray]:
    """Return the variables, and what rows leave over; and which programmes are done."""
    number = len(at.table)
    done = np.ones(number, bool)
    some = max(_TOGETHER // at.table[0].size, 1)
    for first in range(0, number, some):
        part = slice(first, first + some)
        few = at.take(part)
        balanced(few, equal[part])
        done[part] = lowest(few)
    counts = at.counts()
    broken = done & np.any(_away(counts, whole) > _WHOLE, axis=1)
    if np.any(broken):
        counts[broken], done[broken] = _branched(at.take(broken), whole[broken])
    return np.maximum(np.where(whole, np.rint(counts), counts), 0.0), done


def _away(counts: FloatArray, whole: BoolArray) -> FloatArray:
    """Return how far from whole are the counts that must be."""
    return np.where(whole, np.abs(counts - np.rint(counts)), 0.0)


def _branched(nodes: Tables, whole: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Return the best whole counts under relaxations that are not whole; and which are done.

    All nodes of one depth are solved together.
    """
    number, size = whole.shape
    owner = np.arange(number)
    best, found, done = np.full(number, np.inf), np.zeros((number, size)), np.ones(number, bool)
    for _ in range(_DEEPEST):
        nodes, owner = _children(nodes, whole[owner]), np.repeat(owner, 2)
        done[owner[~repaired(nodes)]] = False
        counts = nodes.counts()[:, :size]
        lawful = np.all(nodes.amount >= -_WHOLE, axis=1)
        sound = np.all(_away(counts, whole[owner]) <= _WHOLE, axis=1)
        for node in np.flatnonzero(lawful & sound):
            mine = owner[node]
            if nodes.least[node] < best[mine] - _SAME:
                best[mine], found[mine] = nodes.least[node], counts[node]
        left = lawful & ~sound & (nodes.least < best[owner] - _SAME)
        done &= np.bincount(owner[left], minlength=number) * nodes.table[0].size <= _BRANCHED
        left &= done[owner]
        nodes, owner = nodes.take(left), owner[left]
        if not len(owner):
            break
    done[owner] = False
    return found, done & (best < np.inf)


def _children(nodes: Tables, whole: BoolArray) -> Tables:
    """Bound the count that is furthest from whole from above, and from below."""
    number, tall, wide = nodes.table.shape
    each = np.arange(number)
    counts = nodes.counts()
    label = np.argmax(_away(counts[:, : whole.shape[1]], whole), axis=1)
    line = nodes.table[each, np.argmax(nodes.basis == label[:, None], axis=1)]
    amount = counts[each, label]
    bounds = np.stack([-line, line], axis=1)
    bounds[:, :, -1] = np.stack([np.floor(amount) - amount, amount - np.ceil(amount)], axis=1)
    table = np.empty((number, 2, tall + 1, wide))
    table[:, :, : tall - 1] = nodes.table[:, None, :-1]
    table[:, :, -2] = bounds
    table[:, :, -1] = nodes.table[:, None, -1]
    basis = np.repeat(nodes.basis, 2, axis=0)
    added = np.full((2 * number, 1), counts.shape[1])
    return Tables(
        table.reshape(2 * number, tall + 1, wide),
        np.concatenate([basis, added], axis=1),
        np.repeat(nodes.other, 2, axis=0),
    )


def _by_highs(own: Programmes) -> FloatArray:
    """Solve one programme; what must be left over whole is a variable too."""
    from scipy.optimize import LinearConstraint, milp  # most accounts need no such solver
    from scipy.sparse import csc_array

    over = np.flatnonzero(own.whole_row)
    size, left = len(own.cost), len(over)
    column = np.concatenate([own.column, size + np.arange(left)])
    row, value = np.concatenate([own.row, over]), np.concatenate([own.value, np.ones(left)])
    uses = csc_array((value, (row, column)), shape=(len(own.bound), size + left))
    low = np.where(own.equal | own.whole_row, own.bound, -np.inf)
    with unprinted():
        found = milp(
            np.append(own.cost, np.zeros(left)) * _SCALE,
            integrality=np.append(own.whole_column, np.ones(left, bool)),
            constraints=LinearConstraint(uses, low, own.bound),
            options={"mip_rel_gap": 0.0, "presolve": False},  # which has lost the best whole counts
        )
    if found.x is None:
        raise MargincalcError(f"the legs could not be paired: {found.message}")
    counts = np.asarray(found.x[:size], np.float64)
    return np.maximum(np.where(own.whole_column, np.rint(counts), counts), 0.0)
