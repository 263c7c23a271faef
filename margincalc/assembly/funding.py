"""Deposits of isolated pools: each is given its margin out of those of its account and venue."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.assembly.assemble import Assembly
from margincalc.assembly.keys import PoolKeys, Share, as_columns
from margincalc.book import Book, Kind, Pool
from margincalc.errors import input_error
from margincalc.portfolio import Portfolio
from margincalc.risk import now


class Funding(NamedTuple):
    """What a file says of the margin of isolated pools.

    Attributes
    ----------
    stated : isolated margin, of the pools that have one
    place : where the file lists its deposits
    """

    stated: dict[Pool, float]
    place: str

    def of(self, keys: PoolKeys, pools: IntArray) -> FloatArray:
        """Return what is stated of some pools, shape of `pools`; NaN where nothing is."""
        if not self.stated:  # as of a venue's accounts
            return np.full(len(pools), np.nan)
        return np.array([self.stated.get(keys[pool], np.nan) for pool in pools.tolist()])

    def refuse_elsewhere(self, venues: set[str]) -> None:
        """Refuse isolated margins at venues without any deposit."""
        elsewhere = [amount for pool, amount in self.stated.items() if pool.venue not in venues]
        _check_stated(self, 0.0, sum(elsewhere))


def funding(portfolio: Portfolio, assembly: Assembly) -> Funding:
    """Read the isolated margins of a portfolio."""
    stated: dict[Pool, float] = {}
    for position, pool in zip(portfolio.positions, assembly.pools, strict=True):
        if position.isolated_margin is not None:
            stated[pool] = stated.get(pool, 0.0) + position.isolated_margin
    return Funding(stated, portfolio.place("collateral"))


def funded(book: Book, initial: FloatArray, funding: Funding) -> Book:
    """Divide the deposits of an isolated book among its pools.

    A pool holds its stated margin. One without is given, in file order and as long as there is any,
    its initial margin and what it would cost to buy back its short options; the rest stays
    unallocated. Every pool of a venue holds the same mixture of assets.

    Parameters
    ----------
    initial : shape (A,), initial margin of the pools without deposits

    Raises
    ------
    InputError
        If the stated margins of a venue come to more than its deposits are worth.
    """
    value = now(book)[book.instrument] * book.quantity
    need = initial + _owed(book, value)
    deposits = _deposits(book, value)
    keys = as_columns(book.names.keys)
    venue = deposits.holding[group_rows(keys.venue[deposits.holding])[0]]
    funding.refuse_elsewhere({keys[int(one)].venue for one in venue})
    limited = np.ones(book.pools, bool)
    limited[deposits.holding] = False
    whole = _moved(book, deposits, _divided(deposits, keys, need, funding))
    whole = replace(whole, names=book.names._replace(keys=keys), limited=limited)
    return _without_empty(whole, keys, np.where(limited, need, 0.0))


class _Deposits(NamedTuple):
    """Deposits that are divided, those of n places one after the other.

    Attributes
    ----------
    rows : position rows of all
    first, length : where those of a place begin in `rows`, and how many there are, shape (n,)
    holding : the unallocated pool that holds them before, shape (n,)
    worth : their value, shape (n,)
    """

    rows: IntArray
    first: IntArray
    length: IntArray
    holding: IntArray
    worth: FloatArray


def _deposits(book: Book, value: FloatArray) -> _Deposits:
    """Gather the deposits; `value` is of position rows."""
    rows = book.rows(Kind.COLLATERAL)
    first, place = group_rows(book.pool[rows])
    worth = group_sum(value[rows], place, len(first))
    length = np.diff(first, append=len(rows))
    return _Deposits(rows, first, length, book.pool[rows[first]], worth)


class _Divided(NamedTuple):
    """Pools that are given a share of deposits, and which: as `first` and `length` of them."""

    pool: IntArray
    first: IntArray
    length: IntArray
    share: FloatArray


def _divided(deposits: _Deposits, keys: PoolKeys, need: FloatArray, funding: Funding) -> _Divided:
    """Share out the deposits of every place among its pools; what is left stays unallocated."""
    first, place = group_rows(keys.owner, keys.venue)  # whose deposits, and where
    funds = np.full(len(first), -1)
    funds[place[deposits.holding]] = np.arange(len(deposits.holding))
    source = funds[place]
    member = np.flatnonzero((keys.share != Share.UNALLOCATED) & (source >= 0))
    member = member[np.argsort(source[member], kind="stable")]
    of, stated = source[member], funding.of(keys, member)
    total = group_sum(np.nan_to_num(stated), of, len(deposits.worth))
    for one in np.flatnonzero(total).tolist():
        _check_stated(funding, float(deposits.worth[one]), float(total[one]))
    amount, left = _amounts(deposits.worth - total, of, need[member], stated)
    some = deposits.worth > 0.0
    worth = np.where(some, deposits.worth, 1.0)
    share = np.concatenate(
        [
            np.where(some[of], amount / worth[of], 0.0),
            np.where(some, np.maximum(left, 0.0) / worth, 1.0),
        ]
    )
    given = np.flatnonzero(share)
    pool = np.concatenate([member, deposits.holding])[given]
    of = np.concatenate([of, np.arange(len(worth))])[given]
    return _Divided(pool, deposits.first[of], deposits.length[of], share[given])


def _moved(book: Book, deposits: _Deposits, held: _Divided) -> Book:
    """Return the book with the deposits in the pools that are given a share of them."""
    own = np.flatnonzero(book.kind != Kind.COLLATERAL)
    before = np.cumsum(held.length) - held.length
    lot = np.repeat(held.first - before, held.length) + np.arange(np.sum(held.length))
    pool = np.concatenate([book.pool[own], np.repeat(held.pool, held.length)])
    rows = np.concatenate([own, deposits.rows[lot]])
    share = np.concatenate([np.ones(len(own)), np.repeat(held.share, held.length)])
    order = np.argsort(pool * len(book.instruments.kind) + book.instrument[rows], kind="stable")
    rows = rows[order]
    return replace(
        book,
        pool=pool[order],
        instrument=book.instrument[rows],
        quantity=share[order] * book.quantity[rows],
        entry=book.entry[rows],
    )


def _amounts(
    left: FloatArray, of: IntArray, need: FloatArray, stated: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what each pool is given, in file order, and what is left of each place's deposits.

    Parameters
    ----------
    left : of each place's deposits, without what is stated
    of : the place of each pool; `need` and `stated`, NaN where nothing is, have its shape
    """
    amount, rest = stated.tolist(), left.tolist()
    place, wanted = of.tolist(), need.tolist()
    for one in np.flatnonzero(np.isnan(stated)).tolist():
        amount[one] = min(wanted[one], rest[place[one]])
        rest[place[one]] -= amount[one]
    return np.array(amount, np.float64), np.array(rest, np.float64)


def _owed(book: Book, value: FloatArray) -> FloatArray:
    """Return what a pool would pay to close its options and spot, shape (A,)."""
    rows = book.rows(Kind.OPTION, Kind.SPOT)
    marks = (book.quantity * book.instruments.offset[book.instrument])[rows]
    return np.maximum(-group_sum(value[rows] + marks, book.pool[rows], book.pools), 0.0)


def _check_stated(funding: Funding, worth: float, total: float) -> None:
    """Refuse isolated margins that the deposits of their venue do not cover."""
    if total > max(worth, 0.0) * (1.0 + 1e-12):
        raise input_error(
            funding.place,
            f"collateral worth {worth:,.2f} under isolated margins of {total:,.2f}",
            "at least as much",
            "list the isolated margins among the collateral too; they are a part of it",
        )


def _without_empty(book: Book, keys: PoolKeys, need: FloatArray) -> Book:
    """Drop pools that neither hold nor need anything, and orders that need nothing with them."""
    used = need != 0.0
    used[book.pool] = True
    kept, number = np.flatnonzero(used), np.cumsum(used) - 1
    orders = book.orders.take(np.flatnonzero(used[book.orders.pool]))
    return replace(
        book,
        names=book.names._replace(keys=keys.take(kept)),
        pool=number[book.pool],
        limited=book.limited[kept],
        orders=orders._replace(pool=number[orders.pool]),
    )
