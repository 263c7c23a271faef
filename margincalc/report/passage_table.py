"""The probability of liquidation before a horizon, pool by pool."""

from margincalc.answers.passage_results import PassageLine, PassageReport
from margincalc.report import numbers, parts
from margincalc.report.layout import Block, Column, Row, name, packed, table

_POOLS = (
    Column("pool", left=True),
    Column("probability"),
    Column("+/-", rank=1),
    Column("days 10 %", rank=5),
    Column("days 50 %", rank=2),
    Column("days 90 %", rank=5),
    Column("equity then", rank=3),
    Column("worst 5 %", rank=3),
    Column("negative", rank=4),
    Column("by", rank=6),
)


def passage_blocks(report: PassageReport, width: int) -> list[Block]:
    """Return what was simulated, then a line per pool."""
    shown = parts.largest(report.pools, lambda line: line.probability)
    rows = [_row(report.currency, line) for line in shown]
    moves = [f"{name(key)} {numbers.volatility(value)}" for key, value in report.volatility.items()]
    if report.correlation is not None:
        moves.append(f"correlation {report.correlation:g}")
    looks = [f"looked at every {report.poll_hours:g} h"] if report.poll_hours is not None else []
    drawn = f"{report.paths:,} paths, seed {report.seed}"
    return [
        parts.heading(report, width),
        packed(
            [report.dynamics, *moves, *looks, drawn],
            width,
            f"Liquidated within {report.horizon_days:.4g} days   ",
        ),
        [*table(_POOLS, rows, width), *parts.unshown(len(report.pools), "pools", width)],
    ]


def _row(currency: str, line: PassageLine) -> Row:
    days = (numbers.BLANK if day is None else f"{day:.3g}" for day in line.days.values())
    return (
        name(line.pool),
        f"{line.probability * 100.0:.3f} %",
        f"{1.96 * line.standard_error * 100.0:.3f}",
        *days,
        numbers.amount(line.equity_at_breach, currency),
        numbers.amount(line.expected_shortfall, currency),
        f"{line.negative_equity * 100.0:.3f} %",
        line.method,
    )
