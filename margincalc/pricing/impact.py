"""What trading moves: the price paid for a quantity, and the risk of taking time over it.

Each law answers two questions of an unsigned quantity: `peak`, how far the last unit moves the
price, and `average`, what the whole costs, both as shares of the price before. Quantity, volume and
depth are in one unit (contracts, coin or money); the volatility is of the period of the volume.
"""

from typing import NamedTuple, Protocol

import numpy as np

from margincalc.arrays import FloatArray


class Impact(Protocol):
    """A law of impact."""

    def peak(self, quantity: FloatArray) -> FloatArray:
        """Relative move of the price by the last unit, shape of `quantity`."""

    def average(self, quantity: FloatArray) -> FloatArray:
        """Relative cost of the whole, shape of `quantity`."""


class SquareRoot(NamedTuple):
    """Law of large orders that are worked over minutes to days: ``Y sigma sqrt(Q / V)``.

    The average is two thirds of the peak. Source: Donier and Bonart 2015 (arXiv 1412.4503) on a
    million orders in bitcoin.

    Attributes
    ----------
    volatility, volume : of a day
    factor : Y, 0.5 to 1.5
    """

    volatility: float
    volume: float
    factor: float = 1.0

    def peak(self, quantity: FloatArray) -> FloatArray:
        """Relative move of the price by the last unit."""
        return self.factor * self.volatility * np.sqrt(quantity / self.volume)

    def average(self, quantity: FloatArray) -> FloatArray:
        """Relative cost of the whole."""
        return 2.0 * self.peak(quantity) / 3.0


class Linear(NamedTuple):
    """Kyle (1985): ``kappa sigma Q / V``, kept because it leaves programs and cascades linear."""

    volatility: float
    volume: float
    factor: float = 1.0

    def peak(self, quantity: FloatArray) -> FloatArray:
        """Relative move of the price by the last unit."""
        return self.factor * self.volatility * quantity / self.volume

    def average(self, quantity: FloatArray) -> FloatArray:
        """Relative cost of the whole."""
        return 0.5 * self.peak(quantity)


class DepthCurve(NamedTuple):
    """A burst into a book that holds ``scale * d ** exponent`` within a distance d of its middle.

    With an exponent below 1 impact is convex: the book is thin where it is needed.
    """

    scale: float
    exponent: float

    @classmethod
    def through(cls, near: tuple[float, float], far: tuple[float, float]) -> "DepthCurve":
        """Fit a curve through two points, each a distance and the depth within it."""
        (d1, depth1), (d2, depth2) = near, far
        exponent = float(np.log(depth2 / depth1) / np.log(d2 / d1))
        return cls(depth1 / d1**exponent, exponent)

    def depth(self, distance: FloatArray) -> FloatArray:
        """Quantity within a distance."""
        return self.scale * distance**self.exponent

    def stressed(self, multiple: float) -> "DepthCurve":
        """Return the curve of a book that has lost all but `multiple` of its depth."""
        return DepthCurve(self.scale * multiple, self.exponent)

    def peak(self, quantity: FloatArray) -> FloatArray:
        """Relative move of the price by the last unit."""
        move: FloatArray = (quantity / self.scale) ** (1.0 / self.exponent)
        return move

    def average(self, quantity: FloatArray) -> FloatArray:
        """Relative cost of the whole."""
        return self.peak(quantity) * self.exponent / (1.0 + self.exponent)


class Levels(NamedTuple):
    """One side of a book as it stands; beyond its last level, all trades there.

    Attributes
    ----------
    distance : of each level from the price before, relative, ascending, shape (L,)
    size : quantity of each level, shape (L,)
    """

    distance: FloatArray
    size: FloatArray

    def peak(self, quantity: FloatArray) -> FloatArray:
        """Relative distance of the last level that is touched."""
        last = np.searchsorted(np.cumsum(self.size), quantity * (1.0 - 1e-15))
        move = self.distance[np.minimum(last, len(self.size) - 1)]
        touched: FloatArray = np.where(quantity > 0.0, move, 0.0)
        return touched

    def average(self, quantity: FloatArray) -> FloatArray:
        """Relative cost of the whole."""
        before = np.cumsum(self.size) - self.size
        taken = np.clip(quantity[..., None] - before, 0.0, self.size)
        beyond = np.maximum(quantity - float(np.sum(self.size)), 0.0)
        cost = np.sum(taken * self.distance, axis=-1) + beyond * self.distance[-1]
        paid: FloatArray = cost / np.maximum(quantity, 1e-300)
        return paid


class Walk(NamedTuple):
    """What a market order gets from one side of a book.

    Attributes
    ----------
    price : average of what was filled, NaN where nothing was
    worst : of the last level that was touched, NaN where none was
    filled, unfilled : quantity
    """

    price: float
    worst: float
    filled: float
    unfilled: float


def walk(price: FloatArray, size: FloatArray, quantity: float) -> Walk:
    """Fill a quantity from the levels of a book, best first.

    Parameters
    ----------
    price, size : of the levels, shape (L,)
    quantity : unsigned
    """
    taken = np.clip(quantity - (np.cumsum(size) - size), 0.0, size)
    filled = float(np.sum(taken))
    touched = np.flatnonzero(taken > 0.0)
    if not len(touched):
        return Walk(np.nan, np.nan, 0.0, quantity)
    paid = price[touched]
    # Rounding, which is all there is of quantities near nothing, leads beyond no price paid.
    average = float(np.clip(np.sum(taken * price) / filled, np.min(paid), np.max(paid)))
    return Walk(average, float(paid[-1]), filled, max(quantity - filled, 0.0))


def horizon(quantity: FloatArray, volume: float, participation: float = 0.1) -> FloatArray:
    """Days that it takes to trade a quantity at a share of the daily volume."""
    return quantity / (participation * volume)


def unwind_deviation(volatility: float, days: FloatArray) -> FloatArray:
    """Standard deviation of the relative result of selling evenly over some days.

    ``sigma sqrt(T / 3)``: what is sold early is exposed for less time.

    Parameters
    ----------
    volatility : of a day
    """
    return volatility * np.sqrt(days / 3.0)


def sliced_deviation(volatility: float, slices: int) -> float:
    """Standard deviation as `unwind_deviation`, of equal slices at the end of each of some days."""
    count = float(slices)
    return volatility * float(np.sqrt((count + 1.0) * (2.0 * count + 1.0) / (6.0 * count)))
