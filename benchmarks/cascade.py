"""Cascades: every shock at once, against selling round by round."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.clock import in_process, in_turns, walls
from benchmarks.tables import Comparison, Table, compared
from margincalc.arrays import FloatArray
from margincalc.margin.load import load_model
from margincalc.simulation.cascade import Stops, queue
from margincalc.simulation.curves import NEVER, Walk, halts, walk
from margincalc.simulation.drawn import drawn

SPOT = 100.0


class Sizes(NamedTuple):
    """How many accounts and shocks, for how many shocks the peer runs, how often."""

    accounts: int = 1_000_000
    shocks: int = 1_001
    peer_shocks: int = 5
    option_accounts: int = 200_000
    nodes: int = 201
    margined: int = 20_000
    turns: int = 3


class Accounts(NamedTuple):
    """Liquidation prices below the spot, and units."""

    price: FloatArray
    size: FloatArray

    def law(self, sold: FloatArray) -> FloatArray:
        """Impact: all units together are 30 % of the price, by the square root."""
        return 30.0 * np.sqrt(sold / np.sum(self.size))


def accounts(count: int) -> Accounts:
    """Draw accounts."""
    rng = np.random.default_rng(1)
    return Accounts(SPOT * (1.0 - rng.beta(2.0, 5.0, count)), rng.pareto(1.5, count) + 0.01)


def sorted_search(book: Accounts, shocks: FloatArray) -> Stops:
    """Answer every shock by one sort and one search."""
    return queue(book.price, book.size, book.law).stops(shocks)


def round_by_round(book: Accounts, shocks: FloatArray) -> FloatArray:
    """Sell in rounds of whole columns until nobody new is reached, for one shock at a time."""
    whole = np.sum(book.size)
    ends = []
    for shock in shocks.tolist():
        price, sold = shock, -1.0
        while True:
            reached = float(np.sum(book.size, where=book.price >= price))
            if reached == sold:
                break
            sold = reached
            price = shock - 30.0 * np.sqrt(sold / whole)
        ends.append(price)
    return np.array(ends)


def option_walk(count: int, nodes: int) -> Walk:
    """Draw where option accounts breach, and what closing them sells."""
    rng = np.random.default_rng(2)
    breach = rng.integers(0, 2 * nodes, count)
    flow = rng.normal(0.2, 1.0, count) / count * 40.0
    zero = np.zeros(count)
    return Walk(
        np.linspace(SPOT, 60.0, nodes),
        np.where(breach < nodes, breach, NEVER),
        *(flow, flow, zero, np.zeros(nodes), np.ones(nodes)),
    )


def step_by_step(way: Walk, shocks: FloatArray) -> list[int]:
    """Go from node to node for each shock, seizing whoever breaches there."""
    found = []
    for shock in shocks.tolist():
        sold, step = 0.0, 0
        for step, node in enumerate(way.node.tolist()):
            sold += float(np.sum(way.flow, where=way.breach == step))
            if node <= shock - 0.3 * sold:
                break
        found.append(step)
    return found


def tables(sizes: Sizes) -> list[Table]:
    """Time both kinds of books against plain simulations, and growth tenfold."""
    small, large = accounts(max(sizes.accounts // 10, 1)), accounts(sizes.accounts)
    shocks = np.linspace(99.5, 60.0, sizes.shocks)
    few = shocks[:: max(sizes.shocks // sizes.peer_shocks, 1)]
    way = option_walk(sizes.option_accounts, sizes.nodes)
    works: list[Callable[[], object]] = [
        lambda: sorted_search(large, shocks),
        lambda: round_by_round(large, few),
        lambda: sorted_search(small, shocks),
        lambda: halts(way, shocks, lambda sold: 0.3 * sold),
        lambda: step_by_step(way, few),
        _margined(sizes.margined, sizes.nodes),
        _margined(max(sizes.margined // 10, 1), sizes.nodes),
    ]
    costs = [walls(cost) for cost in in_turns([in_process(work) for work in works], sizes.turns)]
    ours, plain, tenth, stops, steps, walked, walked_tenth = costs
    rows = [
        Comparison(
            f"{sizes.accounts:,} linear accounts, per shock",
            *(ours, plain, "round by round"),
            units=(len(shocks), len(few)),
        ),
        Comparison(
            f"{sizes.option_accounts:,} option accounts x {sizes.nodes} nodes, per shock",
            *(stops, steps, "node by node"),
            units=(len(shocks), len(few)),
        ),
        Comparison(
            f"per account, {sizes.accounts:,} linear",
            *(ours, tenth, f"{len(small.price):,}"),
            units=(len(large.price), len(small.price)),
        ),
        Comparison(
            f"per account, {sizes.margined:,} option accounts margined at each node",
            *(walked, walked_tenth, f"{max(sizes.margined // 10, 1):,}"),
            units=(sizes.margined, max(sizes.margined // 10, 1)),
        ),
    ]
    how = (
        f"Wall time in one process, {sizes.turns} turns; {len(shocks):,} shocks at once, the plain "
        f"simulations {len(few)} of them. The last two rows are growth tenfold: 1 is in proportion."
    )
    return [compared("Cascades", how, rows)]


def _margined(count: int, nodes: int) -> Callable[[], object]:
    """Return the walk of drawn option accounts, each margined until it is seized."""
    import datetime as dt

    population = drawn(count, 1, "options", {"BTC": 100_000.0})
    model = load_model("generic-portfolio", dt.date.max).model
    factor = np.geomspace(1.0, 0.6, nodes)
    return lambda: walk(population.book, model, factor)
