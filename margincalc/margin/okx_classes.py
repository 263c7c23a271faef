"""The asset classes of OKX's portfolio margin: their rates, and the scenarios of MR1, MR2 and MR6.

MR1 and MR6 move the index, and every forward by as much.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.arrays import FloatArray
from margincalc.book import Book, Kind
from margincalc.margin.base import Parameters, Share
from margincalc.margin.okx_terms import Amount, Days, increasing
from margincalc.margin.scope import NotPublished, published
from margincalc.risk import now, revalued
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
