"""Paths per second of first passage, and what a plain simulation needs for the same answer."""

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import NamedTuple

import numpy as np

from benchmarks.clock import cpus, in_process, in_turns
from benchmarks.tables import NONE, Table, duration
from margincalc.answers.margining import Rules, margined
from margincalc.arrays import FloatArray
from margincalc.liquidation.dynamics import Diffusion, Dynamics, History, Jumps
from margincalc.liquidation.nearest import nearest
from margincalc.liquidation.passage import Walk, met
from margincalc.liquidation.simulate import Run, passage
from margincalc.liquidation.surface import Surface, one_pool, surface
from margincalc.portfolio import Portfolio

VOLATILITY, YEARS, REACH = 0.6, 7.0 / 365.0, 0.7
STRANGLE = [
    {"instrument": "BTC-25DEC26-90000-P", "quantity": -10, "volatility": 0.58},
    {"instrument": "BTC-25DEC26-115000-C", "quantity": -10, "volatility": 0.55},
]
PERPETUAL = [{"instrument": "BTC-PERPETUAL", "quantity": 2.0, "entry_price": 100_000.0}]


class Sizes(NamedTuple):
    """How much is simulated.

    Attributes
    ----------
    paths, steps : of our runs
    looks : steps of the plain simulations that are held against the closed form
    """

    paths: int = 100_000
    steps: int = 28
    looks: tuple[int, ...] = (28, 168, 1_008)
    turns: int = 5


class _Case(NamedTuple):
    """A pool on its lattice of spots, and its barrier below, as a multiple of spot."""

    surface: Surface
    barrier: float


def tables(sizes: Sizes) -> list[Table]:
    """Time the laws of motion, and hold both kinds of simulation against a closed form."""
    return [_speed(sizes), _accuracy(sizes)]


def _case(positions: list[dict[str, object]], cash: float, steps: int) -> _Case:
    """Margin an account along its spot at every step."""
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0, "volatility": VOLATILITY}},
        "positions": positions,
        "collateral": [{"asset": "USD", "quantity": cash}],
    }
    account = margined(Portfolio.model_validate(content), Rules(model="generic-portfolio"))
    book = one_pool(account.book, 0)
    grid = surface(book, account.model, np.linspace(0.0, YEARS, steps + 1), REACH)
    below = nearest(book, account.model).below
    return _Case(grid, float(below[0]) / 100_000.0)


def _simulated(case: _Case, law: Dynamics, sizes: Sizes) -> tuple[float, float]:
    """Return our probability and its standard error."""
    run = Run(np.linspace(0.0, YEARS, sizes.steps + 1), sizes.paths, 1, bridge=True)
    found = passage(case.surface, law, run).probability
    return float(np.mean(found)), float(np.std(found) / np.sqrt(sizes.paths))


def _plain(case: _Case, paths: int, steps: int) -> tuple[float, float]:
    """Return what a simulation that looks at the end of every step says, as it would be written."""
    rng, layers = np.random.default_rng(1), case.surface.layers
    each = VOLATILITY * np.sqrt(YEARS / steps)
    place, fallen = np.zeros(paths), np.zeros(paths, bool)
    for step in range(1, steps + 1):
        place += each * rng.standard_normal(paths) - 0.5 * each**2
        layer = layers[round(step * (len(layers) - 1) / steps)]
        fallen |= np.interp(place, case.surface.nodes, layer.excess[0]) < 0.0
    share = float(np.mean(fallen))
    return share, float(np.sqrt(share * (1.0 - share) / paths))


def _laws() -> dict[str, Dynamics]:
    still = np.zeros(1)
    volatility = np.array([VOLATILITY])
    returns: FloatArray = np.random.default_rng(0).normal(0.0, 0.015, (2_000, 1))
    return {
        "GBM, with a bridge": Diffusion(still, volatility, 0.0),
        "Merton jumps, with a bridge": Diffusion(still, volatility, 0.0, Jumps()),
        "blocks of a history": History(returns, 5, still),
    }


def _speed(sizes: Sizes) -> Table:
    case = _case(STRANGLE, 262_000.0, sizes.steps)
    works: dict[str, Callable[[], object]] = {
        name: partial(_simulated, case, law, sizes) for name, law in _laws().items()
    }
    works["GBM, plain NumPy, no bridge"] = lambda: _plain(case, sizes.paths, sizes.steps)
    works["the lattice, once"] = lambda: _case(STRANGLE, 262_000.0, sizes.steps)
    costs = in_turns([in_process(work) for work in works.values()], sizes.turns)
    rows = []
    for name, cost in zip(works, costs, strict=True):
        time = median(cpus(cost))
        paths = [f"{count / time:,.0f}" for count in (sizes.paths, sizes.paths * sizes.steps)]
        rows.append((name, duration(time), *([NONE, NONE] if "lattice" in name else paths)))
    how = (
        f"A short strangle under generic-portfolio, seven days in {sizes.steps} steps, "
        f"{sizes.paths:,} paths. The lattice of margins along spot at every step is made once for "
        f"all paths. Processor time, median of {sizes.turns} turns."
    )
    header = ("what", "time", "paths a second", "path steps a second")
    return Table("First passage: speed", how, header, tuple(rows))


def _accuracy(sizes: Sizes) -> Table:
    case = _case(PERPETUAL, 50_000.0, sizes.steps)
    exact = met(Walk(1.0, 0.0, VOLATILITY, YEARS), case.barrier, None)
    law = Diffusion(np.zeros(1), np.array([VOLATILITY]), 0.0)
    works: list[tuple[str, int, Callable[[], tuple[float, float]]]] = [
        ("with a bridge", sizes.steps, lambda: _simulated(case, law, sizes)),
        *(
            ("plain NumPy", looks, lambda looks=looks: _plain(case, sizes.paths, looks))
            for looks in sizes.looks
        ),
    ]
    costs = in_turns([in_process(work) for *_, work in works], min(sizes.turns, 3))
    rows = []
    for (what, steps, work), cost in zip(works, costs, strict=True):
        share, error = work()
        off = (share - exact) / exact * 100.0
        rows.append(
            (
                what,
                f"{steps:,}",
                duration(median(cpus(cost))),
                f"{off:+.2f} %",
                f"{error / exact * 100.0:.2f} %",
            )
        )
    how = (
        f"A perpetual whose probability of liquidation within a week is known: {exact:.6f} "
        f"(Harrison, 1985). {sizes.paths:,} paths each; a plain simulation sees only the ends of "
        "its steps, and is below the truth however many its paths."
    )
    header = ("simulation", "steps", "time", "off the closed form", "standard error")
    return Table("First passage: accuracy", how, header, tuple(rows))
