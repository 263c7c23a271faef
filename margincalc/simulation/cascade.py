"""Cascades of linear books: where a fall stops, for every shock in one call.

After a shock to price P, whoever's liquidation price is reached is sold, what is sold moves the
price by I(Q), which may reach the next one. The price where that stops is the greatest fixed point
of ``P' = P - I(Q(P'))`` (Tarski, 1955), the same as selling round by round. With accounts in order
of their liquidation prices, account k + 1 is spared by the first k that were sold while
``P - I(Q_k) > p_(k+1)``: its threshold in P is known before any shock is, and a search among the
running minimum of the thresholds answers all of them. A rise is the mirror image.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray

Impact = Callable[[FloatArray], FloatArray]
"""How far quantities (units, not negative) move the price, quote currency; never decreasing."""

LARGE = 2.0  # amplification from which a shock is called critical


class Stops(NamedTuple):
    """Where the price stops after each shock, columns of shape (M,).

    Attributes
    ----------
    shock : price after the shock alone
    accounts : how many are liquidated
    quantity : units that they sell, or buy back
    price : where it stops
    """

    shock: FloatArray
    accounts: IntArray
    quantity: FloatArray
    price: FloatArray


class Queue(NamedTuple):
    """Accounts in the order in which a fall liquidates them; a rise is mirrored to be one.

    Attributes
    ----------
    sign : 1 for a fall, -1 for a rise, whose prices are held negative
    order : shape (A,), rows of the accounts, first to fall first; ties in the order given
    price : shape (A,), their liquidation prices times `sign`
    sold : shape (A + 1,), units sold once the first k have been
    impact : shape (A + 1,), how far that moves the price
    least : shape (A + 1,), running minimum of the largest shocked price that liquidates one more
    """

    sign: float
    order: IntArray
    price: FloatArray
    sold: FloatArray
    impact: FloatArray
    least: FloatArray

    def stops(self, shock: FloatArray) -> Stops:
        """Return where each shocked price, shape (M,), ends up."""
        shocked = self.sign * np.asarray(shock, np.float64)
        count = np.searchsorted(-self.least, -shocked, side="right")
        price = self.sign * (shocked - self.impact[count])
        return Stops(self.sign * shocked, count, self.sold[count], price)

    def steps(self) -> FloatArray:
        """Return the shocked prices at which one more account falls, nearest first."""
        return self.sign * np.unique(self.least[:-1])[::-1]

    def critical(self, spot: float) -> float | None:
        """Return the smallest relative move that is amplified more than twice, None if none is.

        Between two steps the amplification falls as the shock grows, so that it first exceeds any
        level where a step begins.
        """
        stops = self.stops(np.append(self.steps(), spot))
        move = self.sign * (spot - stops.shock)
        added = self.sign * (stops.shock - stops.price)
        large = (move >= 0.0) & (move + added > LARGE * move)
        return None if not np.any(large) else float(np.min(move[large])) / spot


def queue(price: FloatArray, size: FloatArray, impact: Impact, *, up: bool = False) -> Queue:
    """Put accounts in the order in which a move liquidates them.

    Parameters
    ----------
    price : shape (A,), liquidation prices, finite
    size : shape (A,), units to sell (in a rise: to buy back), not negative
    impact : of a cumulative quantity
    up : the accounts are those that a rise liquidates
    """
    sign = -1.0 if up else 1.0
    order = np.argsort(-sign * price, kind="stable")
    ordered = sign * price[order]
    sold = np.concatenate([[0.0], np.cumsum(size[order])])
    moved = impact(sold)
    least = np.append(largest(ordered, moved[:-1]), -np.inf)
    return Queue(sign, order, ordered, sold, moved, np.minimum.accumulate(least))


def largest(price: FloatArray, moved: FloatArray) -> FloatArray:
    """Return the largest P with ``P - moved <= price`` in floating point, shape (A,)."""
    found = price + moved
    while True:
        above = np.nextafter(found, np.inf)
        grows = above - moved <= price
        shrinks = found - moved > price
        if not (np.any(grows) or np.any(shrinks)):
            return found
        found = np.where(grows, above, np.where(shrinks, np.nextafter(found, -np.inf), found))


def bad_debt(bankrupt: FloatArray, size: FloatArray, price: FloatArray, sign: float) -> FloatArray:
    """Return what accounts closed at each price owe beyond their equity, shape (M,).

    Whoever is bankrupt at a price was liquidated above it, so that it needs no queue.

    Parameters
    ----------
    bankrupt : shape (A,), price at which equity is nothing
    size : shape (A,), units
    price : shape (M,), at which all are closed
    sign : 1 for a fall, -1 for a rise
    """
    order = np.argsort(-sign * bankrupt, kind="stable")
    ordered, units = sign * bankrupt[order], size[order]
    count = np.searchsorted(-ordered, -sign * price, side="left")
    held = np.concatenate([[0.0], np.cumsum(units)])[count]
    owed = np.concatenate([[0.0], np.cumsum(units * ordered)])[count]
    return np.maximum(owed - held * sign * price, 0.0)


class Levels(NamedTuple):
    """How liquidation feeds itself by price level, columns of shape (B,).

    Attributes
    ----------
    near, far : ends of each level, the first nearest to the spot
    quantity : units whose liquidation prices lie in it
    reproduction : R, units forced by the impact of one forced unit; at 1 the fall feeds itself
    """

    near: FloatArray
    far: FloatArray
    quantity: FloatArray
    reproduction: FloatArray

    @property
    def multiplier(self) -> FloatArray:
        """1 / (1 - R): how often a small move is repeated; infinite from R = 1."""
        with np.errstate(divide="ignore"):
            return np.where(self.reproduction < 1.0, 1.0 / (1.0 - self.reproduction), np.inf)

    def shelf(self) -> float | None:
        """Return the price where the first level with R of 1 or more begins."""
        fed = np.flatnonzero(self.reproduction >= 1.0)
        return float(self.near[fed[0]]) if len(fed) else None


def levels(queue: Queue, edges: FloatArray) -> Levels:
    """Measure ``R(p) = I'(Q) rho(p)`` over levels, the average of each exactly.

    Over a level of width w in which the impact grows by dI, the average of R is ``dI / w``.

    Parameters
    ----------
    edges : shape (B + 1,), prices going away from the spot
    """
    place = np.searchsorted(-queue.price, -queue.sign * edges, side="right")
    width = np.abs(np.diff(edges))
    grown = np.diff(queue.impact[place]) / width
    return Levels(edges[:-1], edges[1:], np.diff(queue.sold[place]), grown)
