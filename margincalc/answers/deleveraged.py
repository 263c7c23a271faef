"""Holders who sell down to a leverage limit: what a shock makes of them, beside liquidation."""

from typing import Any

import numpy as np

from margincalc.answers.accounts import Accounts
from margincalc.answers.contagion import holdings
from margincalc.answers.stress import Terms, depth_of
from margincalc.answers.study import Field
from margincalc.errors import input_error, shown
from margincalc.risk import equity, now
from margincalc.simulation import firesale

DELEVERAGED = (
    Field("shock", "shock", "move"),
    Field("beyond", "over the limit", "count"),
    Field("first", "sold at once", "money", 2),
    Field("sold", "in all", "money"),
    Field("rounds", "rounds", "count", 3),
    Field("move", "ends at", "move"),
    Field("lost", "equity lost", "money"),
    Field("wiped", "wiped out", "count", 1),
)
LEAST, MOST = 1.0, 1000.0  # leverages that somebody may be limited to


def deleveraged(accounts: Accounts, terms: Terms) -> list[tuple[Any, ...]]:
    """Run each shock over all underlyings, with every account selling down to a leverage limit.

    Raises
    ------
    InputError
        If the limit is none, or accounts are a list of prices, which has no leverage.
    """
    limit = terms.limit
    if limit is None or not LEAST < limit <= MOST:
        wanted = f"a leverage over {LEAST:g} and up to {MOST:g}"
        raise input_error("--deleverage", "nothing" if limit is None else shown(limit), wanted)
    if accounts.population is None:
        found = "a list of prices, which has no leverage"
        raise input_error("--deleverage", found, "accounts with positions and deposits")
    book = accounts.population.book
    holding, own = holdings(accounts), equity(book, now(book))
    depth = np.full(holding.shape[1], depth_of(terms.law))
    rows = []
    for shock in np.sort(terms.shocks).tolist():
        fall = np.full(holding.shape[1], -shock)
        ended = firesale.deleverage(holding, own, limit, depth, fall)
        rows.append(
            (
                shock,
                int(np.sum(ended.leverage > limit)),
                float(np.sum(np.abs(ended.first))),
                float(np.sum(np.abs(ended.sold))),
                ended.rounds,
                float(ended.price[0]) - 1.0,
                float(np.sum(np.maximum(own - ended.equity, 0.0))),
                int(np.sum((ended.equity <= 0.0) & (own > 0.0))),
            )
        )
    return rows
