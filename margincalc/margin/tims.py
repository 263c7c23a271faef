"""The `tims` family: OCC's Theoretical Intermarket Margining System for customers' portfolio margin.

Every underlying moves to ten points of its class's range, implied volatility held. Within a class
(an index, its funds and the options on them) profits offset losses in full. Classes of a product
group, and product groups of a portfolio group, offset point by point: losses count in full, gains
by the group's share. What is so combined loses its worst point, and never less than a minimum per
option contract, long or short.

Under FINRA 4210(g) the requirement is both initial and maintenance margin; houses ask for more.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import MarginResult, Parameters, Share, Worst
from margincalc.margin.charges import collateral_haircut
from margincalc.margin.grids import SpotMove
from margincalc.risk import equity, now, risk_array
from margincalc.scenarios import ScenarioGrid, VolatilityRule, grid

EQUITY = "equity"  # the range of an underlying that no class names
Points = Annotated[tuple[SpotMove, ...], Field(min_length=1)]


class Class(Parameters):
    """What offsets in full: the underlying it is named for, and others."""

    range: str
    underlyings: tuple[str, ...] = ()


class ProductGroup(Parameters):
    """Classes that offset in part."""

    classes: tuple[str, ...]
    offset: Share


class PortfolioGroup(Parameters):
    """Product groups that offset in part."""

    product_groups: tuple[str, ...]
    offset: Share


class TimsParameters(Parameters):
    """The file's tables."""

    contract_minimum: Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e6)]
    ranges: dict[str, Points]
    classes: dict[str, Class]
    product_groups: dict[str, ProductGroup]
    portfolio_groups: dict[str, PortfolioGroup]

    @model_validator(mode="after")
    def _refer_to_what_is_there(self) -> Self:
        if EQUITY not in self.ranges or len({len(row) for row in self.ranges.values()}) > 1:
            raise ValueError(f"ranges include {EQUITY}, and all have the same number of points")
        _each_once([own.range for own in self.classes.values()], self.ranges, repeated=True)
        _each_once(self.underlyings(), None)
        products, portfolios = self.product_groups.values(), self.portfolio_groups.values()
        _each_once([name for group in products for name in group.classes], self.classes)
        named = [name for group in portfolios for name in group.product_groups]
        _each_once(named, self.product_groups)
        return self

    def underlyings(self) -> list[str]:
        """List the underlyings of all classes."""
        return [each for name, own in self.classes.items() for each in members(name, own)]


def members(name: str, own: Class) -> tuple[str, ...]:
    """Return the underlyings of a class, that of its name first."""
    return (name, *(each for each in own.underlyings if each != name))


def _each_once(
    names: list[str], known: Mapping[str, Any] | None, *, repeated: bool = False
) -> None:
    missing = [name for name in names if known is not None and name not in known]
    if missing:
        raise ValueError(f"{missing[0]} is referred to, and defined nowhere")
    if not repeated and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} belongs to two groups")


class _Scheme(NamedTuple):
    """What belongs to what, by number.

    Attributes
    ----------
    grid : shape (U,), grid of each underlying
    class_ : shape (U,)
    product, portfolio : group of each class and of each product group
    product_offset, portfolio_offset : share of gains that counts, by group; 1 of a group of one
    """

    grid: IntArray
    class_: IntArray
    product: IntArray
    portfolio: IntArray
    product_offset: FloatArray
    portfolio_offset: FloatArray


class _Level(NamedTuple):
    """Profit and loss of groups of one level, shape (G, S), each with its pool, shape (G,).

    Attributes
    ----------
    group : number of each in its level, shape (G,)
    labels : row of this level that each row of the one below belongs to
    """

    pool: IntArray
    group: IntArray
    labels: IntArray
    pnl: FloatArray


class Tims(NamedTuple):
    """Worst point of classes, offset by groups, with a minimum per option contract."""

    parameters: TimsParameters
    grids: tuple[ScenarioGrid, ...]  # in the order of the ranges

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        value = now(book)
        scheme = _scheme(self.parameters, book.names.underlyings)
        rows = np.flatnonzero(book.underlying >= 0)
        underlying = book.underlying[rows]
        moved = self._moved(book, rows, scheme.grid[underlying], value)
        classes = _summed(book.pool[rows], scheme.class_[underlying], moved)
        products = _offset(classes, scheme.product, scheme.product_offset)
        whole = _offset(products, scheme.portfolio, scheme.portfolio_offset)
        scenario = np.argmin(whole.pnl, axis=1) if len(whole.pool) else whole.pool
        loss = np.maximum(-whole.pnl[np.arange(len(scenario)), scenario], 0.0)
        unit = whole.labels[products.labels[classes.labels]]
        minimum = group_sum(self._minimum(book, rows), unit, len(loss))
        components = {
            "scenario_loss": group_sum(loss, whole.pool, book.pools),
            "floor_top_up": group_sum(np.maximum(minimum - loss, 0.0), whole.pool, book.pools),
            "collateral_haircut": collateral_haircut(book, initial=False),
        }
        initial = {**components, "collateral_haircut": collateral_haircut(book, initial=True)}
        weight = _weights(classes, products, scheme, scenario[whole.labels])
        weight = np.where(True, weight, 1.0)[classes.labels]
        worst = self._worst(book, rows, scheme, (scenario[unit], weight, moved))
        alone = np.maximum(-np.min(classes.pnl, axis=1, initial=0.0), 0.0)
        details = {
            "class_losses": group_sum(alone, classes.pool, book.pools),
            "contract_minimum": group_sum(minimum, whole.pool, book.pools),
        }
        return MarginResult(equity(book, value), components, initial, worst, details)
