"""The first screen: am I safe, what would kill me, what is it made of."""

from margincalc.answers.results import MarginReport, PositionLine, Sensitivity
from margincalc.report import numbers, parts
from margincalc.report.layout import (
    GAP,
    Block,
    Column,
    Row,
    beside,
    least_width,
    name,
    packed,
    table,
    width_of,
    wrapped,
)
from margincalc.report.pools_table import pools_table
from margincalc.report.screen import WIDEST

_LABEL = 20
_LABELS = 400  # characters of the worst case's name: several underlyings each have theirs
_LINES = 12  # Greeks are broken down by expiry while that takes no more lines
_PARTS = ("collateral_value", "option_value", "spot_value", "unrealised")
_POSITIONS = (
    Column("position", left=True),
    Column("quantity"),
    Column("entry", rank=3),
    Column("mark", rank=1),
    Column("IV", rank=2),
    Column("value", rank=5),
    Column("unrealised", rank=4),
    Column("delta", rank=6),
    Column("gamma", rank=9),
    Column("vega/pt", rank=7),
    Column("theta/day", rank=8),
    Column("P&L"),
)
_STATED = (
    Column("The venue says", left=True),
    Column("stated"),
    Column("here", rank=1),
    Column("difference"),
)
_MADE_OF = (Column("Made of", left=True), Column("maintenance"), Column("initial"))


def margin_blocks(report: MarginReport, width: int) -> list[Block]:
    """Return the report of `margin` in the order in which its questions are asked."""
    several = len(report.pools) > 1
    return [
        parts.heading(report, width),
        _figures(report, width),
        _stated(report, width),
        [
            *parts.liquidation_table(report.liquidation, width),
            *([] if several else parts.recovery(report.status, report.liquidation, width)),
        ],
        pools_table(report.pools, report.currency, width) if several else [],
        _made_of(report) if several and report.mode == "isolated" else _worst_case(report, width),
        parts.greeks_table(_greek_lines(report), width),
        _details(report, width),
    ]


def _figures(report: MarginReport, width: int) -> Block:
    """Return equity, the two margins and the ratio, each with what it is made of or leaves."""

    def money(value: float) -> str:
        return numbers.amount(value, report.currency)

    left = [money(report.available_funds), money(report.excess)]
    rest = width_of(left)
    lines = [
        ("Equity", money(report.equity), _equity_parts(report)),
        ("Initial margin", money(report.initial_margin), [f"available  {left[0]:>{rest}}"]),
        ("Maintenance margin", money(report.maintenance_margin), [f"excess     {left[1]:>{rest}}"]),
        ("Margin ratio", numbers.percent(report.margin_ratio), _status(report)),
    ]
    figure = width_of(line[1] for line in lines)
    title = max(_LABEL, width_of(line[0] for line in lines) + 2)
    starts = [f"{label:{title}}{text:>{figure}}    " for label, text, _ in lines]
    return [
        text
        for start, (_, _, items) in zip(starts, lines, strict=True)
        for text in packed(items, width, start)
    ]


def _stated(report: MarginReport, width: int) -> Block:
    """Return what the venue states beside ours, and by how much ours is more."""
    if report.stated is None:
        return []
    source, *figures = report.stated
    rows = [
        (
            numbers.words(title),
            numbers.amount(line.stated, report.currency),
            numbers.amount(line.computed, report.currency),
            numbers.amount(line.difference, report.currency, sign=True),
        )
        for title, line in zip(report.stated._fields[1:], figures, strict=True)
        if line is not None
    ]
    return table(_STATED, rows, width) + wrapped(f"stated by {name(source)}", width)


def _details(report: MarginReport, width: int) -> Block:
    """Return what a venue reports by its own names."""
    shown = [
        f"{numbers.words(key)} {numbers.amount(value, report.currency)}"
        for key, value in report.details.items()
    ]
    return packed(shown, width, "By the venue's names   ") if shown else []


def _equity_parts(report: MarginReport) -> list[str]:
    """Return the parts of equity that there are, and what others had to bear."""
    amounts = {part: getattr(report, part) for part in (*_PARTS, "shortfall")}
    amounts["trapped"] = report.trapped_equity
    shown = [part for part, value in amounts.items() if value or part == "collateral_value"]
    labels = {"collateral_value": "collateral", "option_value": "options", "spot_value": "spot"}
    return [
        f"{labels.get(part, part)} {numbers.amount(amounts[part], report.currency)}"
        for part in shown
    ]


def _status(report: MarginReport) -> list[str]:
    several = len(report.pools) > 1
    return [report.status.upper(), *([f"worst of {len(report.pools)} pools"] if several else [])]


def _worst_case(report: MarginReport, width: int) -> Block:
    """Return the worst case by position, beside what the requirement is made of."""
    shown = parts.largest(report.positions, _size)
    rows = [_position_cells(line, report.currency) for line in shown]
    if not rows:
        return _made_of(report)
    columns = _POSITIONS if any(line.worst_pnl is not None for line in shown) else _POSITIONS[:-1]
    least = least_width(columns, rows)
    title = wrapped(_title(report), width)
    rest = parts.unshown(len(report.positions), "positions", width)
    for made_of in (_made_of(report), _made_of(report, initial=False)):
        room = width - GAP - width_of(made_of)
        if least <= room:
            return [*title, *beside(table(columns, rows, room), made_of), *rest]
    return [*title, *table(columns, rows, width), *rest, "", *_made_of(report)]


def _title(report: MarginReport) -> str:
    worst = report.worst_scenario
    if worst is None:
        return "Positions"
    pnl = numbers.amount(worst.pnl, report.currency, sign=True)
    return f"Worst case  {name(worst.label, _LABELS)}   P&L {pnl}"


def _size(line: PositionLine) -> float:
    """Return by what a position is large: its worst loss, or else its value."""
    return abs(line.value or 0.0) if line.worst_pnl is None else abs(line.worst_pnl)


def _position_cells(line: PositionLine, currency: str) -> Row:
    greeks = Sensitivity(line.delta, line.gamma, line.vega, line.theta, line.rho)
    return (
        name(line.instrument),
        numbers.quantity(line.quantity),
        numbers.BLANK if line.entry_price is None else numbers.price(line.entry_price),
        numbers.price(line.mark_price),
        numbers.volatility(line.volatility),
        numbers.amount(line.value, currency),
        numbers.amount(line.unrealised, currency, sign=True),
        *numbers.greeks(greeks)[:4],
        numbers.amount(line.worst_pnl, currency, sign=True),
    )


def _made_of(report: MarginReport, *, initial: bool = True) -> Block:
    """Return the components of both requirements, or of the maintenance margin alone."""
    both = (report.components, report.initial_components)
    names = dict.fromkeys(key for part in both for key, value in part.items() if value)
    rows = [
        (
            numbers.words(key),
            *(numbers.amount(part.get(key), report.currency) for part in both),
        )
        for key in names
    ]
    shown = 3 if initial else 2
    return table(_MADE_OF[:shown], [row[:shown] for row in rows], WIDEST) if rows else []


def _greek_lines(report: MarginReport) -> list[tuple[str, Sensitivity]]:
    """Return the Greeks by underlying, and by expiry where that is short and says more."""
    lines = []
    for underlying, whole in report.greeks.items():
        expiries = report.greeks_by_expiry.get(underlying, {})
        some = [(f"  {numbers.expiry(key)}", line) for key, line in expiries.items() if any(line)]
        lines.append((name(underlying), whole, some if len(some) > 1 else []))
    detailed = [entry for title, whole, some in lines for entry in ((title, whole), *some)]
    return detailed if len(detailed) <= _LINES else [(title, whole) for title, whole, _ in lines]
