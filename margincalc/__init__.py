"""Portfolio options margin: requirement, liquidation price and Greeks of a portfolio.

    import margincalc as mc
    mc.margin(mc.load("book.yaml")).maintenance_margin

Names are imported when they are first used, so that importing the package costs nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from margincalc._version import __version__

if TYPE_CHECKING:
    from margincalc.answers.passing import Odds
    from margincalc.api import (
        batch,
        chain,
        check,
        compare,
        convert,
        diff_models,
        explain,
        explain_change,
        greeks,
        hedge,
        liquidation,
        load,
        margin,
        models,
        partition,
        passage,
        report,
        scenarios,
        schema,
        show_model,
        simulate_liquidation,
        verify_models,
        watch,
        waterfall,
    )
    from margincalc.errors import InputError, MargincalcError
    from margincalc.hedge.aims import Aim, Costs, Limits
    from margincalc.portfolio import Portfolio
    from margincalc.systemic import (
        cascade,
        collateral,
        dynamic,
        dynamic_model,
        monitor,
        oracle,
        transfer,
    )
    from margincalc.what_if import what_if

__all__ = [
    "Aim",
    "Costs",
    "InputError",
    "Limits",
    "MargincalcError",
    "Odds",
    "Portfolio",
    "__version__",
    "batch",
    "cascade",
    "chain",
    "check",
    "collateral",
    "compare",
    "convert",
    "diff_models",
    "dynamic",
    "dynamic_model",
    "explain",
    "explain_change",
    "greeks",
    "hedge",
    "liquidation",
    "load",
    "margin",
    "models",
    "monitor",
    "oracle",
    "partition",
    "passage",
    "report",
    "scenarios",
    "schema",
    "show_model",
    "simulate_liquidation",
    "transfer",
    "verify_models",
    "watch",
    "waterfall",
    "what_if",
]

_HOME = {
    "Aim": "margincalc.hedge.aims",
    "Costs": "margincalc.hedge.aims",
    "Limits": "margincalc.hedge.aims",
    "InputError": "margincalc.errors",
    "MargincalcError": "margincalc.errors",
    "Odds": "margincalc.answers.passing",
    "Portfolio": "margincalc.portfolio",
    "what_if": "margincalc.what_if",
    **dict.fromkeys(
        ("cascade", "collateral", "dynamic", "dynamic_model", "monitor", "oracle", "transfer"),
        "margincalc.systemic",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'margincalc' has no attribute {name!r}")
    return getattr(import_module(_HOME.get(name, "margincalc.api")), name)


class _Package(ModuleType):
    """Keeps `margincalc.margin` the function when the room of that name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
