"""Linear accounts: each is two liquidation prices and a size, and a population a list of them."""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.book import Book, Kind
from margincalc.liquidation.nearest import nearest
from margincalc.margin.base import MarginModel
from margincalc.risk import equity, now
from margincalc.simulation.population import exposures


class Line(NamedTuple):
    """Linear accounts, shape (A,) each.

    Attributes
    ----------
    below, above : liquidation prices; NaN where there is none
    size : units that closing an account trades, not negative
    bankrupt : price at which its equity is nothing; NaN where it is not known
    names : of the accounts, or nothing
    """

    below: FloatArray
    above: FloatArray
    size: FloatArray
    bankrupt: FloatArray
    names: tuple[str, ...] = ()


def is_linear(book: Book) -> bool:
    """Whether every account's equity is a straight line in the one spot that there is."""
    options = len(book.rows(Kind.OPTION))
    return len(book.spot) == 1 and not (options or book.coin or np.any(book.instruments.inverse))


def line_of(book: Book, model: MarginModel) -> Line:
    """Return the liquidation prices of linear accounts, from their margins along a ladder."""
    found = nearest(book, model)
    below, above = np.full(book.pools, np.nan), np.full(book.pools, np.nan)
    below[found.pool], above[found.pool] = found.below, found.above
    result, spot = model.margin(book), float(book.spot[0])
    traded, whole = exposures(book)
    late = result.equity < result.maintenance
    # Who fails already is sold at once, in the direction that hurts it.
    below = np.where(late, np.where(whole > 0.0, spot, np.nan), below)
    above = np.where(late, np.where(whole < 0.0, spot, np.nan), above)
    worth = equity(book, now(book))
    bankrupt = np.full(book.pools, np.nan)
    np.divide(-worth, whole, out=bankrupt, where=whole != 0.0)
    below = np.where(whole > 0.0, below, np.nan)
    above = np.where(whole < 0.0, above, np.nan)
    return Line(below, above, np.abs(traded), spot + bankrupt, book.names.pools)


def tightened(line: Line, spot: float, response: float) -> Line:
    """Return the liquidation prices if margins rise as the price moves: ``1 + k |p / S0 - 1|``.

    What an account's maintenance is at its liquidation price L, its equity there, says its rate
    ``r = |L - B| / L``, B the price of bankruptcy. The new price solves ``|p - B| = r p m(p)``, a
    quadratic with one positive root. Source of the spiral: Brunnermeier and Pedersen, Market
    Liquidity and Funding Liquidity, RFS 2009.

    Parameters
    ----------
    response : k, relative rise of maintenance per relative move; accounts whose bankruptcy price is
        not known, or that are bankrupt when they are liquidated, stay as they are
    """
    below, above = (
        _tightened(price, line.bankrupt, spot, side * response)
        for side, price in ((-1.0, line.below), (1.0, line.above))
    )
    return line._replace(below=below, above=above)


def _tightened(price: FloatArray, bankrupt: FloatArray, spot: float, k: float) -> FloatArray:
    """Solve for one side, k negative of a fall: ``B - p = -r p (1 + k (p / S0 - 1))``, r signed."""
    rate = (bankrupt - price) / price
    moves = np.isfinite(rate) & (rate * np.sign(k) > 0.0) & (bankrupt > 0.0)
    rate = np.where(moves, rate, 0.0)
    square, line = rate * k / spot, 1.0 + rate * (1.0 - k)
    # The root in its stable form, which needs no division by a k of nothing.
    root = 2.0 * np.where(moves, bankrupt, 0.0)
    root = root / (line + np.sqrt(line * line + 2.0 * square * root))
    return np.where(moves, root, price)
