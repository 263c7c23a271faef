"""Modes side by side: what each requires, where it liquidates, and what goes first."""

from collections.abc import Callable, Iterator, Sequence

from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, folded, name, table
from margincalc.report.parts import identity
from margincalc.results import CompareReport, Comparison, FirstToGo, Liquidation

_NAMES = 3  # of what would be liquidated first, per mode
_GOES_FIRST = (
    Column("Goes first", left=True),
    Column("", left=True),
    Column("at a move of"),
    Column("frees"),
)
_Cell = Callable[[Comparison], str]


def compare_blocks(report: CompareReport, width: int) -> list[Block]:
    """Return the comparison with a column per mode, and what each would liquidate first."""
    heads = [Column(column.report.mode) for column in report.columns]
    rows = [(title, *(cell(column) for column in report.columns)) for title, cell in _lines(report)]
    return [
        identity(width, report.account, report.as_of, name(report.currency)),
        folded((Column("", left=True), *heads), rows, width),
        _goes_first(report, width),
    ]


def _lines(report: CompareReport) -> Iterator[tuple[str, _Cell]]:
    """Return the lines of the comparison: a title, and what stands in each column."""

    def money(field: str) -> _Cell:
        return lambda column: numbers.amount(getattr(column.report, field), report.currency)

    yield "model", lambda column: name(column.report.model.name)
    yield "effective", lambda column: column.report.model.effective
    yield "equity", money("equity")
    yield "initial margin", money("initial_margin")
    yield "maintenance margin", money("maintenance_margin")
    yield "available funds", money("available_funds")
    yield "excess", money("excess")
    yield "margin ratio", lambda column: numbers.percent(column.report.margin_ratio)
    yield "status", lambda column: column.report.status.upper()
    for underlying in _underlyings(report.columns):
        yield f"{name(underlying)} below", _price(underlying, lambda line: line.below)
        yield f"{name(underlying)} above", _price(underlying, lambda line: line.above)
    yield from _savings(report)


def _underlyings(columns: Sequence[Comparison]) -> list[str]:
    return list(dict.fromkeys(key for column in columns for key in column.report.liquidation))


def _price(underlying: str, side: Callable[[Liquidation], float | None]) -> _Cell:
    def cell(column: Comparison) -> str:
        line = column.report.liquidation.get(underlying)
        if line is None or side(line) is None:
            return numbers.NONE
        target = side(line)
        return f"{numbers.level(target, line.spot)}  {numbers.distance(line.spot, target):>8}"

    return cell


def _savings(report: CompareReport) -> Iterator[tuple[str, _Cell]]:
    """Return how much less initial margin a mode takes than the isolated one, or the first."""
    modes = [column.report.mode for column in report.columns]
    base = "isolated" if "isolated" in modes else modes[0]
    yield f"saves on {base}", lambda column: numbers.amount(column.saving, report.currency)
    yield "  as a share", lambda column: numbers.percent(column.saving_share)


def _goes_first(report: CompareReport, width: int) -> Block:
    rows: list[Row] = []
    for column in report.columns:
        title = column.report.mode
        chosen = [first for first in column.first if _goes(first, title)]
        for first in chosen[:_NAMES]:
            rows.append((title, *_first_cells(first, report.currency)))
            title = ""
    return table(_GOES_FIRST, rows, width) if rows else []


def _goes(first: FirstToGo, mode: str) -> bool:
    """Whether some move liquidates an isolated pool, or closing a position frees anything."""
    return first.distance is not None if mode == "isolated" else first.relief > 0.0


def _first_cells(first: FirstToGo, currency: str) -> Row:
    far = numbers.BLANK if first.distance is None else numbers.percent(first.distance)
    return (
        name(first.name),
        "now" if first.distance == 0.0 else far,
        numbers.amount(first.relief, currency),
    )
