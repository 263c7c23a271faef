"""Printed liquidation prices of perpetuals."""

from collections.abc import Mapping
from typing import Any

import margincalc as mc

Case = Mapping[str, Any]
OTHER_PRICE = 1000.0  # of the perpetual that stands for an account's other positions


def cross_against_isolated(case: Case) -> dict[str, Any]:
    """A perpetual alone, and beside others whose maintenance margin it has to leave room for."""
    inputs = case["inputs"]
    rate, mark = float(inputs["maintenance_rate"]), float(inputs["mark"])
    size = float(inputs["qty"]) * (1.0 if inputs["side"] == "long" else -1.0)
    others = float(inputs["other_positions_maintenance"]) / (rate * OTHER_PRICE)
    equity = float(inputs["equity"])
    portfolio = mc.Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {"BTC": {"spot": mark}, "ETH": {"spot": OTHER_PRICE}},
            "positions": [
                {"instrument": "BTC-PERPETUAL", "quantity": size, "isolated_margin": equity},
                {"instrument": "ETH-PERPETUAL", "quantity": others},
            ],
            "collateral": [{"asset": "USD", "quantity": equity}],
        }
    )
    settings = (f"delta_one.maintenance={rate!r}", "delta_one.initial=0.05")
    side = "below" if size > 0.0 else "above"
    cross = mc.margin(portfolio, mode="cross", settings=settings)
    isolated = mc.margin(portfolio, mode="isolated", settings=settings)
    alone = next(pool for pool in isolated.pools if pool.pool == "BTC-PERPETUAL")
    return {
        "cross_true": getattr(cross.liquidation["BTC"], side),
        "isolated_estimate": getattr(alone.liquidation["BTC"], side),
    }


UNREAD = {
    "liq_cross_vs_isolated_torchtrade.inputs.leverage": "the equity that it leaves is stated",
}

ADAPTERS = {"liq_cross_vs_isolated_torchtrade": cross_against_isolated}
