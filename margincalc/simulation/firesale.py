"""Forced selling over several assets: leverage limits, overlap, and accounts in rounds.

Threshold deleveraging after Cont and Schaanning (2017, "Fire sales, indirect contagion and systemic
stress testing", Norges Bank working paper 2/2017): who is beyond its leverage limit sells in
proportion to what it holds until it is back at it, prices fall by what was sold over the depth of
their markets, and so on until nobody is. ``Omega = H D^-1 H'`` says how much one holder's sale
costs another; its leading eigenvector is the endogenous risk index.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, group_sum
from margincalc.book import Book
from margincalc.margin.base import MarginModel
from margincalc.risk import greeks
from margincalc.simulation.cascade import Impact
from margincalc.simulation.population import POSITIONS

ROUNDS = 1000  # a bound that a fire sale of finitely many holders does not meet


class FireSale(NamedTuple):
    """Holders after a fire sale.

    Attributes
    ----------
    first : shape (N, U), value sold by each in the first round, at the price before its impact
    sold : shape (N, U), in all rounds
    price : shape (U,), of 1 before the shock
    equity : shape (N,)
    leverage : shape (N,), after the shock alone; infinite without equity
    rounds : of selling
    """

    first: FloatArray
    sold: FloatArray
    price: FloatArray
    equity: FloatArray
    leverage: FloatArray
    rounds: int


def deleverage(
    holding: FloatArray, equity: FloatArray, limit: float, depth: FloatArray, shock: FloatArray
) -> FireSale:
    """Sell what is beyond a leverage limit, round by round.

    Parameters
    ----------
    holding : shape (N, U), values before the shock; what is held short is negative, bought back
    equity : shape (N,)
    limit : the largest gross value over equity that is allowed
    depth : shape (U,), value whose sale takes the whole price, in each market
    shock : shape (U,), relative falls, 0.03 is a fall of 3 %
    """
    value = holding * (1.0 - shock)
    left = equity - np.sum(holding * shock, axis=1)
    leverage = _leverage(value, left)
    price, rounds = 1.0 - shock, 0
    first = sold = np.zeros_like(holding)
    while rounds < ROUNDS:
        assets = np.sum(np.abs(value), axis=1)
        beyond = _leverage(value, left) > limit
        share = np.zeros_like(assets)
        target = np.maximum(limit * left, 0.0)
        np.divide(assets - target, assets, out=share, where=beyond & (assets > 0.0))
        sale = value * np.clip(share, 0.0, 1.0)[:, None]
        if not np.any(np.abs(sale) > 1e-12 * np.sum(np.abs(holding))):
            break
        fall = np.minimum(np.sum(sale, axis=0) / depth, 1.0)
        # Half of what is sold has met each price on its way: sales cost half their impact.
        left = left - np.sum((value - sale) * fall + sale * (0.5 * fall), axis=1)
        value = (value - sale) * (1.0 - fall)
        first = sale if rounds == 0 else first
        price, sold, rounds = price * (1.0 - fall), sold + sale, rounds + 1
    return FireSale(first, sold, price, left, leverage, rounds)


def _leverage(value: FloatArray, equity: FloatArray) -> FloatArray:
    assets = np.sum(np.abs(value), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(equity > 0.0, assets / equity, np.inf)
    return np.where(assets > 0.0, found, 0.0)


class Contagion(NamedTuple):
    """How exposed holders are to each other's sales.

    Attributes
    ----------
    eigenvalue : the largest of the overlap matrix without its diagonal scaling
    risk : shape (N,), endogenous risk index, the leading eigenvector summing to 1
    indirect : shape (N,), indirect contagion index, what all others' sales would cost each
    """

    eigenvalue: float
    risk: FloatArray
    indirect: FloatArray


def contagion(holding: FloatArray, depth: FloatArray) -> Contagion:
    """Find the indices of holders without forming their overlap matrix.

    The matrix is ``B B'`` with ``B = H D^-1/2``; its leading eigenvector is B times that of the
    small ``B' B``, shape (U, U).
    """
    scaled = holding / np.sqrt(depth)
    values, vectors = np.linalg.eigh(np.einsum("nu,nv->uv", scaled, scaled))
    lead = np.abs(np.einsum("nu,u->n", scaled, vectors[:, -1]))
    index = lead / np.sum(lead) if np.any(lead) else lead
    whole = np.einsum("nu,u->n", scaled, np.sum(scaled, axis=0))
    return Contagion(float(values[-1]), index, whole - np.sum(scaled**2, axis=1))


class Rounds(NamedTuple):
    """Accounts of a book after a shock and the selling that it forced.

    Attributes
    ----------
    factor : shape (U,), what each spot ends up multiplied by
    round : shape (A,), in which an account was liquidated, from 1; 0 if it never was
    sold : shape (U,), units sold of each underlying, negative where they were bought
    equity : shape (A,), at the last price, those liquidated with their deltas closed there
    rounds : how many there were
    """

    factor: FloatArray
    round: FloatArray
    sold: FloatArray
    equity: FloatArray
    rounds: int

    @property
    def liquidated(self) -> BoolArray:
        """Whether each account was."""
        return self.round > 0.0


def rounds(
    book: Book, model: MarginModel, shock: FloatArray, impacts: tuple[Impact, ...]
) -> Rounds:
    """Shock the spots, liquidate whoever fails, move the prices, and so on until nobody does.

    Parameters
    ----------
    shock : shape (U,), relative moves
    impacts : of each underlying, of units in quote currency
    """
    factor, taken = 1.0 + shock, np.zeros(book.pools)
    sold = np.zeros(len(book.spot))
    number = 0
    while True:
        moved = book.shifted(factor)
        result = model.margin(moved)
        failed = (result.equity - result.maintenance < 0.0) & (taken == 0.0)
        if not np.any(failed):
            return Rounds(factor, taken, sold, result.equity, number)
        number += 1
        taken[failed] = number
        position = moved.instruments.is_kind(*POSITIONS)[moved.instrument]
        rows = np.flatnonzero(failed[moved.pool] & position)
        delta = (moved.quantity * greeks(moved).delta[moved.instrument])[rows]
        sold = sold + group_sum(delta, moved.underlying[rows], len(sold))
        push = np.array(
            [
                float(impact(np.array([abs(units)]))[0])
                for impact, units in zip(impacts, sold, strict=True)
            ]
        )
        factor = np.maximum(1.0 + shock - np.sign(sold) * push / book.spot, 1e-6)
