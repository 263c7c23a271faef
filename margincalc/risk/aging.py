"""Let time pass over a book in an unchanged market.

Spots and volatilities stay; a forward rolls down to its spot along its own carry, as in a scenario
of days forward. What expires on the way is settled at intrinsic value and becomes a balance, and
a perpetual pays its funding.
"""

from dataclasses import fields, replace

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.book import Book, Instruments, Kind
from margincalc.risk.states import carry, row_spot
from margincalc.risk.values import now
from margincalc.times import DAYS_PER_YEAR

FUNDINGS_A_DAY = 3.0  # a funding rate is per eight hours
_ABSENT = ("dividend_share", "tier_step", "initial_tier_step")  # 0 where there are fewer


def aged(book: Book, days: float, *, funding: bool = True) -> Book:
    """Return the book after days in which neither spot nor volatility moved.

    An option or future that expires becomes the balance that it pays: money, or coin where it is
    inverse. The mark of what lives on stays as far from its model value as it is. Funding is paid
    at the present rate, a share of the spot.

    Parameters
    ----------
    days : of 24 hours, not negative
    funding : whether perpetuals pay; otherwise it is taken to be settled elsewhere
    """
    if not days:
        return book
    rolled, expired = _rolled(book, days / DAYS_PER_YEAR)
    settled = _paid(rolled, expired)
    return _with_funding(settled, days) if funding else settled


def expires_within(book: Book, days: float) -> BoolArray:
    """Return which instruments are settled within days from now, shape (I,)."""
    columns = book.instruments
    return columns.is_kind(Kind.OPTION, Kind.FUTURE) & (columns.time <= days / DAYS_PER_YEAR)


def _rolled(book: Book, years: float) -> tuple[Book, BoolArray]:
    """Shorten every time to expiry, and say what has none left."""
    columns = book.instruments
    expired = expires_within(book, years * DAYS_PER_YEAR)
    time = np.where(expired, 0.0, np.maximum(columns.time - years, 0.0))
    elapsed = columns.time - time
    instruments = replace(
        columns,
        time=time,
        variable=columns.variable * np.exp(-carry(columns, row_spot(book)) * elapsed),
        dividend_time=columns.dividend_time - elapsed[:, None],
    )
    valued = book.valued + years * DAYS_PER_YEAR
    return replace(book, instruments=instruments, valued=valued), expired


def _paid(book: Book, expired: BoolArray) -> Book:
    """Turn what has expired into what it pays; orders in it are gone."""
    if not np.any(expired):
        return book
    columns, spot = book.instruments, row_spot(book)
    worth = now(book)  # without the offset: it is paid, not marked
    in_own_unit = worth if book.coin else worth / spot
    payoff = np.where(columns.inverse, in_own_unit, in_own_unit * spot)
    units = np.where(expired, payoff, 1.0)[book.instrument]
    return replace(
        book,
        instruments=_where(expired, balances(columns, spot, coin=book.coin), columns),
        quantity=book.quantity * units,
        entry=np.where(expired[book.instrument], np.nan, book.entry),
        orders=book.orders.take(np.flatnonzero(~expired[book.orders.instrument])),
    )


def _with_funding(book: Book, days: float) -> Book:
    """Add a balance for what each perpetual has paid or received."""
    columns = book.instruments
    pays = columns.is_kind(Kind.PERPETUAL) & (columns.funding != 0.0)
    if not np.any(pays):
        return book
    chosen, rows = np.flatnonzero(pays), np.flatnonzero(pays[book.instrument])
    spot = row_spot(book)
    # The notional is a number of coins; an inverse contract's is written in quote currency.
    notional = columns.multiplier * np.where(columns.inverse, 1.0 / spot, spot)
    payment = -FUNDINGS_A_DAY * days * columns.funding * notional
    number = np.cumsum(pays) - 1 + len(pays)
    held = book.instrument[rows]
    added = balances(columns.take(chosen), spot[chosen], coin=book.coin)
    pool = np.concatenate([book.pool, book.pool[rows]])
    instrument = np.concatenate([book.instrument, number[held]])
    order = np.lexsort((instrument, pool))
    quantity = np.concatenate([book.quantity, book.quantity[rows] * payment[held]])
    entry = np.concatenate([book.entry, np.full(len(rows), np.nan)])
    names = book.names.instruments
    if names:
        names += tuple(f"{names[row]} funding" for row in chosen)
    return replace(
        book,
        names=book.names._replace(instruments=names),
        instruments=joined(columns, added),
        pool=pool[order],
        instrument=instrument[order],
        quantity=quantity[order],
        entry=entry[order],
    )


def balances(columns: Instruments, spot: FloatArray, *, coin: bool) -> Instruments:
    """Return, for each contract, the row of the money or coin in which it settles, shape (I,).

    Parameters
    ----------
    spot : of each contract's underlying, shape (I,)
    coin : whether the account is kept in coin, against which money moves
    """
    nothing, none = np.zeros(len(spot)), np.zeros(len(spot), bool)
    inverse = columns.inverse
    return replace(
        columns,
        kind=np.full(len(spot), int(Kind.SETTLEMENT)),
        underlying=columns.underlying if coin else np.where(inverse, columns.underlying, -1),
        time=nothing,
        strike=nothing,
        call=none,
        inverse=none,
        multiplier=np.ones(len(spot)),
        fixed=nothing,
        variable=np.where(inverse, spot, 1.0),
        settled=nothing,
        rate=nothing,
        volatility=nothing,
        beta=np.where(inverse, 1.0, 0.0),
        offset=nothing,
        implied=none,
        american=none,
        listed=none,
        confidence=np.ones(len(spot)),
        funding=nothing,
        **{name: np.zeros_like(getattr(columns, name)) for name in _ABSENT},
    )


def _where(chosen: BoolArray, new: Instruments, old: Instruments) -> Instruments:
    """Return the new row of each chosen instrument, and the old of the others."""
    columns = {}
    for field in fields(Instruments):
        own, other = getattr(new, field.name), getattr(old, field.name)
        columns[field.name] = np.where(chosen if own.ndim == 1 else chosen[:, None], own, other)
    return Instruments(**columns)


def joined(first: Instruments, second: Instruments) -> Instruments:
    """Put the rows of two together."""
    names = [field.name for field in fields(Instruments)]
    pairs = ((name, getattr(first, name), getattr(second, name)) for name in names)
    return Instruments(**{name: np.concatenate([one, other]) for name, one, other in pairs})
