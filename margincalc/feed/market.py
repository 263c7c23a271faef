"""What a tick does to the columns of a book.

A spot scales the forwards of its underlying, as in a scenario. A forward, a mark of a future or a
volatility replaces its own. A mark of an option without a volatility gives one; with one it is
what the option is worth beside its model value. A volatility alone supersedes an older mark.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import IntArray
from margincalc.book import Book, Kind
from margincalc.feed.reach import Reach
from margincalc.feed.ticks import Refused, Tick
from margincalc.portfolio.names import parse
from margincalc.risk import now
from margincalc.risk.marks import implied, marked_worth

_DATED = (Kind.OPTION, Kind.FUTURE)
DOLLARS = ("USD", "USDC", "USDT")  # in which an underlying's price is that of its base
USUAL = 0.01, 3.0  # volatilities per year; others are a fault, unless the one before was near
MOST_TIMES = 10.0  # from one volatility to one that is not usual: percents are a hundred times


class Listing(NamedTuple):
    """Where the columns of a book have what ticks speak of.

    Attributes
    ----------
    underlyings, instruments : row of each name
    days : day on which an instrument expires, by its row; of contracts that do
    moved : rows of the instruments that the spot of each underlying moves
    expiring : rows of the contracts of each underlying and day
    """

    underlyings: dict[str, int]
    instruments: dict[str, int]
    days: dict[int, str]
    moved: tuple[IntArray, ...]
    expiring: dict[tuple[int, str], IntArray]

    def underlying(self, name: str) -> int:
        """Return the row of an underlying; `BTC_USDC` is `BTC` where the market has no other.

        Raises
        ------
        Refused
            If the book does not know it.
        """
        row = self.underlyings.get(name)
        if row is None:
            base, _, quote = name.partition("_")
            row = self.underlyings.get(base) if quote in DOLLARS else None
        if row is None:
            raise Refused(f"an underlying {name} of which the book holds nothing")
        return row


def listing(book: Book) -> Listing:
    """Index a book by the names that ticks use."""
    names, underlying = book.names, book.instruments.underlying
    days: dict[int, str] = {}
    expiring: dict[tuple[int, str], list[int]] = {}
    for row in np.flatnonzero(book.instruments.is_kind(*_DATED)).tolist():
        terms = parse(names.instruments[row])
        if terms is not None and terms.expiry is not None:
            days[row] = terms.expiry.isoformat()
            expiring.setdefault((int(underlying[row]), days[row]), []).append(row)
    return Listing(
        {name: row for row, name in enumerate(names.underlyings)},
        {name: row for row, name in enumerate(names.instruments)},
        days,
        tuple(np.flatnonzero(underlying == row) for row in range(len(names.underlyings))),
        {key: np.array(rows, np.int64) for key, rows in expiring.items()},
    )


def ticked(book: Book, where: Listing, tick: Tick, reach: Reach) -> tuple[Book, IntArray]:
    """Return the book after a tick, and the rows of the instruments that it touched.

    Parameters
    ----------
    reach : how far prices may move at once; it keeps in mind what was refused for that

    Raises
    ------
    Refused
        If the book holds nothing of what it is about, or its figures are impossible there.
    """
    if tick.underlying is not None:
        return _of_underlying(book, where, tick, reach)
    row = where.instruments.get(tick.instrument or "")
    if row is None:
        raise Refused(f"an instrument {tick.instrument} that the book does not hold")
    return _of_instrument(book, where, row, tick, reach)


def _of_underlying(book: Book, where: Listing, tick: Tick, reach: Reach) -> tuple[Book, IntArray]:
    """Apply a spot, or the forward of an expiry."""
    row = where.underlying(tick.underlying or "")
    if tick.volatility is not None or tick.mark is not None or tick.funding is not None:
        raise Refused(f"a figure of {tick.underlying} itself that only instruments have")
    if tick.spot is not None:
        reach.refuse(f"spot {book.names.underlyings[row]}", tick, tick.spot, float(book.spot[row]))
        book = _with_spot(book, row, tick.spot)
    if tick.forward is None:
        return book, where.moved[row]
    if tick.expiry is None:
        raise Refused(f"a forward of {tick.underlying} without its `expiry`")
    rows = where.expiring.get((row, tick.expiry))
    if rows is None:
        raise Refused(f"a forward of {tick.subject}, of which the book holds nothing")
    book = _with_forward(book, rows, tick.forward, tick, reach)
    return book, rows if tick.spot is None else where.moved[row]


def _of_instrument(
    book: Book, where: Listing, row: int, tick: Tick, reach: Reach
) -> tuple[Book, IntArray]:
    """Apply what is quoted of one instrument; its forward is that of all of its expiry."""
    rows = np.array([row])
    _refuse_foreign(Kind(int(book.instruments.kind[row])), tick)
    if tick.forward is not None:
        if row in where.days:
            rows = where.expiring[int(book.instruments.underlying[row]), where.days[row]]
        book = _with_forward(book, rows, tick.forward, tick, reach)
    if tick.funding is not None:
        book = _with(book, row, funding=tick.funding)
    if book.instruments.kind[row] == Kind.OPTION:
        return _with_option(book, row, tick), rows
    if tick.mark is not None:
        book = _with_forward(book, np.array([row]), tick.mark, tick, reach)
    return book, rows


def _refuse_foreign(kind: Kind, tick: Tick) -> None:
    """Refuse figures that an instrument of this kind does not have."""
    if kind == Kind.SETTLEMENT:
        raise Refused(f"a quote of {tick.instrument}, of which nothing is left but money")
    wrong = {
        "spot": tick.spot is not None,
        "forward": tick.forward is not None and kind not in _DATED,
        "funding": tick.funding is not None and kind != Kind.PERPETUAL,
        "volatility": tick.volatility is not None and kind != Kind.OPTION,
        "mark of 0": tick.mark == 0.0 and kind != Kind.OPTION,
    }
    for figure, found in wrong.items():
        if found:
            raise Refused(f"a {figure} of {tick.instrument}, a {kind.name.lower()}")


def _with_spot(book: Book, row: int, spot: float) -> Book:
    factor = np.ones(len(book.spot))
    factor[row] = spot / book.spot[row]
    moved = book.shifted(factor)
    exact = moved.spot.copy()
    exact[row] = spot  # a product may miss the figure by its last digit
    return moved.repriced(exact)


def _with_forward(book: Book, rows: IntArray, forward: float, tick: Tick, reach: Reach) -> Book:
    columns = book.instruments
    before = columns.forward[rows]
    least, most = float(np.min(before)), float(np.max(before))
    farther = least if forward * forward > least * most else most
    reach.refuse(f"forward {book.names.instruments[int(rows[0])]}", tick, forward, farther)
    variable = columns.variable.copy()
    variable[rows] = forward - columns.fixed[rows]
    if np.any(variable[rows] <= 0.0):
        raise Refused(f"a forward of {forward:g}, less than the part of it that is fixed")
    return book.repriced(variable=variable)


def _with_option(book: Book, row: int, tick: Tick) -> Book:
    """Apply a mark, a volatility, or both."""
    if tick.mark is None and tick.volatility is None:
        return book
    rows, quoted = np.array([row]), np.array([tick.mark or 0.0])
    volatility = tick.volatility
    if volatility is not None:
        _refuse_volatility(tick, float(book.instruments.volatility[row]))
        _refuse_worth(book, row, tick)
    else:
        volatility = float(implied(book, rows, quoted)[0])
        if np.isnan(volatility):
            raise Refused(
                f"a mark of {tick.mark:g} for {tick.instrument}, which no volatility gives"
            )
    quotes = {"volatility": volatility, "implied": tick.volatility is None, "offset": 0.0}
    book = _with(book, row, **quotes)
    if tick.mark is None:
        return book
    part = replace(book, instruments=book.instruments.take(rows))
    return _with(book, row, offset=float((marked_worth(book, rows, quoted) - now(part))[0]))


def _refuse_volatility(tick: Tick, before: float) -> None:
    """Refuse a volatility in another unit, as far as it can be told from one that jumps."""
    (least, most), after = USUAL, tick.volatility or 0.0
    if not least <= after <= most and not before <= MOST_TIMES * after <= MOST_TIMES**2 * before:
        raise Refused(
            f"a volatility of {after:g} for {tick.instrument}, which was {before:g}; "
            "wanted a decimal per year: 0.6 for 60 %"
        )


def _refuse_worth(book: Book, row: int, tick: Tick) -> None:
    """Refuse a mark of more than an option can ever pay, which no volatility beside it gives."""
    columns = book.instruments
    forward, spot = float(columns.forward[row]), float(book.spot[columns.underlying[row]])
    most = max(forward, spot) if columns.call[row] else float(columns.strike[row])
    most *= math.exp(max(-columns.rate[row] * columns.time[row], 0.0))
    most /= forward if columns.inverse[row] else 1.0
    if tick.mark is not None and tick.mark > most:
        raise Refused(f"a mark of {tick.mark:g} for {tick.instrument}, which no volatility gives")


def _with(book: Book, row: int, **prices: float) -> Book:
    """Return the book with prices of one instrument replaced."""
    columns = {}
    for name, price in prices.items():
        columns[name] = getattr(book.instruments, name).copy()
        columns[name][row] = price
    return book.repriced(**columns)
