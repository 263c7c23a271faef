"""From a figure to a file: PNG or SVG, by the name's ending, whole or not at all."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from margincalc.errors import input_error, printable
from margincalc.files.whole import write_whole
from margincalc.report.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Suffix = Literal["png", "svg"]


def suffix_of(path: str | Path) -> Suffix:
    """Return what a file's name says it is.

    Raises
    ------
    InputError
        If that is not a picture that can be made.
    """
    match Path(path).suffix.lower():
        case ".png":
            return "png"
        case ".svg":
            return "svg"
    found = printable(str(path)) or "an empty name"
    raise input_error("--plot", found, "a file whose name ends in .png or .svg")


def picture(figure: "Figure", suffix: Suffix) -> bytes:
    """Return a figure as the content of a file; the same figure gives the same bytes."""
    content = io.BytesIO()
    nothing = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}[suffix]
    with styled():
        figure.savefig(content, format=suffix, dpi="figure", metadata=nothing)
    return content.getvalue()


def save(figure: "Figure", path: str | Path) -> None:
    """Write a figure to a file, whole or not at all.

    Raises
    ------
    InputError
        If the name ends neither in .png nor in .svg.
    OutputError
        If the file cannot be written.
    """
    write_whole(str(path), picture(figure, suffix_of(path)))
