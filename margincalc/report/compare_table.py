"""Modes side by side: what each requires, where it liquidates, and what goes first."""

from collections.abc import Callable, Sequence

from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, name, table
from margincalc.report.parts import identity
from margincalc.results import CompareReport, Comparison

_FIRST = 3  # names per column of what would be liquidated first
_GOES_FIRST = (
    Column("Goes first", left=True),
    Column("", left=True),
    Column("at a move of"),
    Column("frees"),
)


def compare_blocks(report: CompareReport, width: int) -> list[Block]:
    """Return the comparison, a column per mode."""
    return [
        identity(width, report.account, report.as_of, name(report.currency)),
        _side_by_side(report, width),
        _goes_first(report, width),
    ]


def _side_by_side(report: CompareReport, width: int) -> Block:
    columns = report.columns
    heads = (Column("", left=True), *(Column(column.report.mode) for column in columns))
    rows = [(title, *(cell(column) for column in columns)) for title, cell in _LINES(report.currency)]
    return table(heads, rows, width)
