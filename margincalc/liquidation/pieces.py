"""A pool's excess as a sum of smallest pieces, with bounds on how each piece bends.

On a line of markets every forward is a straight line in the multiple x. Where a model states its
`Shape`, the excess is ``sum over groups of min over k of h_k(x)``: a group is an underlying's
scanned loss, a piece h_k its share of equity less the loss in scenario k (piece 0: no loss). Each
is a sum of European options on such forwards and of a straight line, that may differ between kinks.

The straight lines are read off the margin model itself at two points of each segment, and others
test that there is nothing else: where one does not fit, there are no pieces.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book.columns import Kind
from margincalc.liquidation.line import Line
from margincalc.margin.base import Kinks, Scanned, Shape, Shaped
from margincalc.pricing import black
from margincalc.risk import UNCHANGED, revalued, vanillas
from margincalc.scenarios import ScenarioGrid

PROBES = np.array([0.01, 0.99, 0.2, 0.5, 0.8])  # two of a segment give a line, the others test it
STRAIGHT = 1e-9  # of gross value: how far a straight line may be from what it stands for


class Group(NamedTuple):
    """The pieces of one underlying: n options, K scenarios, k = 0 without a shock and a loss.

    Attributes
    ----------
    held : quantity of each option, shape (n,)
    strike : shape (n,)
    call : shape (n,)
    factor, deviation : as `Vanillas`, the unchanged market first, shape (n, 1 + K)
    intercept, slope : of forwards in x, shape (n, 1 + K)
    kept, lost : shares of the unchanged and of the shocked options in a piece, shape (1 + K,)
    line : intercept and slope of the rest of a piece, by segment, shape (2, segments, 1 + K)
    """

    held: FloatArray
    strike: FloatArray
    call: BoolArray
    factor: FloatArray
    deviation: FloatArray
    intercept: FloatArray
    slope: FloatArray
    kept: FloatArray
    lost: FloatArray
    line: FloatArray

    def at(self, x: FloatArray, segment: IntArray) -> "Nodes":
        """Evaluate every piece, and the gammas that bound it, at K' nodes."""
        forward = self.intercept + self.slope * x[:, None, None]
        shape = forward.shape
        strike = np.broadcast_to(self.strike[:, None], shape)
        deviation = np.broadcast_to(self.deviation, shape)
        call = np.broadcast_to(self.call[:, None], shape)
        price = black.price_unchecked(forward, strike, deviation, np.ones(shape), call)
        options = _added(self.held[:, None] * (self.factor * price))
        intercept, slope = self.line[:, segment]
        value = intercept + slope * x[:, None]
        value += self.kept * options[:, :1] + self.lost * options
        gamma = self.factor * self.slope**2 * black.gamma_unchecked(forward, strike, deviation)
        return Nodes(value, gamma, forward)

    def peak(self) -> tuple[FloatArray, FloatArray]:
        """Return the forward at which each gamma is largest, and that gamma, shape (n, 1 + K)."""
        strike = np.broadcast_to(self.strike[:, None], self.deviation.shape)
        at = strike * np.exp(-1.5 * self.deviation**2)
        size = black.gamma_unchecked(at, strike, self.deviation)
        return at, self.factor * self.slope**2 * size


class Nodes(NamedTuple):
    """Pieces at N nodes.

    Attributes
    ----------
    value : shape (N, 1 + K)
    gamma, forward : of each option, shape (N, n, 1 + K)
    """

    value: FloatArray
    gamma: FloatArray
    forward: FloatArray

    def take(self, rows: IntArray) -> "Nodes":
        """Return the given nodes."""
        return Nodes(self.value[rows], self.gamma[rows], self.forward[rows])


class Pieces(NamedTuple):
    """All pieces of a pool along a line.

    Attributes
    ----------
    edges : kinks and the ends of the domain, in order
    splits : other multiples at which a piece has a corner
    """

    groups: tuple[Group, ...]
    edges: FloatArray
    splits: FloatArray


def bends(group: Group, low: Nodes, high: Nodes) -> tuple[FloatArray, FloatArray]:
    """Bound the second derivative of every piece between pairs of nodes, shape (N, 1 + K) each.

    A gamma has one peak, so that its range is known exactly: the least at an end, the most at the
    peak where that is inside.
    """
    at, size = group.peak()
    inside = (np.minimum(low.forward, high.forward) < at) & (
        np.maximum(low.forward, high.forward) > at
    )
    least = np.minimum(low.gamma, high.gamma)
    most = np.where(inside, size, np.maximum(low.gamma, high.gamma))
    long = np.maximum(group.held, 0.0)[:, None]
    short = np.minimum(group.held, 0.0)[:, None]
    under, over = _added(long * least + short * most), _added(long * most + short * least)
    kept_under = np.where(group.kept >= 0.0, under[:, :1], over[:, :1]) * group.kept
    kept_over = np.where(group.kept >= 0.0, over[:, :1], under[:, :1]) * group.kept
    return kept_under + group.lost * under, kept_over + group.lost * over


def _added(values: FloatArray) -> FloatArray:
    """Sum over options, shape (N, n, 1 + K) to (N, 1 + K)."""
    total: FloatArray = np.sum(values, axis=1)
    return total


def pieces_of(line: Line) -> Pieces | None:
    """Take a pool's excess apart; None where its model does not say how."""
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
    edges = _edges(line, shape.kinks)
    groups = _Taking(line, edges).groups(shape.scanned)
    if groups is None:
        return None
    return Pieces(groups, edges, _corners(groups))


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


class _Taking:
    """Reads the straight lines of a pool's excess off its values at probes of each segment."""

    def __init__(self, line: Line, edges: FloatArray) -> None:
        self.line, self.width = line, len(edges) - 1
        probes = edges[:-1, None] + np.diff(edges)[:, None] * PROBES
        self.x = probes.ravel()  # (segments * 3,)
        pools = np.full(len(self.x), line.pool)
        self.copies = line.book.copies(pools, line.factor(self.x))
        result = line.model.margin(self.copies)
        # Of an account in coin the excess is smooth once it is worth money.
        self.worth = self.x if line.book.coin else np.ones(len(self.x))
        self.excess = (result.equity - result.maintenance) * self.worth
        gross = np.abs(
            self.copies.quantity * revalued(self.copies, UNCHANGED)[:, 0][self.copies.instrument]
        )
        self.scale = np.bincount(self.copies.pool, gross, len(self.x)) * self.worth + 1e-300
        self.mine = np.flatnonzero(line.book.pool == line.pool)
        self.each = len(self.mine)

    def groups(self, scanned: tuple[Scanned, ...]) -> tuple[Group, ...] | None:
        """Return the pieces, None where something else than straight lines is left over."""
        found: list[Group] = []
        rest = self.excess.copy()
        seen = np.zeros(self.each, bool)
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
        probes = np.arange(len(self.x))
        at = (probes[:, None] * self.each + rows).ravel()
        found = vanillas(self.copies, self.copies.instrument[at], grid)
        shape = (len(probes), len(rows), grid.size)
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
        probes = np.arange(len(self.x))
        if not len(rows):
            return np.zeros((2, self.width, grid.size))
        at = (probes[:, None] * self.each + rows).ravel()
        value = revalued(self.copies, grid)[self.copies.instrument[at]]
        worth = self.copies.quantity[at, None] * value
        pnl = worth.reshape(len(probes), len(rows), -1).sum(axis=1) * self.worth[:, None]
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
