"""Where a requirement comes from: positions, then the worst scenario by Greek."""

from collections.abc import Sequence

from margincalc.answers.explain_results import (
    ChangeLine,
    ChangeReport,
    ExplainLine,
    ExplainReport,
    GreekTerms,
)
from margincalc.report import numbers, parts
from margincalc.report.layout import Block, Column, Row, name, packed, table, wrapped

_POSITIONS = (
    Column("position", left=True),
    Column("quantity", rank=2),
    Column("share"),
    Column("", rank=1),
    Column("+/-", rank=6),
    Column("Shapley", rank=3),
    Column("+/-", rank=4),
    Column("without", rank=5),
    Column("alone", rank=2),
)
_GREEKS = (
    Column("worst case", left=True),
    Column("P&L"),
    Column("delta", rank=2),
    Column("gamma", rank=3),
    Column("vega", rank=4),
    Column("theta", rank=7),
    Column("vanna", rank=5),
    Column("volga", rank=6),
    Column("residual", rank=1),
)
_CHANGES = (
    Column("what changed", left=True),
    Column("maintenance"),
    Column("initial", rank=2),
    Column("equity", rank=1),
    Column("excess"),
)


def explain_blocks(report: ExplainReport, width: int) -> list[Block]:
    """Return the requirement against the sum of its parts, then its parts."""
    shown = parts.largest(report.positions, lambda line: abs(line.share))
    rest = parts.unshown(len(report.positions), "positions", width)
    drawn = table(*_without_errors(_position_rows(report, shown)), width)
    return [
        parts.heading(report, width),
        _figures(report, width),
        [*drawn, *rest],
        _greek_table(report, shown, width),
        wrapped(_legend(report, drawn[0]), width),
    ]


def _figures(report: ExplainReport, width: int) -> Block:
    def money(value: float) -> str:
        return numbers.amount(value, report.currency)

    share = numbers.percent(report.hedge_benefit / report.standalone) if report.standalone else ""
    hedged = f"hedged {money(report.hedge_benefit)}"
    items = [f"alone {money(report.standalone)}", f"{hedged} ({share})" if share else hedged]
    return packed(items, width, f"Maintenance margin  {money(report.maintenance_margin)}    ")


def _position_rows(report: ExplainReport, lines: Sequence[ExplainLine]) -> list[Row]:
    several = len(report.pools) > 1
    return [_position(report, line, several) for line in lines]


def _without_errors(rows: Sequence[Row]) -> tuple[Sequence[Column], Sequence[Row]]:
    """Return columns and rows without the errors of what was summed in full."""
    kept = [
        index
        for index, column in enumerate(_POSITIONS)
        if column.heading != "+/-" or any(row[index] for row in rows)
    ]
    return [_POSITIONS[index] for index in kept], [[row[i] for i in kept] for row in rows]


def _position(report: ExplainReport, line: ExplainLine, several: bool) -> Row:
    def money(value: float, *, sign: bool = False) -> str:
        return numbers.amount(value, report.currency, sign=sign)

    whole = report.maintenance_margin
    half = 0.5 * (line.share_high - line.share_low)
    return (
        _title(line, several),
        numbers.quantity(line.quantity),
        money(line.share),
        numbers.percent(line.share / whole) if whole else numbers.BLANK,
        money(half) if half else "",
        money(line.shapley),
        money(line.shapley_error) if line.shapley_error else "",
        money(line.leave_one_out),
        money(line.standalone),
    )


def _title(line: ExplainLine, several: bool) -> str:
    return f"{name(line.instrument)}{f' ({name(line.pool, 24)})' if several else ''}"


def _greek_table(report: ExplainReport, lines: Sequence[ExplainLine], width: int) -> Block:
    """Return the worst case by Greek, position by position and together."""
    if report.terms is None or report.worst_pnl is None:
        return []
    several = len(report.pools) > 1
    rows = [
        _greeks(report.currency, _title(line, several), line.worst_pnl, line.terms)
        for line in lines
        if line.terms is not None and line.worst_pnl is not None
    ]
    total = _greeks(report.currency, "together", report.worst_pnl, report.terms)
    one = report.pools[0].worst_scenario if len(report.pools) == 1 else None
    head = wrapped(f"Worst case  {name(one.label, 400)}", width) if one else []
    drawn = table(_GREEKS, [*rows, total], width)
    whole = all(column[0] in drawn[0] for column in _GREEKS)
    more = [] if whole else wrapped("Terms left out for want of width are in the sum too.", width)
    return [*head, *drawn, *more]


def _greeks(currency: str, title: str, pnl: float | None, terms: GreekTerms | None) -> Row:
    values = [pnl, *(terms or ())]
    return (title, *(numbers.amount(value, currency, sign=True) for value in values))


def _legend(report: ExplainReport, headings: str) -> str:
    """Say what the columns are that found room."""
    methods = sorted({pool.method for pool in report.pools})
    rules = {"euler": "Euler", "aumann-shapley": "Aumann-Shapley"}
    named = " and ".join(rules[method] for method in methods) or "Euler"
    meanings = {
        "share": f"what it needs in the whole ({named}), sums",
        "Shapley": "averaged over all orders, sums",
        "without": "what the requirement falls by without it",
        "alone": "what it needs alone",
    }
    return "; ".join(f"{key}: {said}" for key, said in meanings.items() if key in headings)


def change_blocks(report: ChangeReport, width: int) -> list[Block]:
    """Return what each change did, in their order, between the two files."""
    first = _change_row(report.currency, f"OLD {numbers.moment(report.old_as_of)}", report.old)
    last = _change_row(report.currency, f"NEW {numbers.moment(report.as_of)}", report.new)
    shown = parts.largest(report.lines, lambda line: abs(line.maintenance_margin))
    rows = [_change(report.currency, line) for line in shown]
    return [
        parts.heading(report, width),
        [
            *table(_CHANGES, [first, *rows, last], width),
            *parts.unshown(len(report.lines), "changes", width),
        ],
    ]


def _change_row(currency: str, title: str, figures: object) -> Row:
    values = dict(figures) if isinstance(figures, dict) else {}
    keys = ("maintenance_margin", "initial_margin", "equity", "excess")
    return (title, *(numbers.amount(values[key], currency) for key in keys))


def _change(currency: str, line: ChangeLine) -> Row:
    values = (line.maintenance_margin, line.initial_margin, line.equity, line.excess)
    title = f"  {line.kind} {name(line.name)}".rstrip()
    return (title, *(numbers.amount(value, currency, sign=True) for value in values))
