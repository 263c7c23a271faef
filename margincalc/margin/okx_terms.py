"""The terms of OKX's portfolio margin whose values the venue does not publish in full.

Known of MR3 is that it is the vega risk across expiries that MR1 does not capture; of MR5, that it
is what options lose as rates move; of MR9, how cash deltas in different monies are offset, and
some of its tiers, each factor being of the part of the volume inside its tier (10 million at 0.75,
1.75 and 2.5 % is 202,500). How MR3 and MR5 are put together below is margincalc's own:

    MR3   sum of |loss of an expiry| - |sum of the losses|, of moves of volatility by days to expiry
    MR5   the worst loss of options under any of some moves of the rates by days, to either side
    MR9   volume that one money's cash delta offsets another's, tier by tier, by the money's index

MR3 is nothing where all options gain, or all lose, by a rise of volatility: MR1 moves them all.
"""

from itertools import pairwise
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Parameters, Share
from margincalc.margin.scope import NotPublished
from margincalc.risk import greeks
from margincalc.times import DAYS_PER_YEAR

Days = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=4000)]
Amount = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=1e15)]
RateMove = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=-1, le=1)]
Index = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=2)]

_UNKNOWN_TERM_STRUCTURE = (
    "options of one expiry are held against another's, and the venue does not publish "
    "term_structure.moves (MR3); give them with --set 'term_structure.moves=[0.1]', a move of "
    "volatility per year, or [0.0] to leave MR3 out"
)
_UNKNOWN_RATES = (
    "options are held, and the venue does not publish rates.moves (MR5); give them with "
    "--set 'rates.moves=[[0.01]]', a move of the rate per year, or [[0.0]] to leave MR5 out"
)
CLOSING_OPTIONS = "MR7 is of futures and perpetuals: what closing options costs is not published"


def increasing(values: tuple[float, ...], name: str) -> None:
    """Refuse a table whose steps do not increase.

    Raises
    ------
    ValueError
    """
    if any(later <= one for one, later in pairwise(values)):
        raise ValueError(f"{name} do not increase")


def by_tier(amount: FloatArray, ends: tuple[float, ...], rates: tuple[float, ...]) -> FloatArray:
    """Charge each part of an amount at the rate of the tier that it lies in.

    Parameters
    ----------
    ends : upper ends of the tiers; the last tier has none
    """
    whole = np.zeros_like(amount)
    for (lower, upper), rate in zip(pairwise((0.0, *ends, np.inf)), rates, strict=True):
        whole = whole + rate * np.clip(amount - lower, 0.0, upper - lower)
    return whole


class TermStructure(Parameters):
    """MR3: moves of volatility by days to expiry, per year, linear between."""

    days: tuple[Days, ...] = Field(min_length=1)
    moves: tuple[Share, ...] | NotPublished

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        increasing(self.days, "days")
        if not isinstance(self.moves, str) and len(self.moves) != len(self.days):
            raise ValueError("days and moves are of different lengths")
        return self

    def charge(self, book: Book, label: IntArray, groups: int) -> FloatArray:
        """Return MR3 of each risk unit, account currency, shape (G,).

        Raises
        ------
        ModelRefusal
            If a unit buys options of one expiry and sells of another, and no moves are given.
        """
        rows = book.rows(Kind.OPTION)
        held = book.instrument[rows]
        first, expiry = group_rows(label[rows], book.instruments.time[held])
        owner = label[rows][first]
        if isinstance(self.moves, str):
            self._refuse(book.quantity[rows], expiry, owner)
            return np.zeros(groups)
        days = book.instruments.time[held] * DAYS_PER_YEAR
        moved = (
            book.quantity[rows] * greeks(book).vega[held] * np.interp(days, self.days, self.moves)
        )
        each = group_sum(moved, expiry, len(first))
        apart = group_sum(np.abs(each), owner, groups)
        return np.maximum(apart - np.abs(group_sum(each, owner, groups)), 0.0)

    def _refuse(self, quantity: FloatArray, expiry: IntArray, owner: IntArray) -> None:
        """Refuse units that are long options of one expiry and short of another.

        What is held decides, not the vegas of a market: a margin must not be refused at some of
        the spots that a search for a liquidation price tries.
        """
        units = int(np.max(owner, initial=-1)) + 1
        sides = [
            group_sum(side.astype(np.float64), expiry, len(owner)) > 0.0
            for side in (quantity > 0.0, quantity < 0.0)
        ]
        long, short, held = (
            group_sum(side.astype(np.float64), owner, units)
            for side in (*sides, sides[0] | sides[1])
        )
        if np.any((long > 0.0) & (short > 0.0) & (held > 1.0)):
            raise ModelRefusal(_UNKNOWN_TERM_STRUCTURE)


class RateMoves(Parameters):
    """MR5: moves of the rate per year by days to expiry, linear between; the worst counts."""

    days: tuple[Days, ...] = Field(min_length=1)
    moves: tuple[tuple[RateMove, ...], ...] | NotPublished

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        increasing(self.days, "days")
        moves = () if isinstance(self.moves, str) else self.moves
        if any(len(move) != len(self.days) for move in moves):
            raise ValueError("days and a move are of different lengths")
        return self

    def charge(self, book: Book, label: IntArray, groups: int) -> FloatArray:
        """Return MR5 of each risk unit, account currency, shape (G,).

        Raises
        ------
        ModelRefusal
            If options are held, and no moves are given. As of MR3, the Greeks of a market do not
            decide.
        """
        rows = book.rows(Kind.OPTION)
        held, worst = book.instrument[rows], np.zeros(groups)
        if isinstance(self.moves, str):
            if np.any(book.quantity[rows] != 0.0):
                raise ModelRefusal(_UNKNOWN_RATES)
            return worst
        days = book.instruments.time[held] * DAYS_PER_YEAR
        rho = book.quantity[rows] * greeks(book).rho[held]
        for move in self.moves:
            change = group_sum(rho * np.interp(days, self.days, move), label[rows], groups)
            worst = np.maximum(worst, np.abs(change))
        return worst


def left_out(book: Book) -> tuple[str, ...]:
    """Say what a book with options needs beyond its margin, by no parameter."""
    return (CLOSING_OPTIONS,) if np.any(book.quantity[book.rows(Kind.OPTION)] != 0.0) else ()


class Peg(Parameters):
    """MR9: shares of what cash deltas in different monies offset.

    Attributes
    ----------
    tiers : upper ends, in USD, of the volume; the last tier has none
    indexes : from which price of the settlement money on a row of `factors` holds, increasing
    factors : of the part of the volume in each tier, a row per index
    """

    tiers: tuple[Amount, ...]
    indexes: tuple[Index, ...] = Field(min_length=1)
    factors: tuple[tuple[Share, ...], ...]

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        increasing(self.tiers, "tiers")
        increasing(self.indexes, "indexes")
        if len(self.factors) != len(self.indexes):
            raise ValueError("a row of factors for each of indexes is wanted")
        if any(len(row) != len(self.tiers) + 1 for row in self.factors):
            raise ValueError("one factor more than tiers have ends is wanted")
        return self

    def charge(self, volume: FloatArray, *, stable: float, needed: bool) -> FloatArray:
        """Return MR9 of each risk unit, account currency, shape (G,).

        Parameters
        ----------
        volume : what cash deltas offset, account currency
        stable : index of the settlement money, in USD
        needed : whether the book holds contracts of both settlements on one underlying

        Raises
        ------
        ModelRefusal
            If the money is below every index whose factors are known, and they are needed.
        """
        row = int(np.searchsorted(self.indexes, stable, side="right")) - 1
        if row < 0:
            if needed:
                raise ModelRefusal(
                    f"no peg.factors (MR9) are known of a money at {stable:.6g}, below "
                    f"{self.indexes[0]:.6g}; give them with --set peg.indexes and --set peg.factors"
                )
            return np.zeros_like(volume)
        return by_tier(volume * stable, self.tiers, self.factors[row]) / stable
