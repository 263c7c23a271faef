"""What it is made of: the requirement by part and by position, and the Greeks by expiry."""

from margincalc.answers.explain_results import ExplainReport
from margincalc.answers.page_results import Page
from margincalc.answers.results import Figures, MarginReport, Sensitivity
from margincalc.report import numbers, parts
from margincalc.report.html import first
from margincalc.report.html.danger import sided
from margincalc.report.html.elements import Markup, joined, note, panel, section, table, tag
from margincalc.report.html.refusal import refused
from margincalc.report.layout import name

_GREEKS = "delta and gamma per unit of spot, vega a point of volatility, theta a day, rho a point"


def what_is_it_made_of(page: Page) -> Markup:
    """Return the section."""
    report = page.margin
    several = len(report.pools) > 1
    return section(
        "made",
        "What it is made of",
        "The requirement by part and by position, and what moves it.",
        panel("Requirement by part", _components(report)),
        panel("Pools", _pools(report)) if several else Markup(),
        panel("Maintenance margin by position", _explained(page.explain), wide=True),
        refused(page, "explain", "Margin by position"),
        panel("Greeks by expiry", _greeks(report), wide=numbers.decimals(report.currency) > 2),
        panel("Positions", _positions(report), wide=True),
        panel("By the venue's names", _details(report)),
    )


def _components(report: Figures) -> Markup:
    currency = report.currency if isinstance(report, MarginReport) else ""
    both = (report.components, report.initial_components)
    keys = dict.fromkeys(key for part in both for key, value in part.items() if value)
    rows = [
        (
            numbers.words(key).capitalize(),
            *(numbers.amount(part.get(key), currency) for part in both),
        )
        for key in keys
    ]
    totals = (report.maintenance_margin, report.initial_margin)
    rows.append(("Together", *(numbers.amount(value, currency) for value in totals)))
    return table(("Part", "maintenance", "initial"), rows, class_="total")


def _pools(report: MarginReport) -> Markup:
    shown = parts.largest(report.pools, lambda pool: -pool.excess)
    rows = [
        (
            name(pool.pool),
            tag("span", pool.status.upper(), class_=f"badge {pool.status}"),
            numbers.amount(pool.equity, report.currency),
            numbers.amount(pool.maintenance_margin, report.currency),
            numbers.percent(pool.margin_ratio),
        )
        for pool in shown
    ]
    heads = ("Pool", "status", "equity", "maintenance", "ratio")
    return joined([table(heads, rows, left=2), first.more(len(report.pools), "pools")])


def _explained(report: ExplainReport | None) -> Markup:
    """Return each position's share of the requirement, as bars to both sides."""
    if report is None or not report.positions:
        return Markup()

    def money(value: float) -> str:
        return numbers.amount(value, report.currency)

    several = len(report.pools) > 1
    shown = parts.largest(report.positions, lambda line: abs(line.share))
    most = max(abs(line.share) for line in shown) or 1.0
    whole = report.maintenance_margin
    rows = [
        (
            name(line.instrument) + (f" ({name(line.pool, 24)})" if several else ""),
            numbers.quantity(line.quantity),
            money(line.share),
            numbers.percent(line.share / whole) if whole else numbers.BLANK,
            sided(-line.share / most),
            money(line.leave_one_out),
            money(line.standalone),
        )
        for line in shown
    ]
    heads = ("Position", "quantity", "share", "", "frees | needs", "without", "alone")
    legend = (
        "Share: what it needs in the whole, shares sum to the maintenance margin (red needs, "
        "blue frees). Without: what the requirement falls by without it. Alone: what it needs "
        f"alone, {money(report.standalone)} together, so that hedging saves "
        f"{money(report.hedge_benefit)}."
    )
    return joined(
        [table(heads, rows), first.more(len(report.positions), "positions"), note(legend)]
    )


def _greeks(report: MarginReport) -> Markup:
    lines: list[tuple[str, Sensitivity]] = []
    for underlying, whole in report.greeks.items():
        lines.append((name(underlying), whole))
        own = report.greeks_by_expiry.get(underlying, {})
        lines += [(f"{numbers.expiry(key)}", line) for key, line in own.items() if any(line)]
    totals = set(map(name, report.greeks))
    rows = [
        (
            tag("b", title) if title in totals else tag("span", title, class_="under"),
            *numbers.greeks(line),
        )
        for title, line in lines[: 3 * parts.SHOWN]
    ]
    heads = ("Underlying, expiry", *numbers.GREEKS)
    return joined([table(heads, rows), note(f"In {name(report.currency)}: {_GREEKS} of rate.")])


def _positions(report: MarginReport) -> Markup:
    shown = parts.largest(report.positions, lambda line: abs(line.value or 0.0))
    rows = [
        (
            name(line.instrument),
            numbers.quantity(line.quantity),
            numbers.BLANK if line.entry_price is None else numbers.price(line.entry_price),
            numbers.price(line.mark_price),
            numbers.volatility(line.volatility),
            numbers.amount(line.value, report.currency),
            numbers.amount(line.unrealised, report.currency, sign=True),
        )
        for line in shown
    ]
    heads = ("Position", "quantity", "entry", "mark", "IV", "value", "unrealised")
    return joined([table(heads, rows), first.more(len(report.positions), "positions")])


def _details(report: MarginReport) -> Markup:
    rows = [
        (numbers.words(key), numbers.amount(value, report.currency))
        for key, value in report.details.items()
    ]
    return table(("Figure", "amount"), rows)
