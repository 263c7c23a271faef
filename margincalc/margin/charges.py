"""Charges that families share; each returns amounts of shape (A,) in account currency."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Instruments, Kind
from margincalc.margin.lots import Lots, held
from margincalc.risk import greeks


class ShortRates(NamedTuple):
    """What an option sold needs beyond its value, each of shape (L,).

    Attributes
    ----------
    rate, minimum : shares of the price
    falls : share of what the option is out of the money that is deducted
    put_of_mark : a put needs at least this share of its mark
    put_cap : share of strike that a put never exceeds; infinite where there is none
    at_forward : 1 where the price is the option's forward, 0 where it is the index
    """

    rate: FloatArray
    minimum: FloatArray
    falls: FloatArray
    put_of_mark: FloatArray
    put_cap: FloatArray
    at_forward: FloatArray


def short_option(
    columns: Instruments, spot: FloatArray, mark: FloatArray, rates: ShortRates
) -> FloatArray:
    """Requirement per unit of the underlying sold, beyond the option's value, quote currency.

    ``max(rate * price - falls * out_of_the_money, minimum * price)``, the rule of Cboe's strategy
    based margin that most venues follow; measured on a forward, it is a share of the coin.

    Parameters
    ----------
    mark : per unit of the underlying, quote currency, shape (L,)
    """
    price = np.where(rates.at_forward > 0.0, columns.forward, spot)
    beyond = np.maximum(np.where(columns.call, 1.0, -1.0) * (columns.strike - price), 0.0)
    unit = np.maximum(rates.rate * price - rates.falls * beyond, rates.minimum * price)
    unit = unit * np.divide(spot, price, out=np.ones(len(spot)), where=price > 0.0)
    put = np.minimum(np.maximum(unit, rates.put_of_mark * mark), rates.put_cap * columns.strike)
    return np.where(columns.call, unit, put)


def net_short_options(book: Book) -> tuple[IntArray, FloatArray]:
    """Units of options sold and not covered at the same strike and expiry.

    Calls and puts are netted with each other: a long put covers a short call of its strike, as
    the two are a short forward.

    Returns
    -------
    first : shape (G,), a position row of each pool, underlying, expiry and strike
    units : shape (G,), units of the underlying that are net short
    """
    rows = book.rows(Kind.OPTION)
    columns = book.instruments.take(book.instrument[rows])
    keys = (book.pool[rows], columns.underlying, columns.time, columns.strike)
    first, labels = group_rows(*keys)
    held = group_sum(book.quantity[rows] * columns.multiplier, labels, len(first))
    return rows[first], np.maximum(-held, 0.0)


def short_option_charge(book: Book, rate: float) -> FloatArray:
    """A share of spot for every net short option per strike (Deribit's legacy 0.01 coin)."""
    first, units = net_short_options(book)
    spot = book.spot[book.underlying[first]]
    return group_sum(rate * units * book.money(spot, first), book.pool[first], book.pools)


def delta_one_notional(book: Book, rows: IntArray) -> FloatArray:
    """Absolute notional of futures and perpetuals at their mark, shape of `rows`."""
    return Lots(book.pool[rows], book.instrument[rows], book.quantity[rows]).at_mark(book)


def delta_one_charge(book: Book, rate: float, *, at_index: bool = False) -> FloatArray:
    """A share of the gross notional of futures and perpetuals, at their mark or at the index."""
    lots = held(book, Kind.FUTURE, Kind.PERPETUAL)
    notional = lots.at_index(book) if at_index else lots.at_mark(book)
    return group_sum(rate * notional, lots.pool, book.pools)


def long_and_short(
    delta: FloatArray, labels: IntArray, groups: int
) -> tuple[FloatArray, FloatArray]:
    """Sum what is long and what is short by group; the smaller is hedged by the larger."""
    longs = group_sum(np.maximum(delta, 0.0), labels, groups)
    return longs, group_sum(np.maximum(-delta, 0.0), labels, groups)


def roll_charge(book: Book, rate: float) -> FloatArray:
    """A share of spot for every unit of delta that offsets delta of other expiries (Thalex)."""
    rows = book.rows(Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)
    delta = (book.quantity * greeks(replace(book, coin=False)).delta[book.instrument])[rows]
    time = book.instruments.time[book.instrument[rows]]
    keys = (book.pool[rows], book.underlying[rows], time)
    first, labels = group_rows(*keys)
    by_expiry = group_sum(delta, labels, len(first))
    one, together = group_rows(keys[0][first], keys[1][first])
    chosen = rows[first[one]]
    longs, shorts = long_and_short(by_expiry, together, len(one))
    spot = book.money(book.spot[book.underlying[chosen]], chosen)
    return group_sum(rate * np.minimum(longs, shorts) * spot, book.pool[chosen], book.pools)


def collateral_haircut(book: Book, *, initial: bool) -> FloatArray:
    """What deposits count for less than their market value; more for what is owed."""
    rows = book.rows(Kind.COLLATERAL)
    columns = book.instruments.take(book.instrument[rows])
    share = columns.initial_haircut if initial else columns.haircut
    price = book.money(columns.forward, rows)
    quantity = book.quantity[rows]
    counted = np.where(quantity > 0.0, np.minimum(price, columns.cap), price)
    lost = np.abs(quantity) * (price - counted * np.where(quantity > 0.0, 1.0 - share, 1.0))
    owed = np.where(quantity < 0.0, -quantity * price * share, 0.0)
    return group_sum(lost + owed, book.pool[rows], book.pools)
