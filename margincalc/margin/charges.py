"""Charges that families share; each returns amounts of shape (A,) in account currency.

A `rate` is a share: of spot, of a notional, of what is owed.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Annotated, Any, NamedTuple, TypeVar, cast

import numpy as np
from pydantic import Field

from margincalc import pricer
from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Instruments, Kind
from margincalc.margin.base import Components, Parameters, Share, total
from margincalc.margin.lots import Lots, held
from margincalc.risk import greeks

Charge = TypeVar("Charge", bound=Callable[..., Any])


def of_holdings(charge: Charge) -> Charge:
    """Keep what a charge gives while nothing moves but quotes of options, which it cannot read."""

    @wraps(charge)
    def kept(book: Book, *more: Any, **named: Any) -> Any:
        if not book.is_followed:
            return charge(book, *more, **named)
        part, known = book.unquoted
        key = charge, more, *named.items()
        if key not in known:
            known[key] = charge(part, *more, **named)
        return known[key]

    return cast(Charge, kept)


class Peg(Parameters):
    """A settlement money below the threshold adds to the initial margin's factor."""

    threshold: Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=2)]
    factor: Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=20)]


class Confidence(Parameters):
    """Feeds of less confidence than the threshold cost a share of the notional they price."""

    threshold: Share
    charge: Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=20)]


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
    columns : terms of L options
    spot, mark : per unit of the underlying, quote currency, shape (L,)
    """
    price = np.where(rates.at_forward > 0.0, columns.forward, spot)
    beyond = np.maximum(np.where(columns.call, 1.0, -1.0) * (columns.strike - price), 0.0)
    unit = np.maximum(rates.rate * price - rates.falls * beyond, rates.minimum * price)
    unit = unit * np.divide(spot, price, out=np.ones(len(spot)), where=price > 0.0)
    put = np.minimum(np.maximum(unit, rates.put_of_mark * mark), rates.put_cap * columns.strike)
    return np.where(columns.call, unit, put)


def short_option_kinks(
    book: Book, rates: tuple[float, ...]
) -> list[tuple[IntArray, FloatArray, bool]]:
    """Return where `short_option` bends: at the strike, and where its minimum or cap begins.

    Parameters
    ----------
    rates : one row of `ShortRates`, without a share of marks
    """
    rate, least, falls, _, cap, at_forward = rates
    rows = np.unique(book.instrument[book.rows(Kind.OPTION)])
    columns = book.instruments.take(rows)
    part = falls * np.where(columns.call, 1.0, -1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = (
            np.ones(len(rows)),
            # Where rate * price - part * (strike - price) = least * price, and where it is capped.
            part / (rate + part - least),
            (cap + part) / (rate + part),
            *(np.full(len(rows), cap) / share for share in (rate, least)),
        )
    marked = [np.where(level > 0.0, level * columns.strike, np.nan) for level in levels]
    return [(rows, level, not at_forward) for level in marked]


def net_option_value(book: Book, value: FloatArray) -> FloatArray:
    """Value of options held less that of options sold, at the mark, shape (A,).

    Parameters
    ----------
    value : `now(book)`
    """
    rows = book.rows(Kind.OPTION)
    unit = (value + book.instruments.offset)[book.instrument[rows]]
    return group_sum(book.quantity[rows] * unit, book.pool[rows], book.pools)


def margins_with_marks(
    worth: FloatArray, marks: FloatArray, maintenance: Components, initial: Components
) -> Components:
    """Return the figures of a venue that has the marks of options in its margins, shape (A,) each.

    It compares them with a balance that leaves options out; the excess is that of equity.

    Parameters
    ----------
    worth : equity, shape (A,)
    marks : `net_option_value`, shape (A,)
    """
    return {
        "options_value": marks,
        "margin_balance": worth - marks,
        "venue_initial_margin": total(initial, len(worth)) - marks,
        "venue_maintenance_margin": total(maintenance, len(worth)) - marks,
    }


class NetShort(NamedTuple):
    """Options sold and not covered at the same strike and expiry, shape (G,) each.

    Attributes
    ----------
    pool, underlying : rows of the book
    units : of the underlying, positive
    """

    pool: IntArray
    underlying: IntArray
    units: FloatArray


def net_short_options(book: Book) -> NetShort:
    """Net the options of each pool by strike and expiry, and return what is short.

    Calls and puts are netted with each other: a long put covers a short call of its strike, as
    the two are a short forward.
    """
    return book.once("net short options", lambda: _net_short_options(book))


def _net_short_options(book: Book) -> NetShort:
    columns = book.instruments
    if (kernels := pricer.current().sums) is not None:
        series = np.where(columns.is_kind(Kind.OPTION), columns.series, -1)
        held, each = (book.quantity, book.instrument), (columns.multiplier, columns.underlying)
        if (found := kernels.net_short(held, (series, *each), book.pool)) is not None:
            return NetShort(*found)
    rows, first, labels = book.strikes
    size = book.quantity[rows] * columns.multiplier[book.instrument[rows]]
    units = -group_sum(size, labels, len(first))
    short = np.flatnonzero(units > 0.0)
    chosen = rows[first[short]]
    return NetShort(book.pool[chosen], book.underlying[chosen], units[short])


@of_holdings
def short_option_charge(book: Book, rate: float) -> FloatArray:
    """A share of spot for every net short option per strike (Deribit's legacy 0.01 coin).

    Strikes and options are those of `net_short_options`.
    """
    short, price = net_short_options(book), book.spot
    if book.coin:
        price = price / price
    return group_sum(rate * short.units * price[short.underlying], short.pool, book.pools)


@of_holdings
def option_charge(book: Book, rate: float) -> FloatArray:
    """A share of spot for every unit of options, long or short."""
    rows = book.rows(Kind.OPTION)
    units = np.abs(book.quantity[rows]) * book.instruments.multiplier[book.instrument[rows]]
    spot = book.money(book.spot[book.underlying[rows]], rows)
    return group_sum(rate * units * spot, book.pool[rows], book.pools)


def delta_one_notional(book: Book, rows: IntArray) -> FloatArray:
    """Absolute notional of futures and perpetuals at their mark, shape of `rows`."""
    return Lots(book.pool[rows], book.instrument[rows], book.quantity[rows]).at_mark(book)


@of_holdings
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


def peg_growth(stable: float, threshold: float, factor: float) -> float:
    """What a fallen settlement money adds to an initial margin's factor (Derive's PMRM)."""
    return max(0.0, threshold - stable) * factor


def doubt(
    confidence: FloatArray, threshold: float | FloatArray, charge: float | FloatArray
) -> FloatArray:
    """Share of a notional that is charged for the feed that prices it (Derive's PMRM).

    It is of all that the feed lacks, not of what it lacks to the threshold, and so jumps there.
    """
    return np.where(confidence < threshold, (1.0 - confidence) * charge, 0.0)


def feeds(book: Book) -> FloatArray:
    """Confidence of a position row: its own feed's or its spot's, whichever is less, shape (P,)."""
    own = book.instruments.confidence[book.instrument]
    moved = book.underlying >= 0
    own[moved] = np.minimum(own[moved], book.confidence[book.underlying[moved]])
    return own


@of_holdings
def confidence_charge(book: Book, rates: Confidence) -> FloatArray:
    """Charge the notionals that doubtful feeds price: options at spot, contracts, balances.

    The share is that of `doubt`, by the confidence of `feeds`.
    """
    every = np.append(book.instruments.confidence, book.confidence)
    if not np.any(doubt(every, rates.threshold, rates.charge)):  # as nearly always
        return np.zeros(book.pools)
    columns = book.instruments.take(book.instrument)
    notional = np.zeros(len(book.quantity))
    options = book.rows(Kind.OPTION)
    spot = book.money(book.spot[book.underlying[options]], options)
    notional[options] = np.abs(book.quantity[options]) * columns.multiplier[options] * spot
    contracts = book.rows(Kind.FUTURE, Kind.PERPETUAL)
    notional[contracts] = delta_one_notional(book, contracts)
    balances = np.flatnonzero(book.moving(Kind.SPOT, Kind.COLLATERAL))
    price = book.money(columns.forward[balances], balances)
    notional[balances] = np.abs(book.quantity[balances]) * columns.multiplier[balances] * price
    charged = doubt(feeds(book), rates.threshold, rates.charge) * notional
    return group_sum(charged, book.pool, book.pools)
