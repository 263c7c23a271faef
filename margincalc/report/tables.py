"""Which table belongs to which result; a table's module is imported when it is drawn."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from margincalc.report.layout import Block, sections
from margincalc.report.screen import Screen

if TYPE_CHECKING:
    from margincalc.report import Report

_BLOCKS = {
    "BatchReport": "batch_table.batch_blocks",
    "ChainReport": "chain_table.chain_blocks",
    "ChangeReport": "explain_table.change_blocks",
    "CheckReport": "check_line.check_blocks",
    "CompareReport": "compare_table.compare_blocks",
    "DiffReport": "models_table.diff_blocks",
    "EngineReport": "engine_table.engine_blocks",
    "ExplainReport": "explain_table.explain_blocks",
    "GreeksReport": "greeks_table.greeks_blocks",
    "HedgeReport": "hedge_table.hedge_blocks",
    "LiquidationReport": "liquidation_table.liquidation_blocks",
    "MarginReport": "margin_table.margin_blocks",
    "ModelReport": "models_table.model_blocks",
    "ModelsReport": "models_table.models_blocks",
    "PassageReport": "passage_table.passage_blocks",
    "ScenariosReport": "scenarios_table.scenarios_blocks",
    "Study": "study_table.study_blocks",
    "VerifyReport": "verify_table.verify_blocks",
    "WaterfallReport": "waterfall_table.waterfall_blocks",
}
"""Module and function by the name of the result."""


def table_text(report: "Report", screen: Screen) -> str:
    """Return a result as a table to read."""
    module, function = _BLOCKS[type(report).__name__].split(".")
    blocks: Callable[[object, int], list[Block]]
    blocks = getattr(import_module(f"margincalc.report.{module}"), function)
    return screen.painted(sections(blocks(report, screen.columns)))
