"""A row for each account: what `margin` says of one, as columns.

Names are those of the JSON and of its CSV: `component.scenario_loss`, `worst_scenario.pnl`,
`liquidation.BTC.below`. What does not exist is null.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_sum
from margincalc.batch.universe import Universe
from margincalc.book import Book
from margincalc.files.parquet import arrow
from margincalc.liquidation.nearest import Nearest
from margincalc.margin.base import STATUSES, MarginResult, Venue, standing
from margincalc.scenarios import ScenarioGrid

Columns = dict[str, Any]
"""Arrays of shape (n,); of two, the second says which of the first there are none of."""
AMOUNTS = ("equity", "initial_margin", "maintenance_margin", "available_funds", "excess")


class Components(NamedTuple):
    """The components that a model may name, in their order."""

    maintenance: tuple[str, ...]
    initial: tuple[str, ...]


def components_of(universe: Universe) -> Components:
    """Ask the models, with a book of nobody, for the names of their components."""
    models = [part.model for part in universe.venue.parts.values()] or [universe.venue.model]
    found = [model.margin(universe.book) for model in models]
    return Components(
        tuple(dict.fromkeys(name for each in found for name in each.components)),
        tuple(dict.fromkeys(name for each in found for name in each.initial_components)),
    )


class Margined(NamedTuple):
    """Accounts that were margined, n of them.

    Attributes
    ----------
    owner : account of each pool, shape (A,)
    asked : underlyings whose liquidation prices are wanted
    """

    accounts: int
    owner: IntArray
    book: Book
    result: MarginResult
    nearest: Nearest | None = None
    asked: tuple[int, ...] = ()

    def total(self, amount: FloatArray) -> FloatArray:
        """Sum amounts of pools by account."""
        return group_sum(amount, self.owner, self.accounts)

    def any(self, flag: BoolArray) -> BoolArray:
        """Whether a flag is set for any pool of an account."""
        return np.bincount(self.owner[flag], minlength=self.accounts) > 0


def columns_of(made: Margined, components: Components, venue: Venue) -> Columns:
    """Return the columns of accounts, in order."""
    result, limited = made.result, made.book.limited
    equity = np.where(limited, np.maximum(result.equity, 0.0), result.equity)
    initial, maintenance = result.initial, result.maintenance
    parts = (equity, initial, maintenance, equity - initial, equity - maintenance)
    pools = standing(equity, initial, maintenance)
    status = np.zeros(made.accounts, np.int64)
    np.maximum.at(status, made.owner, pools)
    return {
        **{name: made.total(part) for name, part in zip(AMOUNTS, parts, strict=True)},
        "margin_ratio": _ratio(made, equity, maintenance),
        "status": status,
        **_worst(made, equity, venue.model.grids),
        **_named(made, "component", components.maintenance, result.components),
        **_named(made, "initial_component", components.initial, result.initial_components),
        **_liquidation(made, pools),
    }


def _ratio(made: Margined, equity: FloatArray, maintenance: FloatArray) -> tuple[Any, Any]:
    """Return the highest ratio of an account's pools; none where any of them has none."""
    known = equity > 0.0
    ratio = np.divide(maintenance, equity, out=np.zeros(len(equity)), where=known)
    highest = np.full(made.accounts, -np.inf)
    np.maximum.at(highest, made.owner, ratio)
    return highest, made.any(~known) | np.isneginf(highest)


def _named(
    made: Margined, head: str, names: Sequence[str], parts: Mapping[str, FloatArray]
) -> Columns:
    none = np.zeros(made.book.pools)
    return {f"{head}.{name}": made.total(parts.get(name, none)) for name in names}


def _worst(made: Margined, equity: FloatArray, grids: Sequence[ScenarioGrid]) -> Columns:
    """Return what the worst scenarios of an account have in common, and their sum."""
    worst, nothing = made.result.worst, np.ones(made.accounts, bool)
    empty: Columns = {
        "worst_scenario.index": (np.zeros(made.accounts, np.int64), nothing),
        "worst_scenario.spot": (np.zeros(made.accounts), nothing),
        "worst_scenario.volatility": (np.zeros(made.accounts), nothing),
        "worst_scenario.pnl": (np.zeros(made.accounts), nothing),
    }
    if worst is None or not len(worst.pool):
        return empty
    owner, index = made.owner[worst.pool], worst.scenario
    first = np.zeros(made.accounts, np.int64)
    first[owner[::-1]] = np.arange(len(owner))[::-1]
    same = first[owner]
    apart = index != index[same]
    if len(grids) > 1:
        for column in _moves(worst.grid, index, grids):
            apart |= column != column[same]
    spot, volatility = _moves(worst.grid[first], index[first], grids)
    absent = np.bincount(owner, minlength=made.accounts) == 0
    mixed = absent | (np.bincount(owner[apart], minlength=made.accounts) > 0)
    pnl = group_sum(worst.pnl, worst.pool, made.book.pools)
    pnl = np.where(made.book.limited, np.maximum(pnl, -equity), pnl)
    return {
        "worst_scenario.index": (index[first], mixed),
        "worst_scenario.spot": (spot, mixed),
        "worst_scenario.volatility": (volatility, mixed),
        "worst_scenario.pnl": (made.total(pnl), absent),
    }


def _moves(
    grid: IntArray, scenario: IntArray, grids: Sequence[ScenarioGrid]
) -> tuple[FloatArray, FloatArray]:
    """Return spot and volatility of scenarios of several grids, shape of both."""
    starts = np.cumsum([0, *(each.size for each in grids)])
    at = starts[grid] + scenario
    spot, volatility = (
        np.concatenate([getattr(each, name) for each in grids]) for name in ("spot", "volatility")
    )
    return spot[at], volatility[at]


def _liquidation(made: Margined, pools: IntArray) -> Columns:
    """Return the nearest prices over an account's pools, by underlying.

    A pool that is liquidated already can only recover, and counts only where all of them are.
    """
    nearest, names = made.nearest, made.book.names.underlyings
    if nearest is None:
        return {}
    standing_pool = pools < STATUSES.index("liquidatable")
    counts = standing_pool | ~made.any(standing_pool)[made.owner]
    found: Columns = {}
    for underlying in made.asked:
        name = names[underlying]
        own = (nearest.underlying == underlying) & counts[nearest.pool]
        for side, pick, none in (("below", np.maximum, -np.inf), ("above", np.minimum, np.inf)):
            price = getattr(nearest, side)
            rows = np.flatnonzero(own & ~np.isnan(price))
            best = np.full(made.accounts, none)
            pick.at(best, made.owner[nearest.pool[rows]], price[rows])
            found[f"liquidation.{name}.{side}"] = (best, np.isinf(best))
    return found


def table_of(names: Any, columns: Sequence[Columns], counts: Mapping[str, IntArray]) -> Any:
    """Put the columns of a part's books together, under their accounts' names."""
    pa = arrow()
    made: dict[str, Any] = {"account": names}
    for name in columns[0]:
        parts = [each[name] for each in columns]
        if isinstance(parts[0], tuple):
            values, none = (np.concatenate(column) for column in zip(*parts, strict=True))
            made[name] = pa.array(values, mask=none)
        else:
            made[name] = pa.array(np.concatenate(parts))
    status = made["status"].cast(pa.int8())
    made["status"] = pa.DictionaryArray.from_arrays(status, pa.array(STATUSES))
    return pa.table({**made, **{name: pa.array(count) for name, count in counts.items()}})
