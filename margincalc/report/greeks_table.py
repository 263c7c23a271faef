"""Greeks by underlying, expiry and position."""

from margincalc.answers.results import Sensitivity
from margincalc.answers.view_results import GreekLine, GreeksReport
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, name, table, wrapped
from margincalc.report.parts import GREEKS, identity, largest, unshown

_LEVELS = {"underlying": "underlyings", "expiry": "expiries", "position": "positions"}
_COLUMNS = (Column("By", left=True), Column("quantity"), *GREEKS)


def greeks_blocks(report: GreeksReport, width: int) -> list[Block]:
    """Return one table, so that its columns line up, in a block per level."""
    units = (
        f"in {name(report.currency)}: delta and gamma per unit of spot, "
        "vega per point of volatility, theta per day, rho per point of rate"
    )
    groups = {level: [line for line in report.lines if line.level == level] for level in _LEVELS}
    shown = {level: largest(lines, _size) for level, lines in groups.items()}
    drawn = table(_COLUMNS, [_cells(line) for lines in shown.values() for line in lines], width)
    blocks = [identity(width, report.account, report.as_of, name(report.currency))]
    start = 1
    for level, lines in shown.items():
        title = f"By {level}"
        heading = f"{title}{drawn[0][len(title) :]}"
        if level != "position":
            heading = heading.replace("quantity", "        ")
        body = drawn[start : start + len(lines)]
        start += len(lines)
        rest = unshown(len(groups[level]), _LEVELS[level], width)
        blocks.append([heading, *body, *rest] if lines else [])
    return [*blocks, wrapped(units, width)]


def _cells(line: GreekLine) -> Row:
    title = name(line.name)
    if line.level == "expiry":
        title = f"{name(line.underlying)} {numbers.expiry(line.name)}"
    greeks = Sensitivity(line.delta, line.gamma, line.vega, line.theta, line.rho)
    quantity = "" if line.quantity is None else numbers.quantity(line.quantity)
    return (title, quantity, *numbers.greeks(greeks))


def _size(line: GreekLine) -> tuple[float, float]:
    """Return by what a line is large: volatility first, then direction."""
    return abs(line.vega), abs(line.delta)
