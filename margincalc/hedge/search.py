"""Search for a cheap answer where the requirement has no linear form.

Each round measures how every trade changes the equity that is missing, by margining the account
anew with a little more of each, solves the programme of those slopes within a region of trust, and
keeps the best of some steps along its answer. What it finds holds, as all answers do, and costs no
more than what it started from; whether it is the cheapest is not known.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.book import Kind
from margincalc.hedge.problem import Problem
from margincalc.hedge.trial import shortage

ROUNDS = 30
STEPS = (1.0, 0.5, 0.2, 0.05)  # along the programme's answer
PROBE = 1e-3  # of gross notional, by which slopes are measured
TRUST = 0.25  # of gross notional, at first
LEAST = 1e-4
CUSHION = 1e-8  # of what is missing at first: what rounding may cost
PENALTY = 10.0  # of equity that no deposit may cover; its price is far below


@dataclass(eq=False)
class Search:
    """A problem with the markets in which it must hold."""

    problem: Problem
    moves: FloatArray

    def __post_init__(self) -> None:
        problem = self.problem
        columns = problem.book.instruments.take(problem.book.instrument[problem.row])
        index = problem.book.spot[columns.underlying] if problem.candidates else np.zeros(0)
        coins = columns.inverse & columns.is_kind(Kind.FUTURE, Kind.PERPETUAL)
        unit = columns.multiplier * np.where(coins, 1.0, index)
        gross = float(np.sum(np.abs(problem.held) * unit)) or float(np.max(unit, initial=1.0))
        size = gross / np.maximum(unit, 1e-300)
        self._size = np.concatenate([size, size])  # of each trade that is worth the gross notional
        before = shortage(problem, problem.nothing[None, :], self.moves)
        self._cushion = CUSHION * float(np.max(np.abs(before)))

    def best(self, starts: list[FloatArray]) -> FloatArray | None:
        """Return the cheapest answer found from any start, None where none holds."""
        found = [self._from(start) for start in starts]
        priced = [(self._worth(z[None, :])[0], index) for index, z in enumerate(found)]
        z = found[min(priced)[1]]
        answer = self._funded(z)
        return answer if self._allowed(answer) else None

    def _from(self, start: FloatArray) -> FloatArray:
        z, trust = start.copy(), TRUST
        worth = float(self._worth(z[None, :])[0])
        for _ in range(ROUNDS):
            if trust < LEAST:
                break
            step = self._step(z, trust)
            tried = z + np.outer(STEPS, step)
            tried = np.clip(tried, 0.0, np.append(self.problem.upper[:-1], np.inf))
            values = self._worth(tried)
            best = int(np.argmin(values))
            if values[best] < worth - 1e-9 * max(1.0, abs(worth)):
                z, worth = tried[best], float(values[best])
                trust = min(trust * 2.0, 4.0) if best == 0 else trust * 0.7
            else:
                trust *= 0.2
        return self._pruned(self._rounded(z))

    def _worth(self, answers: FloatArray) -> FloatArray:
        """Return what answers cost with the deposit that each then needs, shape (K,)."""
        problem = self.problem
        trades = np.array([problem.trade_cost(z) for z in answers])
        bare = answers.copy()
        bare[:, -1] = 0.0
        missing = np.max(shortage(problem, bare, self.moves), axis=1)
        need = np.maximum(missing + self._cushion, 0.0)
        beyond = np.maximum(need - problem.upper[-1], 0.0)
        total: FloatArray = trades + problem.cost[-1] * (need - beyond) + PENALTY * beyond
        return total + PENALTY * self._broken(bare, need)

    def _broken(self, answers: FloatArray, deposit: FloatArray) -> FloatArray:
        """Return by how much limits on sums are exceeded, shape (K,)."""
        whole = answers.copy()
        whole[:, -1] = deposit
        total = np.zeros(len(answers))
        for bound in self.problem.bounds:
            amount = self.problem.amounts(bound, whole)
            total += np.maximum(amount - bound.high, 0.0) + np.maximum(bound.low - amount, 0.0)
        return total

    def _funded(self, z: FloatArray) -> FloatArray:
        """Return an answer with the deposit that it needs."""
        answer = z.copy()
        answer[-1] = 0.0
        need = float(np.max(shortage(self.problem, answer[None, :], self.moves)))
        if need > 0.0:
            answer[-1] = need * (1.0 + 1e-12) + 1e-9
        return answer

    def _allowed(self, z: FloatArray) -> bool:
        problem = self.problem
        broken = float(self._broken(z[None, :], z[-1:])[0])
        return bool(np.all(z <= problem.upper * (1.0 + 1e-12) + 1e-9)) and broken <= 1e-6

    def _step(self, z: FloatArray, trust: float) -> FloatArray:
        """Return the change that the programme of slopes makes of an answer."""
        from scipy.optimize import linprog

        problem, count = self.problem, 2 * self.problem.candidates
        probe = PROBE * self._size
        bare = np.append(z[:-1], 0.0)
        tried = np.tile(bare, (count + 1, 1))
        tried[np.arange(count), np.arange(count)] += probe
        paid = replace(problem, ticket=0.0)  # no slope holds the step of a ticket
        missing = shortage(paid, tried, self.moves) + 2.0 * self._cushion
        missing += np.sum(problem.tickets(bare[None, :]))
        slope = (missing[:count] - missing[count]) / probe[:, None]  # [n, J], tickets apart
        size = self._size * trust
        low = np.maximum(-z[:-1], -size)
        high = np.minimum(np.maximum(problem.upper[:-1] - z[:-1], low), size)
        beyond = PENALTY if problem.upper[-1] < np.inf else 0.0
        # Change of each trade, the deposit, and what no deposit may cover.
        objective = np.concatenate([problem.cost[:-1], [problem.cost[-1], beyond]])
        rows = [np.concatenate([each, [-1.0, -1.0]]) for each in slope.T]
        least = [-each for each in missing[count]]
        for bound in problem.bounds:
            start = float(problem.amounts(bound, bare[None, :])[0])
            for sign, limit in ((1.0, bound.high), (-1.0, -bound.low)):
                if limit < np.inf:
                    rows.append(np.append(sign * bound.coefficient, 0.0))
                    least.append(max(limit - sign * start, 0.0))
        ends: list[Any] = [*zip(low, high, strict=True), (0.0, problem.upper[-1])]
        ends.append((0.0, None if beyond else 0.0))
        found = linprog(objective, A_ub=np.array(rows), b_ub=least, bounds=ends, method="highs")
        change = np.zeros(count + 1)
        if found.x is not None:
            change[:-1] = found.x[:count]
        return change

    def _rounded(self, z: FloatArray) -> FloatArray:
        """Return an answer in whole lots: the nearest, then better neighbours while there are."""
        lot, count = self.problem.lot, 2 * self.problem.candidates
        z = self.problem.netted(z)
        whole = lot > 0.0
        if not np.any(whole):
            return z
        z = np.where(whole, np.round(z / np.where(whole, lot, 1.0)) * lot, z)
        for _ in range(ROUNDS):
            moves = np.concatenate([np.diag(lot)[:count], -np.diag(lot)[:count]])
            tried = np.array([self.problem.netted(np.maximum(z + move, 0.0)) for move in moves])
            tried = np.minimum(tried, np.append(self.problem.upper[:-1], np.inf))
            values = self._worth(np.concatenate([z[None, :], tried]))
            best = int(np.argmin(values))
            if best == 0:
                break
            z = tried[best - 1]
        return z

    def _pruned(self, z: FloatArray) -> FloatArray:
        """Leave out the trades without which an answer is no dearer."""
        for index in np.argsort(z[:-1]):
            if z[index] > 0.0:
                less = z.copy()
                less[index] = 0.0
                values = self._worth(np.stack([z, less]))
                z = less if values[1] <= values[0] else z
        return z
