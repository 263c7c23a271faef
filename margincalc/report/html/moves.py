"""What if: sliders of spot, volatility and days over a grid of markets that were margined."""

from collections.abc import Sequence

from margincalc.answers.page_results import MarketGrid, Page
from margincalc.answers.results import MarginReport
from margincalc.report import numbers
from margincalc.report.html.curves import LEGEND
from margincalc.report.html.elements import Markup, data, note, section, tag
from margincalc.report.html.refusal import refused
from margincalc.report.layout import name

_FIGURES = (
    ("equity", "Equity"),
    ("initial_margin", "Initial margin"),
    ("maintenance_margin", "Maintenance margin"),
    ("available_funds", "Available"),
    ("excess", "Excess"),
)


def what_if(page: Page) -> Markup:
    """Return the sliders, the figures that they move, and the curve along spot."""
    if page.grid is None:
        return section("moves", "What if", "", refused(page, "grid", "What if"))
    grid, report = page.grid, page.margin
    return section(
        "moves",
        "What if",
        "Move the market and let time pass: the figures follow.",
        tag("div", _controls(grid), _figures(report), class_="moves"),
        tag("div", LEGEND, tag("div", id="curve"), class_="panel wide live"),
        tag("noscript", note("The sliders need JavaScript.")),
        note(_legend(grid, report)),
        data("grid", _handed_over(grid, report)),
    )


def _controls(grid: MarketGrid) -> Markup:
    sliders = [
        _slider("spot", "Every spot", grid.spots, 0.5),
        _slider("volatility", "Every implied volatility", grid.volatilities, 1.0),
        _slider("days", "Days on", grid.days, 0.5),
    ]
    reset = tag("button", "Back to now", type="button", id="reset")
    said = tag("p", "now, margined in full", id="how", class_="note", aria_live="polite")
    return tag("div", *sliders, reset, said, class_="controls")


def _slider(key: str, title: str, nodes: Sequence[float], step: float) -> Markup:
    """Return a slider with what it stands at; nothing where there is one node."""
    if len(nodes) < 2:
        return Markup()
    shown = tag("output", "0" if key == "days" else "0 %", id=f"{key}-shown", for_=key)
    control = tag(
        "input",
        type="range",
        id=key,
        min=f"{nodes[0]:g}",
        max=f"{nodes[-1]:g}",
        step=f"{step:g}",
        value="0",
        autocomplete="off",
        list=f"{key}-nodes",
    )
    marks = tag("datalist", *(tag("option", value=f"{x:g}") for x in nodes), id=f"{key}-nodes")
    return tag("label", tag("span", title, shown), control, marks)


def _figures(report: MarginReport) -> Markup:
    """Return the figures now and in the moved market; at first the same."""
    rows = []
    for key, title in _FIGURES:
        value = numbers.amount(getattr(report, key), report.currency)
        rows.append(_figure(key, title, value))
    rows.append(_figure("margin_ratio", "Margin ratio", numbers.percent(report.margin_ratio)))
    badge = tag("span", report.status.upper(), class_=f"badge {report.status}")
    then = tag("span", report.status.upper(), class_=f"badge {report.status}", id="status")
    rows.append(tag("tr", tag("th", "Status", scope="row"), tag("td", badge), tag("td", then)))
    heads = [tag("th", head, scope="col", class_=kind) for head, kind in _HEADS]
    whole = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="then")
    return tag("div", whole, class_="scroll", tabindex="0")


_HEADS = (("", None), ("now", "number"), ("then", "number"))


def _figure(key: str, title: str, value: str) -> Markup:
    then = tag("output", value, id=key)
    cells = (tag("td", value, class_="number"), tag("td", then, class_="number"))
    return tag("tr", tag("th", title, scope="row"), *cells)


def _legend(grid: MarketGrid, report: MarginReport) -> str:
    size = f"{len(grid.spots)} spots, {len(grid.volatilities)} volatilities, {len(grid.days)} days"
    text = (
        f"Interpolated between {grid.markets:,} markets ({size}) that were margined in full, each "
        "as --spot, --vol and --days would: all underlyings move together, forwards "
        "with their spot, volatility stays by strike, what expires is settled. Between two markets "
        "on either side of an expiry or of a corner of the rules the truth may jump."
    )
    options = "" if len(grid.volatilities) > 1 else " No options: volatility moves nothing."
    time = "" if len(grid.days) > 1 else " Nothing expires: time moves nothing."
    pools = " Pools are summed; the ratio is the worst pool's." if len(report.pools) > 1 else ""
    return text + options + time + pools


def _handed_over(grid: MarketGrid, report: MarginReport) -> dict[str, object]:
    """Return what the script is given; of one pool the last three follow from the others."""
    whole: dict[str, object] = {
        "currency": name(report.currency),
        "decimals": numbers.decimals(report.currency),
        "spots": grid.spots,
        "volatilities": grid.volatilities,
        "days": grid.days,
        "equity": grid.equity,
        "initial_margin": grid.initial_margin,
        "maintenance_margin": grid.maintenance_margin,
    }
    if len(report.pools) != 1:
        whole["margin_ratio"] = grid.margin_ratio
        whole["least_excess"] = grid.excess
        whole["least_available"] = grid.available_funds
    levels = {name(key): line.spot for key, line in report.liquidation.items()}
    whole["levels"] = levels if len(levels) == 1 else {}
    return whole
