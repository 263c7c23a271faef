"""From arrays to an account's report: one pool's figures, and several pools together."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.lines import position_lines
from margincalc.answers.results import (
    CheckReport,
    Liquidation,
    MarginReport,
    PoolMargin,
    Sensitivity,
    StatedFigure,
    StatedFigures,
    WorstScenario,
)
from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import Kind
from margincalc.margin.base import STATUSES, status_of
from margincalc.portfolio import Stated
from margincalc.times import zulu

COLLATERAL_LINE = "collateral"  # where the Greeks of deposits and unpaid profits are shown


def margin_report(account: Account) -> MarginReport:
    """Draw the report of an account."""
    book = account.book
    pools = tuple(
        PoolMargin(
            pool=key.title,
            venue=key.venue or None,
            model=account.model_info(key.venue),
            **_figures(account, number),
        )
        for number, key in enumerate(book.names.keys)
    )
    together = _figures(account, 0) if len(pools) == 1 else _together(account, pools)
    return MarginReport(
        *account.heading,
        trapped_equity=_trapped(pools),
        greeks_by_expiry=_greeks_by_expiry(account),
        positions=tuple(position_lines(account)),
        pools=pools,
        notes=account.notes,
        stated=_stated(account.portfolio.stated, together),
        **together,
    )


def _stated(stated: Stated | None, figures: Mapping[str, Any]) -> StatedFigures | None:
    """Set what a venue states beside the same figures of ours."""
    if stated is None:
        return None

    def beside(name: str) -> StatedFigure | None:
        amount = getattr(stated, name)
        ours = figures[name]
        return None if amount is None else StatedFigure(amount, ours, ours - amount)

    names = StatedFigures._fields[1:]
    return StatedFigures(stated.source, *(beside(name) for name in names))


def _trapped(pools: tuple[PoolMargin, ...]) -> float:
    """Sum the available funds of venues, where another venue is short of its initial margin."""
    available: dict[str, float] = {}
    for pool in pools:
        place = pool.venue or ""
        available[place] = available.get(place, 0.0) + pool.available_funds
    short = any(amount < 0.0 for amount in available.values())
    return sum(amount for amount in available.values() if amount > 0.0) if short else 0.0


def check_report(account: Account, above: float | None) -> CheckReport:
    """Say whether an account is under maintenance, or a pool's margin ratio is above `above`."""
    report = margin_report(account)
    ratios = [pool.margin_ratio for pool in report.pools if pool.margin_ratio is not None]
    over = above is not None and any(ratio > above for ratio in ratios)
    return CheckReport(
        *account.heading,
        status=report.status,
        margin_ratio=report.margin_ratio,
        excess=report.excess,
        above=above,
        failed=over or report.status == "liquidatable",
        notes=report.notes,
    )


def _figures(account: Account, pool: int) -> dict[str, Any]:
    """Return the fields of `Figures` for one pool."""
    result, book = account.result, account.book
    raw = float(result.equity[pool])
    rows = _rows(account, np.array([pool]))
    equity = max(raw, 0.0) if book.limited[pool] else raw
    components = {name: float(amount[pool]) for name, amount in result.components.items()}
    initial = {name: float(amount[pool]) for name, amount in result.initial_components.items()}
    kinds = {
        "collateral_value": (Kind.COLLATERAL,),
        "option_value": (Kind.OPTION,),
        "spot_value": (Kind.SPOT,),
        # Contracts are worth something of themselves only in a market that moved since.
        "unrealised": (Kind.SETTLEMENT, Kind.FUTURE, Kind.PERPETUAL),
    }
    kind = book.kind[rows]
    values = {
        name: float(np.sum(account.values[rows][np.isin(kind, of)])) for name, of in kinds.items()
    }
    margins = _margins(equity, float(result.initial[pool]), float(result.maintenance[pool]))
    return {
        "equity": equity,
        **values,
        "shortfall": equity - raw,
        **margins,
        "components": components,
        "initial_components": initial,
        "worst_scenario": _worst(account, pool, equity),
        "liquidation": _liquidation(
            account, np.array([pool]), recovery=margins["status"] == STATUSES[-1]
        ),
        "greeks": _greeks(account, rows),
        "details": {name: float(amount[pool]) for name, amount in result.details.items()},
    }


def _margins(equity: float, initial: float, maintenance: float) -> dict[str, Any]:
    return {
        "initial_margin": initial,
        "maintenance_margin": maintenance,
        "margin_ratio": maintenance / equity if equity > 0.0 else None,
        "available_funds": equity - initial,
        "excess": equity - maintenance,
        "status": status_of(equity, initial, maintenance),
    }


def _together(account: Account, pools: tuple[PoolMargin, ...]) -> dict[str, Any]:
    """Sum pools; the worst of their states is the account's."""
    summed = (
        "equity",
        "collateral_value",
        "option_value",
        "spot_value",
        "unrealised",
        "shortfall",
        "initial_margin",
        "maintenance_margin",
        "available_funds",
        "excess",
    )
    ratios = [pool.margin_ratio for pool in pools]
    known = [ratio for ratio in ratios if ratio is not None]
    everything = np.arange(len(pools))
    standing = everything[[pool.status != STATUSES[-1] for pool in pools]]
    return {
        **{name: sum(getattr(pool, name) for pool in pools) for name in summed},
        "margin_ratio": max(known) if known and len(known) == len(ratios) else None,
        "status": max((pool.status for pool in pools), key=STATUSES.index, default=STATUSES[0]),
        "components": _summed(pool.components for pool in pools),
        "initial_components": _summed(pool.initial_components for pool in pools),
        "worst_scenario": _common([pool.worst_scenario for pool in pools]),
        # What is liquidated already can only recover: its prices are not the next to fear.
        "liquidation": _liquidation(
            account, standing if len(standing) else everything, recovery=not len(standing)
        ),
        "greeks": _greeks(account, _rows(account, everything)),
        "details": _summed(pool.details for pool in pools),
    }


def _rows(account: Account, pools: IntArray) -> IntArray:
    """Return the position rows of pools."""
    return np.flatnonzero(_chosen(pools, account.book.pools)[account.book.pool])


def _chosen(pools: IntArray, count: int) -> BoolArray:
    chosen = np.zeros(count, bool)
    chosen[pools] = True
    return chosen


def _expiry(account: Account, row: int) -> str:
    """Name the expiry of a position row; what has none is named by its kind."""
    contract = account.contracts.get(account.instrument(row))
    if contract is None or account.book.kind[row] == Kind.SETTLEMENT:
        return COLLATERAL_LINE
    return zulu(contract.expiry) if contract.expiry else contract.kind


def _summed(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    whole: dict[str, float] = {}
    for part in parts:
        for name, amount in part.items():
            whole[name] = whole.get(name, 0.0) + amount
    return whole


def _worst(account: Account, pool: int, equity: float) -> WorstScenario | None:
    """Return a pool's worst scenario; an isolated pool loses no more than it has."""
    worst, names = account.result.worst, account.book.names
    if worst is None:
        return None
    found = []
    for group in np.flatnonzero(worst.pool == pool):
        grid = account.model.grids[worst.grid[group]]
        index = int(worst.scenario[group])
        label = f"{names.underlyings[worst.underlying[group]]} {grid.label(index)}"
        spot, volatility = float(grid.spot[index]), float(grid.volatility[index])
        found.append(WorstScenario(index, label, spot, volatility, float(worst.pnl[group])))
    common = _common(found)
    if common is None or not account.book.limited[pool]:
        return common
    pnl = max(common.pnl, -equity)
    return WorstScenario(common.index, common.label, common.spot, common.volatility, pnl)


def _common(found: Iterable[WorstScenario | None]) -> WorstScenario | None:
    """Return the sum of worst scenarios, keeping only what they all share."""
    known = [worst for worst in found if worst is not None]
    if not known:
        return None
    pnl = sum(worst.pnl for worst in known)
    labels = list(dict.fromkeys(worst.label for worst in known))
    first = known[0]
    if len({(worst.index, worst.spot, worst.volatility) for worst in known}) == 1:
        return WorstScenario(first.index, "; ".join(labels), first.spot, first.volatility, pnl)
    return WorstScenario(None, "; ".join(labels), None, None, pnl)


def _liquidation(account: Account, pools: IntArray, *, recovery: bool) -> dict[str, Liquidation]:
    """Return the nearest liquidation prices over pools, by underlying.

    Parameters
    ----------
    recovery : all of them are liquidatable
    """
    nearest, book = account.nearest, account.book
    if nearest is None:
        return {}
    prices = {}
    mine = _chosen(pools, book.pools)[nearest.pool]
    for underlying, name in enumerate(book.names.underlyings):
        chosen = mine & (nearest.underlying == underlying)
        if not np.any(chosen):
            continue
        prices[name] = Liquidation(
            float(book.spot[underlying]),
            _nearest_of(nearest.below[chosen], highest=True),
            _nearest_of(nearest.above[chosen], highest=False),
            recovery,
        )
    return prices


def _nearest_of(prices: FloatArray, *, highest: bool) -> float | None:
    known = prices[~np.isnan(prices)]
    if not len(known):
        return None
    return float(np.max(known) if highest else np.min(known))


def _greeks(account: Account, rows: IntArray) -> dict[str, Sensitivity]:
    underlying = account.book.underlying[rows]
    return {
        name: account.sensitivity(rows[underlying == number])
        for number, name in enumerate(account.book.names.underlyings)
        if np.any(underlying == number)
    }


def _greeks_by_expiry(account: Account) -> dict[str, dict[str, Sensitivity]]:
    book = account.book
    found: dict[str, dict[str, list[int]]] = {}
    for row in np.flatnonzero(book.underlying >= 0):
        name = book.names.underlyings[book.underlying[row]]
        found.setdefault(name, {}).setdefault(_expiry(account, int(row)), []).append(int(row))
    return {
        name: {
            expiry: account.sensitivity(np.array(by_expiry[expiry])) for expiry in sorted(by_expiry)
        }
        for name, by_expiry in sorted(found.items())
    }
