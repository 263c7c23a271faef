"""Liquidation by volatility: at unchanged spot, and together with spot (the frontier)."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book
from margincalc.liquidation.line import Line, Lines
from margincalc.liquidation.moved import excess_at
from margincalc.liquidation.region import Region, regions
from margincalc.margin.base import MarginModel
from margincalc.pricing.roots import find_roots

LADDER = np.unique(np.concatenate([np.geomspace(0.1, 1.0, 13), np.geomspace(1.0, 8.0, 29)]))
FRONTIER = (0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0)
STEP = 1e-5  # of a logarithm, in a difference
ROUNDS = 40


class Multiples(NamedTuple):
    """Nearest multiples of every volatility, below and above 1, at which a pool's excess is zero.

    Attributes
    ----------
    down, up : shape (A,), NaN where there is none between 0.1 and 8
    """

    down: FloatArray
    up: FloatArray


class Daily(NamedTuple):
    """How a market moves in a day: deviations of the logarithms of spot and volatility."""

    spot: float = 0.04
    volatility: float = 0.06
    correlation: float = -0.4

    def distance(self, x: float, c: float) -> float:
        """Mahalanobis distance of a market (x, c) from the present one, in daily deviations."""
        u, v, rho = math.log(x) / self.spot, math.log(c) / self.volatility, self.correlation
        return math.sqrt(max(u * u - 2.0 * rho * u * v + v * v, 0.0) / (1.0 - rho * rho))

    def covariance(self) -> FloatArray:
        """Return the covariance of the two logarithms."""
        mixed = self.correlation * self.spot * self.volatility
        return np.array([[self.spot**2, mixed], [mixed, self.volatility**2]])


class Point(NamedTuple):
    """A market at the edge of liquidation: multiples of spot and volatility, and its distance."""

    x: float
    c: float
    distance: float


class Frontier(NamedTuple):
    """Where a pool is liquidated as spot and volatility move.

    Attributes
    ----------
    multiples : of volatility, in order
    regions : of each
    parts : number of the connected part of the plane that each interval of each region belongs to
    nearest : the most likely of the markets that liquidate; None where there is none
    """

    multiples: tuple[float, ...]
    regions: tuple[Region, ...]
    parts: tuple[tuple[int, ...], ...]
    nearest: Point | None


def multiples(book: Book, model: MarginModel) -> Multiples:
    """Find the multiples of volatility that liquidate at unchanged spot."""
    if not np.any(book.instruments.volatility > 0.0):
        nothing = np.full(book.pools, np.nan)
        return Multiples(nothing, nothing.copy())

    def excess(pools: IntArray, c: FloatArray) -> FloatArray:
        still = np.ones((len(pools), len(book.spot)))
        return excess_at(book, model, pools, still, c)

    every = np.arange(book.pools)
    table = excess(np.tile(every, len(LADDER)), np.repeat(LADDER, book.pools))
    table = table.reshape(len(LADDER), book.pools)
    start = int(np.argmin(np.abs(LADDER - 1.0)))
    found = np.full((2, book.pools), np.nan)
    for side, order in enumerate((np.arange(start, -1, -1), np.arange(start, len(LADDER)))):
        inside = table[order] >= 0.0
        changes = inside[1:] != inside[:-1]
        pools = np.flatnonzero(np.any(changes, axis=0))
        first = np.argmax(changes[:, pools], axis=0)
        ends = LADDER[order[first]], LADDER[order[first + 1]]
        known = table[order[first], pools], table[order[first + 1], pools]
        found[side, pools] = find_roots(
            lambda number, c, pools=pools: excess(pools[number], c),  # type: ignore[misc]
            *ends,
            known,
        )
    return Multiples(found[0], found[1])


def frontier(line: Line, daily: Daily, marched: Mapping[float, Region]) -> Frontier:
    """Join what is liquidated at multiples of volatility, and find the most likely point of it.

    Parameters
    ----------
    marched : the region at each multiple of volatility, in order
    """
    steps, found = tuple(marched), tuple(marched.values())
    return Frontier(steps, found, _parts(found), _nearest(line, daily, (steps, found)))


def march(lines: Sequence[Line], steps: Sequence[float]) -> list[dict[float, Region]]:
    """Find the region of each line at every multiple of volatility, all of them together."""
    each = [at_volatility(line, c) for line in lines for c in steps]
    found = iter(regions(each))
    return [{c: next(found) for c in steps} for _ in lines]


def at_volatility(line: Line, c: float) -> Line:
    """Return the line in a market of other volatility."""
    return line._replace(volatility=c)


def _parts(regions: tuple[Region, ...]) -> tuple[tuple[int, ...], ...]:
    """Number the connected parts: intervals of neighbouring steps that overlap are of one."""
    parent: list[int] = []
    rows: list[list[int]] = []

    def root(one: int) -> int:
        while parent[one] != one:
            one = parent[one]
        return one

    for number, own in enumerate(regions):
        rows.append(list(range(len(parent), len(parent) + len(own.intervals))))
        parent.extend(rows[-1])
        before = regions[number - 1].intervals if number else np.zeros((0, 2))
        for at, (low, high) in enumerate(own.intervals.tolist()):
            for other, (start, end) in enumerate(before.tolist()):
                if low <= end and start <= high:
                    parent[root(rows[-1][at])] = root(rows[-2][other])
    seen = {one: number for number, one in enumerate(dict.fromkeys(map(root, range(len(parent)))))}
    return tuple(tuple(seen[root(one)] for one in row) for row in rows)


def _nearest(
    line: Line, daily: Daily, marched: tuple[tuple[float, ...], tuple[Region, ...]]
) -> Point | None:
    """Return the most likely market in which the pool is liquidated."""
    if float(line.excess(np.ones(1))[0]) < -line.noise():
        return Point(1.0, 1.0, 0.0)
    corners = [
        Point(x, c, daily.distance(x, c))
        for c, own in zip(*marched, strict=True)
        for x in [*own.crossings.tolist(), *([1.0] if own.holds(1.0) else [])]
    ]
    if not corners:
        return None
    start = min(corners, key=lambda point: point.distance)
    refined = _descended(line, daily, start)
    return refined if refined is not None and refined.distance <= start.distance else start


def _descended(line: Line, daily: Daily, start: Point) -> Point | None:
    """Walk along the edge to its nearest point (Hasofer and Lind, 1974; Rackwitz and Fiessler).

    Each step goes to the nearest point of the edge's tangent: ``C d (d.p - g) / (d.C d)``.
    """
    covariance = daily.covariance()
    point = np.log([start.x, start.c])
    for _ in range(ROUNDS):
        value, slope = _slope(line, point)
        size = float(slope @ covariance @ slope)
        if not size > 0.0:
            return None
        step = covariance @ slope * ((slope @ point - value) / size) - point
        # Steps that leap over a bend of the edge are shortened.
        step *= min(1.0, 0.25 / max(float(np.max(np.abs(step))), 1e-12))
        point = point + step
        if np.max(np.abs(step)) < 1e-11:
            break
    return _on_edge(line, daily, point)


def _slope(line: Line, point: FloatArray) -> tuple[float, FloatArray]:
    """Return the excess at a market, and its slopes in the two logarithms."""
    steps = STEP * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    value, *moved = _at(line, np.exp(point + steps)).tolist()
    slope = np.array([moved[0] - moved[1], moved[2] - moved[3]]) / (2.0 * STEP)
    return value, slope


def _at(line: Line, markets: FloatArray) -> FloatArray:
    """Return the excess in K markets, each a multiple of spot and one of volatility, (K, 2)."""
    x, c = markets.T
    lines = Lines([at_volatility(line, each) for each in c.tolist()])
    return lines.excess(np.arange(len(x)), x)


def _on_edge(line: Line, daily: Daily, point: FloatArray) -> Point | None:
    """Return where the ray from the present market through a point near the edge meets it."""

    def excess(_: object, reach: FloatArray) -> FloatArray:
        return _at(line, np.exp(reach[:, None] * point))

    low, high = np.array([0.995]), np.array([1.005])
    ends = excess(None, np.concatenate([low, high]))
    if (ends[0] >= 0.0) == (ends[1] >= 0.0):
        return None
    root = find_roots(excess, low, high, (ends[:1], ends[1:]))
    x, c = np.exp(root[0] * point).tolist()
    return Point(x, c, daily.distance(x, c))


def daily_deviation(book: Book, underlying: int) -> float | None:
    """Return the deviation of a day's move: as stated, else by the option nearest the money."""
    stated = float(book.volatility[underlying])
    columns = book.instruments
    rows = np.flatnonzero((columns.underlying == underlying) & (columns.volatility > 0.0))
    if math.isnan(stated) and len(rows):
        away = np.abs(np.log(np.maximum(columns.strike[rows], 1e-300) / book.spot[underlying]))
        stated = float(columns.volatility[rows[np.argmin(away)]])
    return None if math.isnan(stated) or stated <= 0.0 else stated / math.sqrt(365.0)
