"""Every interval of spot in which a pool's equity is below its maintenance margin.

Where the model takes its excess apart, no interval is missed (`isolate`); elsewhere a dense search
says how large a gap it left (`search`). Either way the ends are closed on the margin model itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.liquidation.apart import all_pieces
from margincalc.liquidation.isolate import isolate
from margincalc.liquidation.line import Line, Lines
from margincalc.liquidation.pieces import Pieces
from margincalc.liquidation.search import search
from margincalc.pricing.roots import find_roots

UNSETTLED = "the excess stays so close to zero that no bound settles it"
FAR = (1e-7, 1e7)  # multiples that stand for no spot at all, and for a spot without bound


class Region(NamedTuple):
    """Where a pool is liquidated along a line of markets, in multiples of spot.

    Attributes
    ----------
    intervals : shape (N, 2), in order; an end at the domain's is open to what lies beyond
    domain : the multiples between which was searched
    unresolved : intervals in which the excess touches zero, or nearly, shape (M, 2)
    reason : why it is not proved that nothing was missed, in words; None where it is
    gap : largest distance between two multiples looked at, as a share of the lower; 0 if certified
    beyond : whether the pool is liquidated as spot falls to nothing, and rises without bound
    evaluations : of an option's value if certified, otherwise of the margin model
    """

    intervals: FloatArray
    domain: tuple[float, float]
    unresolved: FloatArray
    reason: str | None
    gap: float
    beyond: tuple[bool, bool]
    evaluations: int

    @property
    def certified(self) -> bool:
        """Whether it is proved that nothing was missed."""
        return self.reason is None

    @property
    def crossings(self) -> FloatArray:
        """The ends of intervals that are not the domain's."""
        ends = self.intervals.ravel()
        return ends[(ends > self.domain[0]) & (ends < self.domain[1])]

    def holds(self, x: float) -> bool:
        """Whether a multiple is inside."""
        return bool(np.any((self.intervals[:, 0] <= x) & (x <= self.intervals[:, 1])))


def regions(lines: Sequence[Line]) -> list[Region]:
    """Find where pools of one book are liquidated, each along its own line of markets."""
    if not lines:
        return []
    every = Lines(lines)
    noise = every.noise()
    apart = all_pieces(lines)
    found = [_found(*each) for each in zip(lines, apart, noise.tolist(), strict=True)]
    which = np.repeat(np.arange(len(lines)), [len(one.low) for one in found])
    low, high = (np.concatenate([one[side] for one in found]) for side in (0, 1))
    roots = _closed(every, (which, low, high), noise)
    low = np.array([line.domain[0] for line in lines])
    ends = np.stack([low, *(np.full(len(lines), far) for far in FAR)], axis=1)
    excess = every.excess(np.repeat(np.arange(len(lines)), 3), ends.ravel()).reshape(-1, 3)
    below = excess < -noise[:, None] * [1.0, 1.0, FAR[1]]
    return [
        _assembled(line, one, roots[which == number], below[number].tolist())
        for number, (line, one) in enumerate(zip(lines, found, strict=True))
    ]


class _Found(NamedTuple):
    """Brackets of one change of sign each, in order, and how they were found; as in `Region`."""

    low: FloatArray
    high: FloatArray
    unresolved: FloatArray
    reason: str | None
    gap: float
    evaluations: int


def _found(line: Line, pieces: Pieces | str, noise: float) -> _Found:
    """Isolate the changes of sign of one line, or else search for them."""
    reason = pieces
    if isinstance(pieces, Pieces):
        isolated = isolate(pieces, noise)
        if isolated is not None:
            low, high, unresolved, evaluations = isolated
            return _Found(low, high, unresolved, None, 0.0, evaluations)
        reason = UNSETTLED
    low, high, gap, evaluations = search(line, noise)
    return _Found(low, high, np.zeros((0, 2)), str(reason), gap, evaluations)


def _assembled(line: Line, found: _Found, roots: FloatArray, below: list[bool]) -> Region:
    """Read the intervals off the roots.

    Parameters
    ----------
    below : whether the pool is liquidated at the low end of the domain, and at `FAR`
    """
    bounds = [line.domain[0], *roots.tolist()] if below[0] else roots.tolist()
    if len(bounds) % 2:
        bounds.append(line.domain[1])
    return Region(
        np.array(bounds).reshape(-1, 2),
        line.domain,
        found.unresolved,
        found.reason,
        found.gap,
        (below[1], below[2]),
        found.evaluations,
    )


def _closed(
    lines: Lines, brackets: tuple[IntArray, FloatArray, FloatArray], noise: FloatArray
) -> FloatArray:
    """Close brackets of a change of sign, each of its own line, on the margin model."""
    which, low, high = brackets
    if not len(low):
        return low
    ends = lines.excess(np.tile(which, 2), np.concatenate([low, high])).reshape(2, -1)
    plain = (ends[0] >= 0.0) != (ends[1] >= 0.0)
    lift = np.where(plain, 0.0, noise[which])
    inside = (ends + lift) >= 0.0
    roots = low.copy()
    # A jump needs no closing: its ends are one.
    open_ = np.flatnonzero((high > low) & (inside[0] != inside[1]))
    roots[open_] = find_roots(
        lambda numbers, x: lines.excess(which[open_[numbers]], x) + lift[open_[numbers]],
        low[open_],
        high[open_],
        ((ends + lift)[0, open_], (ends + lift)[1, open_]),
    )
    return roots
