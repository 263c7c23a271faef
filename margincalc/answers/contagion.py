"""One shock over several assets, and the same accounts with isolated and with cross collateral."""

from typing import Any

import numpy as np

from margincalc.answers.accounts import Accounts
from margincalc.answers.stress import Terms, absolute
from margincalc.answers.study import Field
from margincalc.arrays import FloatArray, group_sum
from margincalc.errors import input_error
from margincalc.risk import greeks
from margincalc.simulation import firesale
from margincalc.simulation.population import POSITIONS, isolated

MODES = (
    Field("shock", "shock", "move"),
    Field("mode", "mode", "text"),
    Field("accounts", "accounts hit", "count"),
    Field("pools", "pools", "count", 1),
    Field("whole", "all of it lost", "share"),
    Field("move", "ends at", "move"),
    Field("bad_debt", "bad debt", "money"),
)


def ended_after(accounts: Accounts, terms: Terms, shock: float) -> tuple[firesale.Rounds, float]:
    """Run one shock over all underlyings; return it with what liquidated accounts owe."""
    population, venue = accounts.population, accounts.venue
    assert population is not None
    assert venue is not None
    book = population.book
    impacts = tuple(absolute(terms.law, float(spot)) for spot in book.spot)
    ended = firesale.rounds(book, venue.model, np.full(len(book.spot), shock), impacts)
    owed = float(np.sum(np.maximum(-ended.equity[ended.liquidated], 0.0)))
    return ended, owed


def compared(accounts: Accounts, terms: Terms) -> list[tuple[Any, ...]]:
    """Run the same accounts with isolated and with cross collateral, in rounds."""
    if accounts.population is None or accounts.venue is None:
        found = "a list of prices, which has no pools"
        raise input_error("--against-isolated", found, "accounts with positions and deposits")
    alone, owner = isolated(accounts.population, accounts.venue.model)
    cases = {
        "cross": (accounts, np.arange(accounts.population.book.pools)),
        "isolated": (accounts._replace(population=alone), owner),
    }
    held = np.bincount(owner, minlength=accounts.population.book.pools)
    rows = []
    for shock in _few(terms.shocks):
        for mode, (case, owners) in cases.items():
            ended, owed = ended_after(case, terms, shock)
            lost = np.bincount(owners[ended.liquidated], minlength=len(held))
            hit = lost > 0
            whole = hit if mode == "cross" else lost == held
            share = float(np.sum(whole & hit) / np.sum(hit)) if np.any(hit) else None
            pools = int(np.sum(ended.liquidated))
            end = float(ended.factor[0]) - 1.0
            rows.append((shock, mode, int(np.sum(hit)), pools, share, end, owed))
    return rows


def _few(shocks: FloatArray) -> list[float]:
    """Return at most six of the shocks, evenly chosen."""
    moved = np.sort(shocks[shocks != 0.0])
    chosen = np.unique(np.linspace(0, len(moved) - 1, 6).round().astype(int))
    return [float(moved[place]) for place in chosen] if len(moved) else []


def holdings(accounts: Accounts) -> FloatArray:
    """Signed value of each account's delta by underlying, shape (A, U)."""
    assert accounts.population is not None
    book = accounts.population.book
    rows = np.flatnonzero(book.instruments.is_kind(*POSITIONS)[book.instrument])
    value = (book.quantity * greeks(book).delta[book.instrument])[rows]
    under = book.underlying[rows]
    value = value * book.spot[under]
    width = len(book.spot)
    flat = group_sum(value, book.pool[rows] * width + under, book.pools * width)
    return flat.reshape(book.pools, width)
