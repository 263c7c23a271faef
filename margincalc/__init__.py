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
    from margincalc.api.account import (
        check,
        compare,
        explain,
        explain_change,
        greeks,
        hedge,
        liquidation,
        margin,
        passage,
        report,
        scenarios,
    )
    from margincalc.api.models import diff_models, models, show_model, verify_models
    from margincalc.api.reading import chain, convert, load, schema
    from margincalc.api.studies import (
        cascade,
        collateral,
        dynamic,
        dynamic_model,
        monitor,
        oracle,
        report_population,
        simulate_liquidation,
        transfer,
        waterfall,
    )
    from margincalc.api.venue import batch, partition, watch
    from margincalc.assembly.what_if import what_if
    from margincalc.errors import InputError, MargincalcError
    from margincalc.hedge.aims import Aim, Costs, Limits
    from margincalc.portfolio import Portfolio

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
    "report_population",
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
    "margincalc.answers.passing": ("Odds",),
    "margincalc.api.account": (
        *("check", "compare", "explain", "explain_change", "greeks", "hedge"),
        *("liquidation", "margin", "passage", "report", "scenarios"),
    ),
    "margincalc.api.models": ("diff_models", "models", "show_model", "verify_models"),
    "margincalc.api.reading": ("chain", "convert", "load", "schema"),
    "margincalc.api.studies": (
        *("cascade", "collateral", "dynamic", "dynamic_model", "monitor", "oracle"),
        *("report_population", "simulate_liquidation", "transfer", "waterfall"),
    ),
    "margincalc.api.venue": ("batch", "partition", "watch"),
    "margincalc.assembly.what_if": ("what_if",),
    "margincalc.errors": ("InputError", "MargincalcError"),
    "margincalc.hedge.aims": ("Aim", "Costs", "Limits"),
    "margincalc.portfolio": ("Portfolio",),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'margincalc' has no attribute {name!r}")
    home = next(module for module, names in _HOME.items() if name in names)
    return getattr(import_module(home), name)


class _Package(ModuleType):
    """Keeps `margincalc.margin` the function when the room of that name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
