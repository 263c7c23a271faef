"""Which table belongs to which result."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from margincalc.answers import (
    batch_results,
    explain_results,
    hedge_results,
    liquidation_results,
    model_results,
    passage_results,
    results,
)
from margincalc.answers.chain_results import ChainReport
from margincalc.answers.engine_results import EngineReport
from margincalc.answers.study import Study
from margincalc.answers.waterfall_results import WaterfallReport
from margincalc.report.batch_table import batch_blocks
from margincalc.report.chain_table import chain_blocks
from margincalc.report.check_line import check_blocks
from margincalc.report.compare_table import compare_blocks
from margincalc.report.engine_table import engine_blocks
from margincalc.report.explain_table import change_blocks, explain_blocks
from margincalc.report.greeks_table import greeks_blocks
from margincalc.report.hedge_table import hedge_blocks
from margincalc.report.layout import Block, sections
from margincalc.report.liquidation_table import liquidation_blocks
from margincalc.report.margin_table import margin_blocks
from margincalc.report.models_table import diff_blocks, model_blocks, models_blocks
from margincalc.report.passage_table import passage_blocks
from margincalc.report.scenarios_table import scenarios_blocks
from margincalc.report.screen import Screen
from margincalc.report.study_table import study_blocks
from margincalc.report.verify_table import verify_blocks
from margincalc.report.waterfall_table import waterfall_blocks

if TYPE_CHECKING:
    from margincalc.report import Report

_BLOCKS: dict[type, Callable[[Any, int], list[Block]]] = {
    hedge_results.HedgeReport: hedge_blocks,
    liquidation_results.LiquidationReport: liquidation_blocks,
    results.MarginReport: margin_blocks,
    results.CheckReport: check_blocks,
    results.CompareReport: compare_blocks,
    explain_results.ExplainReport: explain_blocks,
    explain_results.ChangeReport: change_blocks,
    passage_results.PassageReport: passage_blocks,
    results.GreeksReport: greeks_blocks,
    results.ScenariosReport: scenarios_blocks,
    model_results.ModelReport: model_blocks,
    model_results.ModelsReport: models_blocks,
    model_results.VerifyReport: verify_blocks,
    model_results.DiffReport: diff_blocks,
    EngineReport: engine_blocks,
    WaterfallReport: waterfall_blocks,
    batch_results.BatchReport: batch_blocks,
    ChainReport: chain_blocks,
    Study: study_blocks,
}


def table_text(report: "Report", screen: Screen) -> str:
    """Return a result as a table to read."""
    return screen.painted(sections(_BLOCKS[type(report)](report, screen.columns)))
