"""A pool's excess as a sum of smallest pieces, with bounds on how each piece bends.

On a line of markets every forward is a straight line in the multiple x. Where a model states its
`Shape`, the excess is ``sum over groups of min over k of h_k(x)``: a group is an underlying's
scanned loss, a piece h_k its share of equity less the loss in scenario k (piece 0: no loss). Each
is a sum of European options on such forwards and of a straight line, that may differ between kinks.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.pricing import black


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
