"""The same book under every mode, and under every model that can express it."""

from margincalc.answers.page_results import Page
from margincalc.answers.results import Figures
from margincalc.answers.view_results import CompareReport, Comparison
from margincalc.report import numbers
from margincalc.report.html.elements import Markup, joined, note, panel, section, table, tag
from margincalc.report.html.refusal import refused
from margincalc.report.layout import name

_HEADS = ("", "initial", "", "maintenance", "ratio", "below", "above", "status", "mode")


def compared(page: Page) -> Markup:
    """Return the section."""
    return section(
        "compared",
        "Modes and models compared",
        "The same positions and deposits under other rules, the least initial margin first.",
        panel("By who shares collateral", _columns(page.modes), wide=True),
        refused(page, "modes", "Modes"),
        panel("By model", _columns(page.models), _cannot(page.models), wide=True),
        refused(page, "models", "Models"),
    )


def _columns(report: CompareReport | None) -> Markup:
    if report is None:
        return Markup()
    ranked = sorted(report.columns, key=lambda column: column.report.initial_margin)
    most = max((column.report.initial_margin for column in ranked), default=0.0) or 1.0
    rows = [_row(column, most, report.currency) for column in ranked]
    text = f"Least initial margin: {name(report.cheapest)}." if report.cheapest else ""
    return joined([table(_HEADS, rows), note(text)])


def _row(column: Comparison, most: float, currency: str) -> tuple[str, ...]:
    report = column.report
    width = f"width:{max(report.initial_margin, 0.0) / most * 100.0:.2f}%"
    return (
        name(column.name),
        numbers.amount(report.initial_margin, currency),
        tag("span", tag("i", style=width), class_="length"),
        numbers.amount(report.maintenance_margin, currency),
        numbers.percent(report.margin_ratio),
        _nearest(report, "below"),
        _nearest(report, "above"),
        tag("span", report.status.upper(), class_=f"badge {report.status}"),
        report.mode,
    )


def _nearest(report: Figures, side: str) -> str:
    """Return the smallest move to one side that liquidates, whichever underlying makes it."""
    moves = [
        target / line.spot - 1.0
        for line in report.liquidation.values()
        if (target := getattr(line, side)) is not None
    ]
    return numbers.move(min(moves, key=abs)) if moves else numbers.NONE


def _cannot(report: CompareReport | None) -> Markup:
    """Return the models that cannot express the book, folded away."""
    if report is None or not report.refused:
        return Markup()
    reasons = (
        tag("li", tag("b", name(each.model)), ": ", " ".join(each.reason.split()))
        for each in report.refused
    )
    title = tag("summary", f"{len(report.refused)} models cannot express this book")
    return tag("details", title, tag("ul", *reasons))
