"""Dealers who hedge: what they sell as the price moves, from their net gamma by spot.

Gamma is told as it is quoted, money per move of 1 %: ``G = 0.01 S^2 gamma``. Whoever keeps its
delta at nothing sells ``D(S) - D(S0)``, the integral of ``100 G(s) / s^2`` from S0 to S: with
positive gamma a fall is bought, with negative gamma it is sold.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray


class Gamma(NamedTuple):
    """Dealers' net gamma, a line through points, held beyond its ends.

    Attributes
    ----------
    spot : shape (K,), ascending
    money : shape (K,), per move of 1 %, quote currency
    """

    spot: FloatArray
    money: FloatArray

    def sold(self, node: FloatArray) -> FloatArray:
        """Return units that are sold on the way from the first node to each, shape (X,).

        Exact: between two points G is a line ``a + b s``, whose integral over s^2 is
        ``b ln s - a / s``.
        """
        low, high = float(np.min(node)), float(np.max(node))
        inner = self.spot[(self.spot > low) & (self.spot < high)]
        place = np.union1d(node, inner)
        gamma = np.interp(place, self.spot, self.money)
        left, right = place[:-1], place[1:]
        slope = np.diff(gamma) / np.diff(place)
        level = gamma[:-1] - slope * left
        parts = slope * np.log(right / left) + level * (1.0 / left - 1.0 / right)
        whole = 100.0 * np.concatenate([[0.0], np.cumsum(parts)])
        at = whole[np.searchsorted(place, node)]
        return np.asarray(at - at[0])
