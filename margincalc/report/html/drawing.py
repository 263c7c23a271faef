"""Line drawings as SVG: scales, axes and areas. Colours are the style sheet's, by class."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from margincalc.report import numbers
from margincalc.report.html.elements import Markup, tag

WIDTH, HEIGHT = 440.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 12.0, 40.0
Ticks = tuple[Callable[[float], str], Callable[[float], str]]
"""How values of the horizontal and of the vertical axis are written."""


class Range(NamedTuple):
    """What an axis reaches over."""

    low: float
    high: float

    @property
    def span(self) -> float:
        """Its length, never nothing."""
        return (self.high - self.low) or 1.0

    def within(self, value: float) -> float:
        """Return a value held to the range."""
        return min(max(value, self.low), self.high)


class Frame(NamedTuple):
    """Where amounts are on the paper."""

    x: Range
    y: Range

    def across(self, value: float) -> float:
        """Return the horizontal place of a value."""
        return LEFT + (value - self.x.low) / self.x.span * (WIDTH - LEFT - RIGHT)

    def up(self, value: float) -> float:
        """Return the vertical place of a value."""
        return HEIGHT - BOTTOM - (value - self.y.low) / self.y.span * (HEIGHT - TOP - BOTTOM)


def compact(value: float) -> str:
    """Return an amount as a label has room for, with a minus as long as a plus."""
    return numbers.compact(value).replace("-", "−")


def share(value: float) -> str:
    """Return a relative move as an axis writes it: `-10 %`."""
    return f"{value * 100.0:+.4g} %".replace("-", "−") if abs(value) >= 1e-9 else "0"


def picture(
    frame: Frame, label: str, axes: tuple[str, str], *drawn: str, ticks: Ticks = (compact, compact)
) -> Markup:
    """Return a drawing between its axes.

    Parameters
    ----------
    label : what it shows, for who cannot see it
    axes : titles of the horizontal and vertical axis
    ticks : how the values along both are written
    """
    return tag(
        "svg",
        *_grid(frame),
        *drawn,
        *_ticks(frame, ticks),
        text((WIDTH + LEFT) / 2.0, HEIGHT - 4.0, axes[0], "axis", "middle"),
        text(LEFT, TOP - 3.0, axes[1], "axis", "start"),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        aria_label=label,
    )


def line(frame: Frame, xs: Sequence[float], ys: Sequence[float], class_: str) -> Markup:
    """Return a curve, cut off where it leaves the frame."""
    pieces = _inside(list(zip(xs, ys, strict=True)), frame.y)
    path = "".join(
        "M" + "L".join(f"{frame.across(x):.1f} {frame.up(y):.1f}" for x, y in piece)
        for piece in pieces
    )
    return tag("path", d=path, class_=class_) if path else Markup()


def band(frame: Frame, low: float, high: float, class_: str) -> Markup:
    """Return a stretch of the horizontal axis, as high as the frame."""
    start, end = (frame.across(frame.x.within(value)) for value in (low, high))
    if end <= start:
        return Markup()
    height = HEIGHT - TOP - BOTTOM
    return tag(
        "rect", x=f"{start:.1f}", y=TOP, width=f"{end - start:.1f}", height=height, class_=class_
    )


def bar(frame: Frame, ends: tuple[float, float], height: float, class_: str) -> Markup:
    """Return a bar between two values of the horizontal axis, from nothing up to its height."""
    start, end = (frame.across(frame.x.within(value)) for value in sorted(ends))
    top, foot = (frame.up(frame.y.within(value)) for value in (height, 0.0))
    if end <= start or foot <= top:
        return Markup()
    return tag(
        "rect",
        x=f"{start:.1f}",
        y=f"{top:.1f}",
        width=f"{end - start:.1f}",
        height=f"{foot - top:.1f}",
        class_=class_,
    )


def upright(frame: Frame, value: float, class_: str) -> Markup:
    """Return a vertical line at a value of the horizontal axis."""
    place = f"{frame.across(value):.1f}"
    return tag("line", x1=place, x2=place, y1=TOP, y2=HEIGHT - BOTTOM, class_=class_)


def level(frame: Frame, value: float, class_: str) -> Markup:
    """Return a horizontal line at a value of the vertical axis."""
    place = f"{frame.up(value):.1f}"
    return tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place, class_=class_)


def text(x: float, y: float, words: str, class_: str, anchor: str) -> Markup:
    """Return words at a place on the paper."""
    return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", class_=class_, text_anchor=anchor)


def dot(frame: Frame, x: float, y: float, class_: str) -> Markup:
    """Return a mark at a point."""
    return tag("circle", cx=f"{frame.across(x):.1f}", cy=f"{frame.up(y):.1f}", r=4, class_=class_)


def steps(over: Range, most: int) -> list[float]:
    """Return round values inside a range, at most so many and one more."""
    rough = over.span / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * size for size in (1.0, 2.0, 2.5, 5.0, 10.0) if unit * size >= rough)
    first = math.ceil(over.low / step - 1e-9)
    last = math.floor(over.high / step + 1e-9)
    return [step * number for number in range(first, last + 1)]


def _grid(frame: Frame) -> list[Markup]:
    right = WIDTH - RIGHT
    places = (f"{frame.up(value):.1f}" for value in steps(frame.y, 5))
    return [tag("line", x1=LEFT, x2=right, y1=y, y2=y, class_="grid") for y in places]


def _ticks(frame: Frame, ticks: Ticks) -> list[Markup]:
    along, upward = ticks
    across = [
        text(frame.across(x), HEIGHT - BOTTOM + 14.0, along(x), "tick", "middle")
        for x in steps(frame.x, 5)
    ]
    up = [text(LEFT - 5.0, frame.up(y) + 3.5, upward(y), "tick", "end") for y in steps(frame.y, 5)]
    return across + up


def _inside(points: list[tuple[float, float]], over: Range) -> list[list[tuple[float, float]]]:
    """Return the pieces of a curve that are inside a range, cut at its edges."""
    pieces: list[list[tuple[float, float]]] = []
    current: list[tuple[float, float]] = []
    for start, end in pairwise(points):
        cut = _cut(start, end, over)
        if cut is None:
            continue
        if not current or current[-1] != cut[0]:
            current = [cut[0]]
            pieces.append(current)
        current.append(cut[1])
    return pieces


def _cut(
    start: tuple[float, float], end: tuple[float, float], over: Range
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the part of a line whose height is in a range."""
    low, high = sorted((start[1], end[1]))
    if high < over.low or low > over.high:
        return None

    def held(point: tuple[float, float]) -> tuple[float, float]:
        height = over.within(point[1])
        if height == point[1]:
            return point
        share = (height - start[1]) / (end[1] - start[1])
        return start[0] + share * (end[0] - start[0]), height

    return held(start), held(end)
