"""The profit and loss of every underlying: spot moves down, volatility moves across."""

from collections.abc import Sequence

from margincalc.answers.view_results import ScenarioLine, ScenariosReport
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, folded, name, table, wrapped
from margincalc.report.parts import SHOWN, identity, unshown

WORST = "*"
_OTHERS = (
    Column("others"),
    Column("IV"),
    Column("weight"),
    Column("P&L"),
    Column("counts as "),
    Column("days on"),
)


def scenarios_blocks(report: ScenariosReport, width: int) -> list[Block]:
    """Return a matrix per underlying, the largest losses first, and what has another weight."""
    ranked = by_underlying(report.lines)
    title = f"{name(report.model.name)} {report.model.effective}"
    head = identity(width, report.account, report.as_of, name(report.currency), title)
    blocks = [block for lines in ranked[:SHOWN] for block in _blocks(lines, report, width)]
    legend = wrapped(f"{WORST} the worst loss that counts; P&L in {name(report.currency)}", width)
    return [head, *blocks, unshown(len(ranked), "underlyings", width), legend]


def by_underlying(lines: Sequence[ScenarioLine]) -> list[list[ScenarioLine]]:
    """Return the scenarios of each underlying, the largest loss first."""
    each: dict[str, list[ScenarioLine]] = {}
    for line in lines:
        each.setdefault(line.underlying, []).append(line)
    return sorted(each.values(), key=_worst)


def in_full(line: ScenarioLine) -> bool:
    """Whether a scenario counts in full and is described by its moves alone."""
    return line.weight == 1.0 and line.days_forward == 0.0 and not _named(line)


def _worst(lines: Sequence[ScenarioLine]) -> float:
    return min(line.weighted_pnl for line in lines)


def _blocks(lines: Sequence[ScenarioLine], report: ScenariosReport, width: int) -> list[Block]:
    """Return an underlying's matrix and its other scenarios."""
    plain = [line for line in lines if in_full(line)]
    others = [line for line in lines if not in_full(line)]
    return [_matrix(plain, report, width), _others(others, report, width)]


def _named(line: ScenarioLine) -> bool:
    """Whether a scenario has a name of its own, because its moves do not describe it."""
    return not line.label.startswith("spot ")


def _matrix(lines: Sequence[ScenarioLine], report: ScenariosReport, width: int) -> Block:
    """Return the matrix of the scenarios that count in full."""
    if not lines:
        return []
    cells = {(line.spot, line.volatility): _pnl(line, line.pnl, report.currency) for line in lines}
    spots = sorted({line.spot for line in lines})
    moves = sorted({line.volatility for line in lines})
    heads = [Column(f"IV {volatility_label(move, report.volatility_rule)} ") for move in moves]
    rows = [
        (move_label(spot), *(cells.get((spot, move), numbers.BLANK) for move in moves))
        for spot in spots
    ]
    return folded((Column(f"{name(lines[0].underlying, 20)} spot"), *heads), rows, width)


def _others(lines: Sequence[ScenarioLine], report: ScenariosReport, width: int) -> Block:
    """Return scenarios that count with a weight, have a name, or in which days pass."""
    rows = [
        (
            line.label if _named(line) else move_label(line.spot),
            numbers.BLANK
            if _named(line)
            else volatility_label(line.volatility, report.volatility_rule),
            f"{line.weight * 100.0:.4g} %",
            numbers.amount(line.pnl, report.currency, sign=True),
            _pnl(line, line.weighted_pnl, report.currency),
            f"{line.days_forward:g}",
        )
        for line in lines
    ]
    columns = _OTHERS if any(line.days_forward for line in lines) else _OTHERS[:-1]
    return table(columns, rows, width) if rows else []


def move_label(move: float) -> str:
    """Return a relative move: `-11.25 %`."""
    return f"{move * 100.0:+.4g} %" if move else "0 %"


def volatility_label(move: float, rule: str) -> str:
    """Return a move of volatility, in per cent or in points."""
    return move_label(move) if rule == "relative" or not move else f"{move * 100.0:+.4g} points"


def _pnl(line: ScenarioLine, value: float, currency: str) -> str:
    """Return an amount with the mark of the worst, or room for it."""
    return numbers.amount(value, currency, sign=True) + (WORST if line.worst else " ")
