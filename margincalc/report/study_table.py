"""A simulation's answer: its facts, then each of its tables, every figure by its unit."""

from collections.abc import Callable
from typing import Any

from margincalc.answers.study import Field, Study, Table, Unit
from margincalc.errors import printable
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, beside, name, packed, table, wrapped
from margincalc.report.parts import SHOWN

_WIDE, _FEW = 100, 4  # columns for two halves of facts, and facts that need none
_SECONDS = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))


def study_blocks(study: Study, width: int) -> list[Block]:
    """Return what was simulated, its facts, and its tables."""
    return [
        packed([name(study.title, width), name(study.currency)], width),
        _facts(study, width),
        *(_table(each, study.currency, width) for each in study.tables if not each.hidden),
        [line for note in study.notes for line in _note(note, width)],
    ]


def _note(text: str, width: int) -> Block:
    """Return a remark, which may quote a name from a file."""
    return wrapped(f"* {printable(text, 1000)}", width, "  ")


def _facts(study: Study, width: int) -> Block:
    """Return the facts one under the other, on a wide screen in two halves."""
    columns = (Column("", left=True), Column("", left=True))
    rows = [(fact.title, cell(fact.value, fact.unit, study.currency)) for fact in study.facts]
    if width < _WIDE or len(rows) <= _FEW:
        return _untitled(table(columns, rows, width))
    half = (len(rows) + 1) // 2
    left, right = (_untitled(table(columns, part, width)) for part in (rows[:half], rows[half:]))
    return beside(left, right)


def _untitled(lines: Block) -> Block:
    """Drop the empty heading of a list."""
    return lines[1:] if lines and not lines[0].strip() else lines


def _table(part: Table, currency: str, width: int) -> Block:
    rows = chosen(part)
    if not rows:
        return []
    columns = [_column(field) for field in part.fields]
    cells: list[Row] = [
        tuple(
            cell(value, field.unit, currency) for value, field in zip(row, part.fields, strict=True)
        )
        for row in rows
    ]
    left_out = len(part.rows) - len(rows)
    rest = wrapped(f"... and {left_out:,} more; --format json has all", width) if left_out else []
    return [*table(columns, cells, width), *rest]


def chosen(part: Table) -> list[tuple[Any, ...]]:
    """Return the rows that a table shows: the first, or evenly chosen ones with both ends."""
    count = len(part.rows)
    if not part.shown:
        return list(part.rows[:SHOWN])
    if count <= part.shown:
        return list(part.rows)
    step = (count - 1) / (part.shown - 1)
    return [part.rows[round(place * step)] for place in range(part.shown)]


def _column(field: Field) -> Column:
    return Column(field.title, left=field.unit in ("text", "status"), rank=field.rank)


def cell(value: Any, unit: Unit, currency: str) -> str:
    """Write one figure by its unit."""
    if value is None:
        return numbers.BLANK
    if unit == "money":
        return numbers.amount(value, currency)
    return _WRITTEN[unit](value)


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _seconds(value: float) -> str:
    """Write a time in the largest unit of which it has one."""
    if value == float("inf"):
        return "no limit"
    for unit, size in _SECONDS:
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value:,.1f} s"


_WRITTEN: dict[Unit, Callable[[Any], str]] = {
    "text": lambda value: name(str(value), 48),
    "count": lambda value: f"{value:,}",
    "price": numbers.price,
    "move": numbers.move,
    "share": lambda value: (
        numbers.percent(value) if abs(value) >= 0.01 or not value else f"{value * 100.0:.3f} %"
    ),
    "number": _number,
    "ratio": lambda value: f"{value + 0.0:,.3f}",
    "factor": lambda value: f"x {value:,.2f}",
    "seconds": _seconds,
    "flag": lambda value: "yes" if value else "no",
    "status": str.upper,
}
