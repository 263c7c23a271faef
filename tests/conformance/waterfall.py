"""Auto-deleveraging: printed rankings, and the aggregated figures of a day that is documented."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from margincalc.simulation.rankings import Holders, binance, quintiles, ranked
from margincalc.simulation.shares import in_turn, in_units

Case = Mapping[str, Any]
Computed = dict[str, Any]
CENT = 0.01


def adl_ranking(case: Case) -> Computed:
    """Quintiles and closing order by score, Binance's scores, and policies over profits."""
    return {**_bitmex(case["bitmex"]), **_binance(case["binance"]), **_policies(case)}


def _bitmex(given: Case) -> Computed:
    rows = given["table"]
    score, quantity = (np.array([row[key] for row in rows], float) for key in ("score", "qty"))
    fifth = quintiles(score, quantity)
    order = ranked(score)
    closed = in_turn(float(given["liquidated_size"]), quantity[order])
    found = {
        f"bitmex.table.{number}.quintile_pct": 100.0 * share for number, share in enumerate(fifth)
    }
    for row, size in zip(order, closed, strict=True):
        if size:
            found[f"bitmex.expected_close.{rows[row]['acct']:g}"] = size
    return found


def _binance(given: Case) -> Computed:
    columns = {
        key: np.array([case[key] for case in given["cases"]], float) for key in ("WB", "uPnL", "MM")
    }
    nothing = np.zeros(len(columns["WB"]))
    holders = Holders(nothing, nothing, nothing, columns["WB"], columns["uPnL"], columns["MM"])
    return {
        f"binance.cases.{number}.expected_score": score
        for number, score in enumerate(binance(holders))
    }


def _policies(case: Case) -> Computed:
    given = case["policy_demo"]
    profit = np.array(given["pnl"], float)
    holders = _leveraged(profit, np.array(given["leverage"], float))
    from margincalc.simulation.rankings import by_profit, by_risk

    order = ranked(by_risk(holders))
    queue = np.zeros(len(profit))
    queue[order] = in_turn(float(given["budget"]), profit[order])
    limit = np.rint(profit / CENT).astype(np.int64)
    even = in_units(round(given["budget"] / CENT), by_profit(holders), limit) * CENT
    return {
        **{f"policy_demo.queue.{number}": taken for number, taken in enumerate(queue)},
        **{f"policy_demo.pro_rata.{number}": taken for number, taken in enumerate(even)},
    }


def _leveraged(profit: Any, leverage: Any) -> Holders:
    """Return accounts of an equity of 1,000 with these profits and leverages."""
    equity = np.full(len(profit), 1000.0)
    one = np.ones(len(profit))
    return Holders(leverage * equity, one, one, equity - profit, profit, one)


def october_2025(case: Case) -> Computed:
    """The least haircut that pays the day's deficit out of all profits, and its other ratios."""
    taken, told = case["recomputed_here"], case["reported"]
    deficit = round(-told["negative_equity_total"] / CENT)
    profits = np.array([round(taken["positive_pnl"] / CENT)], np.int64)
    share = in_units(deficit, profits.astype(float), profits)
    liquidated = float(told["liquidation_notional"])
    return {
        "derived.pro_rata_pnl_haircut": float(share[0] / profits[0]),
        "derived.adl_over_liq_notional": taken["adl_notional"] / liquidated,
        "derived.deficit_over_liq_notional_bp": 1e4 * float(share[0]) * CENT / liquidated,
    }


ADAPTERS = {"adl_ranking": adl_ranking, "oct10_2025_hyperliquid": october_2025}
