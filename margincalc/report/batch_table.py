"""`batch`: accounts by status, totals, and the accounts nearest to liquidation."""

from margincalc.answers.batch_results import BatchReport, CloseAccount
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, name, packed, table, wrapped
from margincalc.report.parts import SHOWN


def batch_blocks(report: BatchReport, width: int) -> list[Block]:
    """Return what was done, who stands where, the totals, and the nearest to liquidation."""
    return [
        _head(report, width),
        _incomplete(report, width),
        _statuses(report, width),
        _totals(report, width),
        _closest(report, width),
    ]


def _head(report: BatchReport, width: int) -> Block:
    parts = [
        f"{report.accounts:,} accounts",
        f"{report.positions:,} positions",
        f"{report.quarantined:,} rows set aside",
        numbers.moment(report.as_of),
        name(report.currency),
        f"{report.mode}, {name(report.model)} {report.effective}",
        f"pricer {report.pricer}",
    ]
    return [*packed(parts, width), *wrapped(f"results in {name(report.output, width)}", width)]


def _incomplete(report: BatchReport, width: int) -> Block:
    """Warn of accounts whose figures are made of only some of their rows."""
    count = sum(report.incomplete.values())
    if not count:
        return []
    sure = ", ".join(f"{each:,} {status}" for status, each in report.incomplete.items() if each)
    text = (
        f"INCOMPLETE: {count:,} of the accounts, margined without rows that were set aside: they "
        f"count below as {sure}; their column `quarantined` is not 0"
    )
    return wrapped(text, width)


def _statuses(report: BatchReport, width: int) -> Block:
    whole = max(report.accounts, 1)
    rows = [
        (status.upper(), f"{count:,}", numbers.percent(count / whole, limit=-1.0))
        for status, count in report.statuses.items()
    ]
    return table([Column("Status", left=True), Column("accounts"), Column("share")], rows, width)


def _totals(report: BatchReport, width: int) -> Block:
    rows = [
        (numbers.words(key), numbers.amount(value, report.currency))
        for key, value in report.totals.items()
    ]
    return table([Column("Total", left=True), Column(name(report.currency))], rows, width)


def _closest(report: BatchReport, width: int) -> Block:
    if not report.closest:
        return []
    prices = list(report.closest[0].liquidation)
    columns = [
        Column("Nearest to liquidation", left=True),
        Column("ratio"),
        Column("equity", rank=2),
        Column("excess", rank=1),
        *(Column(f"{name(each)} {side}", rank=3) for each in prices for side in ("below", "above")),
        Column("status", left=True, rank=4),
    ]
    rows = [_row(line, report.currency, prices) for line in report.closest[:SHOWN]]
    block = table(columns, rows, width)
    more = len(report.closest) - SHOWN
    if more > 0:
        block += wrapped(f"... and {more:,} more; --format csv has all of them", width)
    return block


def _row(line: CloseAccount, currency: str, prices: list[str]) -> tuple[str, ...]:
    return (
        name(str(line.account)),
        numbers.percent(line.margin_ratio),
        numbers.amount(line.equity, currency),
        numbers.amount(line.excess, currency),
        *(
            numbers.price(line.liquidation[each][side])
            for each in prices
            for side in ("below", "above")
        ),
        line.status.upper(),
    )
