"""A hedge: equity and what the target asks of it along spot, before and after."""

from typing import TYPE_CHECKING

import numpy as np

from margincalc.answers.hedge_results import HedgePool, HedgeReport
from margincalc.report import numbers
from margincalc.report.layout import name
from margincalc.report.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 4  # pools that one picture has room for
LEAST = style.Size(6.0, 3.6)


def hedge_figure(report: HedgeReport, size: style.Size) -> "Figure":
    """Draw each pool twice, before and after, on the same axes."""
    pools = sorted(report.pools, key=lambda pool: -pool.total_cost)[:PANELS]
    left_out = len(report.pools) - len(pools)
    note = (
        f"{name(report.currency)} along a move of every spot; "
        f"shaded: less equity than maintenance / {numbers.percent(report.target)}"
    )
    note += f"; {left_out} more pools" if left_out else ""
    with style.styled():
        title = f"{name(report.account)}: hedge under {name(report.model.name)}"
        least = style.Size(LEAST.width, LEAST.height * max(len(pools), 1))
        figure = style.blank(size, least, title, note)
        if not pools:
            return figure
        grid = figure.subplots(len(pools), 2, sharex="row", sharey="row", squeeze=False)
        for row, pool in zip(grid, pools, strict=True):
            _pair(row, pool, report)
        grid[0][0].legend(loc="best")
    return figure


def _pair(row: "np.typing.NDArray[np.object_]", pool: HedgePool, report: HedgeReport) -> None:
    """Draw one pool: before on the left, after on the right."""
    own = f"{name(pool.pool, 24)}: " if len(report.pools) > 1 else ""
    after = f"cost {numbers.compact(pool.total_cost)}" if pool.feasible else "not feasible"
    for axes, side, title in ((row[0], "before", "before"), (row[1], "after", f"after, {after}")):
        _panel(axes, pool, side, report)
        axes.set_title(f"{own}{title}")


def _panel(axes: "Axes", pool: HedgePool, side: str, report: HedgeReport) -> None:
    """Draw equity, maintenance and the target's bound of one state."""
    spot = np.array([point.spot for point in pool.profile])
    equity = np.array([getattr(point, f"equity_{side}") for point in pool.profile])
    need = np.array([getattr(point, f"maintenance_{side}") for point in pool.profile])
    asked = need / report.target
    low, high = report.spot_range
    if low != high:
        for edge in (low, high):
            axes.axvline(edge, color=style.QUIET, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.axvline(0.0, color=style.QUIET, linewidth=0.6)
    axes.fill_between(
        spot, equity, asked, where=equity < asked, color=style.RED, alpha=0.16, linewidth=0.0
    )
    axes.plot(spot, equity, color=style.BLUE, label="equity")
    axes.plot(spot, need, color=style.RED, label="maintenance margin", linestyle="--")
    target = numbers.percent(report.target)
    axes.plot(spot, asked, color=style.INK, label=f"equity for {target}", linewidth=0.9)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:+.0f} %" if value else "spot")
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlim(float(spot[0]), float(spot[-1]))
    style.amounts(axes)
