"""A finished draft becomes columns in canonical order, and its marks find their place in them."""

from collections.abc import Collection
from dataclasses import fields, replace

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.assembly.draft import Draft, Row, confidence
from margincalc.book import NO_ORDERS, Book, Instruments, Kind, Names, Orders, Pool
from margincalc.book.holdings import Holdings, netted
from margincalc.errors import InputError
from margincalc.portfolio.quotes import Mark
from margincalc.risk import now
from margincalc.times import SECONDS_PER_DAY

# A row of each per instrument, filled up with 0.
_RAGGED = ("dividend_time", "dividend_share", "tier_start", "tier_step", "initial_tier_step")
_TYPES = {
    "kind": np.int64,
    "underlying": np.int64,
    "call": bool,
    "inverse": bool,
    "implied": bool,
    "american": bool,
    "listed": bool,
}


def book_of(draft: Draft) -> Book:
    """Turn rows into columns, in canonical order, netting what a pool holds twice."""
    rows = sorted(_listed(draft.rows.values()), key=lambda row: row.name)
    number = {row.name: index for index, row in enumerate(rows)}
    pools: dict[Pool, int] = {}
    held = netted(
        Holdings(
            np.array([pools.setdefault(pool, len(pools)) for pool, *_ in draft.held], np.int64),
            np.array([number[name] for _, name, *_ in draft.held], np.int64),
            np.array([quantity for *_, quantity, _ in draft.held], np.float64),
            np.array([price for *_, price in draft.held], np.float64),
        )
    )
    orders = _orders(draft, pools, number)
    written = dict(zip(Row._fields, zip(*rows, strict=True), strict=True)) if rows else {}
    columns = {
        column.name: np.array(written.get(column.name, ()), _TYPES.get(column.name, np.float64))
        for column in fields(Instruments)
        if column.name not in _RAGGED
    }
    for name in _RAGGED:
        ragged = written.get(name, ())
        most = max((len(own) for own in ragged), default=0)
        padded = [own + (0.0,) * (most - len(own)) for own in ragged]
        columns[name] = np.array(padded, np.float64).reshape(len(rows), most)
    market = draft.portfolio.market
    return Book(
        Names(tuple(pools), draft.underlyings, tuple(number)),
        np.array([market[name].spot for name in draft.underlyings], np.float64),
        Instruments(**columns),
        *held,
        np.array([confidence(market[name].confidence) for name in draft.underlyings], np.float64),
        np.zeros(len(pools), bool),
        np.array([market[name].volatility or np.nan for name in draft.underlyings], np.float64),
        draft.coin,
        draft.portfolio.stable_price,
        orders,
        draft.as_of.timestamp() / SECONDS_PER_DAY,
    )


def _listed(rows: Collection[Row]) -> list[Row]:
    """Say of spots with listed options that they are stocks, also where these are gone or apart."""
    stocks = {row.underlying for row in rows if row.listed}
    return [
        row._replace(listed=True) if row.kind == Kind.SPOT and row.underlying in stocks else row
        for row in rows
    ]


def _orders(draft: Draft, pools: dict[Pool, int], number: dict[str, int]) -> Orders:
    """Turn orders into columns, in canonical order; a pool may hold nothing else."""
    if not draft.ordered:
        return NO_ORDERS
    rows = sorted(
        (pools.setdefault(pool, len(pools)), number[name], quantity, price)
        for pool, name, quantity, price in draft.ordered
    )
    pool, instrument, quantity, price = zip(*rows, strict=True)
    return Orders(
        np.array(pool, np.int64),
        np.array(instrument, np.int64),
        np.array(quantity, np.float64),
        np.array(price, np.float64),
    )


def marked(draft: Draft, book: Book) -> Book:
    """Give options the volatility their mark implies, and every mark its place in equity."""
    if not draft.marks:
        return book
    from margincalc.risk.marks import marked_worth

    number = {name: row for row, name in enumerate(book.names.instruments)}
    rows = np.array([number[name] for name in draft.marks], np.int64)
    quoted = np.array([mark.value for mark in draft.marks.values()])
    if draft.unknown:
        book = _implied(draft, book, rows, quoted)
    columns = book.instruments
    offset = np.zeros(len(columns.kind))
    offset[rows] = marked_worth(book, rows, quoted) - now(book)[rows]
    return replace(book, instruments=replace(columns, offset=offset))


def _implied(draft: Draft, book: Book, rows: IntArray, quoted: FloatArray) -> Book:
    from margincalc.risk.marks import implied  # not every file has marks

    columns = book.instruments.take(rows)
    found = implied(book, rows, quoted)
    volatility, own = book.instruments.volatility.copy(), book.instruments.implied.copy()
    for index, (name, mark) in enumerate(draft.marks.items()):
        if name not in draft.unknown:
            continue
        if np.isnan(found[index]):
            _no_volatility(draft, name, mark, columns, index)
        volatility[rows[index]], own[rows[index]] = found[index], True
    if draft.faults:
        raise InputError(draft.faults)
    changed = replace(book.instruments, volatility=volatility, implied=own)
    return replace(book, instruments=changed)


def _no_volatility(draft: Draft, name: str, mark: Mark, columns: Instruments, index: int) -> None:
    forward, strike = columns.forward[index], columns.strike[index]
    unit = forward if columns.inverse[index] else np.exp(columns.rate[index] * columns.time[index])
    least = max(forward - strike, 0.0) if columns.call[index] else max(strike - forward, 0.0)
    most = forward if columns.call[index] else strike
    draft.fault(
        mark.place,
        f"mark {mark.value:g} of {name}, which no volatility gives",
        f"more than the intrinsic {least / unit:g} and less than {most / unit:g}",
        "correct the mark or the forward of its expiry, or state a `volatility` beside the mark",
    )
