"""Waterfalls: from nothing to a requirement by position, and from one file's to another's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from margincalc.answers.explain_results import ChangeReport, ExplainReport
from margincalc.report import numbers
from margincalc.report.layout import name
from margincalc.report.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BARS = 20  # that one picture has room for; the smallest are put together


class _Bar(NamedTuple):
    """A step of a waterfall; a total stands on the axis."""

    label: str
    amount: float
    total: bool = False


def explain_figure(report: ExplainReport, size: style.Size) -> "Figure":
    """Draw what each position alone would need, what hedging saves, and each one's share."""
    several = len(report.pools) > 1
    labels = [
        name(line.instrument, 28) + (f" ({name(line.pool, 16)})" if several else "")
        for line in report.positions
    ]
    shares = [line.share for line in report.positions]
    steps = [_Bar(label, share) for label, share in zip(labels, shares, strict=True)]
    bars = [
        *_largest(steps),
        _Bar("maintenance margin", report.maintenance_margin, total=True),
    ]
    title = f"{name(report.account)}: maintenance margin by position"
    note = (
        f"{name(report.model.name)} {report.model.effective}, {name(report.currency)}; alone "
        f"{numbers.amount(report.standalone, report.currency)}, hedged "
        f"{numbers.amount(report.hedge_benefit, report.currency)}"
    )
    return _waterfall(bars, size, title, note)


def change_figure(report: ChangeReport, size: style.Size) -> "Figure":
    """Draw what changed the maintenance margin."""
    lines = [
        _Bar(f"{line.kind} {name(line.name, 28)}".strip(), line.maintenance_margin)
        for line in report.lines
    ]
    bars = [
        _Bar(numbers.moment(report.old_as_of), report.old["maintenance_margin"], total=True),
        *_largest(lines),
        _Bar(numbers.moment(report.as_of), report.new["maintenance_margin"], total=True),
    ]
    title = f"{name(report.account)}: what changed the maintenance margin"
    note = f"{name(report.model.name)} {report.model.effective}, {name(report.currency)}"
    return _waterfall(bars, size, title, note)


def _largest(bars: Sequence[_Bar]) -> list[_Bar]:
    """Return the bars in their order, the smallest of many put together at the end."""
    if len(bars) <= BARS:
        return list(bars)
    ranked = sorted(range(len(bars)), key=lambda n: -abs(bars[n].amount))
    kept = sorted(ranked[: BARS - 1])
    rest = sum(bars[n].amount for n in ranked[BARS - 1 :])
    return [*(bars[n] for n in kept), _Bar(f"{len(bars) - BARS + 1} others", rest)]


def _waterfall(bars: Sequence[_Bar], size: style.Size, title: str, note: str) -> "Figure":
    """Draw bars across, from the top down: up is orange and hatched, down blue, totals grey."""
    with style.styled():
        figure = style.blank(size, style.Size(7.0, max(3.0, 1.6 + 0.3 * len(bars))), title, note)
        axes = figure.subplots()
        level, ends = 0.0, []
        for row, bar in enumerate(bars):
            start = 0.0 if bar.total else level
            level = bar.amount if bar.total else level + bar.amount
            _bar(axes, row, bar, start)
            ends.append((start, level))
            if row + 1 < len(bars):
                axes.plot(
                    [level, level], [row - 0.35, row + 1.35], color=style.QUIET, linewidth=0.7
                )
        low, high = min(min(pair) for pair in ends), max(max(pair) for pair in ends)
        span = (high - low) or 1.0
        axes.set_xlim(low - (0.02 if low >= 0.0 else 0.14) * span, high + 0.14 * span)
        axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.axvline(0.0, color=style.INK, linewidth=0.8)
        style.amounts(axes, vertical=False)
    return figure


def _bar(axes: "Axes", row: int, bar: _Bar, start: float) -> None:
    """Draw one step, its amount behind its far end."""
    look: dict[str, Any]
    if bar.total:
        look = {"color": style.QUIET}
    elif bar.amount >= 0.0:
        look = {"color": style.ORANGE, "hatch": "///", "edgecolor": "white"}
    else:
        look = {"color": style.BLUE}
    axes.barh(row, bar.amount, left=start, height=0.7, linewidth=0.0, **look)
    end = max(start, start + bar.amount)
    sign = "" if bar.total or bar.amount < 0.0 else "+"
    axes.annotate(
        f"{sign}{numbers.compact(bar.amount)}",
        (end, row),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
    )
