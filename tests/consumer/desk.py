"""A project that uses the library, checked by its types alone."""

import margincalc as mc
from margincalc.answers.results import MarginReport


def most_endangered(paths: list[str]) -> tuple[str, float] | None:
    """Return the account of the highest margin ratio."""
    reports: list[MarginReport] = [mc.margin(mc.load(path)) for path in paths]
    ratios = [
        (report.account, report.margin_ratio)
        for report in reports
        if report.margin_ratio is not None
    ]
    return max(ratios, key=lambda pair: pair[1], default=None)


def kept(path: str) -> str:
    """Return the JSON of an account and of its comparison."""
    portfolio = mc.load(path)
    report = mc.margin(portfolio, mode="portfolio", settings=["factors.initial=1.4"])
    below = [one.below for one in report.liquidation.values() if one.below is not None]
    column = mc.compare(portfolio, modes=("isolated", "cross")).columns[0]
    saving: float = column.saving
    return f"{report.to_json()} {below} {saving}"
