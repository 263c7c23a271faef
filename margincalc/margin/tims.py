"""The `tims` family: OCC's Theoretical Intermarket Margin System, for customers' accounts.

Every underlying moves to ten points of its class's range, implied volatility held. Within a class
(an index, its funds and the options on them) profits offset losses in full. Classes of a product
group, and product groups of a portfolio group, offset point by point: losses count in full, gains
by the group's share. What is so combined loses its worst point, and never less than a minimum per
option contract, long or short.

Under FINRA 4210(g) the requirement is both initial and maintenance margin; houses ask for more.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import MarginResult, Worst, placed
from margincalc.margin.deposits import collateral_haircut, without_deposits
from margincalc.margin.forms import LinearForm
from margincalc.margin.scope import Scope
from margincalc.margin.tims_rules import EQUITY, TimsParameters, members
from margincalc.risk import equity, now, risk_array
from margincalc.scenarios import ScenarioGrid, VolatilityRule, grid


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

    @property
    def unit(self) -> IntArray:
        """Portfolio group of each underlying, shape (U,)."""
        return self.portfolio[self.product[self.class_]]


class _Level(NamedTuple):
    """Profit and loss of the groups of one level, G of them.

    Attributes
    ----------
    pool, group : whose, and which of the level, shape (G,)
    pnl : shape (G, S)
    labels : group that each row of the level below belongs to
    """

    pool: IntArray
    group: IntArray
    pnl: FloatArray
    labels: IntArray


class _Levels(NamedTuple):
    """The levels of a book; of the last, each group has a requirement of its own."""

    classes: _Level
    products: _Level
    portfolios: _Level

    @property
    def scenario(self) -> IntArray:
        """Worst point of each portfolio group."""
        pnl = self.portfolios.pnl
        return np.argmin(pnl, axis=1) if len(pnl) else np.zeros(0, np.int64)

    def loss(self) -> FloatArray:
        """Return what each portfolio group loses in its worst point."""
        loss: FloatArray = np.maximum(-np.min(self.portfolios.pnl, axis=1), 0.0)
        return loss

    def unit(self) -> IntArray:
        """Return the portfolio group of each position row."""
        return self.portfolios.labels[self.products.labels[self.classes.labels]]


class Tims(NamedTuple):
    """Worst point of classes, offset by groups, with a minimum per option contract."""

    parameters: TimsParameters
    ranges: tuple[ScenarioGrid, ...]  # in the order of the parameters

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The points of every range."""
        return self.ranges

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("offsets between classes and product groups",))

    def together(self, book: Book) -> IntArray | None:
        """Underlyings of one portfolio group offset each other."""
        return _scheme(self.parameters, book.names.underlyings).unit

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book.

        Raises
        ------
        ModelRefusal
            If a book holds what these rules do not know.
        """
        _SCOPE.refuse_beyond(book)
        value = now(book)
        scheme = _scheme(self.parameters, book.names.underlyings)
        rows = np.flatnonzero(book.underlying >= 0)
        moved = self._moved(book, rows, scheme, value)
        levels = _levels(book, rows, scheme, moved)
        pool = levels.portfolios.pool
        loss, bare = levels.loss(), without_deposits(book)
        lone = loss
        if bare is not None:
            lone = _levels(bare, rows, scheme, self._moved(bare, rows, scheme, value)).loss()
        minimum = group_sum(self._minimum(book, rows), levels.unit(), len(pool))
        alone = np.maximum(-np.min(levels.classes.pnl, axis=1), 0.0)
        components = {
            "scenario_loss": group_sum(lone, pool, book.pools),
            "wrong_way": group_sum(loss - lone, pool, book.pools),
            "floor_top_up": group_sum(np.maximum(minimum - loss, 0.0), pool, book.pools),
            "collateral_haircut": collateral_haircut(book, initial=False),
        }
        initial = {**components, "collateral_haircut": collateral_haircut(book, initial=True)}
        details = {
            "class_losses": group_sum(alone, levels.classes.pool, book.pools),
            "contract_minimum": group_sum(minimum, pool, book.pools),
        }
        worst = _worst(book, rows, scheme, (levels, moved))
        return MarginResult(equity(book, value), components, initial, worst, details)

    def _moved(self, book: Book, rows: IntArray, scheme: _Scheme, value: FloatArray) -> FloatArray:
        """Profit and loss of position rows at the points of their own range, shape (P, S)."""
        moved = np.empty((len(rows), self.ranges[0].size))
        chosen = scheme.grid[book.underlying[rows]]
        for number, points in enumerate(self.ranges):
            mine = np.flatnonzero(chosen == number)
            if len(mine):
                part, held = book.restricted(rows[mine])
                risk = risk_array(part, points, value[held])
                moved[mine] = part.quantity[:, None] * risk[part.instrument]
        return moved

    def _minimum(self, book: Book, rows: IntArray) -> FloatArray:
        """Least requirement of each position row, account currency."""
        columns = book.instruments.take(book.instrument[rows])
        contracts = np.abs(book.quantity[rows]) * columns.is_kind(Kind.OPTION)
        unit = self.parameters.contract_minimum * columns.multiplier
        return contracts * book.money(unit, rows)


_SCOPE = Scope(
    settlement="linear", coin_accounts=False, american=True, listed_only=True, beside=("future",)
)


def _scheme(parameters: TimsParameters, underlyings: tuple[str, ...]) -> _Scheme:
    """Number classes and groups; an underlying that no class names is a class of its own."""
    ranges, classes = list(parameters.ranges), list(parameters.classes)
    number = {
        each: index
        for index, (name, own) in enumerate(parameters.classes.items())
        for each in members(name, own)
    }
    others = dict.fromkeys(name for name in underlyings if name not in number)
    number |= {name: len(classes) + index for index, name in enumerate(others)}
    each_range = [ranges.index(own.range) for own in parameters.classes.values()]
    each_range += [ranges.index(EQUITY)] * len(others)
    class_ = np.array([number[name] for name in underlyings], np.int64)
    products = {name: own.classes for name, own in parameters.product_groups.items()}
    portfolios = {name: own.product_groups for name, own in parameters.portfolio_groups.items()}
    product = _grouped(classes + list(others), products)
    names = [*products, *(f"product group {index}" for index in range(len(product)))]
    portfolio = _grouped(names, portfolios)
    shares = [own.offset for own in parameters.product_groups.values()]
    wider = [own.offset for own in parameters.portfolio_groups.values()]
    return _Scheme(
        np.array(each_range, np.int64)[class_],
        class_,
        product,
        portfolio,
        np.array(shares + [1.0] * len(product)),
        np.array(wider + [1.0] * len(portfolio)),
    )


def _grouped(names: list[str], groups: Mapping[str, tuple[str, ...]]) -> IntArray:
    """Return the group of each name; one that is in no group is its own, after the others."""
    number = {name: index for index, group in enumerate(groups.values()) for name in group}
    own = [number.get(name, len(groups) + index) for index, name in enumerate(names)]
    return np.array(own, np.int64)


def _levels(book: Book, rows: IntArray, scheme: _Scheme, moved: FloatArray) -> _Levels:
    """Add positions up to classes, product groups and portfolio groups."""
    keys = book.pool[rows], scheme.class_[book.underlying[rows]]
    first, labels = group_rows(*keys)
    pnl = group_sum(moved, labels, len(first))
    classes = _Level(keys[0][first], keys[1][first], pnl, labels)
    products = _offset(classes, scheme.product, scheme.product_offset)
    return _Levels(classes, products, _offset(products, scheme.portfolio, scheme.portfolio_offset))


def _offset(below: _Level, group: IntArray, share: FloatArray) -> _Level:
    """Combine a level: its losses, and at each point a share of its gains."""
    keys = below.pool, group[below.group]
    first, labels = group_rows(*keys)
    losses = group_sum(np.minimum(below.pnl, 0.0), labels, len(first))
    gains = group_sum(np.maximum(below.pnl, 0.0), labels, len(first))
    own = keys[1][first]
    return _Level(keys[0][first], own, losses + share[own][:, None] * gains, labels)


def _counted(below: _Level, above: _Level, share: FloatArray, scenario: IntArray) -> FloatArray:
    """Share of each row of a level that counts in the one above, at its scenario."""
    gains = below.pnl[np.arange(len(scenario)), scenario] > 0.0
    return np.where(gains, share[above.group[above.labels]], 1.0)


def _worst(
    book: Book, rows: IntArray, scheme: _Scheme, computed: tuple[_Levels, FloatArray]
) -> Worst:
    """Name each underlying's part in the worst point of its portfolio group."""
    levels, moved = computed
    classes, products, portfolios = levels
    by_product = levels.scenario[portfolios.labels]
    by_class = by_product[products.labels]
    wider = _counted(products, portfolios, scheme.portfolio_offset, by_product)
    weight = _counted(classes, products, scheme.product_offset, by_class)
    weight = (weight * wider[products.labels])[classes.labels]
    scenario = by_class[classes.labels]
    pnl = moved[np.arange(len(rows)), scenario] * weight
    pool, underlying = book.pool[rows], book.underlying[rows]
    first, labels = group_rows(pool, underlying)
    return Worst(
        pool[first],
        underlying[first],
        scheme.grid[underlying[first]],
        scenario[first],
        group_sum(pnl, labels, len(first)),
        placed(len(book.quantity), (rows, lambda: pnl)),
    )


def build(tables: Mapping[str, Any]) -> Tims:
    """Read a TIMS model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    parameters = TimsParameters.model_validate(tables)
    still = VolatilityRule()
    ranges = [
        grid(np.array([[move, 0.0, 1.0, 0.0] for move in points]), still)
        for points in parameters.ranges.values()
    ]
    return Tims(parameters, tuple(ranges))
