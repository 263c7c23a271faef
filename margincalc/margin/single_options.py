"""Options margined one by one with their open orders, as OKX and Bybit do outside portfolio margin.

Their margins hold the marks of what is sold, beside a margin balance that leaves options out. Here
equity holds all marks, so a sold option needs what its margin is beyond its mark, and a bought one
its value, which carries nothing else; the excess is the same. The venue's figures are details.

An order to open freezes the premium to be paid, or the margin of what is sold less its premium, and
the fee; an order that closes frees what it closes.
"""

from typing import NamedTuple, Protocol

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Instruments, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import (
    Components,
    MarginResult,
    Marked,
    Parameters,
    Shape,
    Share,
    kinks,
)
from margincalc.margin.charges import (
    ShortRates,
    margins_with_marks,
    net_option_value,
    short_option,
)
from margincalc.margin.deposits import collateral_haircut, haircut_kinks
from margincalc.margin.forms import LinearForm
from margincalc.margin.linear import in_proportion
from margincalc.margin.scope import Scope
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid


class OrderRules(Parameters):
    """Shares of the index for options, and of what an order pays.

    Attributes
    ----------
    fee : of the index
    fee_cap : of the order's price
    minimum : of the index, that an order to sell needs at least
    """

    fee: Share
    fee_cap: Share = 1.0
    minimum: Share = 0.0


class Prices(NamedTuple):
    """Options of L positions or orders; prices in quote currency per unit, shape (L,) each.

    Attributes
    ----------
    columns : their terms
    spot : index of their underlyings
    mark, entry : of the option; an entry that is not known is NaN
    names : of the book's underlyings
    """

    columns: Instruments
    spot: FloatArray
    mark: FloatArray
    entry: FloatArray
    names: tuple[str, ...]


def less_out_of_the_money(
    prices: Prices, rate: float, minimum: float, *, at_forward: bool = False
) -> FloatArray:
    """Return ``max(rate * price - OTM, minimum * price)`` of a unit, quote currency, shape (L,).

    Parameters
    ----------
    at_forward : the price is the option's forward, and the result its share of the coin
    """
    like = np.ones_like(prices.spot)
    rates = ShortRates(
        rate * like, minimum * like, like, 0.0 * like, np.inf * like, float(at_forward) * like
    )
    return short_option(prices.columns, prices.spot, prices.mark, rates)


class Seller(Protocol):
    """A venue's margins of a unit sold, its mark included, quote currency, shape (L,)."""

    def initial(self, prices: Prices) -> FloatArray:
        """Initial margin."""

    def maintenance(self, prices: Prices) -> FloatArray:
        """Maintenance margin."""

    def floor(self, prices: Prices) -> FloatArray:
        """Share of the larger of spot and mark that is in it; 0 where it is of spot alone."""


class SingleOptions(NamedTuple):
    """Requirements per option and order, summed by pool."""

    seller: Seller
    orders: OrderRules
    scope: Scope

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """None: these rules have no scenarios."""
        return ()

    def linear(self, book: Book) -> LinearForm:
        """Return both margins of one pool: each option by itself."""
        without = ("the margin of open orders",) if len(book.orders.quantity) else ()
        return LinearForm(parts=in_proportion(book, self.margin), without=without, floor=True)

    def shape(self, book: Book) -> Shape:
        """State how the requirement depends on spot."""
        rows = book.rows(Kind.OPTION)
        bought = book.quantity[rows] > 0.0
        floor = np.where(bought, 0.0, self.seller.floor(self._unmarked(book, rows)))
        marked = Marked(rows, np.where(bought, 1.0, 0.0), floor, self._of_spot)
        return Shape((), kinks(*haircut_kinks(book)), (marked,))

    def _of_spot(self, book: Book) -> FloatArray:
        """Return what a share of spot, and not of the mark, makes of options sold, shape (P,)."""
        prices = self._unmarked(book, np.arange(len(book.pool)))
        unit = _money(book, self.seller.floor(prices) * prices.spot, prices)
        return np.maximum(-book.quantity, 0.0) * prices.columns.multiplier * unit

    def _unmarked(self, book: Book, rows: IntArray) -> Prices:
        nothing = np.zeros(len(book.instruments.kind))
        return _prices(book, nothing, book.instrument[rows], book.entry[rows])

    def together(self, book: Book) -> IntArray | None:
        """Every option is margined by itself."""
        return np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book.

        Raises
        ------
        ModelRefusal
            If the book holds what the venue does not list, or futures and perpetuals.
        """
        self.scope.refuse_beyond(book)
        if np.any(book.instruments.is_kind(Kind.FUTURE, Kind.PERPETUAL)):
            raise ModelRefusal("it has no rates for futures and perpetuals, only for options")
        value = now(book)
        mark = value + book.instruments.offset
        rows = book.rows(Kind.OPTION)
        prices = _prices(book, mark, book.instrument[rows], book.entry[rows])
        maintenance = self._parts(book, rows, prices, initial=False)
        initial = self._parts(book, rows, prices, initial=True)
        initial["open_orders"] = self._open_orders(book, mark)
        worth = equity(book, value)
        details = margins_with_marks(worth, net_option_value(book, value), maintenance, initial)
        return MarginResult(worth, maintenance, initial, details=details)

    def _parts(self, book: Book, rows: IntArray, prices: Prices, *, initial: bool) -> Components:
        margin = self.seller.initial(prices) if initial else self.seller.maintenance(prices)
        units, pool = book.quantity[rows] * prices.columns.multiplier, book.pool[rows]
        sold = np.maximum(-units, 0.0) * _money(book, margin - prices.mark, prices)
        bought = np.maximum(units, 0.0) * _money(book, prices.mark, prices)
        return {
            "short_options": group_sum(sold, pool, book.pools),
            "long_options": group_sum(bought, pool, book.pools),
            "collateral_haircut": collateral_haircut(book, initial=initial),
        }

    def _open_orders(self, book: Book, mark: FloatArray) -> FloatArray:
        """What orders freeze, shape (A,)."""
        option = book.instruments.is_kind(Kind.OPTION)[book.orders.instrument]
        orders = book.orders.take(np.flatnonzero(option))
        sells = orders.quantity < 0.0
        columns = book.instruments.take(orders.instrument)
        price = orders.price * np.where(columns.inverse, book.spot[columns.underlying], 1.0)
        entry = np.where(sells, orders.price, np.nan)
        prices = _prices(book, mark, orders.instrument, entry)
        fee = np.minimum(self.orders.fee * prices.spot, self.orders.fee_cap * price)
        margin = self.seller.initial(prices)
        least = self.orders.minimum * prices.spot
        opens = np.where(sells, np.maximum(margin - price + fee, least), price + fee)
        closes = np.maximum(np.where(sells, fee - price, price + fee - margin), 0.0)
        closing = _closing(book, orders.pool, orders.instrument, orders.quantity)
        unit = closing * closes + (1.0 - closing) * opens
        frozen = np.abs(orders.quantity) * columns.multiplier * _money(book, unit, prices)
        return group_sum(frozen, orders.pool, book.pools)


def _prices(book: Book, mark: FloatArray, instrument: IntArray, entry: FloatArray) -> Prices:
    """Return the prices of options, given the values of a contract, account currency, shape (I,).

    Parameters
    ----------
    entry : as quoted, an inverse option's in coin
    """
    columns = book.instruments.take(instrument)
    index = book.spot[columns.underlying]
    unit = mark[instrument] / columns.multiplier * (index if book.coin else 1.0)
    quoted = entry * np.where(columns.inverse, index, 1.0)
    return Prices(columns, index, unit, quoted, book.names.underlyings)


def _money(book: Book, price: FloatArray, prices: Prices) -> FloatArray:
    """Convert quote-currency prices to the account currency."""
    return price / prices.spot if book.coin else price


def _closing(book: Book, pool: IntArray, instrument: IntArray, quantity: FloatArray) -> FloatArray:
    """Share of each order that closes a position, one position's orders alike, shape (O,)."""
    rows = len(book.pool)
    keys = (np.concatenate([book.pool, pool]), np.concatenate([book.instrument, instrument]))
    first, label = group_rows(*keys)
    held = group_sum(book.quantity, label[:rows], len(first))[label[rows:]]
    sells = quantity < 0.0
    sold, bought = (
        group_sum(np.maximum(side * quantity, 0.0), label[rows:], len(first)) for side in (-1, 1)
    )
    ordered = np.where(sells, sold[label[rows:]], bought[label[rows:]])
    open_against = np.maximum(np.where(sells, held, -held), 0.0)
    return np.minimum(open_against / ordered, 1.0)
