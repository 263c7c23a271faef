"""Equity and maintenance margin along spot, and the frontier of spot and volatility."""

from collections.abc import Sequence

from margincalc.answers.liquidation_results import (
    PLANE,
    Curve,
    LiquidationReport,
    PoolLiquidation,
    RegionLine,
)
from margincalc.report import numbers
from margincalc.report.html import drawing, plane
from margincalc.report.html.drawing import Frame, Range
from margincalc.report.html.elements import Markup, joined, note, tag
from margincalc.report.layout import name

CHARTS = 4  # pools and underlyings that a page has room for
Shown = tuple[PoolLiquidation, RegionLine]


def chosen(report: LiquidationReport) -> tuple[list[Shown], int]:
    """Return the pools and underlyings to draw, least excess first, and how many there are."""
    pools = sorted(report.pools, key=lambda pool: pool.excess)
    lines = [(pool, region) for pool in pools for region in pool.regions]
    return lines[:CHARTS], len(lines)


def title(report: LiquidationReport, pool: PoolLiquidation, region: RegionLine) -> str:
    """Name a pool, where there are several, and an underlying."""
    own = f"{name(pool.pool, 30)}, " if len(report.pools) > 1 else ""
    return f"{own}{name(region.underlying or 'all together', 24)}"


def along_spot(curve: Curve, region: RegionLine, currency: str) -> Markup:
    """Draw equity and maintenance margin, what is liquidated shaded."""
    spot = region.spot or 1.0
    xs = [multiple * spot for multiple in curve.multiples]
    frame = Frame(Range(xs[0], xs[-1]), room(curve.equity, curve.maintenance))
    shaded = [
        drawing.band(frame, *_ends(interval.low, interval.high, frame, spot), "dead")
        for interval in region.intervals
    ]
    prices = [crossing.multiple * spot for crossing in region.crossings]
    drawn = drawing.picture(
        frame,
        f"Equity and maintenance margin of {name(region.underlying or 'all')} along spot",
        ("spot", name(currency)),
        *shaded,
        *(drawing.upright(frame, x, "edge") for x in prices if frame.x.low < x < frame.x.high),
        drawing.upright(frame, spot, "now"),
        drawing.line(frame, xs, curve.maintenance, "maintenance"),
        drawing.line(frame, xs, curve.equity, "equity"),
    )
    return joined([drawn, LEGEND, note(_said(region))])


def room(equity: Sequence[float], maintenance: Sequence[float]) -> Range:
    """Return the amounts between which is drawn: all that is near the crossings."""
    ordered = sorted(equity)
    most = max(*maintenance, ordered[int(0.9 * (len(ordered) - 1))], 1e-9)
    low = max(min(*equity, *maintenance), -1.2 * most)
    high = min(max(*equity, *maintenance), 2.5 * most)
    extra = 0.06 * ((high - low) or 1.0)
    return Range(low - extra, high + extra)


def frontier(curve: Curve, pool: PoolLiquidation, region: RegionLine) -> Markup:
    """Draw where spot and volatility liquidate together.

    Nothing is drawn where that was not worked out, or where volatility changes nothing.
    """
    if not curve.plane or all(row == curve.plane[0] for row in curve.plane):
        return Markup()
    spot = region.spot or 1.0
    xs = [multiple * spot for multiple in curve.multiples]
    top = _top(curve.plane)
    ys, values = PLANE[: top + 1], curve.plane[: top + 1]
    frame = Frame(Range(xs[0], xs[-1]), Range(ys[0], ys[-1]))
    polygons, edge = plane.negative(xs, ys, values)
    drawn = drawing.picture(
        frame,
        "Where spot and volatility together liquidate",
        ("spot", "multiple of volatility"),
        tag("path", d="".join(_outline(frame, points) for points in polygons), class_="dead solid"),
        tag("path", d="".join(_stroke(frame, *ends) for ends in edge), class_="brink"),
        drawing.dot(frame, spot, 1.0, "here"),
        drawing.text(frame.across(spot) + 7.0, frame.up(1.0) - 5.0, "now", "tick", "start"),
        *_likely(frame, pool, region, spot),
    )
    said = _most_likely(pool, region, spot) if polygons else "Nothing that is drawn is liquidated."
    return joined([drawn, note(said)])


def _ends(low: float | None, high: float | None, frame: Frame, spot: float) -> tuple[float, float]:
    return (
        frame.x.low if low is None else low * spot,
        frame.x.high if high is None else high * spot,
    )


def _said(region: RegionLine) -> str:
    """Say where it is liquidated, and how sure that is."""
    spot = region.spot

    def place(multiple: float) -> str:
        if spot is None:
            return f"{multiple:.4f} times"
        return f"{numbers.level(multiple * spot, spot)} ({numbers.move(multiple - 1.0)})"

    texts = []
    for low, high, *_ in region.intervals:
        if low is not None and high is not None:
            texts.append(f"from {place(low)} to {place(high)}")
        elif low is not None:
            texts.append(f"above {place(low)}")
        else:
            texts.append("everywhere" if high is None else f"below {place(high)}")
    where = " and ".join(texts) if texts else "nowhere in the range searched"
    if region.certified:
        return f"Liquidated {where}. Certified: no other interval was missed."
    gap = numbers.percent(region.largest_gap)
    reason = region.uncertified_because
    return f"Liquidated {where}. Looked every {gap} of spot or closer; not certified, as {reason}."


def _likely(frame: Frame, pool: PoolLiquidation, region: RegionLine, spot: float) -> list[Markup]:
    for each in pool.frontiers:
        likely = each.most_likely
        if each.underlying != region.underlying or likely is None or likely.distance <= 0.0:
            continue
        x, y = (1.0 + likely.move) * spot, likely.volatility
        inside = frame.x.within(x) == x and frame.y.within(y) == y
        return [drawing.dot(frame, x, y, "likely")] if inside else []
    return []


def _most_likely(pool: PoolLiquidation, region: RegionLine, spot: float) -> str:
    for each in pool.frontiers:
        likely = each.most_likely
        if each.underlying == region.underlying and likely is not None and likely.distance > 0.0:
            place = numbers.level((1.0 + likely.move) * spot, spot)
            return (
                f"Shaded: liquidated. The likeliest way there: spot {place} "
                f"({numbers.move(likely.move)}) with volatility times {likely.volatility:.3f}, "
                f"{likely.distance:.1f} standard deviations of a day away (the mark)."
            )
    return "Shaded: liquidated."


def _top(values: Sequence[Sequence[float]]) -> int:
    """Return the row up to which there is something to tell apart."""
    whole = (row for row, line in enumerate(values) if all(value < 0.0 for value in line))
    return min(max(next(whole, len(values) - 1) + 4, 16), len(values) - 1)


def _outline(frame: Frame, points: Sequence[plane.Point]) -> str:
    return "M" + "L".join(f"{frame.across(x):.1f} {frame.up(y):.1f}" for x, y in points) + "Z"


def _stroke(frame: Frame, start: plane.Point, end: plane.Point) -> str:
    return "M" + "L".join(f"{frame.across(x):.1f} {frame.up(y):.1f}" for x, y in (start, end))


_KEYS = (("equity", "equity"), ("maintenance", "maintenance margin"), ("dead", "liquidated"))
LEGEND = tag(
    "p", *(tag("span", tag("i", class_=key), word) for key, word in _KEYS), class_="legend"
)
"""What the lines of a curve along spot are."""
