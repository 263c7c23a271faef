"""The `okx` family: OKX portfolio margin, whose terms are called MR1 to MR9.

A risk unit is all that a pool holds on one underlying: contracts, and coins so far as they offset the
contracts' delta. It needs ``max(max(MR1, MR2, MR6) + MR4, MR7)``: the worst of the shocks of index
and volatility (MR1), a day's decay of options (MR2) and half the loss of an extreme move (MR6), and
the basis risk of each leg (MR4); at least what closing would cost (MR7). What a pool has borrowed is
margined beside (MR8). MR3 (vega across expiries), MR5 (rates), MR9 (stablecoins) and what closing
options costs are not published in full, and are left out.

The venue computes in USD: details are, and components are in the account currency.

Rules: https://www.okx.com/help/v-portfolio-margin-mode-cross-margin-trading-risk-unit-merge
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Components, Factor, MarginResult, Parameters, Share, Worst
from margincalc.margin.charges import collateral_haircut, delta_one_notional
from margincalc.risk import equity, greeks, now, revalued
from margincalc.scenarios import ScenarioGrid
from margincalc.times import DAYS_PER_YEAR

Move = Annotated[float, Field(allow_inf_nan=False, gt=0, lt=1)]
Days = Annotated[float, Field(allow_inf_nan=False, ge=0, le=4000)]
Multiplier = Annotated[float, Field(allow_inf_nan=False, ge=1, le=100)]
Amount = Annotated[float, Field(allow_inf_nan=False, gt=0)]
CONTRACTS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)
_IN_WORDS = ("unchanged", "down in points", "up in points", "down in percent", "up in percent")


class Volatility(Parameters):
    """Moves of implied volatility by days to expiry, linear between; the worse of the two counts."""

    days: tuple[Days, ...] = Field(min_length=1)
    points: tuple[Share, ...]
    percent: tuple[Share, ...]

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        if not len(self.days) == len(self.points) == len(self.percent):
            raise ValueError("days, points and percent are of different lengths")
        if any(later <= day for day, later in pairwise(self.days)):
            raise ValueError("days do not increase")
        return self

    def shocked(self, volatility: FloatArray, years: FloatArray) -> Iterator[FloatArray]:
        """Yield volatilities unchanged, then after the moves of `_IN_WORDS`, shape (I,) each."""
        days = years * DAYS_PER_YEAR
        yield volatility
        points = np.interp(days, self.days, self.points)
        yield np.maximum(volatility - points, 0.0)
        yield volatility + points
        percent = np.interp(days, self.days, self.percent)
        yield volatility * (1.0 - percent)
        yield volatility * (1.0 + percent)


class Closing(Parameters):
    """MR7: a share of the gross notional of futures and perpetuals, and how it grows.

    Attributes
    ----------
    tiers : upper ends, in USD, of the tiers of the raw amount; the last tier has none
    multipliers : of the part of the raw amount that lies in each tier
    """

    rate: Share | None = None
    tiers: tuple[Amount, ...] = ()
    multipliers: tuple[Multiplier, ...] = (1.0,)

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        if len(self.multipliers) != len(self.tiers) + 1:
            raise ValueError("there is one multiplier more than tiers have ends")
        if any(upper <= lower for lower, upper in pairwise(self.tiers)):
            raise ValueError("tiers do not increase")
        return self

    def adjusted(self, raw: FloatArray) -> FloatArray:
        """Return raw amounts in USD with each tier's part multiplied."""
        ends = np.array([0.0, *self.tiers, np.inf])
        whole = np.zeros_like(raw)
        for lower, upper, multiplier in zip(ends, ends[1:], self.multipliers, strict=False):
            whole = whole + multiplier * np.clip(raw - lower, 0.0, upper - lower)
        return whole


class AssetClass(Parameters):
    """The parameters of some underlyings; those of the class `others` are all that no class names.

    Attributes
    ----------
    moves : of the index in MR1, to either side
    extreme_move : of the index in MR6, to either side
    annualised_basis : MR4 per year of a leg's time to expiry
    least_basis : MR4 of a leg, at least; that of perpetuals and coins
    """

    underlyings: tuple[str, ...] = ()
    moves: tuple[Move, ...] = Field(min_length=1)
    extreme_move: Move
    annualised_basis: Share
    least_basis: Share | None = None
    closing: Closing = Closing()

    def unknown(self) -> str:
        """Name the parameters that the venue has not published."""
        rates = {"least_basis": self.least_basis, "closing.rate": self.closing.rate}
        return " and ".join(name for name, rate in rates.items() if rate is None)


class Borrow(Parameters):
    """MR8: shares of what is owed."""

    maintenance: Share
    initial: Share


class OkxParameters(Parameters):
    """The file's tables."""

    initial_factor: Factor
    extreme_share: Share
    volatility: Volatility
    borrow: Borrow
    classes: dict[str, AssetClass]


class _Class(NamedTuple):
    """An asset class with its scenarios.

    Attributes
    ----------
    steps : relative moves of the index in MR1, shape (7,)
    grid : MR1 (five volatilities by seven prices), then MR6, then MR2
    """

    name: str
    rules: AssetClass
    volatility: Volatility
    steps: FloatArray
    grid: ScenarioGrid


class _Units(NamedTuple):
    """Risk units and their terms in account currency, shape (G,) each.

    Attributes
    ----------
    pool, underlying : rows of the book
    delta : cash delta of contracts, at their marks
    crossed : cash delta of coin-settled contracts that others offset, which MR9 would margin
    """

    pool: IntArray
    underlying: IntArray
    delta: FloatArray
    crossed: FloatArray
    mr1: FloatArray
    mr2: FloatArray
    mr4: FloatArray
    mr6: FloatArray
    mr7: FloatArray

    @property
    def scenario_loss(self) -> FloatArray:
        """The worst of MR1, MR2 and MR6."""
        return np.maximum(np.maximum(self.mr1, self.mr2), self.mr6)

    @property
    def maintenance(self) -> FloatArray:
        """Maintenance margin of the unit."""
        return np.maximum(self.scenario_loss + self.mr4, self.mr7)


class Okx(NamedTuple):
    """Requirements by risk unit and for borrowing, summed by pool."""

    classes: tuple[_Class, ...]
    initial_factor: float
    borrow: Borrow

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios of each asset class."""
        return tuple(chosen.grid for chosen in self.classes)

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book.

        Raises
        ------
        ModelRefusal
            If the account is kept in coin, or holds what the venue's known rates do not cover.
        """
        if book.coin:
            raise ModelRefusal("OKX margins in USD, and this account is kept in coin")
        found = []
        for number, rows in self._split(book):
            units, worst = _margined(book.restricted(rows)[0], self.classes[number])
            found.append((rows, units, worst._replace(grid=np.full(len(worst.pool), number))))
        units = _Units(*(np.concatenate(column) for column in zip(*(u for _, u, _ in found))))
        parts = {
            "scenario_loss": group_sum(units.scenario_loss, units.pool, book.pools),
            "basis": group_sum(units.mr4, units.pool, book.pools),
        }
        top_up = units.maintenance - (units.scenario_loss + units.mr4)
        parts["floor_top_up"] = group_sum(top_up, units.pool, book.pools)
        owed = _owed(book)
        maintenance = {
            **parts,
            "borrow": self.borrow.maintenance * owed,
            "collateral_haircut": collateral_haircut(book, initial=False),
        }
        initial = {
            **{name: self.initial_factor * amount for name, amount in parts.items()},
            "borrow": self.borrow.initial * owed,
            "collateral_haircut": collateral_haircut(book, initial=True),
        }
        ...
