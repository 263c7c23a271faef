"""What deposits count for less, what is owed, and positions without deposits.

Amounts are of shape (A,) in account currency.
"""

from dataclasses import replace

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Parameters, Share
from margincalc.margin.charges import of_holdings


class Borrow(Parameters):
    """Shares of the value of what a pool owes."""

    maintenance: Share
    initial: Share


def collateral_haircut(book: Book, *, initial: bool) -> FloatArray:
    """What deposits count for less than their market value.

    Of a debt nothing is lost: what it needs is a charge on what is owed, and not on what it is
    owed in. A tier's haircut applies to the value inside it, and what is above the cap is lost.
    """
    deposit = book.instruments.is_kind(Kind.COLLATERAL)
    lost = np.zeros(len(deposit))
    lost[deposit] = _unit_haircut(book, np.flatnonzero(deposit), initial=initial)
    rows = book.rows(Kind.COLLATERAL)
    lost = np.maximum(book.quantity[rows], 0.0) * lost[book.instrument[rows]]
    return group_sum(lost, book.pool[rows], book.pools)


def _unit_haircut(book: Book, assets: IntArray, *, initial: bool) -> FloatArray:
    """Return what a unit of each of these instruments counts for less."""
    columns = book.instruments.take(assets)
    share = columns.initial_haircut if initial else columns.haircut
    steps = columns.initial_tier_step if initial else columns.tier_step
    price = columns.forward
    if book.coin:
        price = price / book.spot[columns.underlying]
    capped = np.minimum(price, columns.cap)
    counted = capped * (1.0 - share)
    for start, step in zip(columns.tier_start.T, steps.T, strict=True):
        counted = counted - step * np.maximum(capped - start, 0.0)
    return price - counted


def haircut_kinks(book: Book) -> tuple[tuple[IntArray, FloatArray, bool], ...]:
    """Return where haircuts bend: at each deposit's cap, and where its tiers begin."""
    rows = np.unique(book.instrument[book.rows(Kind.COLLATERAL)])
    columns = book.instruments.take(rows)
    levels = [columns.cap, *columns.tier_start.T]
    return tuple((rows, level, False) for level in levels)


@of_holdings
def collateral_haircuts(book: Book) -> tuple[FloatArray, FloatArray]:
    """Return what deposits count for less in maintenance and in initial margin."""
    columns, maintenance = book.instruments, collateral_haircut(book, initial=False)
    same = np.array_equal(columns.haircut, columns.initial_haircut)
    if same and np.array_equal(columns.tier_step, columns.initial_tier_step):  # as in most books
        return maintenance, maintenance
    return maintenance, collateral_haircut(book, initial=True)


@of_holdings
def borrowed(book: Book) -> FloatArray:
    """Value of deposits that are negative; each is a debt by itself."""
    rows = book.rows(Kind.COLLATERAL)
    price = book.money(book.instruments.forward[book.instrument[rows]], rows)
    return group_sum(np.maximum(-book.quantity[rows], 0.0) * price, book.pool[rows], book.pools)


def without_deposits(book: Book) -> Book | None:
    """Return the book of the positions alone, its rows as they were; None where nothing changes.

    Where deposits take part in a model's scenarios, what they add to the loss of this book is the
    component `wrong_way`; it is negative where they offset it.
    """
    deposit = book.moving(Kind.COLLATERAL) & (book.quantity != 0.0)
    if not np.any(deposit):
        return None
    return replace(book, quantity=np.where(deposit, 0.0, book.quantity))
