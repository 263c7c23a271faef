"""Who shares collateral: the labels that turn positions into margin pools.

`isolated` is a pool per position or named group; `cross` and `portfolio` are a pool per account and
venue. A mode is a column of labels, not a code path: the same function margins the pools of each.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.assemble import Assembly, Label
from margincalc.book import Book, Kind, Names
from margincalc.contracts import Contract
from margincalc.errors import input_error
from margincalc.portfolio import Collateral, Portfolio, Position
from margincalc.risk import now

Mode = Literal["isolated", "cross", "portfolio"]
MODES: tuple[Mode, ...] = get_args(Mode)
UNALLOCATED = "unallocated"


def labels(mode: Mode, account: str) -> Label:
    """Return the function that names the pool of a position or deposit under `mode`."""

    def shared(item: Position | Collateral, contract: Contract | None) -> str:
        return item.venue or account

    def isolated(item: Position | Collateral, contract: Contract | None) -> str:
        if isinstance(item, Position) and contract is not None:
            own = item.group or contract.name
        else:
            own = UNALLOCATED
        return f"{item.venue}: {own}" if item.venue else own

    return isolated if mode == "isolated" else shared


def stated_margins(portfolio: Portfolio, assembly: Assembly) -> dict[str, float]:
    """Return the isolated margin that a file states, by pool."""
    stated: dict[str, float] = {}
    for position, pool in zip(portfolio.positions, assembly.pools, strict=True):
        if position.isolated_margin is not None:
            stated[pool] = stated.get(pool, 0.0) + position.isolated_margin
    return stated


def funded(book: Book, initial: FloatArray, stated: Mapping[str, float]) -> Book:
    """Divide the deposits of an isolated book among its pools.

    A pool holds its stated margin. One without is given, in file order and as long as there is any,
    its initial margin and what it would cost to buy back its short options; the rest stays
    unallocated. Every pool holds the same mixture of assets.

    Parameters
    ----------
    initial : shape (A,), initial margin of the pools without deposits
    stated : isolated margin by pool

    Raises
    ------
    InputError
        If the stated margins come to more than the deposits are worth.
    """
    value = now(book)[book.instrument] * book.quantity
    deposits = book.rows(Kind.COLLATERAL)
    worth = float(np.sum(value[deposits]))
    share = _shares(book, initial + _owed(book, value), stated, max(worth, 0.0))
    rows = np.setdiff1d(np.arange(len(book.pool)), deposits)
    given = np.flatnonzero(share)
    pools = np.concatenate([book.pool[rows], np.repeat(given, len(deposits))])
    instrument = np.concatenate(
        [book.instrument[rows], np.tile(book.instrument[deposits], len(given))]
    )
    slices = (share[given, None] * book.quantity[deposits]).ravel()
    quantity = np.concatenate([book.quantity[rows], slices])
    order = np.lexsort((instrument, pools))
    whole = replace(
        book,
        pool=pools[order],
        instrument=instrument[order],
        quantity=quantity[order],
        limited=True,
    )
    return _without_empty(whole)


def _owed(book: Book, value: FloatArray) -> FloatArray:
    """Return what a pool would pay to close its options and spot, shape (A,)."""
    rows = book.rows(Kind.OPTION, Kind.SPOT)
    marks = (book.quantity * book.instruments.offset[book.instrument])[rows]
    return np.maximum(-group_sum(value[rows] + marks, book.pool[rows], book.pools), 0.0)


def _shares(book: Book, need: FloatArray, stated: Mapping[str, float], worth: float) -> FloatArray:
    """Return the share of the deposits that each pool holds, shape (A,)."""
    total = sum(stated.values())
    if total > worth * (1.0 + 1e-12):
        raise input_error(
            "positions, isolated_margin",
            f"{total:,.2f} in all",
            f"no more than the collateral's {worth:,.2f}",
            "list the isolated margins among the collateral too; they are a part of it",
        )
    left = worth - total
    amounts = np.zeros(book.pools)
    for pool, name in enumerate(book.names.pools):
        if name in stated:
            amounts[pool] = stated[name]
        elif not _is_unallocated(name):
            amounts[pool] = min(need[pool], left)
            left -= amounts[pool]
    shares = amounts / worth if worth > 0.0 else amounts
    for pool, name in enumerate(book.names.pools):
        if _is_unallocated(name):
            shares[pool] = left / worth if worth > 0.0 else 1.0
    return shares


def _is_unallocated(name: str) -> bool:
    return name == UNALLOCATED or name.endswith(f": {UNALLOCATED}")


def _without_empty(book: Book) -> Book:
    """Drop pools that hold nothing."""
    kept: IntArray = np.unique(book.pool)
    names = Names(
        tuple(book.names.pools[pool] for pool in kept),
        book.names.underlyings,
        book.names.instruments,
    )
    return replace(book, names=names, pool=np.searchsorted(kept, book.pool))
