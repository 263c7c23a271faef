"""The linear programme of a problem: its requirement, node by node, in the problem's variables.

A node is a market in which the ratio must hold. Its requirement is the model's linear form there,
``weight * max(0, start + slope @ z)`` summed; parts that are the same amount at several nodes are
one variable of the programme.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.hedge.problem import Problem
from margincalc.margin.forms import MARGINS, LinearForm, Parts
from margincalc.risk import now
from margincalc.scenarios import ScenarioGrid


class Affine(NamedTuple):
    """Amounts ``start + slope @ z``, shapes (R,) and (R, 2 C + 1)."""

    start: FloatArray
    slope: Any

    def at(self, z: FloatArray) -> FloatArray:
        """Return the amounts of an answer, shape (R,)."""
        amounts: FloatArray = self.start + self.slope @ z
        return amounts


class Scan(NamedTuple):
    """One underlying's losses in the scenarios of a node, and their weight in both margins."""

    underlying: int
    scenarios: ScenarioGrid
    loss: Affine
    weight: FloatArray


class Node(NamedTuple):
    """A market in which the ratio must hold.

    Attributes
    ----------
    move : multiples of spot and volatility, shape (2,)
    equity : one amount
    constant : what no variable changes of both margins, shape (2,)
    parts : numbers of the programme's parts, shape (G,)
    weight : of those, in both margins, shape (2, G)
    toll : equity that a ticket of each candidate takes, shape (C,)
    """

    move: FloatArray
    equity: Affine
    toll: FloatArray
    scans: tuple[Scan, ...]
    constant: FloatArray
    parts: IntArray
    weight: FloatArray


@dataclass(eq=False)
class Programme:
    """The nodes so far and the parts that they share.

    Attributes
    ----------
    parts : each part's amount as (start, indices, values) in the problem's variables
    offsets : parts that some node deducts
    without : rules of the model that its linear form leaves out
    floor : whether no requirement is below that form
    """

    problem: Problem
    nodes: list[Node] = field(default_factory=list)
    parts: list[tuple[float, IntArray, FloatArray]] = field(default_factory=list)
    offsets: set[int] = field(default_factory=set)
    without: tuple[str, ...] = ()
    floor: bool = False
    _known: dict[bytes, int] = field(default_factory=dict)

    def add(self, moves: FloatArray) -> None:
        """Add nodes; `moves` are multiples of spot and volatility, shape (J, 2)."""
        problem = self.problem
        for move in moves:
            book = problem.book
            book = book if move[1] == 1.0 else book.with_volatility(float(move[1]))
            book = book.shifted(np.full(len(book.spot), move[0]))
            form = problem.model.linear(book)
            self.without, self.floor = form.without, form.floor
            value = (now(book) + book.instruments.offset)[book.instrument]
            equity = self._affine(value[None, :])
            scans = tuple(
                Scan(scan.underlying, scan.scenarios, self._affine(scan.loss), scan.weight)
                for scan in form.worst
            )
            toll = -problem.ticket * (problem.toll.T @ value)
            self.nodes.append(Node(move, equity, toll, scans, *self._of_parts(form)))

    def relaxed(self) -> "Programme":
        """Return a programme whose optimum costs no more than any answer that holds.

        Where the form is no floor, only what no model lets go is asked: equity of at least nothing.
        """
        if self.floor:
            return self
        none, nothing = np.zeros(0, np.int64), np.zeros((MARGINS, 0))
        bare = [
            Node(node.move, node.equity, node.toll, (), np.zeros(MARGINS), none, nothing)
            for node in self.nodes
        ]
        return Programme(self.problem, bare, floor=True)

    def has(self, move: FloatArray) -> bool:
        """Whether a market is a node."""
        return any(np.array_equal(node.move, move) for node in self.nodes)

    def missing(self, z: FloatArray) -> FloatArray:
        """Return the equity that an answer lacks at each node, by the linear form, shape (J,)."""
        aim = self.problem.aim
        amounts = np.array(
            [max(start + float(values @ z[columns]), 0.0) for start, columns, values in self.parts]
        )
        traded = self.problem.traded(z) != 0.0
        lacking = np.empty(len(self.nodes))
        for number, node in enumerate(self.nodes):
            both = node.constant + node.weight @ amounts[node.parts]
            for scan in node.scans:
                both = both + scan.weight * max(float(np.max(scan.loss.at(z))), 0.0)
            equity = float(node.equity.at(z)[0]) - float(np.sum(node.toll[traded]))
            lacking[number] = float(both[0]) / aim.target - equity
            if number == 0 and aim.initial is not None:
                more = float(both[1]) / aim.initial - equity
                lacking[number] = max(lacking[number], more)
        return lacking

    def _affine(self, rows: FloatArray) -> Affine:
        """Turn amounts per unit of the position rows, shape (R, P), into ones per variable."""
        problem = self.problem
        return Affine(rows @ problem.book.quantity, (problem.change.T @ rows.T).T)

    def _of_parts(self, form: LinearForm) -> tuple[FloatArray, IntArray, FloatArray]:
        """Return the constant, and the numbers and weights of the parts that may change."""
        parts, problem = form.parts, self.problem
        start, slope = _projected(parts, problem)
        rounded = _rounded(start), _rounded(slope.data)
        constant = np.zeros(MARGINS)
        weights: dict[int, FloatArray] = {}
        for index in range(len(start)):
            low, high = slope.indptr[index], slope.indptr[index + 1]
            weight = parts.weight[:, index]
            if low == high:
                constant = constant + weight * max(float(start[index]), 0.0)
                continue
            columns, values = slope.indices[low:high], slope.data[low:high]
            key = columns.tobytes() + rounded[0][index].tobytes() + rounded[1][low:high].tobytes()
            number = self._number(key, (float(start[index]), columns, values))
            weights[number] = weights.get(number, np.zeros(MARGINS)) + weight
        kept = {number: each for number, each in weights.items() if np.any(each != 0.0)}
        both = np.array(list(kept.values())).reshape(-1, MARGINS).T
        self.offsets |= {number for number, each in kept.items() if np.any(each < 0.0)}
        return constant, np.array(list(kept), np.int64), both

    def _number(self, key: bytes, part: tuple[float, IntArray, FloatArray]) -> int:
        """Return the number of a part, a new one the first time."""
        if key not in self._known:
            self._known[key] = len(self.parts)
            self.parts.append(part)
        return self._known[key]


def _rounded(values: FloatArray) -> FloatArray:
    """Round to 40 bits: parts that differ by rounding alone are one."""
    mantissa, exponent = np.frexp(values)
    near: FloatArray = np.ldexp(np.round(np.ldexp(mantissa, 40)), exponent - 40)
    return near + 0.0


def _projected(parts: Parts, problem: Problem) -> tuple[FloatArray, Any]:
    """Return what parts start from, and their slopes in the variables, a sparse (G, 2 C + 1)."""
    from scipy.sparse import csr_array

    shape = (parts.weight.shape[1], len(problem.book.pool))
    rows = csr_array((parts.coefficient, (parts.part, parts.row)), shape=shape)
    slope = csr_array(rows @ problem.change)
    slope.eliminate_zeros()
    slope.sort_indices()
    return rows @ problem.book.quantity, slope
