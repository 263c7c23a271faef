"""The loss waterfall: who paid, the winners that paid most, and what other policies take."""

from margincalc.answers.waterfall_results import PolicyLine, WaterfallReport, WinnerLine
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, name, packed, table, wrapped
from margincalc.report.parts import SHOWN, unshown

_LEDGER = (Column("Who pays", left=True), Column("amount"), Column("of losses"))
_WINNERS = (
    Column("Winners", left=True),
    Column("instrument", left=True, rank=4),
    Column("score", rank=2),
    Column("fifth", rank=3),
    Column("profit", rank=1),
    Column("taken"),
    Column("of profit"),
    Column("notional", rank=4),
    Column("closed"),
    Column("of notional"),
)
_POLICIES = (
    Column("Policy", left=True),
    Column("takes", left=True, rank=1),
    Column("accounts"),
    Column("from profits", rank=3),
    Column("worst"),
    Column("top share", rank=2),
    Column("past pro rata"),
    Column("notional closed"),
    Column("unpaid", rank=4),
)


def waterfall_blocks(report: WaterfallReport, width: int) -> list[Block]:
    """Return the ledger, the winners, and the policies side by side."""
    return [
        _head(report, width),
        _ledger(report, width),
        _winners(report, width),
        _haircuts(report, width),
        _policies(report, width),
    ]


def _head(report: WaterfallReport, width: int) -> Block:
    parts = [
        f"{report.accounts:,} accounts",
        f"{report.liquidated:,} liquidated",
        f"{report.bankrupt:,} bankrupt",
        name(report.currency),
        f"{report.policy}, takes {report.unit}",
    ]
    return packed(parts, width)


def _ledger(report: WaterfallReport, width: int) -> Block:
    def money(value: float) -> str:
        return numbers.amount(value, report.currency)

    rows: list[Row] = [
        (line.layer, money(line.paid), numbers.percent(line.share)) for line in report.ledger
    ]
    rows.append(("losses", money(report.lost), ""))
    extra = [f"Fund {money(report.fund_before)}, then {money(report.fund_after)}"]
    if report.slippage:
        extra.append(f"slippage among the losses {money(report.slippage)}")
    if report.surplus:
        extra.append(f"left of liquidated accounts {money(report.surplus)}")
    return [*table(_LEDGER, rows, width), "", *packed(extra, width)]


def _winners(report: WaterfallReport, width: int) -> Block:
    rows = [_winner(line, report.currency) for line in report.winners[:SHOWN]]
    if not rows:
        return ["No winner pays."]
    return table(_WINNERS, rows, width) + unshown(len(report.winners), "winners", width)


def _winner(line: WinnerLine, currency: str) -> Row:
    return (
        name(line.account),
        name(line.instrument),
        numbers.BLANK if line.score is None else f"{line.score:.4g}",
        numbers.BLANK if line.quintile is None else numbers.percent(line.quintile),
        numbers.amount(line.profit, currency),
        numbers.amount(line.taken, currency),
        numbers.percent(line.profit_haircut),
        numbers.amount(line.notional, currency),
        numbers.amount(line.closed, currency),
        numbers.percent(line.notional_haircut),
    )


def _haircuts(report: WaterfallReport, width: int) -> Block:
    text = (
        f"Of all profits {numbers.percent(report.profit_haircut)} are taken, and "
        f"{numbers.percent(report.notional_haircut)} of winners' notional is closed; the least "
        f"haircut that pays is {numbers.percent(report.least_haircut)} of every profit"
    )
    return wrapped(text, width) if report.winners else []


def _policies(report: WaterfallReport, width: int) -> Block:
    rows = [_policy(line, report.currency) for line in report.policies]
    return table(_POLICIES, rows, width) if report.winners else []


def _policy(line: PolicyLine, currency: str) -> Row:
    return (
        line.policy,
        line.unit,
        f"{line.accounts:,}",
        numbers.amount(line.taken, currency),
        numbers.percent(line.worst_haircut),
        numbers.percent(line.largest_share),
        numbers.amount(line.beyond_pro_rata, currency),
        numbers.amount(line.closed, currency),
        numbers.amount(line.unpaid, currency),
    )
