"""Results written by hand, with numbers that look like an account's but were never computed."""

from margincalc.report import Report
from tests.report.by_hand.accounts import (
    CALENDAR,
    CHECK,
    COIN,
    EMPTY,
    ISOLATED,
    MANY,
    STRANGLE,
    VENUES,
)
from tests.report.by_hand.afterwards import ENGINE, WATERFALL
from tests.report.by_hand.reasons import CHANGE, EXPLAIN, LIQUIDATION, PASSAGE
from tests.report.by_hand.views import (
    COMPARE,
    DIFF,
    GREEKS,
    MODEL,
    MODELS,
    MODELS_COMPARED,
    SCENARIOS,
    VERIFY,
)

__all__ = [
    "CALENDAR",
    "CHANGE",
    "CHECK",
    "COIN",
    "COMPARE",
    "DIFF",
    "EMPTY",
    "ENGINE",
    "EXPLAIN",
    "GREEKS",
    "ISOLATED",
    "LIQUIDATION",
    "MANY",
    "MODEL",
    "MODELS",
    "MODELS_COMPARED",
    "PASSAGE",
    "REPORTS",
    "SCENARIOS",
    "STRANGLE",
    "VENUES",
    "VERIFY",
    "WATERFALL",
]

REPORTS: dict[str, Report] = {
    "liquidation": LIQUIDATION,
    "passage": PASSAGE,
    "explain": EXPLAIN,
    "change": CHANGE,
    "strangle": STRANGLE,
    "calendar": CALENDAR,
    "coin": COIN,
    "isolated": ISOLATED,
    "venues": VENUES,
    "many": MANY,
    "empty": EMPTY,
    "compare": COMPARE,
    "compare_models": MODELS_COMPARED,
    "greeks": GREEKS,
    "scenarios": SCENARIOS,
    "model": MODEL,
    "models": MODELS,
    "verify": VERIFY,
    "check": CHECK,
    "diff": DIFF,
    "engine": ENGINE,
    "waterfall": WATERFALL,
}
