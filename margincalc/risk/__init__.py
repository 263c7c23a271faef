"""What a book is worth, now and in every scenario, and its Greeks.

Order: known (values kept for all the books that share them), values, then aging (time passes) and
marks (what quoted prices say of options).
"""

from margincalc.risk.values import (
    UNCHANGED,
    Greeks,
    Vanillas,
    carry,
    equity,
    greeks,
    least_pnl,
    least_pnl_beside,
    now,
    revalued,
    risk_array,
    row_spot,
    scenario_pnl,
    vanillas,
)

__all__ = [
    "UNCHANGED",
    "Greeks",
    "Vanillas",
    "carry",
    "equity",
    "greeks",
    "least_pnl",
    "least_pnl_beside",
    "now",
    "revalued",
    "risk_array",
    "row_spot",
    "scenario_pnl",
    "vanillas",
]
