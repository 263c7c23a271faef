"""Who shares collateral: the labels that turn positions into margin pools.

`isolated` is a pool per position or named group; `cross` and `portfolio` are a pool per account and
venue. A mode is a column of labels, not a code path: the same function margins the pools of each.
"""

from dataclasses import replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.assembly.assemble import Assembly, Label
from margincalc.book import Book, Kind, Pool
from margincalc.errors import input_error
from margincalc.portfolio import Collateral, Order, Portfolio, Position
from margincalc.portfolio.contracts import Contract
from margincalc.risk import now

Mode = Literal["isolated", "cross", "portfolio"]
MODES: tuple[Mode, ...] = get_args(Mode)
UNALLOCATED = "unallocated"  # what a report calls deposits that no isolated pool holds


def labels(mode: Mode, account: str) -> Label:
    """Return the function that names the pool of a position, order or deposit under `mode`."""

    def shared(item: Position | Order | Collateral, contract: Contract | None) -> Pool:
        return Pool(item.venue or "", "account", account)

    def isolated(item: Position | Order | Collateral, contract: Contract | None) -> Pool:
        venue = item.venue or ""
        if contract is None:
            return Pool(venue, "unallocated", UNALLOCATED)
        if isinstance(item, Position) and item.group is not None:
            return Pool(venue, "group", item.group)
        return Pool(venue, "instrument", contract.name)

    return isolated if mode == "isolated" else shared


class Funding(NamedTuple):
    """What a file says of the margin of isolated pools.

    Attributes
    ----------
    stated : isolated margin, of the pools that have one
    place : where the file lists its deposits
    """

    stated: dict[Pool, float]
    place: str

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
    deposits = book.rows(Kind.COLLATERAL)
    holding = book.pool[deposits][group_rows(book.pool[deposits])[0]]  # the unallocated pools
    funding.refuse_elsewhere({book.names.keys[int(source)].venue for source in holding})
    funded_by = _members(book)
    by_source = np.split(deposits, np.flatnonzero(np.diff(book.pool[deposits])) + 1)
    own = np.flatnonzero(book.kind != Kind.COLLATERAL)
    parts = [_Rows(book.pool[own], book.instrument[own], book.quantity[own], book.entry[own])]
    for source, mine in zip(holding, by_source, strict=False):  # no deposits are one empty run
        members = funded_by[_place(book.names.keys[int(source)])]
        shares = _shares(book, members, need, funding, float(np.sum(value[mine])))
        parts += [
            _Rows(
                np.full(len(mine), pool),
                book.instrument[mine],
                share * book.quantity[mine],
                book.entry[mine],
            )
            for pool, share in zip([*members, int(source)], shares, strict=True)
            if share
        ]
    rows = _Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    order = np.lexsort((rows.instrument, rows.pool))
    limited = np.ones(book.pools, bool)
    limited[holding] = False
    whole = replace(
        book,
        pool=rows.pool[order],
        instrument=rows.instrument[order],
        quantity=rows.quantity[order],
        entry=rows.entry[order],
        limited=limited,
    )
    return _without_empty(whole, np.where(limited, need, 0.0))


class _Rows(NamedTuple):
    """Columns of position rows, shape (P,) each."""

    pool: IntArray
    instrument: IntArray
    quantity: FloatArray
    entry: FloatArray


def _place(key: Pool) -> tuple[str, str]:
    """Whose deposits, and where, a pool is funded from."""
    return key.owner, key.venue


def _members(book: Book) -> dict[tuple[str, str], list[int]]:
    """Return the pools that each place's deposits fund, in file order."""
    members: dict[tuple[str, str], list[int]] = {}
    for pool, key in enumerate(book.names.keys):
        own = members.setdefault(_place(key), [])
        if key.share != "unallocated":
            own.append(pool)
    return members


def _owed(book: Book, value: FloatArray) -> FloatArray:
    """Return what a pool would pay to close its options and spot, shape (A,)."""
    rows = book.rows(Kind.OPTION, Kind.SPOT)
    marks = (book.quantity * book.instruments.offset[book.instrument])[rows]
    return np.maximum(-group_sum(value[rows] + marks, book.pool[rows], book.pools), 0.0)


def _shares(
    book: Book, members: list[int], need: FloatArray, funding: Funding, worth: float
) -> list[float]:
    """Return the share of deposits worth `worth` for each member, then what stays unallocated."""
    keys, stated = [book.names.keys[pool] for pool in members], funding.stated
    total = sum(stated.get(key, 0.0) for key in keys)
    _check_stated(funding, worth, total)
    if worth <= 0.0:
        return [0.0] * len(members) + [1.0]
    left, shares = worth - total, []
    for pool, key in zip(members, keys, strict=True):
        amount = stated.get(key, min(float(need[pool]), left))
        left -= 0.0 if key in stated else amount
        shares.append(amount / worth)
    return [*shares, max(left, 0.0) / worth]


def _check_stated(funding: Funding, worth: float, total: float) -> None:
    """Refuse isolated margins that the deposits of their venue do not cover."""
    if total > max(worth, 0.0) * (1.0 + 1e-12):
        raise input_error(
            funding.place,
            f"collateral worth {worth:,.2f} under isolated margins of {total:,.2f}",
            "at least as much",
            "list the isolated margins among the collateral too; they are a part of it",
        )


def _without_empty(book: Book, need: FloatArray) -> Book:
    """Drop pools that neither hold nor need anything, and orders that need nothing with them."""
    used = need != 0.0
    used[book.pool] = True
    kept, number = np.flatnonzero(used), np.cumsum(used) - 1
    orders = book.orders.take(np.flatnonzero(used[book.orders.pool]))
    return replace(
        book,
        names=book.names._replace(keys=tuple(book.names.keys[int(pool)] for pool in kept)),
        pool=number[book.pool],
        limited=book.limited[kept],
        orders=orders._replace(pool=number[orders.pool]),
    )
