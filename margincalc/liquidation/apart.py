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
from margincalc.liquidation.moved import ROWS_AT_ONCE
from margincalc.liquidation.pieces import Floors, Group, Options, Pieces
from margincalc.margin.base import NOT_APART, Kinks, Marked, Scanned, Shape, Shaped
from margincalc.risk import UNCHANGED, now, revalued, vanillas
from margincalc.scenarios import ScenarioGrid

PROBES = np.array([0.01, 0.99, 0.2, 0.5, 0.8])  # two of a segment give a line, the others test it
STRAIGHT = 1e-9  # of gross value: how far a straight line may be from what it stands for


class NotApart(Exception):
    """What is in the way of taking an excess apart, in words."""


def all_pieces(lines: Sequence[Line]) -> list[Pieces | str]:
    """Take the excess of pools of one book apart, or say in words what is in the way of each.

    All are margined at their probes together.
    """
    found: list[Pieces | str] = [""] * len(lines)
    stated: list[_Stated] = []
    for number, line in enumerate(lines):
        try:
            stated.append((number, *_stated(line)))
        except NotApart as reason:
            found[number] = str(reason)
    for part in _batches(lines, stated):
        probes = probed([(lines[number], edges) for number, _, edges in part])
        for (number, shape, edges), own in zip(part, probes, strict=True):
            try:
                groups = _Taking(lines[number], own).groups(shape)
                found[number] = Pieces(groups, edges, _corners(groups))
            except NotApart as reason:
                found[number] = str(reason)
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


def _stated(line: Line) -> tuple[Shape, FloatArray]:
    """Return the shape of a pool's requirement, its rows those of the book, and all its edges."""
    book = line.book
    rows = np.flatnonzero(book.pool == line.pool)
    part, held = book.restricted(rows)
    shape = line.model.shape(part) if isinstance(line.model, Shaped) else NOT_APART
    if isinstance(shape, str):
        raise NotApart(shape)
    if np.any(part.instruments.american):
        raise NotApart("options that may be exercised early have no closed formula")
    # In coin, only one's own spot makes money of it.
    if book.coin and not (len(line.moving) == 1 and line.beta[line.moving[0]] == 1.0):
        raise NotApart("several spots move an account in coin")
    bends = shape.kinks._replace(instrument=held[shape.kinks.instrument])
    whole = Shape(
        tuple(each._replace(rows=rows[each.rows]) for each in shape.scanned),
        bends,
        tuple(each._replace(rows=rows[each.rows]) for each in shape.marked),
    )
    return whole, _edges(line, bends)


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
    distance = found.level - start
    if book.coin:
        # What a deposit is worth is compared in coin, whose price is the spot that moves.
        coin = columns.is_kind(Kind.COLLATERAL)[rows] & ~found.at_spot
        distance = np.where(coin, found.level * spot - start, distance)
        step = np.where(coin, step - found.level * spot * moves[rows], step)
    ends = [(distance, step), (np.full(len(gone), -1.0), gone)]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        x = np.concatenate([1.0 + far / each for far, each in ends])
    low, high = line.domain
    inside = x[np.isfinite(x) & (x > low) & (x < high)]
    return np.unique(np.concatenate([[low, 1.0, high], inside]))


def _corners(groups: tuple[Group | Floors, ...]) -> FloatArray:
    """Return where options without time value cross their strikes."""
    found = [np.zeros(0)]
    for own in (group.options for group in groups):
        with np.errstate(divide="ignore", invalid="ignore"):
            x = (own.strike[:, None] - own.intercept) / own.slope
        found.append(x[(own.deviation == 0.0) & np.isfinite(x)])
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
        self.quantity = line.book.quantity[self.mine]

    def groups(self, shape: Shape) -> tuple[Group | Floors, ...]:
        """Return the pieces.

        Raises
        ------
        NotApart
            If something else than straight lines is left over.
        """
        found: list[Group | Floors] = []
        seen = np.zeros(len(self.mine), bool)
        for part in [*shape.scanned, Scanned(self.mine, _NO_SCENARIOS, 0.0)]:
            local = np.flatnonzero(np.isin(self.mine, part.rows) & ~seen)
            seen[local] = True
            found += [self._group(rows, part, shape.marked) for rows in self._by_spot(local)]
        for marked in shape.marked:
            found += self._floors(marked)
        segment = np.repeat(np.arange(self.width), len(PROBES))
        rest = self.excess.copy()
        for group in found:
            rest -= np.sum(np.min(group.at(self.x, segment).value, axis=2), axis=1)
        return (*found, _remainder(self._straight(rest[:, None], self.scale)))

    def _by_spot(self, local: IntArray) -> Iterator[IntArray]:
        """Yield those of some rows of the pool that each moving underlying moves."""
        own = self.line.book.underlying[self.mine[local]]
        for underlying in self.line.moving:
            rows = local[own == underlying]
            if len(rows):
                yield rows

    def _group(self, rows: IntArray, part: Scanned, marked: Sequence[Marked]) -> Group:
        """Take one underlying's scanned loss apart, with its options' share of equity."""
        book, grid = self.line.book, _with_unchanged(part.grid)
        option = book.kind[self.mine[rows]] == int(Kind.OPTION)
        chosen = rows[option]
        weight = part.factor * grid.weight
        weight[0] = 0.0
        coin = 1.0 / (1.0 + grid.spot) if book.coin else np.ones(grid.size)
        kept = np.ones(len(self.mine))
        for each in marked:
            kept[np.searchsorted(self.mine, each.rows)] -= each.taken
        return Group(
            self.quantity[chosen] * kept[chosen],
            self._options(chosen, grid),
            1.0 - weight,
            weight * coin,
            self._others(rows[~option], grid, weight),
        )

    def _floors(self, marked: Marked) -> list[Floors]:
        """Take apart the options that need a share of their mark, or else a straight line."""
        book = self.line.book
        moving = np.isin(book.underlying[marked.rows], self.line.moving)
        chosen = np.flatnonzero((marked.floor > 0.0) & moving)
        if not len(chosen):
            return []
        rows, share = np.searchsorted(self.mine, marked.rows[chosen]), marked.floor[chosen]
        held, _ = self.copies.restricted((self.start[:, None] + rows).ravel())
        otherwise = -marked.instead(held).reshape(len(self.x), -1)
        size = share * self.quantity[rows]
        offset = size * held.instruments.offset[held.instrument].reshape(len(self.x), -1)
        lines = [
            self._straight(part * self.worth[:, None], self.scale) for part in (otherwise, offset)
        ]
        return [Floors(size, self._options(rows, UNCHANGED), np.stack(lines, axis=-1))]

    def _options(self, rows: IntArray, grid: ScenarioGrid) -> Options:
        """Return options as Black's formula sees them, if their forwards are straight lines."""
        at = (self.start[:, None] + rows).ravel()
        found = vanillas(self.copies, self.copies.instrument[at], grid)
        shape = (len(self.x), len(rows), grid.size)
        factor, forward, deviation = (np.reshape(part, shape) for part in found)
        book = self.line.book
        columns = book.instruments.take(book.instrument[self.mine[rows]])
        if book.coin and len(rows):
            factor = factor / float(book.spot[columns.underlying[0]])
        slope = (forward[-1] - forward[0]) / (self.x[-1] - self.x[0])
        intercept = forward[0] - slope * self.x[0]
        line = intercept + slope * self.x[:, None, None]
        if not np.allclose(factor, factor[0], rtol=1e-12, atol=0.0):
            raise NotApart("options in coin stand on a forward of which a part is fixed")
        if not np.allclose(forward, line, rtol=1e-11, atol=0.0):
            raise NotApart("a forward is no straight line in its spot")
        return Options(columns.strike, columns.call, factor[0], deviation[0], intercept, slope)

    def _others(self, rows: IntArray, grid: ScenarioGrid, weight: FloatArray) -> FloatArray:
        """Return the straight lines of what is no option: its loss in each scenario."""
        if not len(rows):
            return np.zeros((2, self.width, grid.size))
        held, _ = self.copies.restricted((self.start[:, None] + rows).ravel())
        worth = held.quantity[:, None] * revalued(held, grid)[held.instrument]
        pnl = worth.reshape(len(self.x), len(rows), -1).sum(axis=1) * self.worth[:, None]
        # Its share of equity is in the remainder, which is straight too.
        return self._straight(weight * (pnl - pnl[:, :1]), self.scale)

    def _straight(self, values: FloatArray, scale: FloatArray) -> FloatArray:
        """Return intercept and slope by segment of values at the probes, shape (2, segments, k)."""
        shape = (self.width, len(PROBES), -1)
        y, x = values.reshape(shape), self.x.reshape(self.width, len(PROBES), 1)
        slope = (y[:, 1] - y[:, 0]) / (x[:, 1] - x[:, 0])
        intercept = y[:, 0] - slope * x[:, 0]
        error = np.abs(intercept[:, None] + slope[:, None] * x - y)
        if np.any(error > STRAIGHT * scale.reshape(shape)):
            raise NotApart(
                "the requirement is no straight line between the corners that its model states"
            )
        return np.stack([intercept, slope])


def _with_unchanged(grid: ScenarioGrid) -> ScenarioGrid:
    """Put the unchanged market before the scenarios."""
    spot, volatility, weight, days = (
        np.concatenate([one, own]) for one, own in zip(UNCHANGED[:4], grid[:4], strict=True)
    )
    return ScenarioGrid(spot, volatility, weight, days, grid.rule)


def _remainder(line: FloatArray) -> Group:
    """Return a group of one piece that is a straight line, shape (2, segments, 1)."""
    none, table = np.zeros(0), np.zeros((0, 1))
    options = Options(none, none.astype(bool), table, table, table, table)
    return Group(none, options, np.ones(1), np.zeros(1), line)
