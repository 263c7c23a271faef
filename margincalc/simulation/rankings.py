"""Who is deleveraged first: the rankings that venues publish, and weights that rank nobody.

A score says in which order winners close; a weight says how much each gives. All are arrays of
shape (A,), the higher the sooner.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray

QUINTILE = 0.2


class Holders(NamedTuple):
    """Accounts that hold a position, columns of shape (A,), account currency.

    Attributes
    ----------
    quantity : signed
    entry, mark : price at which it was opened, and now
    balance : of the wallet, without the unrealised profit
    profit : unrealised; balance and profit are the account's value
    maintenance : its margin
    """

    quantity: FloatArray
    entry: FloatArray
    mark: FloatArray
    balance: FloatArray
    profit: FloatArray
    maintenance: FloatArray

    @property
    def value(self) -> FloatArray:
        """Account value, equity."""
        return self.balance + self.profit

    @property
    def notional(self) -> FloatArray:
        """Absolute value of the position at its mark."""
        return np.abs(self.quantity * self.mark)

    @property
    def leverage(self) -> FloatArray:
        """Notional over equity; 0 of who has none, and holds nothing that could be taken."""
        return _over(self.notional, self.value)

    def take(self, rows: IntArray) -> "Holders":
        """Return the given rows."""
        return Holders(*(column[rows] for column in self))


def bitmex(holders: Holders) -> FloatArray:
    """Profit share times effective leverage; a loss is divided by it.

    Effective leverage is the mark value over what lies between it and the bankruptcy value, which
    is the account's equity. Source: BitMEX, What is auto-deleveraging, support article
    18589621443357.
    """
    share = _over(holders.profit, np.abs(holders.quantity * holders.entry))
    leverage = holders.leverage
    return np.where(share > 0.0, share * leverage, _over(share, leverage))


def binance(holders: Holders) -> FloatArray:
    """Profit over the wallet balance (at least 1) times the margin ratio.

    Source: Binance Futures, announcement 360033525471.
    """
    share = np.maximum(holders.profit, 0.0) / np.maximum(holders.balance, 1.0)
    return share * _over(holders.maintenance, holders.value)


def hyperliquid(holders: Holders) -> FloatArray:
    """Mark over entry (entry over mark of a short) times leverage.

    Source: Hyperliquid docs, trading/auto-deleveraging.
    """
    move = np.where(
        holders.quantity >= 0.0,
        _over(holders.mark, holders.entry),
        _over(holders.entry, holders.mark),
    )
    return move * holders.leverage


def by_profit(holders: Holders) -> FloatArray:
    """Weight of a plain pro rata: the profit."""
    return np.maximum(holders.profit, 0.0)


def by_risk(holders: Holders) -> FloatArray:
    """Weight of a risk-aware pro rata: profit times leverage (Chitra 2025, arXiv 2512.01112)."""
    return by_profit(holders) * holders.leverage


QUEUES: dict[str, Callable[[Holders], FloatArray]] = {
    "bitmex": bitmex,
    "binance": binance,
    "hyperliquid": hyperliquid,
}
"""Rankings by which winners close one after the other."""

WEIGHTS: dict[str, Callable[[Holders], FloatArray]] = {
    "pro-rata": by_profit,
    "risk-aware": by_risk,
}
"""Weights by which all winners give at once."""


def ranked(score: FloatArray) -> IntArray:
    """Return rows by descending score, equal ones as they stand."""
    return np.argsort(-score, kind="stable")


def quintiles(score: FloatArray, quantity: FloatArray) -> FloatArray:
    """Return the fifth of all contracts in which each account's last one ranks, 0.2 is first.

    What a venue shows as ranking lights: cumulative share of the quantity, rounded up.
    """
    order = ranked(score)
    size = np.abs(quantity[order])
    total = float(np.sum(size))
    fifth = np.zeros(len(score))
    if total > 0.0:
        share = np.cumsum(size) / total
        fifth[order] = np.ceil(np.round(share / QUINTILE, 9)) * QUINTILE
    return fifth


def _over(one: FloatArray, other: FloatArray) -> FloatArray:
    """Divide, with 0 where there is nothing positive to divide by."""
    return np.divide(one, other, out=np.zeros(len(one)), where=other > 0.0)
