"""Take a pool's excess apart: read its pieces off the margin model.

The straight lines are read off at two points of each segment, and others test that there is nothing
else: where one does not fit, there are no pieces. Lines of one book are margined together.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book
from margincalc.book.columns import Kind
from margincalc.liquidation.line import Line, Lines
from margincalc.liquidation.nearest import ROWS_AT_ONCE
from margincalc.liquidation.pieces import Group, Pieces
from margincalc.margin.base import Kinks, Scanned, Shape, Shaped
from margincalc.risk import UNCHANGED, now, revalued, vanillas
from margincalc.scenarios import ScenarioGrid

PROBES = np.array([0.01, 0.99, 0.2, 0.5, 0.8])  # two of a segment give a line, the others test it
STRAIGHT = 1e-9  # of gross value: how far a straight line may be from what it stands for


def pieces_of(line: Line) -> Pieces | None:
    """Take a pool's excess apart; None where its model does not say how."""
    return all_pieces([line])[0]


def all_pieces(lines: Sequence[Line]) -> list[Pieces | None]:
    """Take the excess of pools of one book apart, all margined at their probes together."""
    found: list[Pieces | None] = [None] * len(lines)
    stated = [(number, *known) for number, line in enumerate(lines) if (known := _stated(line))]
    for part in _batches(lines, stated):
        probes = probed([(lines[number], edges) for number, _, edges in part])
        for (number, shape, edges), own in zip(part, probes, strict=True):
            groups = _Taking(lines[number], own).groups(shape.scanned)
            if groups is not None:
                found[number] = Pieces(groups, edges, _corners(groups))
    return found


_Stated = tuple[int, Shape, FloatArray]  # number of the line, its shape, the edges of its segments


def _batches(lines: Sequence[Line], stated: Sequence[_Stated]) -> Iterator[list[_Stated]]:
    """Cut lines into parts whose probes are margined together, at least one line each."""
    part: list[_Stated] = []
    rows = 0
    for each in stated:
        line, edges = lines[each[0]], each[2]
        own = np.count_nonzero(line.book.pool == line.pool) * len(PROBES) * (len(edges) - 1)
        if part and rows + own > ROWS_AT_ONCE:
            yield part
            part, rows = [], 0
        part.append(each)
        rows += int(own)
    if part:
        yield part


def _stated(line: Line) -> tuple[Shape, FloatArray] | None:
    """Return the shape of a pool's requirement, its rows those of the book, and all its edges."""
    book = line.book
    rows = np.flatnonzero(book.pool == line.pool)
    part, held = book.restricted(rows)
    shape = line.model.shape(part) if isinstance(line.model, Shaped) else None
    if shape is None or np.any(part.instruments.american):
        return None
    bent = shape.kinks.instrument
    # In coin, a price of an asset in money is no level, and only one's own spot makes it money.
    alone = len(line.moving) == 1 and line.beta[line.moving[0]] == 1.0
    if book.coin and (np.any(part.instruments.is_kind(Kind.COLLATERAL)[bent]) or not alone):
        return None
    scanned = tuple(each._replace(rows=rows[each.rows]) for each in shape.scanned)
    shape = Shape(scanned, shape.kinks._replace(instrument=held[bent]))
    return shape, _edges(line, shape.kinks)


def _edges(line: Line, found: Kinks) -> FloatArray:
    """Return the ends of the domain, and the kinks between them, in order."""
    book, columns = line.book, line.book.instruments
    own = columns.underlying
    moves = np.where(own >= 0, line.beta[own], 0.0) if len(book.spot) else np.zeros(len(own))
    rows, spot = found.instrument, np.append(book.spot, 1.0)[own][found.instrument]
    start = np.where(found.at_spot, spot, columns.forward[rows])
    step = np.where(found.at_spot, spot, (columns.variable * columns.beta)[rows]) * moves[rows]
    # An asset of large beta is worth nothing before its underlying is.
    gone = columns.beta * moves
    ends = [(found.level - start, step), (np.full(len(gone), -1.0), gone)]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        x = np.concatenate([1.0 + distance / each for distance, each in ends])
    low, high = line.domain
    inside = x[np.isfinite(x) & (x > low) & (x < high)]
    return np.unique(np.concatenate([[low, 1.0, high], inside]))


def _corners(groups: tuple[Group, ...]) -> FloatArray:
    """Return where options without time value cross their strikes."""
    found = [np.zeros(0)]
    for group in groups:
        with np.errstate(divide="ignore", invalid="ignore"):
            x = (group.strike[:, None] - group.intercept) / group.slope
        found.append(x[(group.deviation == 0.0) & np.isfinite(x)])
    return np.unique(np.concatenate(found))


_NO_SCENARIOS = ScenarioGrid(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))


class Probes(NamedTuple):
    """One line's pool at the probes of each of its segments, K in all.

    Attributes
    ----------
    x : multiples, shape (K,)
    copies : the markets, among those of other lines
    start : the first position row of each in `copies`, shape (K,)
    excess, scale : account currency, of an account in coin once worth money: the excess, and the
        gross value that rounding is a share of, shape (K,)
    worth : what makes it so, shape (K,)
    """

    x: FloatArray
    copies: Book
    start: IntArray
    excess: FloatArray
    scale: FloatArray
    worth: FloatArray


def probed(lines: Sequence[tuple[Line, FloatArray]]) -> Iterator[Probes]:
    """Margin lines, each with the edges of its segments, at all their probes together."""
    every = [(edges[:-1, None] + np.diff(edges)[:, None] * PROBES).ravel() for _, edges in lines]
    x = np.concatenate(every)
    joint = Lines([line for line, _ in lines])
    copies = joint.copies(np.repeat(np.arange(len(lines)), [len(own) for own in every]), x)
    result = joint.model.margin(copies)
    # Of an account in coin the excess is smooth once it is worth money.
    worth = x if joint.book.coin else np.ones(len(x))
    excess = (result.equity - result.maintenance) * worth
    gross = np.abs(copies.quantity * now(copies)[copies.instrument])
    scale = group_sum(gross, copies.pool, len(x)) * worth + 1e-300
    start = np.searchsorted(copies.pool, np.arange(len(x)))
    done = 0
    for own in every:
        part = slice(done, done + len(own))
        yield Probes(own, copies, start[part], excess[part], scale[part], worth[part])
        done = part.stop


class _Taking:
    """Reads the straight lines of a pool's excess off its values at probes of each segment."""

    def __init__(self, line: Line, probes: Probes) -> None:
        self.line, self.width = line, len(probes.x) // len(PROBES)
        self.x, self.copies, self.start, self.excess, self.scale, self.worth = probes
        self.mine = np.flatnonzero(line.book.pool == line.pool)

    def groups(self, scanned: tuple[Scanned, ...]) -> tuple[Group, ...] | None:
        """Return the pieces, None where something else than straight lines is left over."""
        found: list[Group] = []
        rest = self.excess.copy()
        seen = np.zeros(len(self.mine), bool)
        for part in [*scanned, Scanned(self.mine, _NO_SCENARIOS, 0.0)]:
            local = np.flatnonzero(np.isin(self.mine, part.rows) & ~seen)
            own = self.line.book.underlying[self.mine[local]]
            for underlying in self.line.moving:
                rows = local[own == underlying]
                if not len(rows):
                    continue
                seen[rows] = True
                group = self._group(rows, part)
                if group is None:
                    return None
                found.append(group)
                value = group.at(self.x, np.repeat(np.arange(self.width), len(PROBES))).value
                rest -= np.min(value, axis=1)
        remainder = self._straight(rest[:, None], self.scale)
        if remainder is None:
            return None
        if not found:
            found.append(_nothing(self.width))
        first = found[0]
        return (first._replace(line=first.line + remainder), *found[1:])

    def _group(self, rows: IntArray, part: Scanned) -> Group | None:
        """Take one underlying's scanned loss apart, with its options' share of equity."""
        book, grid = self.line.book, _with_unchanged(part.grid)
        held = book.instrument[self.mine[rows]]
        options = book.instruments.kind[held] == int(Kind.OPTION)
        taken = self._vanillas(rows[options], grid)
        if taken is None:
            return None
        factor, deviation, intercept, slope = taken
        weight = part.factor * grid.weight
        weight[0] = 0.0
        spot = float(book.spot[book.underlying[self.mine[rows[0]]]])
        coin = 1.0 / (1.0 + grid.spot) if book.coin else np.ones(grid.size)
        line = self._others(rows[~options], grid, weight)
        if line is None:
            return None
        columns = book.instruments.take(held[options])
        return Group(
            book.quantity[self.mine[rows[options]]],
            columns.strike,
            columns.call,
            factor / spot if book.coin else factor,
            deviation,
            intercept,
            slope,
            1.0 - weight,
            weight * coin,
            line,
        )

    def _vanillas(
        self, rows: IntArray, grid: ScenarioGrid
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray] | None:
        """Return factor, deviation, and intercept and slope of forwards, if they are straight."""
        at = (self.start[:, None] + rows).ravel()
        found = vanillas(self.copies, self.copies.instrument[at], grid)
        shape = (len(self.x), len(rows), grid.size)
        factor, forward, deviation = (np.reshape(part, shape) for part in found)
        if not len(rows):
            return factor[0], deviation[0], forward[0], forward[0]
        slope = (forward[-1] - forward[0]) / (self.x[-1] - self.x[0])
        intercept = forward[0] - slope * self.x[0]
        line = intercept + slope * self.x[:, None, None]
        steady = np.allclose(factor, factor[0], rtol=1e-12, atol=0.0)
        straight = np.allclose(forward, line, rtol=1e-11, atol=0.0)
        if not (steady and straight):
            return None
        return factor[0], deviation[0], intercept, slope

    def _others(self, rows: IntArray, grid: ScenarioGrid, weight: FloatArray) -> FloatArray | None:
        """Return the straight lines of what is no option: its loss in each scenario."""
        if not len(rows):
            return np.zeros((2, self.width, grid.size))
        held, _ = self.copies.restricted((self.start[:, None] + rows).ravel())
        worth = held.quantity[:, None] * revalued(held, grid)[held.instrument]
        pnl = worth.reshape(len(self.x), len(rows), -1).sum(axis=1) * self.worth[:, None]
        # Its share of equity is in the remainder, which is straight too.
        return self._straight(weight * (pnl - pnl[:, :1]), self.scale)

    def _straight(self, values: FloatArray, scale: FloatArray) -> FloatArray | None:
        """Return intercept and slope by segment of values at the probes, shape (2, segments, k)."""
        shape = (self.width, len(PROBES), -1)
        y, x = values.reshape(shape), self.x.reshape(self.width, len(PROBES), 1)
        slope = (y[:, 1] - y[:, 0]) / (x[:, 1] - x[:, 0])
        intercept = y[:, 0] - slope * x[:, 0]
        error = np.abs(intercept[:, None] + slope[:, None] * x - y)
        if np.any(error > STRAIGHT * scale.reshape(shape)):
            return None
        return np.stack([intercept, slope])


def _with_unchanged(grid: ScenarioGrid) -> ScenarioGrid:
    """Put the unchanged market before the scenarios."""
    spot, volatility, weight, days = (
        np.concatenate([one, own]) for one, own in zip(UNCHANGED[:4], grid[:4], strict=True)
    )
    return ScenarioGrid(spot, volatility, weight, days, grid.rule)


def _nothing(segments: int) -> Group:
    """Return the group of a pool in which nothing moves."""
    none, table = np.zeros(0), np.zeros((0, 1))
    whole = (np.ones(1), np.zeros(1), np.zeros((2, segments, 1)))
    return Group(none, none, none.astype(bool), table, table, table, table, *whole)
