"""Look for changes of sign where a model does not say what its requirement is made of.

A dense ladder of markets is margined in one call, and looked at again where the excess has an
extreme close to zero between two nodes. It is not proved that nothing was missed: the largest gap
says how wide a pocket may hide.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.liquidation.line import Line

NEAR = (0.6, 1.6)  # multiples between which nodes are close together
NEAR_STEP, FAR_STEP = 0.004, 0.02  # relative
AGAIN = 4  # further looks
INSIDE = np.linspace(0.0, 1.0, 9)[1:-1]  # where an interval is looked at again


class Searched(NamedTuple):
    """What a search found.

    Attributes
    ----------
    low, high : brackets of one change of sign each, or of an odd number, in order, shape (N,)
    gap : largest distance between two neighbouring nodes, as a share of the lower
    evaluations : of the margin model
    """

    low: FloatArray
    high: FloatArray
    gap: float
    evaluations: int


def search(line: Line, noise: float) -> Searched:
    """Search the domain of a line for changes of sign."""
    x = _ladder(line)
    excess = line.excess(x)
    gap = float(np.max(np.diff(x) / x[:-1]))
    for _ in range(AGAIN):
        doubtful = np.flatnonzero(_doubtful(x, excess + noise))
        if not len(doubtful):
            break
        more = (x[doubtful, None] + np.diff(x)[doubtful, None] * INSIDE).ravel()
        x, excess = np.concatenate([x, more]), np.concatenate([excess, line.excess(more)])
        order = np.argsort(x)
        x, excess = x[order], excess[order]
    inside = excess >= -noise
    change = np.flatnonzero(inside[1:] != inside[:-1])
    return Searched(x[change], x[change + 1], gap, len(x))


def _ladder(line: Line) -> FloatArray:
    """Return nodes that are close together near spot, and at it."""
    low, high = line.domain
    ends = np.log(np.clip([low, *NEAR, high], low, high))
    steps = (FAR_STEP, NEAR_STEP, FAR_STEP)
    parts = [
        np.linspace(start, end, max(int(np.ceil((end - start) / step)), 1) + 1)
        for start, end, step in zip(ends[:-1], ends[1:], steps, strict=True)
    ]
    nodes = np.exp(np.concatenate(parts))
    return np.unique(np.concatenate([np.clip(nodes, low, high), [1.0]]))


def _doubtful(x: FloatArray, excess: FloatArray) -> BoolArray:
    """Between which neighbours of one sign the excess may yet reach zero, shape (N - 1,).

    It may where the straight lines through the neighbours on either side, extended into the
    interval, meet on the other side of zero.
    """
    slope = np.diff(excess) / np.diff(x)
    before, after = np.append(slope[:1], slope[:-1]), np.append(slope[1:], slope[-1:])
    width = np.diff(x)
    sign = np.where(excess[:-1] >= 0.0, 1.0, -1.0)
    left, right = sign * excess[:-1], sign * excess[1:]
    down, up = sign * before, sign * after
    with np.errstate(divide="ignore", invalid="ignore"):
        meet = np.clip((right - left - up * width) / (down - up), 0.0, width)
        lowest = np.where(down < up, left + down * meet, np.minimum(left, right))
    same = (excess[:-1] >= 0.0) == (excess[1:] >= 0.0)
    # A margin of the size of what the lines already fall guards against their being off.
    fall = np.minimum(left, right) - lowest
    wide = width > 1e-7 * x[:-1]
    doubtful: BoolArray = same & wide & (fall > 0.0) & (lowest - fall <= 0.0)
    return doubtful
