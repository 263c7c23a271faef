"""What a book is worth, now and in every scenario, and its Greeks.

Order: known (values kept for all the books that share them), latest (those of a market that moves a
little at a time) and states (a market as columns, moved), values, sensitivities and pnl (sums over
what accounts hold), then aging (time passes) and marks (what quoted prices say of options).
"""

from margincalc.risk.pnl import (
    least_pnl,
    least_pnl_beside,
    risk_array,
    scenario_pnl,
    weighted_risk,
)
from margincalc.risk.sensitivities import Greeks, greeks
from margincalc.risk.states import carry, row_spot
from margincalc.risk.values import UNCHANGED, Vanillas, equity, now, revalued, vanillas

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
    "weighted_risk",
]
