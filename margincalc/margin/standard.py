"""The `standard` family: each position by its own rule, nothing offset.

A short option needs ``max(rate * spot - out_of_the_money, minimum * spot)`` as initial and a flat
share of spot as maintenance margin, on top of its value, which equity already carries as a debt; a
short put never needs more than its strike. Long options are paid for and need nothing. Futures,
perpetuals and spot need a share of their notional, which may grow with their size.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Components, MarginResult, Parameters, Share
from margincalc.margin.charges import collateral_haircut, delta_one_notional
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid

Slope = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]


class ShortOption(Parameters):
    """Shares of spot for an option sold."""

    initial: Share
    initial_minimum: Share
    maintenance: Share


class Notional(Parameters):
    """Shares of notional; `slope` is added per unit of the underlying held."""

    initial: Share
    maintenance: Share
    slope: Slope = 0.0


class StandardSet(Parameters):
    """The parameters of one underlying."""

    short_option: ShortOption
    delta_one: Notional
    spot: Notional


class StandardParameters(StandardSet):
    """The file's tables: a default set, and what differs for some underlyings."""

    underlyings: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Standard(NamedTuple):
    """Requirements per position, summed by pool."""

    sets: Mapping[str, StandardSet]  # by underlying; "" for all others

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """None: this family has no scenarios."""
        return ()

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        return MarginResult(
            equity(book, now(book)),
            self._components(book, initial=False),
            self._components(book, initial=True),
        )

    def _components(self, book: Book, *, initial: bool) -> Components:
        return {
            "short_options": self._short_options(book, initial=initial),
            "delta_one": self._notional(
                book, "delta_one", (Kind.FUTURE, Kind.PERPETUAL), initial=initial
            ),
            "spot": self._notional(book, "spot", (Kind.SPOT,), initial=initial),
            "collateral_haircut": collateral_haircut(book, initial=initial),
        }

    def _rate(self, book: Book, rows: IntArray, table: str, name: str) -> FloatArray:
        """Look a parameter up for position rows, by their underlying."""
        values = [
            getattr(getattr(self.sets.get(underlying, self.sets[""]), table), name)
            for underlying in book.names.underlyings
        ]
        return np.array(values, np.float64)[book.underlying[rows]]

    def _short_options(self, book: Book, *, initial: bool) -> FloatArray:
        rows = book.rows(Kind.OPTION)
        rows = rows[book.quantity[rows] < 0.0]
        columns = book.instruments.take(book.instrument[rows])
        spot = book.spot[columns.underlying]
        if initial:
            sign = np.where(columns.call, 1.0, -1.0)
            beyond = np.maximum(sign * (columns.strike - spot), 0.0)
            least = self._rate(book, rows, "short_option", "initial_minimum") * spot
            full = self._rate(book, rows, "short_option", "initial") * spot
            unit = np.maximum(full - beyond, least)
        else:
            unit = self._rate(book, rows, "short_option", "maintenance") * spot
        unit = np.where(columns.call, unit, np.minimum(unit, columns.strike))
        charge = -book.quantity[rows] * columns.multiplier * book.money(unit, rows)
        return group_sum(charge, book.pool[rows], book.pools)

    def _notional(
        self, book: Book, table: str, kinds: tuple[Kind, ...], *, initial: bool
    ) -> FloatArray:
        rows = book.rows(*kinds)
        notional = delta_one_notional(book, rows)
        size = notional / book.money(book.spot[book.underlying[rows]], rows)
        rate = self._rate(book, rows, table, "initial" if initial else "maintenance")
        rate = rate + self._rate(book, rows, table, "slope") * size
        return group_sum(rate * notional, book.pool[rows], book.pools)


def build(tables: Mapping[str, Any]) -> Standard:
    """Read a standard model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = StandardParameters.model_validate(tables)
    base = whole.model_dump(exclude={"underlyings"})
    sets = {"": base, **{name: base | other for name, other in whole.underlyings.items()}}
    return Standard({name: StandardSet.model_validate(table) for name, table in sets.items()})
