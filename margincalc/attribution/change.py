"""What changed a requirement between two books, one thing after the other.

Both books are written over the same instruments and positions; the first then becomes the second in
steps: time, each spot, forwards and rates, volatilities, cash and collateral, each trade, orders.
What a step does is measured after all before it, so that interactions are in the later one, and the
steps sum to the whole difference (as a profit-and-loss explain does it; another order divides it
otherwise).
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import Book, Instruments, Kind, Names, Orders
from margincalc.risk.aging import aged

_MARKET = ("fixed", "variable", "rate", "time", "funding", "dividend_time", "dividend_share")
_VOLATILITY = ("volatility", "offset", "implied")


class Step(NamedTuple):
    """A book after one more change; `kind` and `name` say which."""

    kind: str
    name: str
    book: Book


def steps(old: Book, new: Book) -> Iterator[Step]:
    """Yield the first book as it becomes the second, step by step; the last is the second."""
    days = new.valued - old.valued
    start = aged(old, days) if days > 0.0 else old
    if days:
        yield Step("time", f"{days:g} days", start)
    first, last = _aligned(start, new), _aligned(new, start)
    for book, kind, name in _market(first, last):
        first = book
        yield Step(kind, name, _held(first))
    for book, kind, name in _holdings(first, last):
        yield Step(kind, name, _held(book))


def _market(first: Book, last: Book) -> Iterator[tuple[Book, str, str]]:
    """Yield the books as the market moves, with the positions of the first."""
    count = len(first.spot)
    contract = ~_balance(first) & ~_balance(last)
    for u in range(count):
        if first.spot[u] != last.spot[u]:
            factor = np.ones(count)
            factor[u] = last.spot[u] / first.spot[u]
            first = first.shifted(factor)
            first = replace(first, spot=_one(first.spot, last.spot, u))
            yield first, "spot", first.names.underlyings[u]
    for u in range(count):
        chosen = contract & (first.instruments.underlying == u)
        moved = replace(first, instruments=_taken(first, last, chosen, _MARKET))
        if not _same(moved, first):
            first = moved
            yield first, "forward", first.names.underlyings[u]
    for u in range(count):
        chosen = contract & (first.instruments.underlying == u)
        moved = replace(
            first,
            instruments=_taken(first, last, chosen, _VOLATILITY),
            volatility=_one(first.volatility, last.volatility, u),
        )
        if not _same(moved, first):
            first = moved
            yield first, "volatility", first.names.underlyings[u]


def _holdings(first: Book, last: Book) -> Iterator[tuple[Book, str, str]]:
    """Yield the books as cash, then positions, then orders become those of the second."""
    cash = _balance(first) | _balance(last)
    booked = first.instruments.is_kind(Kind.FUTURE, Kind.PERPETUAL) & ~cash
    names = [field.name for field in fields(Instruments)]
    # Profits are booked as money in one file and part of a contract's worth in the other.
    columns = _taken(first, last, cash, names)
    columns = _taken(replace(first, instruments=columns), last, booked, ("settled",))
    held = cash[first.instrument]
    paid = replace(
        first,
        instruments=columns,
        quantity=np.where(held, last.quantity, first.quantity),
        confidence=last.confidence,
        limited=last.limited,
        stable=last.stable,
    )
    if not _same(paid, first):
        yield paid, "cash", ""
    for number in range(len(cash)):
        rows = (paid.instrument == number) & ~cash[paid.instrument]
        if np.any(paid.quantity[rows] != last.quantity[rows]):
            paid = replace(
                paid,
                quantity=np.where(rows, last.quantity, paid.quantity),
                entry=np.where(rows, last.entry, paid.entry),
            )
            yield paid, "trade", paid.names.instruments[number]
    if not _same_orders(paid.orders, last.orders):
        yield replace(paid, orders=last.orders), "orders", ""


def _aligned(own: Book, other: Book) -> Book:
    """Write a book over the pools, underlyings, instruments and positions of both.

    What only the other has stands there with its own columns and is not held.
    """
    keys = tuple(dict.fromkeys(sorted((*own.names.keys, *other.names.keys))))
    underlyings = tuple(sorted({*own.names.underlyings, *other.names.underlyings}))
    instruments = tuple(sorted({*own.names.instruments, *other.names.instruments}))
    both = (own, other)
    rows = sorted({key for book in both for key in _places(book, keys, instruments)})
    place = {key: number for number, key in enumerate(rows)}
    mine = np.array([place[key] for key in _places(own, keys, instruments)], np.int64)
    quantity, entry = np.zeros(len(rows)), np.full(len(rows), np.nan)
    quantity[mine], entry[mine] = own.quantity, own.entry
    orders = own.orders
    pool = np.array([keys.index(key) for key in own.names.keys], np.int64)
    named = np.array([instruments.index(name) for name in own.names.instruments], np.int64)
    return replace(
        own,
        names=Names(keys, underlyings, instruments),
        spot=_over(underlyings, both, "spot"),
        confidence=_over(underlyings, both, "confidence"),
        volatility=_over(underlyings, both, "volatility"),
        instruments=_columns(own, other, underlyings, instruments),
        pool=np.array([key[0] for key in rows], np.int64),
        instrument=np.array([key[1] for key in rows], np.int64),
        quantity=quantity,
        entry=entry,
        limited=np.array([_limited(key, both) for key in keys], bool),
        orders=orders._replace(pool=pool[orders.pool], instrument=named[orders.instrument]),
    )


def _places(
    book: Book, keys: tuple[object, ...], instruments: tuple[str, ...]
) -> list[tuple[int, int]]:
    """Return pool and instrument of each position row, as numbers of both books."""
    pool = [keys.index(key) for key in book.names.keys]
    number = {name: n for n, name in enumerate(instruments)}
    held = [number[name] for name in book.names.instruments]
    return [(pool[a], held[i]) for a, i in zip(book.pool, book.instrument, strict=True)]


def _over(underlyings: tuple[str, ...], books: tuple[Book, Book], column: str) -> FloatArray:
    own, other = (dict(zip(b.names.underlyings, getattr(b, column), strict=True)) for b in books)
    return np.array([own.get(name, other.get(name)) for name in underlyings], np.float64)


def _limited(key: object, books: tuple[Book, Book]) -> bool:
    book = books[0] if key in books[0].names.keys else books[1]
    return bool(book.limited[book.names.keys.index(key)])


def _columns(
    own: Book, other: Book, underlyings: tuple[str, ...], instruments: tuple[str, ...]
) -> Instruments:
    """Return the columns of every instrument, own ones first."""
    mine = {name: n for n, name in enumerate(own.names.instruments)}
    extra = [n for n, name in enumerate(other.names.instruments) if name not in mine]
    stacked = [*own.names.instruments, *(other.names.instruments[n] for n in extra)]
    order = np.array([stacked.index(name) for name in instruments], np.int64)
    columns = {}
    for field in fields(Instruments):
        parts = [getattr(book.instruments, field.name) for book in (own, other)]
        if field.name == "underlying":
            parts = [_renumbered(book, underlyings) for book in (own, other)]
        elif parts[0].ndim == 2:
            width = max(part.shape[1] for part in parts)
            parts = [np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts]
        columns[field.name] = np.concatenate([parts[0], parts[1][extra]])[order]
    return Instruments(**columns)


def _renumbered(book: Book, underlyings: tuple[str, ...]) -> IntArray:
    number = np.array([underlyings.index(name) for name in book.names.underlyings] + [-1], np.int64)
    return np.asarray(number[book.instruments.underlying])


def _balance(book: Book) -> BoolArray:
    return book.instruments.is_kind(Kind.COLLATERAL, Kind.SETTLEMENT)


def _taken(
    first: Book, last: Book, chosen: BoolArray, names: tuple[str, ...] | list[str]
) -> Instruments:
    """Return the first book's instruments, some columns of the chosen from the last."""
    columns = {}
    for name in names:
        own, other = getattr(first.instruments, name), getattr(last.instruments, name)
        columns[name] = np.where(chosen if own.ndim == 1 else chosen[:, None], other, own)
    return replace(first.instruments, **columns)


def _one(own: FloatArray, other: FloatArray, number: int) -> FloatArray:
    changed = own.copy()
    changed[number] = other[number]
    return changed


def _held(book: Book) -> Book:
    """Drop positions of nothing, and what is then not held."""
    kept, held = book.restricted(np.flatnonzero(book.quantity), np.arange(len(book.orders.pool)))
    names = tuple(book.names.instruments[row] for row in held)
    return replace(kept, names=book.names._replace(instruments=names))


def _same(one: Book, other: Book) -> bool:
    """Whether two books over the same rows are alike."""
    pairs = [
        (getattr(one.instruments, field.name), getattr(other.instruments, field.name))
        for field in fields(Instruments)
    ]
    names = ("spot", "volatility", "quantity", "confidence", "limited")
    pairs += [(getattr(one, name), getattr(other, name)) for name in names]
    equal = all(np.array_equal(a, b, equal_nan=a.dtype == np.float64) for a, b in pairs)
    return equal and one.stable == other.stable


def _same_orders(one: Orders, other: Orders) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
