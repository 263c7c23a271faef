"""Every interval of spot in which a pool's equity is below its maintenance margin.

Where the model takes its excess apart, no interval is missed (`isolate`); elsewhere a dense search
says how large a gap it left (`search`). Either way the ends are closed on the margin model itself.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.liquidation.isolate import isolate
from margincalc.liquidation.line import Line
from margincalc.liquidation.pieces import Pieces, pieces_of
from margincalc.liquidation.search import search
from margincalc.pricing.roots import find_roots

FAR = (1e-7, 1e7)  # multiples that stand for no spot at all, and for a spot without bound

CLOSE = 1e-11  # relative: how near the model's root is to that of the pieces


class Region(NamedTuple):
    """Where a pool is liquidated along a line of markets, in multiples of spot.

    Attributes
    ----------
    intervals : shape (N, 2), in order; an end at the domain's is open to what lies beyond
    domain : the multiples between which was searched
    unresolved : intervals in which the excess touches zero, or nearly, shape (M, 2)
    certified : whether it is proved that nothing was missed
    gap : largest distance between two multiples looked at, as a share of the lower; 0 if certified
    beyond : whether the pool is liquidated as spot falls to nothing, and rises without bound
    evaluations : of an option's value if certified, otherwise of the margin model
    """

    intervals: FloatArray
    domain: tuple[float, float]
    unresolved: FloatArray
    certified: bool
    gap: float
    beyond: tuple[bool, bool]
    evaluations: int

    @property
    def crossings(self) -> FloatArray:
        """The ends of intervals that are not the domain's."""
        ends = self.intervals.ravel()
        return ends[(ends > self.domain[0]) & (ends < self.domain[1])]

    def holds(self, x: float) -> bool:
        """Whether a multiple is inside."""
        return bool(np.any((self.intervals[:, 0] <= x) & (x <= self.intervals[:, 1])))


def region(line: Line) -> Region:
    """Find where a pool is liquidated along a line of markets."""
    noise = line.noise()
    pieces = pieces_of(line)
    isolated = None if pieces is None else isolate(pieces, noise)
    if pieces is not None and isolated is not None:
        low, high, unresolved, evaluations = isolated
        low, high = _narrowed(line, pieces, low, high)
        return _assembled(line, (low, high), unresolved, (0.0, evaluations), certified=True)
    low, high, gap, evaluations = search(line, noise)
    none = np.zeros((0, 2))
    return _assembled(line, (low, high), none, (gap, evaluations), certified=False)


def _assembled(
    line: Line,
    brackets: tuple[FloatArray, FloatArray],
    unresolved: FloatArray,
    work: tuple[float, int],
    *,
    certified: bool,
) -> Region:
    """Close brackets, and read the intervals off the sign at the low end."""
    roots = close(line, *brackets)
    low, high = line.domain
    ends = line.excess(np.array([low, *FAR]))
    noise = line.noise()
    starts = bool(ends[0] < -noise)
    bounds = [low, *roots.tolist()] if starts else roots.tolist()
    if len(bounds) % 2:
        bounds.append(high)
    beyond = bool(ends[1] < -noise), bool(ends[2] < -noise * FAR[1])
    intervals = np.array(bounds).reshape(-1, 2)
    return Region(intervals, line.domain, unresolved, certified, work[0], beyond, work[1])


def _narrowed(
    line: Line, pieces: Pieces, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Close brackets on the pieces, which is quick, and return what the model has to close."""
    if not len(low):
        return low, high
    segment = (
        np.clip(np.searchsorted(pieces.edges, low, side="right"), 1, len(pieces.edges) - 1) - 1
    )

    def excess(numbers: IntArray, x: FloatArray) -> FloatArray:
        each = (group.at(x, segment[numbers]).value for group in pieces.groups)
        total: FloatArray = np.sum([np.min(value, axis=1) for value in each], axis=0)
        return total

    numbers = np.arange(len(low))
    ends = excess(numbers, low), excess(numbers, high)
    roots = np.where((ends[0] >= 0.0) != (ends[1] >= 0.0), 0.5 * (low + high), np.nan)
    open_ = np.flatnonzero(np.isfinite(roots) & (high > low))
    roots[open_] = find_roots(lambda n, x: excess(open_[n], x), low[open_], high[open_])
    near = (np.maximum(roots * (1.0 - CLOSE), low), np.minimum(roots * (1.0 + CLOSE), high))
    inner = (np.nan_to_num(own, nan=1.0) for own in near)
    sign = line.excess(np.concatenate([low, *inner])).reshape(3, -1) >= 0.0
    # Where the model does not change its sign there, it is asked about the whole bracket.
    sure = np.isfinite(roots) & (sign[1] != sign[2]) & (sign[1] == sign[0])
    return np.where(sure, near[0], low), np.where(sure, near[1], high)


def close(line: Line, low: FloatArray, high: FloatArray) -> FloatArray:
    """Close brackets of a change of sign, on the margin model, in multiples of spot."""
    if not len(low):
        return low
    ends = line.excess(np.concatenate([low, high])).reshape(2, -1)
    noise = line.noise()
    plain = (ends[0] >= 0.0) != (ends[1] >= 0.0)
    lift = np.where(plain, 0.0, noise)
    roots = low.copy()
    # A jump needs no closing: its ends are one.
    open_ = np.flatnonzero((high > low) & (((ends + lift) >= 0.0)[0] != ((ends + lift) >= 0.0)[1]))
    roots[open_] = find_roots(
        lambda numbers, x: line.excess(x) + lift[open_[numbers]],
        low[open_],
        high[open_],
        ((ends + lift)[0, open_], (ends + lift)[1, open_]),
    )
    return roots
