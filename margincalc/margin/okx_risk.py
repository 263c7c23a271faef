"""The risk units of OKX's portfolio margin, and their terms.

A risk unit is all that a pool holds on one underlying: contracts, and coins so far as they offset
the contracts' delta. MR1 and MR6 move the index; MR4 and MR7 take contracts at their marks.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Worst
from margincalc.margin.charges import delta_one_notional
from margincalc.margin.okx_classes import CONTRACTS, AssetClass, Closing, Scenarios
from margincalc.margin.okx_terms import Peg, RateMoves, TermStructure, by_tier
from margincalc.margin.scope import published
from margincalc.risk import greeks


class Units(NamedTuple):
    """Risk units and their terms in account currency, shape (G,) each.

    Attributes
    ----------
    pool, underlying : rows of the book
    delta : cash delta of contracts at their marks
    crossed : cash delta of linear contracts that coin-settled ones offset, which MR9 margins
    """

    pool: IntArray
    underlying: IntArray
    delta: FloatArray
    crossed: FloatArray
    mr1: FloatArray
    mr2: FloatArray
    mr3: FloatArray
    mr4: FloatArray
    mr5: FloatArray
    mr6: FloatArray
    mr7: FloatArray
    mr9: FloatArray

    @property
    def scenario_loss(self) -> FloatArray:
        """The worst of MR1, MR2 and MR6."""
        return np.maximum(np.maximum(self.mr1, self.mr2), self.mr6)

    @property
    def maintenance(self) -> FloatArray:
        """Maintenance margin of a unit."""
        added = self.mr3 + self.mr4 + self.mr5 + self.mr9
        return np.maximum(self.scenario_loss + added, self.mr7)


class Terms(NamedTuple):
    """The terms that are alike for all underlyings; a venue's rules before MR9 have no `peg`."""

    term_structure: TermStructure
    rates: RateMoves
    peg: Peg | None


def units_of(
    book: Book, rules: AssetClass, scenarios: Scenarios, terms: Terms
) -> tuple[Units, Worst]:
    """Margin the risk units of a book whose underlyings are all of one class."""
    first, label = book.groups
    groups = len(first)
    contract = book.instruments.is_kind(*CONTRACTS)[book.instrument]
    delta = _deltas(book)[book.instrument]
    held = book.quantity * _counted(contract, book.quantity * delta, label, groups)
    cash = held * delta * _prices(book)[book.instrument]
    gains = held[:, None] * scenarios.gains(book)[book.instrument]
    every = group_sum(gains, label, groups)
    worst = _worst(book, gains, every, scenarios.grid.weight)
    loss = np.maximum(-every * scenarios.grid.weight, 0.0)
    in_coin, linear = _by_settlement(book, np.where(contract, cash, 0.0), label, groups)
    crossed = _offset(in_coin, linear)
    units = Units(
        book.pool[first],
        book.underlying[first],
        in_coin + linear,
        crossed,
        np.max(loss[:, :-3], axis=1, initial=0.0),
        loss[:, -1],
        terms.term_structure.charge(book, label, groups),
        _basis(book, cash, label, rules),
        terms.rates.charge(book, label, groups),
        np.max(loss[:, -3:-1], axis=1, initial=0.0),
        _closing(book, label, groups, rules.closing),
        _peg(book, crossed, label, terms.peg),
    )
    return units, worst


def _worst(book: Book, gains: FloatArray, every: FloatArray, weight: FloatArray) -> Worst:
    """Find the worst scenario of each risk unit.

    Parameters
    ----------
    gains, every : by position row, shape (P, S), and by risk unit, shape (G, S); unweighted
    """
    first, label = book.groups
    groups = np.arange(len(first))
    scenario = np.argmin(every * weight, axis=1) if len(first) else groups
    bound = scenario[label]
    return Worst(
        book.pool[first],
        book.underlying[first],
        np.zeros(len(first), np.int64),
        scenario,
        every[groups, scenario] * weight[scenario],
        cache(lambda: gains[np.arange(len(label)), bound] * weight[bound]),
        every,
    )


def _deltas(book: Book) -> FloatArray:
    """Units of the underlying that one unit of each instrument moves with, shape (I,)."""
    columns = book.instruments
    units = columns.multiplier * columns.beta * columns.variable / book.spot[columns.underlying]
    delta_one = columns.is_kind(Kind.FUTURE, Kind.PERPETUAL)
    size = columns.multiplier / np.where(columns.inverse, columns.forward, 1.0)
    units = np.where(delta_one, size, units)
    option = columns.is_kind(Kind.OPTION)
    return np.where(option, greeks(book).delta, units) if np.any(option) else units


def _prices(book: Book) -> FloatArray:
    """Price at which a delta is cash: of futures and perpetuals their mark, shape (I,)."""
    columns = book.instruments
    delta_one = columns.is_kind(Kind.FUTURE, Kind.PERPETUAL)
    return np.where(delta_one, columns.forward, book.spot[columns.underlying])


def _counted(contract: BoolArray, delta: FloatArray, label: IntArray, groups: int) -> FloatArray:
    """Share of each position that is in its risk unit, shape (P,).

    Contracts are, whole; coins, held or owed, up to the delta of contracts that they offset.
    """
    derivative = group_sum(np.where(contract, delta, 0.0), label, groups)
    coins = group_sum(np.where(contract, 0.0, delta), label, groups)
    used = _offset(derivative, coins)
    share = np.divide(used, np.abs(coins), out=np.zeros(groups), where=coins != 0.0)
    return np.where(contract, 1.0, share[label])


def _by_settlement(
    book: Book, cash: FloatArray, label: IntArray, groups: int
) -> tuple[FloatArray, FloatArray]:
    """Sum cash deltas of coin-settled and of linear positions by risk unit, shape (G,) each."""
    coin = book.instruments.inverse[book.instrument]
    return (
        group_sum(np.where(coin, cash, 0.0), label, groups),
        group_sum(np.where(coin, 0.0, cash), label, groups),
    )


def _peg(book: Book, crossed: FloatArray, label: IntArray, peg: Peg | None) -> FloatArray:
    """MR9: what stablecoins off their peg cost what is offset across monies, shape (G,)."""
    if peg is None:
        return np.zeros_like(crossed)
    held = np.flatnonzero(
        book.instruments.is_kind(*CONTRACTS)[book.instrument] & (book.quantity != 0.0)
    )
    coin = book.instruments.inverse[book.instrument[held]]
    both = np.intersect1d(label[held[coin]], label[held[~coin]])
    return peg.charge(crossed, stable=book.stable, needed=len(both) > 0)


def _offset(one: FloatArray, other: FloatArray) -> FloatArray:
    """How much of two signed amounts is offset by each other."""
    return np.where(one * other < 0.0, np.minimum(np.abs(one), np.abs(other)), 0.0)


def _basis(book: Book, cash: FloatArray, label: IntArray, rules: AssetClass) -> FloatArray:
    """MR4: each leg's cash delta at its rate, shape (G,).

    A leg is an expiry, the perpetuals, or the coins of a risk unit.
    """
    contract = book.instruments.is_kind(*CONTRACTS)[book.instrument]
    time = book.instruments.time[book.instrument]
    first, leg = group_rows(label, time, contract)
    net = np.abs(group_sum(cash, leg, len(first)))
    least = published(rules.least_basis, "least_basis", needed=False)
    rate = np.maximum(least, rules.annualised_basis * time[first])
    return group_sum(rate * net, label[first], int(np.max(label, initial=-1)) + 1)


def _closing(book: Book, label: IntArray, groups: int, closing: Closing) -> FloatArray:
    """MR7: what closing futures and perpetuals costs, tier by tier, shape (G,)."""
    rows = book.rows(Kind.FUTURE, Kind.PERPETUAL)
    rate = published(closing.rate, "closing.rate", needed=False)
    raw = group_sum(rate * delta_one_notional(book, rows), label[rows], groups)
    return by_tier(raw * book.stable, closing.tiers, closing.multipliers) / book.stable
