"""`check` in one line, for logs and mails."""

from margincalc.report import numbers
from margincalc.report.layout import Block, name
from margincalc.report.parts import rules
from margincalc.results import CheckReport


def check_blocks(report: CheckReport, width: int) -> list[Block]:
    """Return one line, however narrow the screen: `HEALTHY ratio 41.1 % excess ...`."""
    excess = numbers.amount(report.excess, report.currency)
    parts = [report.status.upper(), f"ratio {numbers.percent(report.margin_ratio)}"]
    if report.above is not None:
        over = report.failed and report.status != "liquidatable"
        parts.append(f"{'above' if over else 'limit'} {numbers.percent(report.above)}")
    parts += [f"excess {excess} {name(report.currency)}", name(report.account)]
    parts += [numbers.moment(report.as_of), rules(report.mode, report.model)]
    return [["  ".join(parts)]]
