"""Solve a programme with HiGHS, adding scenario rows as they are needed (Kelley, 1960).

    min   cost @ z + tickets
    such that, at every node and for each margin asked for,
          target * (equity(z) + e) >= sum weight * t + sum weight * u
          t >= loss[s](z), t >= 0        for the scenarios that have bound so far
          u >= amount(z), u >= 0         and, of offsets, u <= max(0, amount(z)) by a binary

`e` is the equity that is missing: it is fixed at nothing, or it is what is made least. Few of many
nodes and scenarios ever bind: the programme starts with the nodes that miss most before any trade,
and each solution adds the nodes and scenarios that it violates most. When none is violated, the
solution is that of the whole programme.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import MargincalcError
from margincalc.hedge.programme import Programme
from margincalc.hedge.rows import Rows
from margincalc.unprinted import unprinted

ROUNDS = 200
AT_ONCE = 6  # nodes added to a programme after each solution
CLOSE_BY = 1e-9  # of equity, within which a row is kept
NODES = 20_000  # of the branching tree, after which the best answer so far stands
CLOSE = 1e-9  # relative gap at which whole numbers count as proven

INFEASIBLE, UNBOUNDED = 2, 3  # statuses of scipy's solvers


class Solution(NamedTuple):
    """An answer and what it says of the rows.

    Attributes
    ----------
    status : 0 solved, 2 infeasible, 3 unbounded
    z : the variables; of a problem that is infeasible, nothing
    missing : equity that is still missing
    bound : below which no answer of whole numbers costs; the cost itself, where it is proven
    dollar : what one more unit of equity now would save
    scenarios : what one unit more of loss costs, by node, scan and scenario
    rounds, rows : solved how often, and how large in the end
    """

    status: int
    z: FloatArray
    missing: float = 0.0
    bound: float = 0.0
    dollar: float = 0.0
    scenarios: tuple[tuple[int, int, int, float], ...] = ()
    rounds: int = 0
    rows: int = 0


@dataclass(eq=False)
class Optimum:
    """A programme being solved; what has been learned of it is kept from one call to the next.

    Attributes
    ----------
    cushion : added to what is asked of equity, one number for all nodes
    eager : whether all scenarios are rows from the start
    """

    programme: Programme
    cushion: float = 0.0
    eager: bool = False
    cuts: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def solve(self, *, elastic: bool = False) -> Solution:
        """Return the cheapest answer; `elastic`, the one with least equity missing."""
        self._open()
        for rounds in range(1, ROUNDS + 1):
            rows = Rows(self.programme, self.cuts, self.cushion, elastic)
            found = _solved(rows)
            if found.x is None:
                status = int(found.status)
                return Solution(status, self.programme.problem.nothing, rounds=rounds)
            if not self._violated(rows, found.x):
                return self._answer(rows, found, rounds)
        raise MargincalcError(f"the programme was not solved in {ROUNDS} rounds")

    def _open(self) -> None:
        """Start with the nodes that miss most before any trade, and the present one."""
        nodes = self.programme.nodes
        nothing = self.programme.problem.nothing
        worst = np.argsort(-self.programme.missing(nothing), kind="stable")
        chosen = range(len(nodes)) if self.eager else [0, *worst[:AT_ONCE]]
        for number in chosen:
            self._enter(int(number), nothing)

    def _enter(self, number: int, z: FloatArray) -> None:
        """Make rows of a node, with the scenarios that bind at an answer."""
        node = self.programme.nodes[number]
        if not node.scans:
            self.cuts.setdefault((number, -1), [])
        for index, scan in enumerate(node.scans):
            worst = [int(np.argmax(scan.loss.at(z)))]
            every = list(range(scan.scenarios.size)) if self.eager else worst
            self.cuts.setdefault((number, index), every)

    def _violated(self, rows: Rows, x: FloatArray) -> bool:
        """Add what the answer violates most; say whether there was anything."""
        z, found = rows.answer(x), False
        for (number, index), known in self.cuts.items():
            if index < 0:
                continue
            loss = self.programme.nodes[number].scans[index].loss.at(z)
            worst = int(np.argmax(loss))
            bound = x[rows.worst(number, index)]
            if loss[worst] > bound + CLOSE_BY * max(1.0, abs(bound)) and worst not in known:
                known.append(worst)
                found = True
        lacking = self.programme.missing(z) + self.cushion - x[rows.missing]
        scale = max(1.0, abs(float(self.programme.nodes[0].equity.start[0])))
        known_nodes = {number for number, _ in self.cuts}
        for number in np.argsort(-lacking, kind="stable")[:AT_ONCE]:
            if lacking[number] > CLOSE_BY * scale and int(number) not in known_nodes:
                self._enter(int(number), z)
                found = True
        return found

    def _answer(self, rows: Rows, found: Any, rounds: int) -> Solution:
        """Return a solution with the prices of its rows; whole numbers are fixed for those."""
        bound = float(found.fun)
        if np.any(rows.whole):
            bound = float(getattr(found, "mip_dual_bound", bound) or 0.0)
            fixed = _linear(rows, np.round(found.x))
            found = fixed if fixed.x is not None else found
        z = rows.answer(found.x)
        prices = getattr(getattr(found, "ineqlin", None), "marginals", None)
        missing = float(found.x[rows.missing])
        if prices is None:
            return Solution(0, z, missing, bound, rounds=rounds, rows=rows.count)
        dollar, scenarios = rows.prices(-prices)
        return Solution(0, z, missing, bound, dollar, scenarios, rounds, rows.count)


def _solved(rows: Rows) -> Any:
    """Solve the rows as they are."""
    if not np.any(rows.whole):
        return _linear(rows, None)
    from scipy.optimize import Bounds, LinearConstraint, milp

    matrix, least = rows.matrix()
    options = {"node_limit": NODES, "mip_rel_gap": CLOSE}
    with unprinted():
        return milp(
            rows.objective,
            integrality=rows.whole.astype(np.int64),
            bounds=Bounds(rows.lower, rows.upper),
            constraints=LinearConstraint(matrix, least, np.inf),
            options=options,
        )


def _linear(rows: Rows, fixed: FloatArray | None) -> Any:
    """Solve the linear programme, its whole numbers fixed."""
    from scipy.optimize import linprog

    lower, upper = rows.lower, rows.upper
    if fixed is not None:
        lower = np.where(rows.whole, fixed, lower)
        upper = np.where(rows.whole, fixed, upper)
    matrix, least = rows.matrix()
    bounds = np.stack([lower, upper], axis=1)
    return linprog(rows.objective, A_ub=-matrix, b_ub=-least, bounds=bounds, method="highs")
