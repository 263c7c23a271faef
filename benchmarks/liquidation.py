"""A certified region of spot, against a dense scan and against bisection scenario by scenario."""

from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import numpy as np

from benchmarks.accounts import account
from benchmarks.clock import cpus, in_process, in_turns
from benchmarks.tables import Table, duration
from margincalc.answers.margining import Rules, margined
from margincalc.arrays import FloatArray
from margincalc.liquidation.apart import all_pieces
from margincalc.liquidation.isolate import isolate
from margincalc.liquidation.line import Line, along
from margincalc.liquidation.pieces import Pieces
from margincalc.liquidation.region import regions
from margincalc.portfolio import Portfolio

MODEL = "generic-portfolio"
NODES = 129  # from which bisection starts
HALVINGS = 40  # to a part in a million million


class Sizes(NamedTuple):
    """How many positions the book has, and how finely it is scanned."""

    legs: int = 10
    nodes: int = 40_001
    turns: int = 5


def tables(sizes: Sizes) -> list[Table]:
    """Find the region of a book in three ways."""
    book = Portfolio.model_validate(account(MODEL, sizes.legs))
    one = margined(book, Rules(model=MODEL))
    line = along(one.book, one.model, 0, 0)
    (pieces,) = all_pieces([line])
    if isinstance(pieces, str):
        raise ValueError(f"{MODEL} does not take this book apart: {pieces}")
    isolated = isolate(pieces, line.noise())
    used = f"{isolated.evaluations if isolated else 0:,}"
    cells = sum(group.options.factor.size for group in pieces.groups)
    works: tuple[tuple[str, str, Callable[[], object]], ...] = (
        ("certified region", used, lambda: regions([line])),
        ("its isolation alone", used, lambda: isolate(pieces, line.noise())),
        (f"scan of {sizes.nodes:,} nodes", f"{sizes.nodes * cells:,}", _scan(line, sizes.nodes)),
        ("bisection per scenario", f"{_bisected(pieces):,}", lambda: _bisected(pieces)),
    )
    costs = in_turns([in_process(work) for *_, work in works], sizes.turns)
    times = [median(cpus(cost)) for cost in costs]
    rows = tuple(
        (what, duration(time), evaluations, f"{time / times[0]:.1f}", certain)
        for (what, evaluations, _), time, certain in zip(
            works, times, ("yes", "yes", "no", "no"), strict=True
        )
    )
    how = (
        f"One underlying of a book of {sizes.legs} positions under {MODEL}, from 0.05 to 20 times "
        "spot. The region is from the account to the roots that the margin model closes; isolation "
        f"and bisection, from {NODES} nodes of every scenario, start from known pieces. "
        f"Processor time, median of {sizes.turns} turns; an evaluation is of one option's value."
    )
    header = ("what", "time", "evaluations", "times as long", "proved complete")
    return [Table("Liquidation", how, header, rows)]


def _scan(line: Line, nodes: int) -> Callable[[], object]:
    return lambda: line.excess(np.geomspace(*line.domain, nodes))


def _bisected(pieces: Pieces) -> int:
    """Bisect the excess in every scenario of the one underlying, and return the values it took."""
    scanned, straight = pieces.groups
    cells = scanned.options.factor.size

    def excess(x: FloatArray) -> FloatArray:
        segment = np.clip(np.searchsorted(pieces.edges, x, "right"), 1, len(pieces.edges) - 1) - 1
        whole = scanned.at(x, segment).value + straight.at(x, segment).value
        return whole[:, 0]

    x = np.geomspace(pieces.edges[0], pieces.edges[-1], NODES)
    sign = excess(x) >= 0.0
    node, scenario = np.nonzero(sign[1:] != sign[:-1])
    low, high = x[node], x[node + 1]
    rows = np.arange(len(node))
    for _ in range(HALVINGS if len(node) else 0):
        middle = 0.5 * (low + high)
        left = (excess(middle)[rows, scenario] >= 0.0) == sign[node, scenario]
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return int((NODES + HALVINGS * len(node)) * cells)
