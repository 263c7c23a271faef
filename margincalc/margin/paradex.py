"""The `paradex` family: the worst weighted scenario or a least charge for delta, with provisions.

Each underlying of a pool needs the larger of two figures: its worst scenario, and
``(unhedged * |net| + hedged * offset) * spot`` over the deltas of its positions. Maintenance is a
share of it; both margins add provisions for the next hours' funding and for the fees of closing.
An open order loses, in each scenario, what its limit price is worse than the scenario's price, and
its delta counts on its own side.

Sources: docs.paradex.trade/risk/portfolio-margin; the netting of orders, the fees and the least
shocked volatility are those of the venue's client library (github.com/tradeparadex/paradex-py,
paradex_py.margin). That library also lets orders offset funding; here they do not.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind, Orders
from margincalc.margin.base import (
    Components,
    MarginResult,
    Parameters,
    Share,
    Worst,
    laid_over,
)
from margincalc.margin.charges import long_and_short
from margincalc.margin.deposits import collateral_haircut
from margincalc.margin.fees import Fees, Market, trading_fees
from margincalc.margin.forms import LinearForm
from margincalc.margin.grids import Scenarios, joined
from margincalc.margin.lots import Lots, held
from margincalc.margin.scope import Scope, base
from margincalc.risk import equity, greeks, least_pnl, now, revalued, scenario_pnl
from margincalc.scenarios import ScenarioGrid

CONTRACTS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)


class MinimumDelta(Parameters):
    """Shares of spot per unit of delta: of what is not hedged, and of what is."""

    unhedged: Share
    hedged: Share


class ParadexSet(Scenarios):
    """The parameters of one underlying."""

    minimum_delta: MinimumDelta


class ParadexParameters(ParadexSet):
    """The file's tables: a default set, what differs for some underlyings, and what is common.

    Attributes
    ----------
    maintenance : share of the initial requirement before provisions
    funding_hours : for which funding is provided
    funding_period : hours for which the market states a funding rate
    """

    underlyings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    scope: Scope = Scope()
    maintenance: Share
    funding_hours: Annotated[float, Field(allow_inf_nan=False, ge=0, le=24)]
    funding_period: Annotated[float, Field(allow_inf_nan=False, gt=0, le=24)]
    fees: Fees

    @model_validator(mode="after")
    def _rated(self) -> Self:
        self.scope.refuse_unrated(self.underlyings)
        return self


class _Set(NamedTuple):
    """Parameters of some underlyings, with their scenarios."""

    parameters: ParadexSet
    grid: ScenarioGrid


class _Need(NamedTuple):
    """What each pool and underlying needs, each of shape (G,), account currency.

    Attributes
    ----------
    worst : the binding scenario of what is held
    scan, minimum : loss in it, and the least charge for delta
    ordered : the larger of the two with every order open
    net, hedged : value of the delta that is not hedged (signed), and of that which is
    """

    worst: Worst
    scan: FloatArray
    minimum: FloatArray
    ordered: FloatArray
    net: FloatArray
    hedged: FloatArray

    def by_pool(self, pools: int) -> Components:
        """Sum the parts of the requirement by pool, then the figures behind them."""
        bound = np.maximum(self.scan, self.minimum)
        parts = {
            "scenario_loss": self.scan,
            "floor_top_up": bound - self.scan,
            "open_orders": self.ordered - bound,
            "minimum_delta_requirement": self.minimum,
            "net_delta_value": self.net,
            "hedged_delta_value": self.hedged,
        }
        return {name: group_sum(part, self.worst.pool, pools) for name, part in parts.items()}


class Paradex(NamedTuple):
    """Worst scenario or least charge for delta, with provisions."""

    sets: Mapping[str, _Set]  # by underlying; "" for all others
    common: ParadexParameters

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios, the default set's first."""
        return tuple(chosen.grid for chosen in self.sets.values())

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("the least delta of hedged positions",))

    def together(self, book: Book) -> IntArray | None:
        """Every underlying is scanned by itself, and every coin counts by itself."""
        return np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        self.common.scope.refuse_beyond(book)
        value = now(book)
        found, parts = [], _Need.by_pool(_NOTHING, book.pools)
        for number, rows, orders in self._split(book):
            part, kept = book.restricted(rows, orders)
            need = _need(part, list(self.sets.values())[number], value[kept])
            found.append((rows, need.worst._replace(grid=np.full(len(need.scan), number))))
            parts = {name: parts[name] + more for name, more in need.by_pool(book.pools).items()}
        net = {name: parts.pop(name) for name in ("scenario_loss", "floor_top_up")}
        orders_more = parts.pop("open_orders")
        market = Market(book, value + book.instruments.offset)
        orders_more = orders_more + self._fees(market, _lots(book.orders))
        provisions = {
            "funding_provision": self._funding(book),
            "fee_provision": self._fees(market, held(book, *CONTRACTS)),
        }
        balance = [{"balances": balances(book, initial=initial)} for initial in (False, True)]
        return MarginResult(
            equity(book, value),
            {name: self.common.maintenance * part for name, part in net.items()}
            | provisions
            | balance[0],
            net | provisions | balance[1] | {"open_orders": orders_more},
            joined(found, book),
            parts,
        )

    def _split(self, book: Book) -> Iterator[tuple[int, IntArray, IntArray]]:
        """Yield each set's number with the position rows and orders that it applies to."""
        number = {name: index for index, name in enumerate(self.sets)}
        chosen = np.array([number.get(base(name), 0) for name in book.names.underlyings], np.int64)
        rows = book.rows(*CONTRACTS)
        own = chosen[book.underlying[rows]]
        ordered = chosen[book.instruments.underlying[book.orders.instrument]]
        for index in range(len(self.sets)):
            mine, orders = rows[own == index], np.flatnonzero(ordered == index)
            if len(mine) or len(orders) or index == 0:
                yield index, mine, orders

    def _fees(self, market: Market, lots: Lots) -> FloatArray:
        amount = trading_fees(market, lots, self.common.fees)
        return group_sum(amount, lots.pool, market.book.pools)

    def _funding(self, book: Book) -> FloatArray:
        """Funding that the perpetuals of each underlying are expected to pay, shape (A,)."""
        rows = book.rows(Kind.PERPETUAL)
        columns = book.instruments.take(book.instrument[rows])
        periods = self.common.funding_hours / self.common.funding_period
        notional = book.quantity[rows] * columns.multiplier * book.spot[columns.underlying]
        first, labels = group_rows(book.pool[rows], columns.underlying)
        net = group_sum(notional * columns.funding * periods, labels, len(first))
        return group_sum(np.maximum(net, 0.0), book.pool[rows][first], book.pools)


def balances(book: Book, *, initial: bool) -> FloatArray:
    """Coin and spot held at their whole value: beside money, nothing carries a position."""
    rows = book.rows(Kind.COLLATERAL, Kind.SPOT)
    columns = book.instruments.take(book.instrument[rows])
    coin = (columns.underlying >= 0) | (columns.kind == int(Kind.SPOT))
    # What is owed is in equity already, in full.
    units = np.maximum(book.quantity[rows], 0.0) * columns.multiplier
    worth = np.where(coin, units * columns.forward, 0.0)
    whole = group_sum(worth, book.pool[rows], book.pools)
    money = book.restricted(np.flatnonzero(book.underlying < 0))[0]
    return whole + collateral_haircut(money, initial=initial)


def _need(book: Book, chosen: _Set, value: FloatArray) -> _Need:
    """Scan one set's positions and orders; `value` is their present one, shape (I,)."""
    chosen.parameters.refuse_unpublished(book)
    held_rows, orders, grid = len(book.pool), book.orders, chosen.grid
    pool = np.concatenate([book.pool, orders.pool])
    underlying = book.instruments.underlying[np.concatenate([book.instrument, orders.instrument])]
    first, labels = group_rows(pool, underlying)
    own, ordered, groups = labels[:held_rows], labels[held_rows:], len(first)
    after = revalued(book, grid)
    risk = (after - value[:, None]) * grid.weight
    scenario, pnl = least_pnl(book, risk, own, groups)
    worst = Worst(
        pool[first],
        underlying[first],
        np.zeros(groups, np.int64),
        scenario,
        pnl,
        cache(lambda: book.quantity * risk[book.instrument, scenario[own]]),
    )
    with_orders = pnl
    if len(ordered):
        losses = group_sum(_order_losses(book, after) * grid.weight, ordered, groups)
        with_orders = np.min(scenario_pnl(book, risk, own, groups) - losses, axis=1)
    delta, spot = greeks(book).delta, book.spot[underlying[first]]
    longs, shorts = long_and_short(book.quantity * delta[book.instrument], own, groups)
    buys, sells = long_and_short(orders.quantity * delta[orders.instrument], ordered, groups)
    least = chosen.parameters.minimum_delta
    return _Need(
        worst,
        np.maximum(-worst.pnl, 0.0),
        _minimum(least, (longs, shorts), (longs, shorts)) * spot,
        np.maximum(
            np.maximum(-with_orders, 0.0),
            _minimum(least, (longs, shorts), (longs + buys, shorts + sells)) * spot,
        ),
        (longs - shorts) * spot,
        np.minimum(longs, shorts) * spot,
    )


def _order_losses(book: Book, after: FloatArray) -> FloatArray:
    """What an order's limit price is worse than each scenario's price, shape (O, S)."""
    orders = book.orders
    columns = book.instruments.take(orders.instrument)
    profit_since = np.where(columns.is_kind(Kind.OPTION), 0.0, columns.settled * columns.multiplier)
    price = after[orders.instrument] + profit_since[:, None]
    limit = (orders.price * columns.multiplier)[:, None]
    worse: FloatArray = np.maximum(orders.quantity[:, None] * (limit - price), 0.0)
    return worse


def _minimum(
    least: MinimumDelta,
    present: tuple[FloatArray, FloatArray],
    most: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Least charge per unit of spot, of long and short delta with and without orders."""
    (longs, shorts), (most_long, most_short) = present, most
    unhedged = np.maximum(np.maximum(most_long - shorts, most_short - longs), 0.0)
    hedged = np.maximum(np.maximum(most_long, most_short) - unhedged, 0.0)
    charge: FloatArray = least.unhedged * unhedged + least.hedged * hedged
    return charge


def _lots(orders: Orders) -> Lots:
    return Lots(orders.pool, orders.instrument, orders.quantity)


_NONE, _ZERO = np.zeros(0, np.int64), np.zeros(0)
_NOWHERE = Worst(_NONE, _NONE, _NONE, _NONE, _ZERO, lambda: _ZERO)
_NOTHING = _Need(_NOWHERE, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO)


def build(tables: Mapping[str, Any]) -> Paradex:
    """Read a model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = ParadexParameters.model_validate(tables)
    own = whole.model_dump(include=set(ParadexSet.model_fields), exclude_unset=True)
    others = whole.underlyings.items()
    sets = {"": own, **{name: laid_over(own, other) for name, other in others}}
    made = {name: ParadexSet.model_validate(table) for name, table in sets.items()}
    chosen = {name: _Set(table, table.scenario_grid()) for name, table in made.items()}
    return Paradex(chosen, whole)
