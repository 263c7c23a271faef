"""Rows and columns of a programme, as a solver takes them: ``matrix @ x >= least``.

Columns: the problem's variables (in lots, where they are whole), the missing equity, the worst loss
of each scan, the parts, a binary of each part that is deducted, a binary of each ticket.
"""

from typing import Any

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.errors import input_error
from margincalc.hedge.programme import Node, Programme

Cuts = dict[tuple[int, int], list[int]]
"""Scenarios that have bound so far, by node and scan; a node without scans has a scan -1."""


class Rows:
    """One programme with the scenarios that have bound so far."""

    def __init__(self, programme: Programme, cuts: Cuts, cushion: float, elastic: bool) -> None:
        self._programme, self._cuts, self._cushion = programme, cuts, cushion
        problem = programme.problem
        self._size = len(problem.cost)
        self._scans = {key: index for index, key in enumerate(cuts)}
        self._offsets = sorted(programme.offsets)
        # Where only what is missing counts, tickets are free, but for a limit that counts them.
        free = elastic and not any(bound.ticket for bound in problem.bounds)
        self._tickets = problem.candidates if problem.ticket and not free else 0
        self.missing = self._size
        self._first_scan = self._size + 1
        self._first_part = self._first_scan + len(cuts)
        self._first_binary = self._first_part + len(programme.parts)
        self._first_ticket = self._first_binary + len(self._offsets)
        self.columns = self._first_ticket + self._tickets
        self.scale = np.where(problem.lot > 0.0, problem.lot, 1.0)
        self._every = np.arange(self._size)
        self._columns(elastic)
        self._entries: list[tuple[IntArray, FloatArray]] = []
        self._least: list[float] = []
        self._margin_rows: list[tuple[int, float]] = []
        self._scan_rows: dict[int, tuple[int, int, int]] = {}
        self._fill()

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self._least)

    def worst(self, node: int, scan: int) -> int:
        """Return the column of a scan's worst loss."""
        return self._first_scan + self._scans[node, scan]

    def answer(self, x: FloatArray) -> FloatArray:
        """Return the problem's variables, each trade on one side only."""
        z = np.maximum(x[: self._size], 0.0)
        z = np.where(self.whole[: self._size], np.round(z), z) * self.scale
        return self._programme.problem.netted(z)

    def matrix(self) -> tuple[Any, FloatArray]:
        """Return the sparse matrix and the least amount of each row."""
        from scipy.sparse import csr_array

        sizes = [len(columns) for columns, _ in self._entries]
        pointer = np.concatenate([[0], np.cumsum(sizes)])
        columns = np.concatenate([columns for columns, _ in self._entries])
        values = np.concatenate([values for _, values in self._entries])
        shape = (len(sizes), self.columns)
        # HiGHS in scipy takes 32-bit indices, and older versions do not convert others.
        short = columns.astype(np.int32), pointer.astype(np.int32)
        return csr_array((values, *short), shape=shape), np.array(self._least)

    def prices(self, rows: FloatArray) -> tuple[float, tuple[tuple[int, int, int, float], ...]]:
        """Return what one more unit of equity saves, and one more of each scenario's loss costs.

        Parameters
        ----------
        rows : what the objective gains by one more of each row's least amount
        """
        dollar = sum(float(target * rows[row]) for row, target in self._margin_rows)
        scenarios = [(*key, float(rows[row])) for row, key in self._scan_rows.items()]
        return dollar, tuple(each for each in scenarios if each[-1] > 1e-12)

    def _columns(self, elastic: bool) -> None:
        """Set objective, bounds and which columns are whole."""
        problem = self._programme.problem
        self.objective = np.zeros(self.columns)
        self.lower = np.zeros(self.columns)
        self.upper = np.full(self.columns, np.inf)
        self.whole = np.zeros(self.columns, bool)
        self.upper[: self._size] = problem.upper / self.scale
        whole = problem.lot > 0.0
        self.whole[: self._size] = whole
        room = np.where(whole, self.upper[: self._size] + 1e-9, 0.0)
        self.upper[: self._size][whole] = np.floor(room[whole])
        self.upper[self._first_binary :] = 1.0
        self.whole[self._first_binary :] = True
        if elastic:
            self.objective[self.missing] = 1.0
            return
        self.upper[self.missing] = 0.0
        self.objective[: self._size] = problem.cost * self.scale
        self.objective[self._first_ticket :] = problem.ticket

    def _fill(self) -> None:
        problem = self._programme.problem
        for number in dict.fromkeys(number for number, _ in self._cuts):
            node = self._programme.nodes[number]
            self._margin(number, node, 0, problem.aim.target)
            if number == 0 and problem.aim.initial is not None:
                self._margin(number, node, 1, problem.aim.initial)
        self._losses()
        self._parts()
        self._deduct()
        self._ticket()
        tickets = self._first_ticket + np.arange(self._tickets)
        for bound in problem.bounds:
            columns = np.concatenate([self._every, tickets])
            values = np.append(bound.coefficient * self.scale, np.full(self._tickets, bound.ticket))
            if bound.high < np.inf:
                self._row(columns, -values, -bound.high)
            if bound.low > -np.inf:
                self._row(columns, values, bound.low)

    def _losses(self) -> None:
        """Let a scan's worst loss be no less than in the scenarios that have bound."""
        for (number, index), scenarios in self._cuts.items():
            if index < 0:
                continue
            loss = self._programme.nodes[number].scans[index].loss
            for scenario in scenarios:
                self._scan_rows[self.count] = (number, index, scenario)
                slope = -loss.slope[scenario] * self.scale
                columns = np.append(self._every, self.worst(number, index))
                self._row(columns, np.append(slope, 1.0), float(loss.start[scenario]))

    def _parts(self) -> None:
        """Let a part be no less than its amount."""
        for number, (start, columns, values) in enumerate(self._programme.parts):
            own = self._first_part + number
            self._row([*columns, own], [*(-values * self.scale[columns]), 1.0], start)

    def _margin(self, number: int, node: Node, which: int, target: float) -> None:
        """Ask that equity, times the target, carries one of the two margins."""
        scans = [self.worst(number, index) for index in range(len(node.scans))]
        extra = [self.missing, *scans, *(self._first_part + node.parts)]
        weights = [target, *(-scan.weight[which] for scan in node.scans), *-node.weight[which]]
        equity = float(node.equity.start[0])
        least = float(node.constant[which]) - target * (equity - self._cushion)
        self._margin_rows.append((self.count, target))
        slope = target * np.asarray(node.equity.slope)[0] * self.scale
        tickets = self._first_ticket + np.arange(self._tickets)
        toll = -target * node.toll[: self._tickets]
        self._row([*self._every, *extra, *tickets], [*slope, *weights, *toll], least)

    def _deduct(self) -> None:
        """Keep a part that is deducted from exceeding its amount, by a binary."""
        for index, number in enumerate(self._offsets):
            start, columns, values = self._programme.parts[number]
            own, binary = self._first_part + number, self._first_binary + index
            reach = self._reach(columns, values, start)
            slope = values * self.scale[columns]
            self._row([own, binary], [-1.0, reach], 0.0)
            self._row([*columns, own, binary], [*slope, -1.0, -reach], -start - reach)

    def _ticket(self) -> None:
        """Let nothing be traded without its ticket."""
        problem = self._programme.problem
        count = problem.candidates
        for index in range(self._tickets):
            most = max(self._most(index), self._most(index + count))
            columns = [index, index + count, self._first_ticket + index]
            self._row(columns, [-self.scale[index], -self.scale[index + count], most], 0.0)

    def _reach(self, columns: IntArray, values: FloatArray, start: float) -> float:
        """Bound the absolute value of a part's amount."""
        most = np.array([self._most(int(column)) for column in columns])
        return abs(start) + float(np.abs(values) @ most)

    def _most(self, column: int) -> float:
        """Bound a variable: by its limit, or by what doing without trades would cost."""
        problem = self._programme.problem
        limit = float(problem.upper[column])
        cost = float(problem.cost[column])
        if limit < np.inf:
            return limit
        alone = float(np.max(self._programme.missing(problem.nothing))) + self._cushion
        if cost > 0.0 and problem.upper[-1] >= alone and not problem.bounds:
            return float(problem.cost[-1] * alone / cost) + 1.0
        raise input_error(
            "--max-size",
            "no limit on the size of trades",
            "one, where tickets or offsets between positions are weighed",
            "give --max-size, in contracts",
        )

    def _row(self, columns: Any, values: Any, least: float) -> None:
        self._entries.append((np.array(columns, np.int64), np.array(values, np.float64)))
        self._least.append(least)
