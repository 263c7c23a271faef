"""Equity and maintenance margin along spot, what is liquidated shaded, and the frontier."""

from typing import TYPE_CHECKING, Any

import numpy as np

from margincalc.answers.liquidation_results import (
    PLANE,
    Crossing,
    Curve,
    FrontierReport,
    Interval,
    LikelyPoint,
    LiquidationReport,
    PoolLiquidation,
    RegionLine,
)
from margincalc.arrays import FloatArray
from margincalc.errors import input_error
from margincalc.report import numbers
from margincalc.report.layout import name
from margincalc.report.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROWS = 4  # lines of markets that one picture has room for
NOTHING = "nothing here liquidates"
TOGETHER = "all together, multiple of spot"
Shown = tuple[PoolLiquidation, RegionLine, FrontierReport | None]


def liquidation_figure(report: LiquidationReport, size: style.Size) -> "Figure":
    """Draw a row per pool and underlying, those with the least excess first.

    Raises
    ------
    InputError
        If the report was made without the curves that it is drawn from.
    """
    rows = _rows(report)
    if rows and not any(pool.curves for pool in report.pools):
        raise input_error("picture", "no curves", "those of `liquidation(..., curves=True)`")
    shown = rows[:ROWS]
    across = 2 if any(frontier is not None for _, _, frontier in shown) else 1
    more = f"; {len(rows) - ROWS} more not shown" if len(rows) > ROWS else ""
    note = f"{name(report.currency)}; shaded: liquidated; dotted: now{more}"
    model = f"{name(report.model.name)} {report.model.effective}"
    with style.styled():
        least = style.Size(4.4 * across + 0.6, 3.2 * max(len(shown), 1) + 0.8)
        title = f"{name(report.account)}: liquidation by {model}"
        figure = style.blank(size, least, title, note)
        if not shown:
            return figure
        grid = figure.subplots(len(shown), across, squeeze=False)
        for (pool, region, frontier), axes in zip(shown, grid, strict=True):
            _spot(axes[0], pool, region)
            if across == 2:
                curve = pool.curves.get(region.underlying or "")
                _plane(axes[1], curve, region, frontier.most_likely if frontier else None)
    return figure


def _rows(report: LiquidationReport) -> list[Shown]:
    """Pair every line of markets with its frontier, pools of least excess first."""
    rows: list[Shown] = []
    for pool in sorted(report.pools, key=lambda pool: pool.excess):
        by_name = {frontier.underlying: frontier for frontier in pool.frontiers}
        rows += [(pool, region, by_name.get(region.underlying)) for region in pool.regions]
    return rows


def _title(pool: PoolLiquidation, region: RegionLine) -> str:
    return f"{name(pool.pool, 24)}: {name(region.underlying or 'together', 24)}"


def _spot(axes: "Axes", pool: PoolLiquidation, region: RegionLine) -> None:
    """Draw equity and maintenance margin along spot."""
    curve = pool.curves.get(region.underlying or "")
    if curve is None:
        return
    x = np.array(curve.multiples) * (region.spot or 1.0)
    axes.plot(x, curve.equity, color=style.BLUE, label="equity")
    axes.plot(x, curve.maintenance, color=style.RED, linestyle="--", label="maintenance margin")
    low, high = float(x[0]), float(x[-1])
    for interval in region.intervals:
        start, end = _ends(interval, region.spot or 1.0, low, high)
        if end > start:
            _hatched(axes, start, end)
    ends = [each.multiple * (region.spot or 1.0) for each in region.crossings]
    for place, crossing in zip(ends, region.crossings, strict=True):
        if low < place < high:
            axes.axvline(place, color=style.QUIET, linewidth=0.7)
            _crossing(axes, place, crossing, region.spot)
    if not any(low < place < high for place in ends) and not region.intervals:
        style.remark(axes, NOTHING)
    axes.axvline(region.spot or 1.0, color=style.INK, linewidth=0.8, linestyle=":")
    axes.set_xlim(low, high)
    axes.set_ylim(*_room(curve))
    style.amounts(axes)
    style.amounts(axes, vertical=False)
    axes.set_title(_title(pool, region))
    axes.set_xlabel("spot" if region.spot else TOGETHER)
    axes.legend(loc="lower center", ncols=2, fontsize=8)


def _crossing(axes: "Axes", place: float, crossing: Crossing, spot: float | None) -> None:
    """Write a price that liquidates beside its line, on the side of the present spot."""
    level = f"x {place:.3f}" if spot is None else numbers.level(place, spot)
    side = 1 if crossing.move < 0.0 else -1
    axes.annotate(
        f"{level}\n{numbers.move(crossing.move)}",
        (place, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4 * side, -3),
        textcoords="offset points",
        ha="left" if side > 0 else "right",
        va="top",
        fontsize=8,
        bbox=style.PAPER,
    )


def _hatched(axes: "Axes", start: float, end: float) -> None:
    axes.axvspan(start, end, facecolor=style.RED, alpha=0.10, linewidth=0)
    axes.axvspan(start, end, facecolor="none", edgecolor=style.RED, alpha=0.25, hatch="///", lw=0)


def _ends(interval: Interval, spot: float, low: float, high: float) -> tuple[float, float]:
    """Return the ends of an interval as prices, cut to what is drawn."""
    start = low if interval.low is None else max(interval.low * spot, low)
    return start, high if interval.high is None else min(interval.high * spot, high)


def _room(curve: Curve) -> tuple[float, float]:
    """Return the amounts between which is drawn: all near the crossings, room for the legend."""
    amounts = np.concatenate([curve.equity, curve.maintenance])
    most = max(float(np.max(curve.maintenance)), float(np.quantile(curve.equity, 0.9)), 1e-9)
    low = max(float(np.min(amounts)), -1.2 * most)
    high = min(float(np.max(amounts)), 2.5 * most)
    span = (high - low) or 1.0
    return low - 0.22 * span, high + 0.18 * span


def _plane(
    axes: "Axes", curve: Curve | None, region: RegionLine, likely: LikelyPoint | None
) -> None:
    """Draw where spot and volatility liquidate together, and the likeliest way there."""
    if curve is None or not curve.plane:
        axes.set_visible(False)
        return
    spot, steps = region.spot or 1.0, np.array(PLANE)
    x, excess = np.array(curve.multiples) * spot, np.array(curve.plane)
    below = np.where(excess < 0.0, -1.0, 1.0) if np.all(excess == 0.0) else excess
    top = _top(steps, below, likely)
    if np.any(below < 0.0):
        most = float(np.max(np.abs(below)))
        shade: Any = {"colors": [f"{style.RED}1A"], "hatches": ["///"]}
        shaded = axes.contourf(x, steps, below, levels=[-2.0 * most, 0.0], **shade)
        shaded.set_edgecolor(f"{style.RED}40")
        shaded.set_linewidth(0.0)
        axes.contour(x, steps, below, levels=[0.0], colors=[style.RED], linewidths=1.4)
    else:
        style.remark(axes, NOTHING)
    axes.plot([spot], [1.0], marker="o", color=style.INK, markersize=4)
    away = -1 if likely is not None and likely.move > 0.0 else 1  # from the way to the likely point
    place: Any = {"xytext": (5 * away, 4), "textcoords": "offset points"}
    axes.annotate("now", (spot, 1.0), fontsize=8, ha="left" if away > 0 else "right", **place)
    bounds = (float(x[0]), float(x[-1])), (float(steps[0]), top)
    axes.set_xlim(*bounds[0])
    axes.set_ylim(*bounds[1])
    if likely is not None and likely.distance > 0.0:
        _way(axes, region.spot, likely, bounds)
    style.amounts(axes, vertical=False)
    axes.set_title("spot and volatility together")
    axes.set_xlabel("spot" if region.spot else TOGETHER)
    axes.set_ylabel("multiple of volatility")


def _way(
    axes: "Axes",
    spot: float | None,
    likely: LikelyPoint,
    bounds: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    """Draw the way to the most likely market that liquidates, up to the edge of the picture."""
    start = np.array([spot or 1.0, 1.0])
    step = np.array([likely.move * start[0], likely.volatility - 1.0])
    low, high = np.array(bounds).T
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(step > 0.0, (high - start) / step, (low - start) / step)
    reach = min(float(np.min(room[step != 0.0], initial=1.0)), 1.0)
    place = start + reach * step
    axes.plot(*zip(start, place, strict=True), color=style.INK, linewidth=0.8)
    text = f"{likely.distance:.1f} days' \u03c3"
    mark: Any = {"marker": "D", "markersize": 5}
    if reach < 1.0:
        level = numbers.level(start[0] + step[0], spot) if spot else f"x {1.0 + likely.move:.3f}"
        text += f"\nbeyond: {level}, volatility x {likely.volatility:.2f}"
        mark = {"marker": "^" if step[1] > 0.0 else "v", "markersize": 7}
    axes.plot(*place, color=style.INK, clip_on=False, zorder=4, **mark)
    lower = place[1] > low[1] + 0.15 * (high[1] - low[1])
    axes.annotate(
        text,
        tuple(place),
        xytext=(4 if likely.move < 0.0 else -4, -8 if lower else 8),
        textcoords="offset points",
        ha="left" if likely.move < 0.0 else "right",
        va="top" if lower else "bottom",
        fontsize=8,
        bbox=style.PAPER,
    )


def _top(steps: FloatArray, excess: FloatArray, likely: LikelyPoint | None) -> float:
    """Return the volatility up to which there is something to tell apart."""
    whole = np.all(excess < 0.0, axis=1)
    first = int(np.argmax(whole)) if np.any(whole) else len(steps) - 1
    above = 0 if likely is None else int(np.searchsorted(steps, likely.volatility)) + 2
    return float(steps[min(max(first + 4, 16, above), len(steps) - 1)])
