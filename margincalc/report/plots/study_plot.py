"""Pictures of simulations: cascades and where they feed themselves, margins over time, feeds."""

from typing import TYPE_CHECKING, Any

import numpy as np

from margincalc.answers.study import Study
from margincalc.arrays import FloatArray
from margincalc.errors import input_error
from margincalc.report import numbers
from margincalc.report.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RULES = ("static", "ewma", "buffer", "fhs")
_FEEDS = "where R is over 1 liquidation feeds itself"
_MOST_R = 3.0  # beyond which how far R is above 1 no longer matters


def study_figure(report: Study, size: style.Size) -> "Figure":
    """Draw a simulation that has a picture.

    Raises
    ------
    InputError
        If it has none.
    """
    drawn = _DRAWN.get(report.name)
    if drawn is None:
        raise input_error("--plot", report.name, f"one of {', '.join(_DRAWN)}")
    with style.styled():
        return drawn(report, size)


def _column(report: Study, table: str, key: str) -> FloatArray:
    values = report.table(table).column(key)
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _percent(axes: "Axes", *, vertical: bool, signed: bool = True) -> None:
    axis = axes.yaxis if vertical else axes.xaxis
    sign = "+" if signed else ""
    axis.set_major_formatter(lambda value, _: f"{value * 100.0:{sign}.4g} %" if value else "0")


def _cascade(report: Study, size: style.Size) -> "Figure":
    """Draw where each shock ends beside the levels that feed the fall, over the bad debt."""
    levels = report.table("levels").rows
    note = "dashed: the shock alone" + (f"; {_FEEDS}" if levels else "")
    figure = style.blank(size, style.Size(7.0, 4.0), f"Cascade: {report.title}", note)
    curve, other = figure.subplots(1, 2, width_ratios=[1.15, 1.0])
    shock, end = _column(report, "curve", "shock"), _column(report, "curve", "move")
    curve.plot(shock, shock, color=style.QUIET, linestyle="--", linewidth=1.0)
    curve.plot(shock, end, color=style.BLUE)
    _critical(curve, report)
    curve.set_xlabel("shock")
    curve.set_ylabel("where the price ends")
    for vertical in (False, True):
        _percent(curve, vertical=vertical)
    if levels:
        _levels(other, report)
    else:
        other.plot(shock, _column(report, "curve", "bad_debt"), color=style.RED)
        other.set_title("bad debt")
        other.set_xlabel("shock")
        _percent(other, vertical=False)
        style.amounts(other)
    return figure


def _critical(axes: "Axes", report: Study) -> None:
    """Mark the shocks from which the amplification exceeds two."""
    marked = False
    for key in ("critical_fall", "critical_rise"):
        if report[key] is not None:
            label = None if marked else "amplified more than twice"
            axes.axvline(report[key], color=style.ORANGE, linewidth=1.0, label=label)
            marked = True
    if marked:
        axes.legend(loc="lower right")


def _levels(axes: "Axes", report: Study) -> None:
    """Draw R by price level; levels that feed themselves are hatched."""
    near, far = _column(report, "levels", "from"), _column(report, "levels", "to")
    feeds = _column(report, "levels", "reproduction")
    highest = float(np.nanmax(feeds, initial=0.0))
    top = max(1.25, min(highest * 1.1, _MOST_R))
    bars = axes.bar(
        0.5 * (near + far), np.minimum(feeds, top), width=np.abs(far - near), color=style.SKY
    )
    for bar, value in zip(bars, feeds.tolist(), strict=True):
        if value >= 1.0:
            bar.set(facecolor=style.RED, hatch="////", edgecolor="white")
    axes.axhline(1.0, color=style.INK, linewidth=0.8)
    axes.set_ylim(0.0, top)
    cut = f", cut at {_MOST_R:g}" if highest > _MOST_R else ""
    axes.set_title(f"R by price level{cut}")
    axes.set_xlabel("price, from the spot")
    _percent(axes, vertical=False)


def _monitor(report: Study, size: style.Size) -> "Figure":
    """Draw how much is forced at each price over R, beside what the fund covers."""
    fund = numbers.compact(report["fund"])
    figure = style.blank(
        size,
        style.Size(8.0, 5.3),
        f"Monitor: {report.title}",
        f"fund {fund} {report.currency}; dashed below: the shock alone; {_FEEDS}",
    )
    (forced, debt), (feeds, rest) = figure.subplots(2, 2, width_ratios=[1.4, 1.0])
    near, far = _column(report, "levels", "from"), _column(report, "levels", "to")
    sold = _column(report, "levels", "sold")
    if len(near):
        forced.bar(0.5 * (near + far), sold, width=np.abs(far - near), color=style.BLUE)
        _levels(feeds, report)
    forced.set_title("forced at each price level")
    _percent(forced, vertical=False)
    style.amounts(forced)
    shock = _column(report, "cover", "shock")
    debt.plot(shock, _column(report, "cover", "bad_debt"), color=style.RED, label="bad debt")
    debt.axhline(report["fund"], color=style.GREEN, linestyle="--", label="fund")
    debt.set_title("bad debt by shock")
    debt.legend(loc="upper center")
    _percent(debt, vertical=False)
    style.amounts(debt)
    rest.plot(shock, _column(report, "cover", "move"), color=style.BLUE)
    rest.plot(shock, shock, color=style.QUIET, linestyle="--", linewidth=1.0)
    rest.set_title("where the price ends")
    rest.set_xlabel("shock")
    for vertical in (False, True):
        _percent(rest, vertical=vertical)
    return figure


def _dynamic(report: Study, size: style.Size) -> "Figure":
    """Draw the ranges of a few rules over the days' moves, a panel per symbol."""
    path = report.table("path")
    symbols = list(dict.fromkeys(path.column("symbol")))[:3]
    note = "grey: size of each day's move; a range that it exceeds is a breach"
    figure = style.blank(size, style.Size(6.5, 4.0), f"Margin over time: {report.title}", note)
    panels = figure.subplots(len(symbols), 1, squeeze=False, sharex=True)[:, 0]
    for axes, symbol in zip(panels, symbols, strict=True):
        rows = [row for row in path.records() if row["symbol"] == symbol]
        _paths(axes, rows)
        axes.set_title(symbol or "range, of the spot")
        _percent(axes, vertical=True, signed=False)
    panels[0].legend(ncols=len(_RULES), loc="upper right")
    return figure


def _paths(axes: "Axes", rows: list[dict[str, Any]]) -> None:
    day = np.array([row["date"] for row in rows], "datetime64[D]")
    move = np.array([row["move"] for row in rows])
    axes.vlines(day, 0.0, move, color="#BBBBBB", linewidth=0.7)
    highest = float(np.max(move))
    for rule, colour in zip(_RULES, style.SERIES, strict=False):
        values = np.array([row[rule] for row in rows], np.float64)
        axes.plot(day, values, color=colour, linewidth=1.2, label=rule)
        highest = max(highest, float(np.max(values)))
    axes.set_ylim(0.0, min(1.15 * highest, 1.0))


def _oracle(report: Study, size: style.Size) -> "Figure":
    """Draw what each feed did to accounts, over what it cost."""
    note = f"{report['prices']:,} prices, {report['from']} to {report['to']}"
    figure = style.blank(size, style.Size(7.5, 3.8), f"Price feeds: {report.title}", note)
    counts, debt = figure.subplots(1, 2, width_ratios=[1.5, 1.0], sharey=True)
    names = report.table("feeds").column("feed")
    place = np.arange(len(names), 0, -1)
    left = np.zeros(len(names))
    kinds = {"false": style.ORANGE, "late": style.SKY, "missed": style.PURPLE}
    hatches = ("////", "", "....")  # told apart without colour
    for (kind, colour), hatch in zip(kinds.items(), hatches, strict=True):
        width = _column(report, "feeds", kind)
        counts.barh(
            place, width, 0.6, left, color=colour, hatch=hatch, edgecolor="white", label=kind
        )
        left = left + width
    counts.set_yticks(place, names)
    counts.set_title("accounts closed false, late, or missed")
    counts.set_xlim(0.0, 1.3 * max(float(np.max(left)), 1.0))
    counts.legend(loc="upper right")  # beside the true price, which is never wrong
    debt.barh(place, _column(report, "feeds", "bad_debt"), 0.6, color=style.RED)
    debt.set_title(f"bad debt, {report.currency}")
    style.amounts(debt, vertical=False)
    for axes in (counts, debt):
        axes.grid(visible=False, axis="y")
    return figure


_DRAWN = {"cascade": _cascade, "monitor": _monitor, "dynamic": _dynamic, "oracle": _oracle}
