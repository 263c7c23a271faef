"""A liquidation step by step: what was traded, who received what, and where it ended."""

from margincalc.answers.engine_results import EngineReport, LoanLine, PoolRun, StepLine, TradeLine
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, name, packed, table, wrapped
from margincalc.report.parts import SHOWN, identity, unshown

_STEPS = (
    Column("Step"),
    Column("after", rank=3),
    Column("action", left=True),
    Column("trade", left=True),
    Column("price", rank=1),
    Column("market", rank=1),
    Column("liquidator", rank=4),
    Column("fund", rank=4),
    Column("others", rank=5),
    Column("equity", rank=2),
    Column("maintenance", rank=2),
    Column("excess"),
)
_MONEY = (
    Column("Who", left=True),
    Column("receives"),
)


def engine_blocks(report: EngineReport, width: int) -> list[Block]:
    """Return the rules, then each pool's steps, its money and its end."""
    blocks = [
        identity(width, report.account, report.as_of, name(report.currency)),
        packed(
            [
                f"engine {name(report.engine.name)} {report.engine.effective}, "
                f"proof: {report.engine.proof}",
                f"{report.mode}, {name(report.model.name, 200)} {report.model.effective}",
                report.slippage,
            ],
            width,
        ),
    ]
    for pool in report.pools:
        blocks += _pool(report, pool, width)
    return blocks


def _pool(report: EngineReport, pool: PoolRun, width: int) -> list[Block]:
    title = [] if len(report.pools) == 1 else [name(pool.pool)]
    if not pool.acted:
        return [title + _idle(report, pool, width), _loan(report, pool.loan, width)]
    rows = [_step(line, report.currency) for line in pool.steps[:SHOWN]]
    return [
        title + _standing(report, pool, width),
        _loan(report, pool.loan, width),
        table(_STEPS, rows, width) + unshown(len(pool.steps), "steps", width),
        _money(report, pool, width),
        _end(report, pool, width),
    ]


def _standing(report: EngineReport, pool: PoolRun, width: int) -> Block:
    parts = [
        f"Equity {numbers.amount(pool.equity_before, report.currency)}",
        f"maintenance margin {numbers.amount(pool.maintenance_before, report.currency)}",
        "LIQUIDATABLE",
    ]
    return packed(parts, width)


def _idle(report: EngineReport, pool: PoolRun, width: int) -> Block:
    """Return why nothing was done."""
    equity = numbers.amount(pool.equity_before, report.currency)
    margin = numbers.amount(pool.maintenance_before, report.currency)
    stands = f"Equity {equity} and maintenance margin {margin}"
    if pool.end == "healthy":
        return wrapped(f"{stands}: {pool.status_after.upper()}, no engine acts", width)
    return wrapped(f"{stands}: {pool.end}, {pool.reason}", width)


def _loan(report: EngineReport, loan: LoanLine | None, width: int) -> Block:
    if loan is None:
        return []
    parts = [
        f"Health factor {loan.health:.4f}",
        f"loan to value {numbers.percent(loan.loan_to_value)}",
        f"threshold {numbers.percent(loan.threshold)}",
        f"bonus {numbers.percent(loan.bonus)}",
    ]
    if loan.one_shot is not None:
        parts.append(f"pays up to {numbers.amount(loan.one_shot, report.currency)} at once")
    lines = packed(parts, width)
    if loan.toxic:
        limit = numbers.percent(loan.toxic_above)
        text = f"Past the toxic threshold of {limit}: each repayment raises the loan to value"
        lines += wrapped(text, width)
    return lines


def _step(line: StepLine, currency: str) -> Row:
    def money(value: float) -> str:
        return numbers.amount(value, currency) if value else numbers.BLANK

    single = line.trades[0] if len(line.trades) == 1 else None
    price = line.price if single is None or single.price is None else single.price
    return (
        f"{line.number}",
        _after(line.seconds),
        line.action,
        _traded(line.trades),
        numbers.BLANK if price is None else numbers.price(price),
        money(line.market),
        money(line.liquidator),
        money(line.fund),
        money(line.others),
        numbers.amount(line.equity, currency),
        numbers.amount(line.maintenance, currency),
        numbers.amount(line.equity - line.maintenance, currency),
    )


def _traded(trades: tuple[TradeLine, ...]) -> str:
    if not trades:
        return numbers.BLANK
    if len(trades) > 1:
        return f"{len(trades)} rows"
    return f"{trades[0].quantity:+.6g} {name(trades[0].instrument)}"


def _after(seconds: float) -> str:
    return f"{seconds:,.0f} s"


def _money(report: EngineReport, pool: PoolRun, width: int) -> Block:
    rows = [
        ("trader", numbers.amount(-pool.cost, report.currency)),
        ("market, slippage and spread", numbers.amount(pool.market, report.currency)),
        ("liquidator", numbers.amount(pool.liquidator, report.currency)),
        ("insurance fund", numbers.amount(pool.fund, report.currency)),
        ("others, socialised", numbers.amount(pool.others, report.currency)),
    ]
    return table(_MONEY, rows, width)


def _end(report: EngineReport, pool: PoolRun, width: int) -> Block:
    equity = numbers.amount(pool.equity_after, report.currency)
    margin = numbers.amount(pool.maintenance_after, report.currency)
    end = pool.status_after.upper() if pool.end == "healthy" else pool.end
    what = f"{end}: {pool.reason}" if pool.reason else end
    lines = wrapped(
        f"Ends {what}; equity {equity}, maintenance margin {margin}, after {_after(pool.seconds)}",
        width,
    )
    if pool.optimum is not None:
        lines += wrapped(_optimum(report, pool), width)
    return lines


def _optimum(report: EngineReport, pool: PoolRun) -> str:
    """Return the line that measures the engine by the cheapest cure."""
    assert pool.optimum is not None
    cost = numbers.amount(pool.optimum.cost, report.currency)
    best = ", ".join(
        f"{each.quantity:+.4g} {name(each.instrument)}" for each in pool.optimum.trades
    )
    times = (
        ""
        if pool.optimum.ratio is None
        else f"; the engine costs {pool.optimum.ratio:.2f} times that"
    )
    return f"The cheapest trades that restore the margin cost {cost}: {best}{times}"
