"""Why a problem has no answer, in words: what is missing, and which limit stands in the way."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import InputError
from margincalc.hedge.optimum import Optimum
from margincalc.hedge.problem import Problem
from margincalc.hedge.programme import Programme

WORDS = {
    "deposit": "the limit on the deposit",
    "budget": "the budget",
    "size": "the limit on the size of trades",
    "delta": "the limit on delta",
    "vega": "the limit on vega",
    "new_shorts": "the rule against new short options",
}
NOTHING = 1e-6  # of equity that is missing, relative to what is there


class Diagnosis(NamedTuple):
    """What keeps a problem from an answer.

    Attributes
    ----------
    missing : least equity that is missing within the limits; None where these contradict each other
    nearest : the answer with which it is
    reasons : sentences
    """

    missing: float | None
    nearest: FloatArray
    reasons: tuple[str, ...]


def diagnosed(programme: Programme) -> Diagnosis:
    """Say what is missing at best, and which limits would have to give way."""
    problem = programme.problem
    best = Optimum(programme).solve(elastic=True)
    limits = [name for name in WORDS if _limited(problem, name)]
    if best.status:
        return Diagnosis(None, problem.nothing, tuple(_contradiction(programme, limits)))
    reasons = [f"{best.missing:,.2f} more of equity is missing even with the best trades"]
    reasons += [_node(programme, best.z)]
    scale = NOTHING * max(1.0, abs(float(programme.nodes[0].equity.start[0])))
    cures = [name for name in limits if _missing(programme, name) <= scale]
    if cures:
        reasons += [f"without {WORDS[name]} there is an answer" for name in cures]
    elif len(limits) > 1:
        together = ", ".join(WORDS[name] for name in limits)
        reasons.append(f"several limits stand in the way together: {together}")
    elif not limits:
        reasons.append("no limit stands in the way: the candidates cannot bring the ratio down")
    return Diagnosis(best.missing, best.z, tuple(reasons))


def _limited(problem: Problem, name: str) -> bool:
    limits = problem.limits
    return bool(getattr(limits, name) != limits._field_defaults[name])


def _missing(programme: Programme, limit: str) -> float:
    """Return the least equity missing without one limit, infinite where limits contradict."""
    freed = replace(programme, problem=programme.problem.unlimited(limit))
    try:
        found = Optimum(freed).solve(elastic=True)
    except InputError:  # offsets can only be weighed within a size
        return np.inf
    return np.inf if found.status else found.missing


def _contradiction(programme: Programme, limits: list[str]) -> list[str]:
    """Name the limits that no trades can keep to, whatever they do for the margin."""
    found = [name for name in limits if _missing(programme, name) < np.inf]
    words = [f"no trades keep to {WORDS[name]}" for name in found]
    return words or ["the limits contradict each other: no trades keep to all of them"]


def _node(programme: Programme, z: FloatArray) -> str:
    """Say in which market most is missing."""
    worst = programme.nodes[int(np.argmax(programme.missing(z)))]
    return f"most is missing {market(worst.move)}"


def market(move: FloatArray) -> str:
    """Name a market by its moves."""
    words = [
        f"{name} {100.0 * (multiple - 1.0):+.4g} %"
        for name, multiple in (("spot", move[0]), ("volatility", move[1]))
        if multiple != 1.0
    ]
    return f"at {', '.join(words)}" if words else "at the present market"
