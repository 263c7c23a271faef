"""A pool's excess as a sum of smallest pieces, with bounds on how each piece bends.

On a line of markets every forward is a straight line in the multiple x. Where a model states its
`Shape`, the excess is ``sum over groups of min over k of h_k(x)``, each piece h_k a sum of European
options on such forwards and of a straight line, that may differ between kinks. A group is

* an underlying's scanned loss: its share of equity less the loss in scenario k (0: no loss);
* an option sold that needs the larger of a straight line and a share of its own mark.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.pricing import black


class Options(NamedTuple):
    """European options, n of them in S scenarios, on forwards that are straight lines in x.

    Attributes
    ----------
    strike, call : shape (n,)
    factor, deviation : as `Vanillas`, shape (n, S)
    intercept, slope : of the forwards, shape (n, S)
    """

    strike: FloatArray
    call: BoolArray
    factor: FloatArray
    deviation: FloatArray
    intercept: FloatArray
    slope: FloatArray

    def at(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return values, gammas in x, and forwards at N nodes, shape (N, n, S) each."""
        forward = self.intercept + self.slope * x[:, None, None]
        shape = forward.shape
        strike = np.broadcast_to(self.strike[:, None], shape)
        deviation = np.broadcast_to(self.deviation, shape)
        call = np.broadcast_to(self.call[:, None], shape)
        price = black.price_unchecked(forward, strike, deviation, np.ones(shape), call)
        gamma = self.factor * self.slope**2 * black.gamma_unchecked(forward, strike, deviation)
        return self.factor * price, gamma, forward

    def gammas(self, low: "Nodes", high: "Nodes") -> tuple[FloatArray, FloatArray]:
        """Return the least and the most gamma between pairs of nodes, shape (N, n, S) each.

        A gamma has one peak, so that its range is known exactly: the least at an end, the most at
        the peak where that is inside.
        """
        strike = np.broadcast_to(self.strike[:, None], self.deviation.shape)
        peak = strike * np.exp(-1.5 * self.deviation**2)
        size = self.factor * self.slope**2 * black.gamma_unchecked(peak, strike, self.deviation)
        inside = (np.minimum(low.forward, high.forward) < peak) & (
            np.maximum(low.forward, high.forward) > peak
        )
        most = np.where(inside, size, np.maximum(low.gamma, high.gamma))
        return np.minimum(low.gamma, high.gamma), most


class Nodes(NamedTuple):
    """Groups of pieces at N nodes: G groups of as many pieces each.

    Attributes
    ----------
    value : shape (N, G, pieces)
    gamma, forward : of each option, shape (N, n, S)
    """

    value: FloatArray
    gamma: FloatArray
    forward: FloatArray

    def take(self, rows: IntArray) -> "Nodes":
        """Return the given nodes."""
        return Nodes(self.value[rows], self.gamma[rows], self.forward[rows])


class Group(NamedTuple):
    """The pieces of one underlying: K scenarios after k = 0, which is without a shock and a loss.

    Attributes
    ----------
    held : quantity of each option, shape (n,)
    options : in the unchanged market, then in every scenario
    kept, lost : shares of the unchanged and of the shocked options in a piece, shape (1 + K,)
    line : intercept and slope of the rest of a piece, by segment, shape (2, segments, 1 + K)
    """

    held: FloatArray
    options: Options
    kept: FloatArray
    lost: FloatArray
    line: FloatArray

    def at(self, x: FloatArray, segment: IntArray) -> Nodes:
        """Evaluate every piece, and the gammas that bound it, at N nodes."""
        price, gamma, forward = self.options.at(x)
        options = np.sum(self.held[:, None] * price, axis=1)
        intercept, slope = self.line[:, segment]
        value = intercept + slope * x[:, None]
        value += self.kept * options[:, :1] + self.lost * options
        return Nodes(value[:, None], gamma, forward)

    def bends(self, low: Nodes, high: Nodes) -> tuple[FloatArray, FloatArray]:
        """Bound the second derivative of every piece between pairs of nodes, shape of values."""
        least, most = self.options.gammas(low, high)
        long, short = np.maximum(self.held, 0.0)[:, None], np.minimum(self.held, 0.0)[:, None]
        under = np.sum(long * least + short * most, axis=1)
        over = np.sum(long * most + short * least, axis=1)
        up = self.kept >= 0.0
        kept_under = np.where(up, under[:, :1], over[:, :1]) * self.kept
        kept_over = np.where(up, over[:, :1], under[:, :1]) * self.kept
        bounds = kept_under + self.lost * under, kept_over + self.lost * over
        return bounds[0][:, None], bounds[1][:, None]


class Floors(NamedTuple):
    """Options sold, each a group of two pieces: a straight line, or a share of its mark.

    Attributes
    ----------
    held : that share of the quantity, negative, shape (n,)
    options : in the unchanged market alone
    line : intercept and slope of both pieces, by segment, shape (2, segments, n, 2)
    """

    held: FloatArray
    options: Options
    line: FloatArray

    def at(self, x: FloatArray, segment: IntArray) -> Nodes:
        """Evaluate both pieces of each, and the gammas that bound one of them, at N nodes."""
        price, gamma, forward = self.options.at(x)
        intercept, slope = self.line[:, segment]
        value = intercept + slope * x[:, None, None]
        value[..., 1] += self.held * price[..., 0]
        return Nodes(value, gamma, forward)

    def bends(self, low: Nodes, high: Nodes) -> tuple[FloatArray, FloatArray]:
        """Bound the second derivative of both pieces between pairs of nodes, shape of values."""
        least, most = (self.held * part[..., 0] for part in self.options.gammas(low, high))
        straight = np.zeros_like(least)
        return np.stack([straight, most], axis=-1), np.stack([straight, least], axis=-1)


class Pieces(NamedTuple):
    """All pieces of a pool along a line.

    Attributes
    ----------
    edges : kinks and the ends of the domain, in order
    splits : other multiples at which a piece has a corner
    """

    groups: tuple[Group | Floors, ...]
    edges: FloatArray
    splits: FloatArray
