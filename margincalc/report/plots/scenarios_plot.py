"""The scenarios of an account as a heat map: spot moves up, volatility moves across."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from margincalc.answers.view_results import ScenarioLine, ScenariosReport
from margincalc.arrays import FloatArray
from margincalc.report import numbers
from margincalc.report.layout import name
from margincalc.report.plots import style
from margincalc.report.scenarios_table import by_underlying, in_full, move_label, volatility_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

LINE = 0.17  # inches that a row of cells needs
PANELS = 4  # underlyings that one picture has room for
OTHERS = 16  # scenarios beside the grid that one panel has room for


def scenarios_figure(report: ScenariosReport, size: style.Size) -> "Figure":
    """Draw a panel per underlying, the largest losses first; blue gains, red loses."""
    ranked = by_underlying(report.lines)
    shown = ranked[:PANELS]
    model = f"{name(report.model.name)} {report.model.effective}"
    left_out = f"; {len(ranked) - len(shown)} more underlyings" if len(ranked) > PANELS else ""
    note = f"P&L in {name(report.currency)}; frame: the worst loss that counts{left_out}"
    with style.styled():
        across = min(len(shown), 2)
        down = -(-len(shown) // 2)
        tall = max((len({line.spot for line in lines}) for lines in shown), default=0)
        high = max(4.0, 1.4 + LINE * tall)
        least = style.Size(max(7.0 * across, 7.0), max(high * down, 4.4))
        title = f"{name(report.account)}: scenarios of {model}"
        figure = style.blank(size, least, title, note)
        if not shown:
            return figure
        panels = figure.subfigures(down, across, squeeze=False).ravel()
        for panel, lines in zip(panels, shown, strict=False):
            _panel(panel, lines, report.volatility_rule)
    return figure


def _panel(panel: "SubFigure", lines: Sequence[ScenarioLine], rule: str) -> None:
    """Draw one underlying: the grid on the left, what has another weight on the right."""
    plain = [line for line in lines if in_full(line)]
    others = [line for line in lines if not in_full(line)]
    others = sorted(others, key=lambda line: line.weighted_pnl)[:OTHERS]
    limit = max(abs(line.weighted_pnl) for line in [*plain, *others]) or 1.0
    columns = len({line.volatility for line in plain})
    parts = [(part, width) for part, width in ((plain, max(columns, 2)), (others, 1.5)) if part]
    grid = panel.subplots(1, len(parts), width_ratios=[width for _, width in parts], squeeze=False)
    for axes, (part, _) in zip(grid[0], parts, strict=True):
        if part is plain:
            _heat_map(axes, part, rule, limit)
        else:
            _column(axes, part, rule, limit)
    grid[0][0].set_title(name(lines[0].underlying, 24))


def _heat_map(axes: "Axes", lines: Sequence[ScenarioLine], rule: str, limit: float) -> None:
    """Draw the scenarios that count in full."""
    spots = sorted({line.spot for line in lines})
    moves = sorted({line.volatility for line in lines})
    cells = np.full((len(spots), len(moves)), np.nan)
    for line in lines:
        row, column = spots.index(line.spot), moves.index(line.volatility)
        cells[row, column] = line.pnl
        if line.worst:
            _frame(axes, row, column)
    _paint(axes, cells, limit)
    axes.set_xticks(range(len(moves)), [volatility_label(move, rule) for move in moves])
    axes.set_yticks(range(len(spots)), [move_label(spot) for spot in spots])
    axes.set_xlabel("implied volatility")
    axes.set_ylabel("spot")


def _column(axes: "Axes", lines: Sequence[ScenarioLine], rule: str, limit: float) -> None:
    """Draw the scenarios that count with a weight, or that their moves do not describe."""
    ordered = sorted(lines, key=lambda line: (line.spot, line.volatility))
    for row, line in enumerate(ordered):
        if line.worst:
            _frame(axes, row, 0)
    _paint(axes, np.array([[line.weighted_pnl] for line in ordered]), limit)
    axes.set_xticks([])
    axes.set_yticks(range(len(ordered)), [_other_label(line, rule) for line in ordered])
    axes.set_xlabel("others, as they count")


def _other_label(line: ScenarioLine, rule: str) -> str:
    if not line.label.startswith("spot "):
        return name(line.label, 24)
    label = f"{move_label(line.spot)}, IV {volatility_label(line.volatility, rule)}"
    return label if line.weight == 1.0 else f"{label}\nweight {line.weight * 100.0:.3g} %"


def _paint(axes: "Axes", cells: FloatArray, limit: float) -> None:
    """Colour the cells, and write in each what it is worth."""
    style.without_ticks(axes)
    axes.imshow(
        np.ma.masked_invalid(cells),
        cmap="RdBu",
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        origin="lower",
        alpha=0.85,
    )
    rows, columns = np.nonzero(np.isfinite(cells))
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        value = float(cells[row, column])
        ink = "white" if abs(value) > 0.6 * limit else style.INK
        axes.text(
            column,
            row,
            numbers.compact(value),
            ha="center",
            va="center",
            color=ink,
            fontsize=8,
            clip_on=True,
        )


def _frame(axes: "Axes", row: int, column: int) -> None:
    """Frame the cell of the worst loss."""
    from matplotlib.patches import Rectangle

    box = Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, lw=2.0, ec=style.INK, zorder=3)
    axes.add_patch(box)
