"""Pictures: a frozen result goes in, a matplotlib figure comes out.

    figure -> one file per picture -> style (the look they share)
    save -> picture (PNG or SVG, the same bytes each time)

    plots.save(plots.figure(mc.scenarios(portfolio)), "scenarios.png")

matplotlib is an extra, and is imported when a figure is built.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from margincalc.answers.explain_results import ChangeReport, ExplainReport
from margincalc.answers.hedge_results import HedgeReport
from margincalc.answers.liquidation_results import LiquidationReport
from margincalc.answers.study import Study
from margincalc.answers.view_results import ScenariosReport
from margincalc.report.plots.explain_plot import change_figure, explain_figure
from margincalc.report.plots.hedge_plot import hedge_figure
from margincalc.report.plots.liquidation_plot import liquidation_figure
from margincalc.report.plots.picture import picture, save, suffix_of
from margincalc.report.plots.scenarios_plot import scenarios_figure
from margincalc.report.plots.study_plot import study_figure
from margincalc.report.plots.style import Size

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIGURES: dict[type, Callable[[Any, Size], "Figure"]] = {
    HedgeReport: hedge_figure,
    LiquidationReport: liquidation_figure,
    ScenariosReport: scenarios_figure,
    ExplainReport: explain_figure,
    ChangeReport: change_figure,
    Study: study_figure,
}


def figure(report: Any, size: Size = Size()) -> "Figure":
    """Draw a result.

    Parameters
    ----------
    report : a result that has a picture
    size : inches; text keeps its size, so a larger figure shows more

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    return _FIGURES[type(report)](report, size)


__all__ = ["Size", "figure", "picture", "save", "suffix_of"]
