"""The cheapest cure of one pool, beside the smallest deposit and the smallest reduction alone."""

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import MargincalcError
from margincalc.hedge.diagnosis import diagnosed
from margincalc.hedge.optimum import INFEASIBLE, UNBOUNDED, Optimum, Solution
from margincalc.hedge.problem import Problem
from margincalc.hedge.programme import Programme
from margincalc.hedge.search import Search
from margincalc.hedge.trial import shortage

Method = Literal["none needed", "optimal", "branching stopped", "local search", "infeasible"]
CUTS = 40  # times that an answer is margined anew before it must hold
AT_ONCE = 5  # nodes added for one answer that does not hold
TRIES = 20  # of a deposit: the second already misses by rounding alone
CUSHION = 1e-9  # of equity: what rounding may cost


class Cure(NamedTuple):
    """What was found for a pool.

    Attributes
    ----------
    z : the answer, None where there is none
    solution : of the programme, whose prices it holds; None where there was no programme
    programme : as it was solved last
    alone, reduction : the smallest deposit, and the cheapest closing trades, that do by themselves
    worst : equity left over in the market in which it is least, under full revaluation
    bound : no answer costs less; None where that is not known
    missing : least equity missing where there is no answer
    nearest : the trades with which it is
    """

    method: Method
    z: FloatArray | None
    solution: Solution | None
    programme: Programme
    alone: FloatArray | None
    reduction: FloatArray | None
    worst: float
    bound: float | None = None
    missing: float | None = None
    nearest: FloatArray | None = None
    reasons: tuple[str, ...] = ()


def cure(problem: Problem) -> Cure:
    """Find the cheapest answer that holds when it is margined anew."""
    moves, tried = problem.aim.moves(), problem.aim.moves(refined=True)
    programme = Programme(problem)
    before = shortage(problem, problem.nothing[None, :], tried)[0]
    programme.add(moves[:1] if np.max(before) <= 0.0 else moves)
    alone = _deposit(problem, tried)
    if np.max(before) <= 0.0:
        left = -float(np.max(before))
        nothing = problem.nothing
        return Cure("none needed", nothing, None, programme, alone, nothing, left, 0.0)
    if programme.without:
        return _searched(programme, alone, tried)
    lesser = replace(programme, problem=problem.reducing())
    reduction = _holding(Optimum(lesser, _cushion(programme)), tried)
    found = _holding(Optimum(programme, _cushion(programme)), tried)
    shrunk = None if reduction.status else reduction.z
    if found.status:
        return _without(found, programme, alone, shrunk)
    method: Method = "branching stopped"
    if _proven(problem.total(found.z), found.bound):
        method = "optimal"
    left = -float(np.max(shortage(problem, found.z[None, :], tried)))
    return Cure(method, found.z, found, programme, alone, shrunk, left, found.bound)


def _proven(cost: float, bound: float) -> bool:
    return cost - bound <= 1e-6 * max(1.0, abs(bound))


def _cushion(programme: Programme) -> float:
    return CUSHION * max(1.0, abs(float(programme.nodes[0].equity.start[0])))


def _holding(optimum: Optimum, tried: FloatArray) -> Solution:
    """Solve until the answer holds: add the markets in which it does not, then a cushion."""
    programme = optimum.programme
    for _ in range(CUTS):
        found = optimum.solve()
        if found.status:
            return found
        missing = shortage(programme.problem, found.z[None, :], tried)[0]
        if np.max(missing) <= 0.0:
            return found
        worst = np.argsort(-missing)[:AT_ONCE]
        new = [tried[row] for row in worst if missing[row] > 0.0 and not programme.has(tried[row])]
        if new:
            programme.add(np.array(new))
        else:
            optimum.cushion += 2.0 * float(np.max(missing))
    raise MargincalcError(f"no answer held when it was margined anew, {CUTS} times")


def _deposit(problem: Problem, tried: FloatArray) -> FloatArray | None:
    """Return the smallest deposit that does alone, whatever limit there is on it."""
    z = problem.nothing
    for _ in range(TRIES):
        missing = float(np.max(shortage(problem, z[None, :], tried)))
        if missing <= 0.0:
            return z
        z[-1] = max(z[-1] + missing, np.nextafter(z[-1], np.inf))
    return None  # a deposit does not count in full under such rules


def _searched(programme: Programme, alone: FloatArray | None, tried: FloatArray) -> Cure:
    """Search, from nothing, from closing everything, and from what the linear form makes of it."""
    problem = programme.problem
    lesser = problem.reducing()
    shrunk = Search(lesser, tried).best([problem.nothing, lesser.upper])
    starts = [problem.nothing, *([] if shrunk is None else [shrunk])]
    if any(node.scans or len(node.parts) for node in programme.nodes):
        guide = Optimum(programme).solve()
        starts += [] if guide.status else [guide.z]
    z = Search(problem, tried).best(starts)
    if z is None:
        reason = "the search found no answer; the model's rules have no linear form to prove it by"
        return Cure("infeasible", None, None, programme, alone, shrunk, 0.0, reasons=(reason,))
    left = -float(np.max(shortage(problem, z[None, :], tried)))
    least = Optimum(programme.relaxed()).solve()
    bound = None if least.status else least.bound
    method: Method = "local search"
    if bound is not None and _proven(problem.total(z), bound):
        method = "optimal"
    return Cure(method, z, None, programme, alone, shrunk, left, bound)


def _without(
    found: Solution, programme: Programme, alone: FloatArray | None, shrunk: FloatArray | None
) -> Cure:
    """Say why there is no answer."""
    if found.status == UNBOUNDED:
        reasons: tuple[str, ...] = ("trading more would cost ever less: some price is negative",)
        return Cure("infeasible", None, found, programme, alone, shrunk, 0.0, reasons=reasons)
    if found.status != INFEASIBLE:
        reasons = ("the solver stopped before it had an answer: allow fewer candidates",)
        return Cure("infeasible", None, found, programme, alone, shrunk, 0.0, reasons=reasons)
    why = diagnosed(programme)
    return Cure(
        "infeasible",
        None,
        found,
        programme,
        alone,
        shrunk,
        0.0,
        missing=why.missing,
        nearest=why.nearest,
        reasons=why.reasons,
    )
