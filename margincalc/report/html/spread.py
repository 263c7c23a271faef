"""Pictures of a population: what is forced where, where shocks end, what the fund pays."""

from collections.abc import Sequence
from typing import Any

from margincalc.answers.study import Study
from margincalc.report.html import drawing
from margincalc.report.html.drawing import Frame, Range
from margincalc.report.html.elements import Markup, joined, note, tag

MOST_R = 3.0  # R beyond which a bar is cut, so that the line at 1 stays in sight
Legend = Sequence[tuple[str, str]]


def forced(monitor: Study) -> Markup:
    """Draw how much is forced at each price level; nothing where levels are not known."""
    levels = _levels(monitor, "sold")
    if not levels:
        return Markup()
    frame = _frame(levels, max(height for *_, height in levels))
    drawn = drawing.picture(
        frame,
        "Positions forced at each price level",
        ("price, from the spot", monitor.currency),
        *(drawing.bar(frame, (near, far), height, "held") for near, far, height in levels),
        drawing.upright(frame, 0.0, "now"),
        *_shelf(frame, monitor),
        ticks=(drawing.share, drawing.compact),
    )
    keys = [("held", "liquidated there")]
    if monitor["shelf_distance"] is not None:
        keys.append(("edge", "nearest shelf"))
    return joined([drawn, _legend(keys)])


def feeding(monitor: Study) -> Markup:
    """Draw R by price level; levels that feed themselves stand out."""
    levels = _levels(monitor, "reproduction")
    if not levels:
        return Markup()
    frame = _frame(levels, max(1.25, min(max(height for *_, height in levels), MOST_R)))
    drawn = drawing.picture(
        frame,
        "Units forced by the impact of one forced unit, by price level",
        ("price, from the spot", "R"),
        *(
            drawing.bar(frame, (near, far), height, "feeds" if height > 1.0 else "held")
            for near, far, height in levels
        ),
        drawing.level(frame, 1.0, "limit"),
        ticks=(drawing.share, drawing.compact),
    )
    said = "R: units forced by the impact of one forced unit. Over 1 liquidation feeds itself."
    return joined([drawn, _legend([("held", "R"), ("feeds", "R over 1")]), note(said)])


def ends(cascade: Study) -> Markup:
    """Draw where the price ends after each shock, beside the shock alone."""
    curve = cascade.table("curve")
    shocks, moves = curve.column("shock"), curve.column("move")
    if len(shocks) < 2:
        return Markup()
    low, high = min(*shocks, *moves), max(*shocks, *moves)
    extra = 0.04 * (high - low)
    frame = Frame(Range(min(shocks), max(shocks)), Range(low - extra, high + extra))
    critical = [cascade[key] for key in ("critical_fall", "critical_rise")]
    drawn = drawing.picture(
        frame,
        "Where the price ends after each shock",
        ("shock", "where the price ends"),
        drawing.level(frame, 0.0, "grid"),
        drawing.line(frame, shocks, shocks, "alone"),
        *(drawing.upright(frame, move, "edge") for move in critical if _inside(frame, move)),
        drawing.line(frame, shocks, moves, "equity"),
        ticks=(drawing.share, drawing.share),
    )
    keys = [("equity", "with forced selling"), ("alone", "the shock alone")]
    if any(_inside(frame, move) for move in critical):
        keys.append(("edge", "amplified more than twice"))
    return joined([drawn, _legend(keys)])


def owed(monitor: Study) -> Markup:
    """Draw the bad debt of each shock against the fund."""
    cover = monitor.table("cover")
    shocks, debts = cover.column("shock"), cover.column("bad_debt")
    if len(shocks) < 2:
        return Markup()
    fund = monitor["fund"]
    most = max(*debts, min(fund, 2.0 * max(debts)), 1e-9)
    frame = Frame(Range(min(shocks), max(shocks)), Range(0.0, 1.06 * most))
    shown = [drawing.level(frame, fund, "fund")] if 0.0 < fund <= frame.y.high else []
    drawn = drawing.picture(
        frame,
        "Bad debt after each shock, and the insurance fund",
        ("shock", monitor.currency),
        *shown,
        drawing.line(frame, shocks, debts, "maintenance"),
        ticks=(drawing.share, drawing.compact),
    )
    keys = [("maintenance", "bad debt"), *([("fund", "insurance fund")] if shown else [])]
    return joined([drawn, _legend(keys)])


def _levels(monitor: Study, key: str) -> list[tuple[float, float, float]]:
    """Return each price level, from and to, with one of its figures."""
    levels = monitor.table("levels")
    columns = (levels.column(name) for name in ("from", "to", key))
    return [(near, far, value or 0.0) for near, far, value in zip(*columns, strict=True)]


def _frame(levels: Sequence[tuple[float, float, float]], top: float) -> Frame:
    places = [place for near, far, _ in levels for place in (near, far)]
    return Frame(Range(min(places), max(places)), Range(0.0, 1.06 * (top or 1.0)))


def _shelf(frame: Frame, monitor: Study) -> list[Markup]:
    move = monitor["shelf_distance"]
    return [drawing.upright(frame, move, "edge")] if _inside(frame, move) else []


def _inside(frame: Frame, move: Any) -> bool:
    return move is not None and frame.x.low <= move <= frame.x.high


def _legend(keys: Legend) -> Markup:
    """Return what colours and lines mean."""
    spans = (tag("span", tag("i", class_=key), word) for key, word in keys)
    return tag("p", *spans, class_="legend")
