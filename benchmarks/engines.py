"""Liquidation engines: how many accounts and steps each works off in a second."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from random import Random
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import margincalc as mc
from benchmarks.clock import cpus, in_process, in_turns
from benchmarks.tables import Table
from margincalc.answers.margining import Rules, margined
from margincalc.book import Kind
from margincalc.margin.load import model_names
from margincalc.pricing.impact import SquareRoot
from margincalc.simulation.costs import Costs, Liquidator
from margincalc.simulation.desk import desk_of
from margincalc.simulation.engine import Scene, run
from margincalc.simulation.engines import FOLDER, load_engine

DAY = dt.date(2026, 11, 20)
LENDERS = ("aave-v3", "euler-v1")
PERPETUALS = ("dydx-v4",)  # engines that close nothing else
OPTIONS = tuple(
    f"BTC-25DEC26-{strike}-{side}" for strike in range(70_000, 140_000, 10_000) for side in "CP"
)


class Sizes(NamedTuple):
    """How many accounts an engine works off, of how many positions, and how often."""

    accounts: int = 60
    positions: int = 6
    turns: int = 3


def tables(sizes: Sizes) -> list[Table]:
    """Time every engine on accounts below their maintenance margin."""
    names = model_names(FOLDER)
    held = {name: scenes(name, sizes) for name in names}
    works = [in_process(partial(work_off, name, held[name])) for name in names]
    rows = []
    for name, costs in zip(names, in_turns(works, sizes.turns), strict=True):
        seconds = median(cpus(costs))
        steps = work_off(name, held[name])
        each = f"{steps / len(held[name]):.3g}"
        pace = (f"{count / seconds:,.0f}" for count in (len(held[name]), steps))
        rows.append((name, load_engine(name, DAY).engine.margin, each, *pace))
    how = (
        f"Processor time of one core, {sizes.turns} turns: {sizes.accounts:,} accounts of "
        f"{sizes.positions} positions (loans of two deposits and a debt), each at 90 % of its "
        "maintenance margin; every step margins the account anew in full."
    )
    header = ("engine", "margined by", "steps an account", "accounts a second", "steps a second")
    return [Table("Liquidation engines", how, header, tuple(rows))]


def work_off(name: str, held: Sequence[Scene]) -> int:
    """Run an engine on every account; return the steps that it took."""
    engine = load_engine(name, DAY).engine
    return sum(len(run(engine, scene).steps) for scene in held)


def scenes(name: str, sizes: Sizes) -> list[Scene]:
    """Draw the accounts that an engine meets."""
    rng = Random(1)
    draw = _loan if name in LENDERS else _account
    return [_scene(name, draw(rng, name, sizes.positions)) for _ in range(sizes.accounts)]


def _scene(name: str, written: dict[str, Any]) -> Scene:
    """Return an account whose money is 90 % of what its maintenance margin asks."""
    engine = load_engine(name, DAY).engine
    rules = Rules(model=engine.margin, settings=engine.settings)
    if name not in LENDERS:
        bare = margined(mc.Portfolio.model_validate(written), rules).result
        need = 0.9 * float(bare.maintenance[0]) - float(bare.equity[0])
        written["collateral"][0]["quantity"] += need
    account = margined(mc.Portfolio.model_validate(written), rules)
    hedges = np.flatnonzero(account.book.instruments.is_kind(Kind.PERPETUAL))
    desk = desk_of(account.book, account.model, 0, hedges)
    return Scene(desk, Costs(SquareRoot(0.04, 1e9)), Liquidator(), 1e9)


def _account(rng: Random, name: str, positions: int) -> dict[str, Any]:
    """Draw sold and bought options beside a perpetual, or perpetuals of two coins alone."""
    if name in PERPETUALS:
        chosen = ["BTC-PERPETUAL", "ETH-PERPETUAL"]
    else:
        chosen = ["BTC-PERPETUAL", *rng.sample(OPTIONS, min(positions - 1, len(OPTIONS)))]
    held = [
        {"instrument": each, "quantity": rng.choice((-3.0, -2.0, -1.0, 0.5)) * rng.random()}
        for each in chosen
    ]
    return {
        "as_of": f"{DAY}T08:00:00Z",
        "market": {
            "BTC": {"spot": 100_000.0, "volatility": 0.6},
            "ETH": {"spot": 4_000.0, "volatility": 0.7},
        },
        "positions": held,
        "collateral": [{"asset": "USD", "quantity": 0.0}],
    }


def _loan(rng: Random, name: str, positions: int) -> dict[str, Any]:
    """Draw a loan whose health is a little below 1."""
    coins, money = 10.0 * (1.0 + rng.random()), 5_000.0 * rng.random()
    owed = 0.8 * (coins * 4_000.0 + money) / rng.uniform(0.96, 0.999)
    return {
        "as_of": f"{DAY}T08:00:00Z",
        "market": {"ETH": {"spot": 4_000.0, "volatility": 0.7}},
        "collateral": [
            {"asset": "ETH", "quantity": coins, "haircut": 0.2},
            {"asset": "USDT", "quantity": money, "haircut": 0.2},
            {"asset": "USDC", "quantity": -owed},
        ],
    }
