"""The first screen: am I safe, in figures, in one sentence, and as a bar."""

from collections.abc import Iterator

from margincalc.answers.page_results import Page
from margincalc.answers.results import Liquidation, MarginReport
from margincalc.report import numbers, parts
from margincalc.report.html.elements import Markup, note, section, table, tag
from margincalc.report.layout import name

_WORDS = {
    "healthy": "Safe today",
    "restricted": "Restricted: no new risk",
    "liquidatable": "Liquidatable now",
}
_PARTS = {"collateral_value": "collateral", "option_value": "options", "spot_value": "spot"}


def identity(report: MarginReport) -> Markup:
    """Return the heading: account, time, currency, rules."""
    about = [
        numbers.moment(report.as_of),
        name(report.currency),
        parts.rules(report.mode, report.model),
    ]
    return tag(
        "header",
        tag("h1", name(report.account, 200), id="heading"),
        tag("p", *(tag("span", item) for item in about), class_="about"),
    )


def am_i_safe(page: Page) -> Markup:
    """Return status, ratio and the four figures, with what equity is made of."""
    report = page.margin
    head = tag(
        "div",
        tag("span", report.status.upper(), class_=f"badge {report.status}"),
        tag("p", _sentence(report), class_="verdict"),
        class_="answer",
    )
    return section(
        "safe",
        _WORDS[report.status],
        "",
        head,
        _bar(report),
        tag("dl", *_figures(report), class_="figures"),
        _stated(report),
    )


def _sentence(report: MarginReport) -> str:
    """Say how far the account is from liquidation, in money and in the nearest market move."""

    def money(value: float) -> str:
        return f"{numbers.amount(value, report.currency)} {name(report.currency)}"

    pools = len(report.pools)
    several = f" The worst of {pools:,} pools decides." if pools > 1 else ""
    if report.status == "liquidatable":
        missing = min(pool.excess for pool in report.pools)
        return f"Equity is {money(-missing)} short of maintenance margin.{several}"
    room = min((pool.excess for pool in report.pools), default=report.excess)
    text = f"{money(room)} may be lost before maintenance margin is no longer covered."
    return f"{text} {_nearest(report)}{several}"


def _nearest(report: MarginReport) -> str:
    """Name the smallest move of one underlying that liquidates."""
    found = [
        (abs(target / line.spot - 1.0), key, line, target)
        for key, line in report.liquidation.items()
        for target in (line.below, line.above)
        if target is not None
    ]
    if not found:
        return "No move of one underlying alone was found to liquidate."
    _, key, line, target = min(found, key=lambda each: each[0])
    far = numbers.distance(line.spot, target)
    return f"Nearest liquidation: {name(key)} at {numbers.level(target, line.spot)} ({far})."


def _bar(report: MarginReport) -> Markup:
    """Return equity as a bar with both margins marked on it."""
    most = max(report.equity, report.initial_margin, report.maintenance_margin)
    if most <= 0.0:
        return Markup()

    def share(value: float) -> str:
        return f"{max(value, 0.0) / most * 100.0:.2f}%"

    marks = [
        tag("i", class_=f"mark {kind}", style=f"left:{share(value)}")
        for kind, value in (
            ("initial", report.initial_margin),
            ("maintenance", report.maintenance_margin),
        )
    ]
    used = tag("i", class_="used", style=f"width:{share(report.maintenance_margin)}")
    fill = tag("i", class_="fill", style=f"width:{share(report.equity)}")
    words = "Equity as a bar; the marks are maintenance and initial margin"
    bar = tag(
        "div", fill, used, *marks, class_=f"bar {report.status}", role="img", aria_label=words
    )
    keys = (("used", "maintenance"), ("mark initial", "initial margin"), ("fill", "equity"))
    legend = (tag("span", tag("i", class_=kind), word) for kind, word in keys)
    return tag("div", bar, tag("p", *legend, class_=f"legend {report.status}"), class_="gauge")


def _figures(report: MarginReport) -> Iterator[Markup]:
    def money(value: float) -> str:
        return numbers.amount(value, report.currency)

    yield figure("Equity", money(report.equity), _made_of(report))
    free = f"available {money(report.available_funds)}"
    yield figure("Initial margin", money(report.initial_margin), free)
    excess = f"excess {money(report.excess)}"
    yield figure("Maintenance margin", money(report.maintenance_margin), excess)
    ratio = numbers.percent(report.margin_ratio)
    yield figure("Margin ratio", ratio, "maintenance / equity; over 100 % is liquidated")


def figure(title: str, value: str, below: str) -> Markup:
    """Return a figure under its title, with what belongs to it below."""
    return tag("div", tag("dt", title), tag("dd", value), tag("dd", below, class_="small"))


def _made_of(report: MarginReport) -> str:
    fields = (*_PARTS, "unrealised", "shortfall")
    amounts = {_PARTS.get(field, field): getattr(report, field) for field in fields}
    amounts["trapped"] = report.trapped_equity
    kept = [key for key, value in amounts.items() if value or key == "collateral"]
    return ", ".join(f"{key} {numbers.amount(amounts[key], report.currency)}" for key in kept)


def _stated(report: MarginReport) -> Markup:
    """Return what the venue states beside our figures."""
    if report.stated is None:
        return Markup()
    source, *figures = report.stated
    rows = [
        (
            numbers.words(title).capitalize(),
            *(numbers.amount(value, report.currency) for value in line[:2]),
            numbers.amount(line.difference, report.currency, sign=True),
        )
        for title, line in zip(report.stated._fields[1:], figures, strict=True)
        if line is not None
    ]
    heads = ("The venue says", "stated", "here", "difference")
    return tag("div", table(heads, rows), note(f"stated by {name(source)}"))


def prices(found: dict[str, Liquidation]) -> Markup:
    """Return the nearest liquidation prices of every underlying."""
    shown = parts.largest(tuple(found.items()), lambda item: -parts.nearness(item[1]))
    rows = [(name(key), *parts.liquidation_cells(line)) for key, line in shown]
    heads = ("Liquidated", "spot", "below", "move", "above", "move")
    return tag("div", table(heads, rows, class_="prices"), more(len(found), "underlyings"))


def more(total: int, what: str) -> Markup:
    """Return the line that says how many are not shown."""
    left = total - parts.SHOWN
    return note(f"and {left:,} more {what}; --format csv has all {total:,}") if left > 0 else note()
