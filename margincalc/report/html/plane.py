"""The part of a plane in which a function is negative, and its edge, as paths."""

from collections.abc import Iterator, Sequence

Point = tuple[float, float]
Corner = tuple[float, float, float]
"""A place and the function's value there."""


def negative(
    xs: Sequence[float], ys: Sequence[float], values: Sequence[Sequence[float]]
) -> tuple[list[list[Point]], list[tuple[Point, Point]]]:
    """Return polygons that cover where a function is below zero, and the lines of its edge.

    Each cell of the grid is cut where the function, linear along its sides, is zero; whole cells
    of a row are joined.

    Parameters
    ----------
    values : rows over `ys`, columns over `xs`
    """
    polygons: list[list[Point]] = []
    edge: list[tuple[Point, Point]] = []
    for row in range(len(ys) - 1):
        start = None
        for column in range(len(xs) - 1):
            corners = _corners(xs, ys, values, row, column)
            if all(value < 0.0 for *_, value in corners):
                start = xs[column] if start is None else start
                continue
            polygons += _strip(start, xs[column], ys[row], ys[row + 1])
            start = None
            polygon, cut = _cell(corners)
            if len(polygon) > 2:
                polygons.append(polygon)
                edge += [(cut[place], cut[place + 1]) for place in range(0, len(cut) - 1, 2)]
        polygons += _strip(start, xs[-1], ys[row], ys[row + 1])
    return polygons, edge


def _corners(
    xs: Sequence[float],
    ys: Sequence[float],
    values: Sequence[Sequence[float]],
    row: int,
    column: int,
) -> list[Corner]:
    around = ((0, 0), (0, 1), (1, 1), (1, 0))
    return [(xs[column + b], ys[row + a], values[row + a][column + b]) for a, b in around]


def _strip(start: float | None, end: float, low: float, high: float) -> Iterator[list[Point]]:
    if start is not None:
        yield [(start, low), (end, low), (end, high), (start, high)]


def _cell(corners: list[Corner]) -> tuple[list[Point], list[Point]]:
    """Return the negative part of a cell, and the points at which its sides cross zero."""
    polygon: list[Point] = []
    cut: list[Point] = []
    for (x, y, value), (x2, y2, other) in zip(corners, corners[1:] + corners[:1], strict=True):
        if value < 0.0:
            polygon.append((x, y))
        if (value < 0.0) != (other < 0.0):
            share = value / (value - other)
            point = (x + share * (x2 - x), y + share * (y2 - y))
            polygon.append(point)
            cut.append(point)
    return polygon, cut
