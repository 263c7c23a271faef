"""`check` in one line, for logs and mails, where the screen is wide enough."""

from margincalc.answers.results import CheckReport
from margincalc.report import numbers
from margincalc.report.layout import Block, name, packed
from margincalc.report.parts import rules


def check_blocks(report: CheckReport, width: int) -> list[Block]:
    """Return `HEALTHY ratio 41.1 % excess ...`, on as few lines as the width allows."""
    excess = numbers.amount(report.excess, report.currency)
    parts = [
        report.status.upper(),
        _ratio(report),
        f"excess {excess} {name(report.currency)}",
        name(report.account),
        numbers.moment(report.as_of),
        rules(report.mode, report.model),
    ]
    return [packed(parts, width, between=2)]


def _ratio(report: CheckReport) -> str:
    if report.above is None:
        return f"ratio {numbers.percent(report.margin_ratio)}"
    ratio, limit = numbers.percent(report.margin_ratio, report.above), numbers.percent(report.above)
    over = report.margin_ratio is not None and report.margin_ratio > report.above
    return f"ratio {ratio}, above the limit of {limit}" if over else f"ratio {ratio}, limit {limit}"
