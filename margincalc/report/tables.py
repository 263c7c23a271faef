"""Which table belongs to which result."""

from collections.abc import Callable
from typing import Any

from margincalc.report.layout import Block, sections
from margincalc.report.margin_table import margin_blocks
from margincalc.report.screen import Screen
from margincalc.results import MarginReport

_BLOCKS: dict[type, Callable[[Any, int], list[Block]]] = {
    MarginReport: margin_blocks,
}


def table_text(report: object, screen: Screen) -> str:
    """Return a result as a table to read."""
    return screen.painted(sections(_BLOCKS[type(report)](report, screen.columns)))
