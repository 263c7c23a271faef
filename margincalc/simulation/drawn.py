"""Populations drawn at random, the same for the same seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from margincalc.arrays import group_sum
from margincalc.book import Kind
from margincalc.portfolio import MarketSnapshot
from margincalc.risk import now
from margincalc.simulation.population import Held, Population, Rows, populate

Draw = Literal["perpetuals", "options", "two-assets"]


def drawn(accounts: int, seed: int, kind: Draw, spots: Mapping[str, float]) -> Population:
    """Draw accounts: sizes with a heavy tail, own money a lognormal share of what is held.

    Six of ten perpetuals are long. Of options three of four are sold: puts and calls from 70 to
    130 % of the spot, of 35 days.
    """
    rng = np.random.default_rng(seed)
    market, held, choices = _market(kind, spots)
    each = 2 if kind == "two-assets" else 1
    pick = np.stack([rng.integers(low, high, accounts) for low, high in choices[:each]], axis=1)
    notional = 2_000.0 * (1.0 + rng.pareto(1.3, accounts)).clip(max=5_000.0)
    long = rng.random((accounts, each)) < (0.25 if kind == "options" else 0.6)
    # Portfolio margin of sold options is a multiple of that of perpetuals.
    least, usual = (0.2, 0.2) if kind == "options" else (0.03, 0.12)
    share = least + np.exp(rng.normal(np.log(usual), 0.7, accounts))
    value = np.array([spots[name.partition("-")[0]] for name in held.instruments])
    quantity = np.where(long, 1.0, -1.0) * (notional / each)[:, None] / value[pick]
    account = np.arange(accounts)
    rows = Rows(
        np.concatenate([np.repeat(account, each), account]),
        np.concatenate([pick.ravel(), np.full(accounts, len(held.instruments))]),
        np.concatenate([quantity.ravel(), notional * share]),
        np.full(accounts * (each + 1), np.nan),
        tuple(f"a{number:0{len(str(accounts))}d}" for number in range(accounts)),
    )
    population = populate(market, held, rows)
    return _repaid(population) if kind == "options" else population


def _repaid(population: Population) -> Population:
    """Add what sold options brought in, so that own money is what was drawn."""
    book = population.book
    value = book.quantity * now(book)[book.instrument]
    option = book.instruments.is_kind(Kind.OPTION)[book.instrument]
    premium = group_sum(np.where(option, value, 0.0), book.pool, book.pools)
    cash = book.rows(Kind.COLLATERAL)
    quantity = book.quantity.copy()
    quantity[cash] -= premium[book.pool[cash]]
    return Population(replace(book, quantity=quantity), population.names)


def _market(
    kind: Draw, spots: Mapping[str, float]
) -> tuple[MarketSnapshot, Held, Sequence[tuple[int, int]]]:
    """Return a market, what there is to hold, and from which of it each holding is picked."""
    volatility = {"BTC": 0.5, "ETH": 0.7}
    names = ("BTC", "ETH") if kind == "two-assets" else ("BTC",)
    market = MarketSnapshot.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {
                name: {"spot": spots[name], "volatility": volatility[name]} for name in names
            },
        }
    )
    if kind != "options":
        held = tuple(f"{name}-PERPETUAL" for name in names)
        return market, Held(held, ("USD",)), ((0, 1), (1, 2))
    strikes = [round(spots["BTC"] * share, -2) for share in np.arange(0.7, 1.301, 0.05).tolist()]
    held = tuple(f"BTC-25DEC26-{strike:.0f}-{side}" for strike in strikes for side in "PC")
    return market, Held(held, ("USD",)), ((0, len(held)),)
