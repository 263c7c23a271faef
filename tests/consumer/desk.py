"""A project that uses the library, checked by its types alone."""

from pathlib import Path

import margincalc as mc
from margincalc.answers.accounts import Margins, Source
from margincalc.answers.passage_results import PassageReport
from margincalc.answers.results import MarginReport
from margincalc.answers.study import Study


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


def acted(path: str) -> float:
    """Return what the cheapest way out costs, and keep how likely it is to be needed."""
    portfolio = mc.load(path, as_of="2026-11-20T08:00:00Z")
    moved = mc.what_if(spot=["-5%"], days=1.0)
    hedge = mc.hedge(portfolio, aim=mc.Aim(spot=(-0.1, 0.1)), changes=moved)
    passage: PassageReport = mc.passage(portfolio, odds=mc.Odds(horizon="7d"))
    likely: float | None = passage.pools[0].probability
    before = mc.explain(portfolio).maintenance_margin
    after = mc.explain_change(portfolio, portfolio, model="generic-portfolio").new
    return hedge.total_cost + (likely or 0.0) + before - after["maintenance_margin"]


def venue(folder: Path) -> str:
    """Return the page of a venue, after its batch and its studies."""
    batch = mc.batch(folder, output=folder / "margins", liquidation=["BTC"])
    source = Source(accounts=batch.accounts, kind="perpetuals")
    studies: list[Study] = [
        mc.cascade(source, fund=1e6, rules=Margins(mode="cross")),
        mc.monitor(source, depth_left=0.1),
    ]
    rows: list[dict[str, object]] = studies[0].table("curve").records()
    engine = mc.simulate_liquidation(mc.load(folder / "book.yaml"), engine="incremental")
    losses = mc.waterfall(folder / "gap.yaml", policy="pro-rata").lost
    said = f"{len(rows)} {engine.pools[0].end} {losses} {mc.chain(mc.load(folder / 'c.yaml'))!r}"
    return said + mc.report_population(source) + mc.report(mc.load(folder / "book.yaml"))
