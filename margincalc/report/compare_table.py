"""Modes side by side: what each requires, where it liquidates, and what goes first."""

from collections.abc import Callable, Iterator, Sequence

from margincalc.answers.view_results import CompareReport, Comparison, FirstToGo
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, folded, name, table, wrapped
from margincalc.report.parts import identity

_NAMES = 3  # of what would be liquidated first, per mode
_GOES_FIRST = (
    Column("Goes first", left=True),
    Column("", left=True),
    Column("at a move of"),
    Column("frees"),
)
_ABREAST = 4  # more columns are shown as a list
_LIST = (
    Column("model", left=True),
    Column("mode", left=True, rank=3),
    Column("equity", rank=2),
    Column("initial"),
    Column("maintenance"),
    Column("ratio"),
    Column("status", left=True),
    Column("saves"),
)
_SIDES = ("below", "above")
_Cell = Callable[[Comparison], str]


def compare_blocks(report: CompareReport, width: int) -> list[Block]:
    """Return a few columns side by side and what each would liquidate first; many as a list."""
    few = len(report.columns) <= _ABREAST
    return [
        identity(width, report.account, report.as_of, name(report.currency)),
        _one_model(report, width),
        _side_by_side(report, width) if few else _list(report, width),
        _cheapest(report, width),
        _goes_first(report, width) if few else [],
        _refused(report, width),
    ]


def _of_modes(report: CompareReport) -> bool:
    """Whether the columns are modes, not models."""
    return all(each.name == each.report.mode for each in report.columns)


def _of_one_model(report: CompareReport) -> bool:
    """Whether several modes have one model, which is then said once."""
    models = {(each.report.model.name, each.report.model.effective) for each in report.columns}
    return _of_modes(report) and len(report.columns) > 1 and len(models) == 1


def _one_model(report: CompareReport, width: int) -> Block:
    if not _of_one_model(report):
        return []
    model = report.columns[0].report.model
    return wrapped(f"each under {name(model.name)} {model.effective}", width)


def _side_by_side(report: CompareReport, width: int) -> Block:
    heads = [Column(name(column.name)) for column in report.columns]
    rows = [(title, *(cell(column) for column in report.columns)) for title, cell in _lines(report)]
    return folded((Column("", left=True), *heads), rows, width)


def _list(report: CompareReport, width: int) -> Block:
    """Return a line per column, least initial margin first."""
    prices = [
        (f"{name(underlying)} {side}", _price(underlying, side))
        for underlying in _underlyings(report.columns)
        for side in _SIDES
    ]
    ranked = sorted(report.columns, key=lambda column: column.report.initial_margin)
    rows = [
        (*_list_cells(column, report.currency), *(cell(column) for _, cell in prices))
        for column in ranked
    ]
    return table((*_LIST, *(Column(title, rank=4) for title, _ in prices)), rows, width)


def _list_cells(column: Comparison, currency: str) -> Row:
    return (
        name(column.name),
        name(column.report.mode),
        numbers.amount(column.report.equity, currency),
        numbers.amount(column.report.initial_margin, currency),
        numbers.amount(column.report.maintenance_margin, currency),
        numbers.percent(column.report.margin_ratio),
        column.report.status.upper(),
        numbers.percent(column.saving_share),
    )


def _cheapest(report: CompareReport, width: int) -> Block:
    """Return the line that names the least initial margin, where models are compared."""
    if report.cheapest is None or _of_modes(report):
        return []
    base = f"savings are against {name(report.base)}"
    return wrapped(f"Least initial margin: {name(report.cheapest)}; {base}", width)


def _refused(report: CompareReport, width: int) -> Block:
    """Return the models that cannot express the book, each with its reason."""
    if not report.refused:
        return []
    lines = [f"{name(each.model)}: {name(each.reason, 1000)}" for each in report.refused]
    return ["Cannot express this book", *(w for line in lines for w in wrapped(line, width, "  "))]


def _lines(report: CompareReport) -> Iterator[tuple[str, _Cell]]:
    """Return the lines of the comparison: a title, and what stands in each column."""

    def money(field: str) -> _Cell:
        return lambda column: numbers.amount(getattr(column.report, field), report.currency)

    if not _of_one_model(report):
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
        for side in _SIDES:
            yield f"{name(underlying)} {side}", _price(underlying, side)
    yield from _savings(report)


def _underlyings(columns: Sequence[Comparison]) -> list[str]:
    return list(dict.fromkeys(key for column in columns for key in column.report.liquidation))


def _price(underlying: str, side: str) -> _Cell:
    """Return the cell of a liquidation price and its distance."""

    def cell(column: Comparison) -> str:
        line = column.report.liquidation.get(underlying)
        target = line and (line.below if side == "below" else line.above)
        if line is None or target is None:
            return numbers.NONE
        return f"{numbers.level(target, line.spot)}  {numbers.distance(line.spot, target):>8}"

    return cell


def _savings(report: CompareReport) -> Iterator[tuple[str, _Cell]]:
    """Return how much less initial margin a column takes than the base."""
    yield (
        f"saves on {name(report.base)}",
        lambda column: numbers.amount(column.saving, report.currency),
    )
    yield "  as a share", lambda column: numbers.percent(column.saving_share)


def _goes_first(report: CompareReport, width: int) -> Block:
    rows: list[Row] = []
    for column in report.columns:
        chosen = [first for first in column.first if _goes(first, column.report.mode)]
        title = name(column.name)
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
