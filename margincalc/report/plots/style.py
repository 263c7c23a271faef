"""One look for every picture: quiet, legible small and large, safe for the colour-blind.

A figure is built without pyplot, so that nothing is shared between two of them, and is written with
neither dates nor versions, so that the same input gives the same bytes. The colours are Okabe and
Ito's (2008); none carries a meaning alone. Equity is blue and whole; maintenance margin, and where
it is not covered, red, dashed or hatched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from margincalc.errors import MissingExtraError, printable
from margincalc.report import numbers
from margincalc.report.layout import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, INK, QUIET = "#CC79A7", "#56B4E9", "#222222", "#767676"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
"""Colours of the lines of a plot, in the order in which they are given out."""

_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": QUIET,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.unicode_minus": True,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.titleweight": "bold",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 9,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.5,
    "legend.edgecolor": "none",
    "legend.facecolor": "white",
    "legend.fontsize": 8.5,
    "legend.framealpha": 0.8,  # lines and shades are behind it
    "lines.linewidth": 1.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "margincalc",
    "text.color": INK,
    "text.parse_math": False,  # a name may hold a dollar
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}


PAPER: Any = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
"""What text stands on where lines and shades are behind it."""

DOTS = 160  # an inch
SMALLEST = 8.0  # points of text in a layout
READABLE = 6.0  # points of text in a picture


class Size(NamedTuple):
    """Inches of a figure.

    In a larger one text keeps its size, so that more is told apart; one too small for its text is
    laid out larger and then reduced, as far as text stays readable: beyond that it is larger.
    """

    width: float = 8.0
    height: float = 5.0

    def reduction(self, least: "Size") -> float:
        """Return by how much a layout of at least that size is reduced to fit this one, to 1."""
        fitting = min(self.width / least.width, self.height / least.height, 1.0)
        return max(fitting, READABLE / SMALLEST)

    def laid_out(self, least: "Size") -> "Size":
        """Return the inches of the layout: this size, not reduced yet, and at least that one."""
        reduced = self.reduction(least)
        width, height = self.width / reduced, self.height / reduced
        return Size(max(width, least.width), max(height, least.height))


@contextmanager
def styled() -> Iterator[None]:
    """Apply the look inside a block, where a figure is built or written.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError(
            "pictures need matplotlib: pip install 'margincalc[plot]'"
        ) from None
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # nothing of a user's own settings
        matplotlib.rcParams.update(_STYLE)
        yield


def blank(size: Size, least: Size, title: str, note: str = "") -> "Figure":
    """Return an empty figure between a title and a note; call it inside `styled`.

    Parameters
    ----------
    least : inches that its text needs
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    reduced, laid_out = size.reduction(least), size.laid_out(least)
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=laid_out, dpi=DOTS * reduced, layout=layout)
    FigureCanvasAgg(figure)
    left = 0.1 / laid_out.width
    figure.suptitle(_fitted(title, 9.0 * laid_out.width), x=left, ha="left", fontsize=11)
    if note:
        text = _fitted(note, 14.0 * laid_out.width)
        figure.supxlabel(text, x=left, ha="left", fontsize=8, color=QUIET)
    return figure


def _fitted(text: str, room: float) -> str:
    """Cut a line of text to a number of characters."""
    return shortened(printable(text, 1000), max(int(room), 8))


def amounts(axes: "Axes", *, vertical: bool = True) -> None:
    """Write the numbers of an axis as `compact` does."""
    axis = axes.yaxis if vertical else axes.xaxis
    axis.set_major_formatter(lambda value, _: numbers.compact(value))


def remark(axes: "Axes", text: str) -> None:
    """Write what is to be known of a whole plot where it is seen first."""
    place: Any = {"ha": "center", "va": "top", "transform": axes.transAxes}
    axes.text(0.5, 0.96, text, fontsize=9, color=QUIET, bbox=PAPER, **place)


def without_ticks(axes: "Axes") -> None:
    """Leave only what stands inside the axes, and their labels."""
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
