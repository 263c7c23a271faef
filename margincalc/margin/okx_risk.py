"""What OKX's portfolio margin makes of one asset class: its risk units and their terms.

A risk unit is all that a pool holds on one underlying: contracts, and coins so far as they offset
the contracts' delta. MR1 and MR6 move the index, and every forward by as much; MR4 and MR7 take
contracts at their marks.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Annotated, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Parameters, Share, Worst
from margincalc.margin.charges import delta_one_notional
from margincalc.margin.okx_terms import (
    Amount,
    Days,
    Peg,
    RateMoves,
    TermStructure,
    by_tier,
    increasing,
)
from margincalc.margin.scope import NotPublished, published
from margincalc.risk import greeks, now, revalued
from margincalc.scenarios import ScenarioGrid
from margincalc.times import DAYS_PER_YEAR

Move = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, lt=1)]
Multiplier = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=1, le=100)]

CONTRACTS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)
_VOLATILITIES = ("unchanged", "points down", "points up", "percent down", "percent up")
_DECAY = "a day of option decay"


class Volatility(Parameters):
    """Moves of volatility by days to expiry, linear between; the worse of the two counts."""

    days: tuple[Days, ...] = Field(min_length=1)
    points: tuple[Share, ...]
    percent: tuple[Share, ...]

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        if not len(self.days) == len(self.points) == len(self.percent):
            raise ValueError("days, points and percent are of different lengths")
        increasing(self.days, "days")
        return self

    @property
    def stated(self) -> tuple[float, ...]:
        """The moves as `_VOLATILITIES` names them, at the first of the days."""
        points, percent = self.points[0], self.percent[0]
        return (0.0, -points, points, -percent, percent)

    def shocked(self, volatility: FloatArray, years: FloatArray) -> Iterator[FloatArray]:
        """Yield volatilities after each of the moves of `_VOLATILITIES`, shape (I,) each."""
        days = years * DAYS_PER_YEAR
        points = np.interp(days, self.days, self.points)
        percent = np.interp(days, self.days, self.percent)
        yield volatility
        yield np.maximum(volatility - points, 0.0)
        yield volatility + points
        yield volatility * (1.0 - percent)
        yield volatility * (1.0 + percent)


class Closing(Parameters):
    """MR7: a share of the gross notional of futures and perpetuals, and how it grows.

    Attributes
    ----------
    tiers : upper ends, in USD, of the tiers of the raw amount; the last tier has none
    multipliers : of the part of the raw amount that lies in each tier
    """

    rate: Share | NotPublished
    tiers: tuple[Amount, ...] = ()
    multipliers: tuple[Multiplier, ...] = (1.0,)

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        if len(self.multipliers) != len(self.tiers) + 1:
            raise ValueError("one multiplier more than tiers have ends is wanted")
        increasing(self.tiers, "tiers")
        return self


class AssetClass(Parameters):
    """The parameters of some underlyings.

    Attributes
    ----------
    moves : of the index in MR1, to either side
    extreme_move : of the index in MR6, to either side
    annualised_basis : MR4 of a leg, per year to its expiry
    least_basis : MR4 of a leg at least: that of perpetuals and coins
    """

    underlyings: tuple[str, ...] = ()
    moves: tuple[Move, ...] = Field(min_length=1, max_length=20)
    extreme_move: Move
    annualised_basis: Share
    least_basis: Share | NotPublished
    closing: Closing

    def refuse_unpublished(self, key: str, *, needed: bool) -> None:
        """Refuse a book that needs a rate which the venue does not publish.

        Raises
        ------
        ModelRefusal
        """
        published(self.least_basis, f"{key}.least_basis", needed=needed)
        published(self.closing.rate, f"{key}.closing.rate", needed=needed)


class Scenarios(NamedTuple):
    """The scenarios of an asset class.

    Attributes
    ----------
    grid : as reported: MR1, volatility by volatility, then MR6 down and up, then MR2
    plain : as priced: the index moves of MR1 and MR6, then MR2
    volatility : the moves of MR1
    """

    grid: ScenarioGrid
    plain: ScenarioGrid
    volatility: Volatility

    @property
    def prices(self) -> int:
        """The number of index prices of MR1."""
        return self.plain.size - 3

    def gains(self, book: Book) -> FloatArray:
        """Change in value of one long unit per scenario of `grid`, shape (I, S)."""
        book, columns = _at_index(book), book.instruments
        spot = self.plain.spot[: self.prices]
        nothing = np.zeros(self.prices)
        moves = ScenarioGrid(spot, nothing, nothing + 1.0, nothing)
        shocked = list(self.volatility.shocked(columns.volatility, columns.time))
        plain = revalued(book, self.plain)
        parts = [plain[:, : self.prices]]
        for volatility in shocked[1:]:
            moved = replace(book.instruments, volatility=volatility)
            parts.append(revalued(replace(book, instruments=moved), moves))
        gains = np.concatenate([*parts, plain[:, self.prices :]], axis=1) - now(book)[:, None]
        gains[~columns.is_kind(Kind.OPTION), -1] = 0.0
        return gains


def scenarios(rules: AssetClass, volatility: Volatility, extreme_share: float) -> Scenarios:
    """Arrange the scenarios of an asset class."""
    steps = [*(-move for move in reversed(rules.moves)), 0.0, *rules.moves]
    spot = np.array([*steps, -rules.extreme_move, rules.extreme_move, 0.0])
    count, kinds = len(steps), len(_VOLATILITIES)
    days = np.zeros(count + 3)
    days[-1] = 1.0
    plain = ScenarioGrid(spot, np.zeros(count + 3), np.ones(count + 3), days)
    moved = [f"{step * 100:+.4g} %" if step else "unchanged" for step in steps]
    names = [f"index {move}, IV {kind}" for kind in _VOLATILITIES for move in moved]
    extremes = (f"extreme move of index, {step * 100:+.4g} %" for step in spot[count:-1])
    grid = ScenarioGrid(
        np.concatenate([np.tile(spot[:count], kinds), spot[count:]]),
        np.concatenate([np.repeat(volatility.stated, count), np.zeros(3)]),
        np.concatenate([np.ones(count * kinds), [extreme_share, extreme_share, 1.0]]),
        np.concatenate([np.zeros(count * kinds), days[count:]]),
        names=(*names, *extremes, _DECAY),
    )
    return Scenarios(grid, plain, volatility)


def _at_index(book: Book) -> Book:
    """Return the book with forwards that follow the index by amount: their basis is fixed."""
    columns = book.instruments
    contract = columns.is_kind(*CONTRACTS) & (columns.fixed == 0.0)
    index = book.spot[columns.underlying]
    fixed = np.where(contract, columns.variable - index, columns.fixed)
    variable = np.where(contract, index, columns.variable)
    return replace(book, instruments=replace(columns, fixed=fixed, variable=variable))


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
    first, label = group_rows(book.pool, book.underlying)
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
    first, label = group_rows(book.pool, book.underlying)
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
