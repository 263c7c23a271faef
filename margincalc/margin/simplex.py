"""Many small linear programmes at once, by the simplex method on dense tables.

A programme here is

    minimise cost . x   where   x >= 0   and   uses . x <= bound   (of some rows: = 0),

with bounds of nothing or more, so that ``x = 0`` is where it starts. Tables of one shape are turned
together. No number of one table enters another's, and none is summed by BLAS or pairwise: what is
found for a programme does not depend on which others are solved beside it, nor on the rows and
columns of zeros that bring its table to a common shape.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray

_NOTHING = 1e-13  # of costs, which are about one
_LACKING = 1e-9  # of counts
_LEAST_PIVOT = 1e-9
_HASTY = 100  # steps by the steepest cost; then by Bland's rule, which never goes in circles
_MOST_STEPS = 2_000


class Tables(NamedTuple):
    """Programmes of R rows and K variables, as they stand between steps; N of them.

    Attributes
    ----------
    table : rows, then costs; variables that are zero now, then bounds: shape (N, R + 1, K + 1)
    basis : the variable that each row determines, shape (N, R); from K on, what the rows leave over
    other : the variables that are zero now, shape (N, K)
    """

    table: FloatArray
    basis: IntArray
    other: IntArray

    def take(self, chosen: BoolArray | IntArray | slice) -> "Tables":
        """Return some of the tables: copies, but of a slice the tables themselves."""
        return Tables(self.table[chosen], self.basis[chosen], self.other[chosen])

    def put(self, places: IntArray, done: "Tables") -> None:
        """Write tables to some places."""
        for mine, other in zip(self, done, strict=True):
            mine[places] = other

    @property
    def amount(self) -> FloatArray:
        """Of the variables of the basis, shape (N, R)."""
        return self.table[:, :-1, -1]

    @property
    def least(self) -> FloatArray:
        """What the programmes cost as they stand, shape (N,)."""
        return -self.table[:, -1, -1]

    def counts(self) -> FloatArray:
        """Return the variables, and what the rows leave over, shape (N, K + R)."""
        size = self.basis.shape[1] + self.other.shape[1]
        found = np.zeros((len(self.table), size))
        np.put_along_axis(found, self.basis, self.amount, axis=1)
        return found


Chosen = tuple[IntArray, IntArray, BoolArray]
"""Row and column to turn a table on, shape (N,) each, and whether it is to be turned at all."""


def started(table: FloatArray) -> Tables:
    """Return the tables of programmes where every variable is zero."""
    number, tall, wide = table.shape
    basis = np.broadcast_to(np.arange(wide - 1, wide + tall - 2), (number, tall - 1))
    other = np.broadcast_to(np.arange(wide - 1), (number, wide - 1))
    return Tables(table, basis.copy(), other.copy())


def balanced(at: Tables, equal: IntArray) -> None:
    """Satisfy the rows that must be nothing, shape (N, M), -1 for none, and hold them there."""
    for row in equal.T:
        left = np.flatnonzero(row >= 0)
        some = at.take(left)
        lines = some.table[np.arange(len(left)), row[left], :-1]
        column = np.argmax(np.abs(lines) > _LEAST_PIVOT, axis=1)
        _turn(some, row[left], column)
        some.table[np.arange(len(left)), :, column] = 0.0  # what they leave over stays nothing
        at.put(left, some)


def lowest(at: Tables) -> BoolArray:
    """Lower the costs of feasible tables as far as can be; return which ones are done."""
    return _run(at, _steepest)


def repaired(at: Tables) -> BoolArray:
    """Make tables of lowest cost feasible again; return which ones are done.

    Those that no counts satisfy are done too, and have a negative amount.
    """
    return _run(at, _most_lacking)


def _run(at: Tables, choose: Callable[[Tables, bool], Chosen]) -> BoolArray:
    left = np.arange(len(at.table))
    work = at.take(left)
    for step in range(_MOST_STEPS):
        row, column, going = choose(work, step < _HASTY)
        if not np.all(going):
            at.put(left[~going], work.take(~going))
            left, work, row, column = left[going], work.take(going), row[going], column[going]
        if not len(left):
            break
        _turn(work, row, column)
    done = np.ones(len(at.table), bool)
    done[left] = False
    return done


def _steepest(at: Tables, hasty: bool) -> Chosen:
    """Take in the variable that lowers costs most, as far as no other falls below zero."""
    number = np.arange(len(at.table))
    cost = at.table[:, -1, :-1]
    lowers = cost < -_NOTHING
    column = np.argmin(cost, axis=1) if hasty else _first(lowers, at.other)
    line = at.table[number, :-1, column]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(line > _LEAST_PIVOT, np.maximum(at.amount, 0.0) / line, np.inf)
    row = _first(ratio == np.min(ratio, axis=1)[:, None], at.basis)
    return row, column, np.any(lowers, axis=1) & (ratio[number, row] < np.inf)


def _most_lacking(at: Tables, hasty: bool) -> Chosen:
    """Let the variable go that is furthest below zero, at the lowest cost."""
    number = np.arange(len(at.table))
    lacks = at.amount < -_LACKING
    row = np.argmin(at.amount, axis=1) if hasty else _first(lacks, at.basis)
    line = at.table[number, row, :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.maximum(at.table[:, -1, :-1], 0.0)
        ratio = np.where(line < -_LEAST_PIVOT, cost / -line, np.inf)
    column = _first(ratio == np.min(ratio, axis=1)[:, None], at.other)
    return row, column, np.any(lacks, axis=1) & (ratio[number, column] < np.inf)


def _first(chosen: BoolArray, label: IntArray) -> IntArray:
    """Return the place of the lowest label among those chosen."""
    place: IntArray = np.argmin(np.where(chosen, label, np.iinfo(np.int64).max), axis=1)
    return place


def _turn(at: Tables, row: IntArray, column: IntArray) -> None:
    """Exchange a variable of the basis for another, in every table."""
    number = np.arange(len(at.table))
    table = at.table
    pivot = table[number, row, column]
    line = table[number, row] / pivot[:, None]
    line[number, column] = 1.0 / pivot
    factor = table[number, :, column]
    table[number, :, column] = 0.0
    table -= factor[:, :, None] * line[:, None, :]
    table[number, row] = line
    entering = at.other[number, column]
    at.other[number, column] = at.basis[number, row]
    at.basis[number, row] = entering
