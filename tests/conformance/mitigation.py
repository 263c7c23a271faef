"""The mitigation optimiser's checks: one strangle, its cures by several rules."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import margincalc as mc
from margincalc.answers.hedge_results import HedgeReport, HedgeTrade

Case = Mapping[str, Any]

MODEL = """
name = "twenty-seven"
title = "Nine moves of spot, three of volatility, and a contingency"
family = "scan"
mode = "portfolio"
effective = 2026-01-01
proof = "own"

[[sources]]
what = "the file's own description"
url = "checks/mitigation_lp.json"
read = 2026-11-01

[parameters.grid]
spot = [-0.15, -0.1125, -0.075, -0.0375, 0.0, 0.0375, 0.075, 0.1125, 0.15]
volatility = [-0.3, 0.0, 0.5]

[parameters.volatility]
rule = "relative"

[parameters.charges]
options = 0.01
delta_one = 0.0006
"""
EXPIRY = "20DEC26"  # thirty days on
CALLS = {strike: f"BTC-{EXPIRY}-{strike}-C" for strike in (100000, 110000, 120000, 130000)}
PUTS = {strike: f"BTC-{EXPIRY}-{strike}-P" for strike in (70000, 80000, 90000, 100000)}
CANDIDATES = ("BTC-PERPETUAL", *CALLS.values(), *PUTS.values())
AIM = mc.Aim(target=1.0 / 1.1, between=1)
COSTS = mc.Costs(spread_vol=0.0, spread_premium=0.02, spread_spot=0.0003, deposit=0.002)
LIMITS = mc.Limits(size=20.0)
NO_DEPOSIT = LIMITS._replace(deposit=0.0)


def strangle(case: Case) -> mc.Portfolio:
    """Return the strangle whose equity the file states."""
    market = {"BTC": {"spot": 100000.0, "volatility": 0.6}}
    positions = [
        {"instrument": PUTS[90000], "quantity": -10},
        {"instrument": CALLS[110000], "quantity": -10},
    ]
    written = {"as_of": "2026-11-20T08:00:00Z", "market": market, "positions": positions}
    options = mc.margin(mc.Portfolio.model_validate(written)).option_value
    cash = [{"asset": "USD", "quantity": 120000.0 - options}]
    return mc.Portfolio.model_validate({**written, "collateral": cash})


def mitigation(case: Case) -> dict[str, float]:
    """Run every programme of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "twenty-seven.toml")
        path.write_text(MODEL, "utf-8")
        return _figures(case, strangle(case), str(path))


def _figures(case: Case, book: mc.Portfolio, model: str) -> dict[str, float]:
    def hedge(**changes: Any) -> HedgeReport:
        asked = {"aim": AIM, "costs": COSTS, "limits": NO_DEPOSIT, "candidates": CANDIDATES}
        return mc.hedge(book, model=model, **(asked | changes))

    cheapest, pure = hedge(limits=LIMITS), hedge()
    perpetual = ("BTC-PERPETUAL",)
    fine = hedge(limits=NO_DEPOSIT._replace(lot=0.001), candidates=perpetual).pools[0]
    whole = hedge(limits=NO_DEPOSIT._replace(lot=1.0))
    nodes = case["lp_robust_nodes"]["nodes"]
    span = (float(nodes[0]) - 1.0, float(nodes[-1]) - 1.0)
    robust = hedge(aim=AIM._replace(spot=span, nodes=len(nodes)))
    alone = cheapest.pools[0].deposit_alone
    assert alone is not None
    assert fine.missing is not None
    assert pure.after is not None
    return {
        "MM0": cheapest.before.maintenance_margin,
        "deposit_only": alone.deposit,
        "perp_only.best_surplus": -fine.missing,
        "perp_only.at": _of(fine.nearest, perpetual[0]),
        "lp_deposit_kappa_0_2pct.objective": cheapest.total_cost,
        "lp_deposit_kappa_0_2pct.deposit": cheapest.deposit,
        "lp_deposit_kappa_0_2pct.perp": _of(cheapest.trades, perpetual[0]),
        "lp_no_deposit.objective": pure.total_cost,
        "lp_no_deposit.perp": _of(pure.trades, perpetual[0]),
        "lp_no_deposit.call120": _of(pure.trades, CALLS[120000]),
        "lp_no_deposit.E_over_MM": pure.after.equity / pure.after.maintenance_margin,
        "milp_no_deposit.objective": whole.total_cost,
        "lp_robust_nodes.objective": robust.total_cost,
        "lp_robust_nodes.call120": _of(robust.trades, CALLS[120000]),
        "lp_robust_nodes.put90": _of(robust.trades, PUTS[90000]),
    }


def _of(trades: tuple[HedgeTrade, ...], instrument: str) -> float:
    return sum(trade.quantity for trade in trades if trade.instrument == instrument)


ADAPTERS = {"mitigation_lp": mitigation}
