"""The `paradex_cross` family: each position by its own rule, options of an expiry as one group.

A long option needs its value up to a share of spot, a short one a share of spot less what it is out
of the money. Options of one underlying and expiry, one of them short, need no more than they can
lose at settlement from their value now, and a reserve for calls that are short without limit. An
order enlarges the position on its own side; the larger side counts, with its fees and with what an
order's price is worse than the mark.

Sources: docs.paradex.trade, pages on cross margin and on margin of dated options; open sizes, fees
and open loss are those of the venue's client library (github.com/tradeparadex/paradex-py). What
orders do to a group is not said to the digit: here they are margined beside it, each on its own.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Components, MarginResult, Parameters, Share, laid_over
from margincalc.margin.charges import ShortRates, short_option
from margincalc.margin.fees import Fees, Market, trading_fees
from margincalc.margin.forms import LinearForm
from margincalc.margin.lots import Lots, held, order_sides
from margincalc.margin.paradex import CONTRACTS, balances
from margincalc.margin.payoff import least_payoff
from margincalc.margin.scope import NotPublished, Scope, base, published
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid

Scale = Annotated[float, Field(allow_inf_nan=False, ge=0, le=10)]


class Option(Parameters):
    """What an option needs under one of the two margins.

    Attributes
    ----------
    premium, long_cap : of a long option: share of its value, and at most this share of spot
    short, short_minimum : of a short one: shares of spot, the first less the out-of-the-money
    put_cap : share of strike that a short put never exceeds
    """

    premium: Share
    long_cap: Share
    short: Share
    short_minimum: Share
    put_cap: Share


class Rates(Parameters):
    """Shares of the two margins."""

    initial: Scale
    maintenance: Scale


class CrossSet(Parameters):
    """The parameters of one underlying."""

    initial: Option
    maintenance: Option
    delta_one: Rates | NotPublished


class CrossParameters(CrossSet):
    """The file's tables: a default set, what differs for some underlyings, and what is common.

    Attributes
    ----------
    unpaired : share of spot reserved per call that is short in a group; without it, no grouping
    """

    underlyings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    scope: Scope = Scope()
    fees: Fees
    unpaired: Rates | None = None

    @model_validator(mode="after")
    def _rated(self) -> Self:
        self.scope.refuse_unrated(self.underlyings)
        return self


class ParadexCross(NamedTuple):
    """Requirements per position, with groups of options and open sizes."""

    sets: Mapping[str, CrossSet]  # by underlying; "" for all others
    common: CrossParameters

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """None: this family has no scenarios."""
        return ()

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("the pairing of options into spreads",))

    def together(self, book: Book) -> IntArray | None:
        """Nothing is offset between expiries, nor between underlyings."""
        return np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        self.common.scope.refuse_beyond(book)
        value = now(book)
        market = Market(book, value + book.instruments.offset)
        maintenance = _Rules(self, market, initial=False).components()
        rules = _Rules(self, market, initial=True)
        orders, details = rules.open_orders()
        initial = rules.components() | {"open_orders": orders}
        return MarginResult(equity(book, value), maintenance, initial, details=details)


class _Rules:
    """One of the two margins in one market."""

    def __init__(self, model: ParadexCross, market: Market, *, initial: bool) -> None:
        self._market, self._book, self._fees = market, market.book, model.common.fees
        self._sets, self._which = model.sets, "initial" if initial else "maintenance"
        unpaired = model.common.unpaired
        self._unpaired = getattr(unpaired, self._which) if unpaired is not None else None
        number = {name: index for index, name in enumerate(model.sets)}
        chosen = [number.get(base(name), 0) for name in self._book.names.underlyings]
        self._number = np.array(chosen, np.int64)

    def components(self) -> Components:
        """Return the parts of the requirement of all that is held."""
        book, lots = self._book, held(self._book, *CONTRACTS)
        option = book.instruments.kind[lots.instrument] == int(Kind.OPTION)
        amount = self._need(lots)

        def summed(rows: IntArray) -> FloatArray:
            return group_sum(amount[rows], lots.pool[rows], book.pools)

        found = {
            "short_options": summed(np.flatnonzero(option & (lots.quantity < 0.0))),
            "long_options": summed(np.flatnonzero(option & (lots.quantity >= 0.0))),
            "delta_one": summed(np.flatnonzero(~option)),
        }
        if self._unpaired is not None:
            rows = np.flatnonzero(option)
            found["spread_relief"] = self._relief(lots.take(rows), amount[rows], self._unpaired)
        fees = trading_fees(self._market, lots, self._fees)
        return found | {
            "fee_provision": group_sum(fees, lots.pool, book.pools),
            "balances": balances(book, initial=self._which == "initial"),
        }

    def open_orders(self) -> tuple[FloatArray, Components]:
        """Return what open orders add, shape (A,), and the figures that the venue shows of them."""
        book, orders = self._book, self._book.orders
        present, bought, sold = order_sides(book)

        def more(rule: Callable[[Lots], FloatArray]) -> FloatArray:
            largest = np.maximum(rule(bought), rule(sold))
            return group_sum(np.maximum(largest - rule(present), 0.0), present.pool, book.pools)

        def fees(lots: Lots) -> FloatArray:
            return trading_fees(self._market, lots, self._fees)

        price = self._price(orders.instrument)
        multiplier = book.instruments.multiplier[orders.instrument]
        worse = np.maximum(orders.quantity * (orders.price * multiplier - price), 0.0)
        loss = group_sum(worse, orders.pool, book.pools)
        buys = np.maximum(bought.quantity, 0.0) * self._price(bought.instrument)
        sells = np.maximum(-sold.quantity, 0.0) * self._price(sold.instrument)
        details = {
            "open_loss": loss,
            "buy_open_value": group_sum(buys, bought.pool, book.pools),
            "sell_open_value": group_sum(sells, sold.pool, book.pools),
        }
        return more(self._need) + more(fees) + loss, details

    def _price(self, instrument: IntArray) -> FloatArray:
        """Mark of one contract: of an option its value, else its forward."""
        columns = self._book.instruments.take(instrument)
        option = columns.is_kind(Kind.OPTION)
        whole = columns.multiplier * columns.forward
        return np.where(option, self._market.mark[instrument], whole)

    def _need(self, lots: Lots) -> FloatArray:
        """Return what each of some lots of contracts needs alone."""
        option = self._book.instruments.kind[lots.instrument] == int(Kind.OPTION)
        amount = np.zeros(len(lots.quantity))
        rows = np.flatnonzero(option)
        amount[rows] = self._options(lots.take(rows))
        rows = np.flatnonzero(~option)
        amount[rows] = self._delta_one(lots.take(rows))
        return amount

    def _options(self, lots: Lots) -> FloatArray:
        names, sets = (
            ("premium", "long_cap", "short", "short_minimum", "put_cap"),
            self._sets.values(),
        )
        rows = [[getattr(getattr(own, self._which), name) for name in names] for own in sets]
        columns = self._book.instruments.take(lots.instrument)
        table = np.array(rows, np.float64)[self._number[columns.underlying]].T
        premium, long_cap, short, minimum, put_cap = table
        spot, mark = self._book.spot[columns.underlying], self._market.mark[lots.instrument]
        nothing, whole = np.zeros(len(spot)), np.ones(len(spot))
        rates = ShortRates(short, minimum, whole, nothing, put_cap, nothing)
        sold = columns.multiplier * short_option(columns, spot, mark / columns.multiplier, rates)
        paid = np.minimum(premium * mark, long_cap * spot * columns.multiplier)
        return np.abs(lots.quantity) * np.where(lots.quantity < 0.0, sold, paid)

    def _delta_one(self, lots: Lots) -> FloatArray:
        own = self._number[self._book.instruments.underlying[lots.instrument]]
        rates = np.zeros(len(self._sets))
        for number, (name, chosen) in enumerate(self._sets.items()):
            known = chosen.delta_one
            if not isinstance(known, str):
                rates[number] = getattr(known, self._which)
            elif np.any(own == number):
                published(known, f"underlyings.{name}.delta_one" if name else "delta_one")
        return rates[own] * lots.at_mark(self._book)

    def _relief(self, lots: Lots, alone: FloatArray, unpaired: float) -> FloatArray:
        """What groups of options need less than their members alone, not above 0, shape (A,)."""
        book = self._book
        columns = book.instruments.take(lots.instrument)
        first, labels = group_rows(lots.pool, columns.underlying, columns.time)
        groups, units = len(first), lots.quantity * columns.multiplier
        value = group_sum(lots.quantity * self._market.mark[lots.instrument], labels, groups)
        loss = np.maximum(value - least_payoff(columns, units, labels, groups), 0.0)
        calls = group_sum(np.where(columns.call, units, 0.0), labels, groups)
        reserve = unpaired * np.maximum(-calls, 0.0) * book.spot[columns.underlying[first]]
        less = np.minimum(loss + reserve - group_sum(alone, labels, groups), 0.0)
        short = np.bincount(labels, weights=units < 0.0, minlength=groups) > 0.0
        return group_sum(np.where(short, less, 0.0), lots.pool[first], book.pools)


def build(tables: Mapping[str, Any]) -> ParadexCross:
    """Read a model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = CrossParameters.model_validate(tables)
    own = whole.model_dump(include=set(CrossSet.model_fields))
    others = whole.underlyings.items()
    sets = {"": own, **{name: laid_over(own, other) for name, other in others}}
    return ParadexCross(
        {name: CrossSet.model_validate(table) for name, table in sets.items()}, whole
    )
