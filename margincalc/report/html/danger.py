"""What would kill me: liquidation prices, the worst case, scenarios, and equity along spot."""

from collections.abc import Sequence

from margincalc.answers.liquidation_results import LiquidationReport
from margincalc.answers.page_results import Page
from margincalc.answers.results import MarginReport
from margincalc.answers.view_results import ScenarioLine, ScenariosReport
from margincalc.report import numbers, parts
from margincalc.report.html import curves, first
from margincalc.report.html.elements import Markup, joined, note, panel, section, table, tag
from margincalc.report.html.refusal import refused
from margincalc.report.layout import name
from margincalc.report.scenarios_table import by_underlying, in_full, move_label, volatility_label

HEAT_MAPS = 4  # underlyings whose scenarios are shown
OTHERS = 12  # scenarios beside a heat map


def what_would_kill_me(page: Page) -> Markup:
    """Return the section, each of its panels where the book has it."""
    report = page.margin
    return section(
        "danger",
        "What would kill me",
        "Where equity no longer covers maintenance margin, and the scenario that asks the most.",
        panel("Nearest liquidation prices", _prices(report)),
        panel("Worst case by position", _worst(report)),
        _along_spot(page.liquidation),
        _scenarios(page.scenarios, report.currency),
        refused(page, "scenarios", "Scenarios"),
        refused(page, "liquidation", "Liquidation regions"),
    )


def _prices(report: MarginReport) -> Markup:
    if not report.liquidation:
        return note("There is no underlying whose price moves this account.")
    again = report.status == "liquidatable" and len(report.pools) == 1
    remark = "liquidatable now: the prices are where it would be whole again" if again else ""
    return joined([first.prices(dict(report.liquidation)), note(remark)])


def _worst(report: MarginReport) -> Markup:
    """Return the worst scenario, position by position, as bars to both sides."""
    worst = report.worst_scenario
    lines = [line for line in report.positions if line.worst_pnl is not None]
    if worst is None or not lines:
        return note("These rules have no scenarios: the requirement is a sum by position.")
    shown = parts.largest(lines, lambda line: abs(line.worst_pnl or 0.0))
    most = max(abs(line.worst_pnl or 0.0) for line in shown) or 1.0
    rows = [
        (
            name(line.instrument),
            numbers.quantity(line.quantity),
            numbers.amount(line.worst_pnl, report.currency, sign=True),
            sided((line.worst_pnl or 0.0) / most),
        )
        for line in shown
    ]
    pnl = numbers.amount(worst.pnl, report.currency, sign=True)
    title = tag("p", f"{name(worst.label, 400)}: P&L {pnl} {name(report.currency)}")
    heads = ("Position", "quantity", "P&L", "")
    return joined([title, table(heads, rows), first.more(len(lines), "positions")])


def sided(share: float) -> Markup:
    """Return a bar that goes left for a loss and right for a gain; `share` is from -1 to 1."""
    width = f"width:{abs(share) * 50.0:.2f}%"
    style = f"{width};right:50%" if share < 0.0 else f"{width};left:50%"
    return tag(
        "span", tag("i", class_="loss" if share < 0.0 else "gain", style=style), class_="sided"
    )


def _along_spot(report: LiquidationReport | None) -> Markup:
    """Return equity and maintenance along spot, and the frontier, of the nearest to liquidation."""
    if report is None:
        return Markup()
    shown, total = curves.chosen(report)
    panels = []
    for pool, region in shown:
        own = pool.curves.get(region.underlying or "")
        if own is None:
            continue
        title = curves.title(report, pool, region)
        panels.append(panel(f"{title} along spot", curves.along_spot(own, region, report.currency)))
        panels.append(panel(f"{title}: spot and volatility", curves.frontier(own, pool, region)))
    left = total - len(shown)
    return joined(
        [*panels, note(f"{left:,} more pools and underlyings are not drawn" if left else "")]
    )


def _scenarios(report: ScenariosReport | None, currency: str) -> Markup:
    """Return a heat map per underlying, the largest losses first."""
    if report is None or not report.lines:
        return Markup()
    ranked = by_underlying(report.lines)
    maps = [
        panel(
            f"Scenarios of {name(lines[0].underlying, 24)}, P&L in {name(currency)}",
            _heat_map([line for line in lines if in_full(line)], report, lines),
            _others([line for line in lines if not in_full(line)], report),
            wide=True,
        )
        for lines in ranked[:HEAT_MAPS]
    ]
    left = len(ranked) - HEAT_MAPS
    remark = f"{left:,} more underlyings; `scenarios` shows them" if left > 0 else ""
    return joined([*maps, note(remark)])


def _heat_map(
    lines: Sequence[ScenarioLine], report: ScenariosReport, every: Sequence[ScenarioLine]
) -> Markup:
    """Return the scenarios that count in full: spot moves down, volatility moves across."""
    if not lines:
        return Markup()
    most = max(abs(line.weighted_pnl) for line in every) or 1.0
    cells = {(line.spot, line.volatility): line for line in lines}
    moves = sorted({line.volatility for line in lines})
    rows = []
    for spot in sorted({line.spot for line in lines}, reverse=True):
        own = (cells.get((spot, move)) for move in moves)
        shown = (_cell(line, most) if line else tag("td") for line in own)
        rows.append(tag("tr", tag("th", move_label(spot), scope="row"), *shown))
    heads = [
        tag(
            "th",
            f"IV {volatility_label(move, report.volatility_rule)}",
            scope="col",
            class_="number",
        )
        for move in moves
    ]
    head = tag("thead", tag("tr", tag("th", "spot", scope="col"), *heads))
    whole = tag("table", head, tag("tbody", *rows), class_="heat")
    legend = note(
        "Red loses, blue gains, the deeper the more; framed, or bold below: the worst that counts."
    )
    return joined([tag("div", whole, class_="scroll", tabindex="0"), legend])


def _cell(line: ScenarioLine, most: float) -> Markup:
    depth = min(abs(line.pnl) / most, 1.0)
    kind = "loss" if line.pnl < 0.0 else "gain"
    worst = " worst" if line.worst else ""
    shown = numbers.coarse(line.pnl, most)
    return tag("td", shown, class_=f"{kind}{worst}", style=f"--depth:{depth:.3f}")


def _others(lines: Sequence[ScenarioLine], report: ScenariosReport) -> Markup:
    """Return scenarios that count with a weight, have a name, or in which days pass."""
    shown = sorted(lines, key=lambda line: line.weighted_pnl)[:OTHERS]
    rows = [
        (
            tag("b", name(line.label, 80)) if line.worst else name(line.label, 80),
            numbers.amount(line.weighted_pnl, report.currency, sign=True),
            f"{line.weight * 100.0:.4g} %",
            numbers.amount(line.pnl, report.currency, sign=True),
        )
        for line in shown
    ]
    left = len(lines) - len(shown)
    remark = f"{left} more, which lose less; `scenarios` shows them" if left > 0 else ""
    return joined([table(("Others", "counts as", "weight", "P&L"), rows), note(remark)])
