"""Where a pool stands, as an event says it: how far it is from liquidation, and what binds."""

from dataclasses import replace
from typing import Any

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import printable
from margincalc.feed.desk import Desk
from margincalc.liquidation.nearest import Nearest, nearest
from margincalc.margin.base import STATUSES, MarginModel, MarginResult
from margincalc.pricer import using

Event = dict[str, Any]
LIQUIDATABLE = len(STATUSES) - 1


def state(desk: Desk, pool: int, account: str) -> Event:
    """Return where a pool stands; `account` is its name where the pool has none."""
    figures, book = desk.figures, desk.book.of_pools(np.array([pool]))
    with using(replace(desk.pricer, known=None)):  # what is known is of the market as it is
        near, margined = nearest(book, desk.model), desk.model.margin(book)
    equity, maintenance = float(figures.equity[pool]), float(figures.maintenance[pool])
    return {
        "account": book.names.keys[0].owner or account,
        "pool": book.names.pools[0],
        "status": STATUSES[int(figures.status[pool])],
        "equity": equity,
        "initial_margin": float(figures.initial[pool]),
        "maintenance_margin": maintenance,
        "margin_ratio": maintenance / equity if equity > 0.0 else None,
        "liquidation": {
            name: {**each, "recovery": bool(figures.status[pool] == LIQUIDATABLE)}
            for name, each in _distances(near, book.names.underlyings, book.spot).items()
        },
        "worst_scenario": _binding(desk.model, margined, book.names.underlyings),
    }


def _distances(found: Nearest, names: tuple[str, ...], spot: FloatArray) -> Event:
    """Return the nearest liquidation prices by underlying, with the moves that lead there."""
    said = {}
    for row, below, above in zip(
        found.underlying.tolist(), found.below.tolist(), found.above.tolist(), strict=True
    ):
        own = float(spot[row])
        said[names[row]] = {
            "spot": own,
            "below": None if np.isnan(below) else below,
            "below_move": None if np.isnan(below) else below / own - 1.0,
            "above": None if np.isnan(above) else above,
            "above_move": None if np.isnan(above) else above / own - 1.0,
        }
    return said


def _binding(model: MarginModel, result: MarginResult, names: tuple[str, ...]) -> Event | None:
    """Return the scenarios that bind, and what they cost."""
    worst = result.worst
    if worst is None or not len(worst.pool):
        return None
    labels = [
        f"{names[underlying]} {model.grids[grid].label(scenario)}"
        for underlying, grid, scenario in zip(
            worst.underlying.tolist(), worst.grid.tolist(), worst.scenario.tolist(), strict=True
        )
    ]
    return {"label": "; ".join(labels), "pnl": float(np.sum(worst.pnl))}


def said(reason: str) -> str:
    """Return a reason as an event says it: what a feed sent is escaped, and cut if it is long."""
    return printable(reason, 500)
