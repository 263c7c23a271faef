"""Books of many accounts: what they hold, as columns over the instruments that all share."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows
from margincalc.assembly.keys import PoolKeys, Share
from margincalc.assembly.pools import UNALLOCATED
from margincalc.batch.holdings import Accounts
from margincalc.batch.lines import Codes, Lines
from margincalc.batch.universe import Universe
from margincalc.book import Book
from margincalc.book.holdings import Holdings, inverse_profit, linear_profit, netted

ROWS = 1 << 16  # of positions in one book: bounds memory, and keeps what is computed in cache
ROWS_MOVED = 1 << 18  # of one margined at spot after spot, of which fewer and fewer are left


class Unit(NamedTuple):
    """Some accounts of a part.

    Attributes
    ----------
    first, stop : which accounts of the part they are
    book : their pools, whose keys are `PoolKeys` with `first` as owner 0
    """

    first: int
    stop: int
    book: Book


def units(accounts: Accounts, universe: Universe, *, moved: bool) -> Iterator[Unit]:
    """Cut a part into books of about `ROWS` rows, or of `ROWS_MOVED` if spots will be moved."""
    rows = ROWS_MOVED if moved else ROWS
    count = len(accounts.names)
    ends = np.cumsum(accounts.positions.sizes(count) + accounts.balances.sizes(count))
    first = 0
    while first < count:
        before = ends[first - 1] if first else 0
        stop = max(int(np.searchsorted(ends, before + rows, side="right")), first + 1)
        yield unit(accounts, universe, first, stop)
        first = stop


def unit(accounts: Accounts, universe: Universe, first: int, stop: int) -> Unit:
    """Return the book of some accounts."""
    positions, balances = accounts.positions.of(first, stop), accounts.balances.of(first, stop)
    names = accounts.names[first:stop]
    pooled = _isolated if universe.mode == "isolated" else _shared
    pools = pooled(names, positions, balances, universe)
    held = _held(positions, balances, pools, universe)
    book = replace(
        universe.book,
        names=universe.book.names._replace(keys=pools.keys),
        pool=held.pool,
        instrument=held.instrument,
        quantity=held.quantity,
        entry=held.entry,
        limited=np.zeros(len(pools.keys), bool),
    )
    return Unit(first, stop, book)


class _Pools(NamedTuple):
    """Keys of pools, and the pool of each position and balance."""

    keys: PoolKeys
    positions: IntArray
    balances: IntArray


def _shared(names: Any, positions: Lines, balances: Lines, universe: Universe) -> _Pools:
    """Return a pool for each account and venue."""
    if not positions.venue.names and not balances.venue.names:
        owner, none = np.arange(len(names)), Codes(np.full(len(names), -1), ())
        return _Pools(_of_accounts(names, owner, none), positions.account, balances.account)
    venue = _together(positions.venue, balances.venue)
    account = np.concatenate([positions.account, balances.account])
    # An account of which every row was set aside has a pool, too.
    alone = np.flatnonzero(np.bincount(account, minlength=len(names)) == 0)
    account = np.concatenate([account, alone])
    code = np.concatenate([venue.code, np.full(len(alone), -1)])
    first, label = group_rows(account, code)
    keys = _of_accounts(names, account[first], Codes(code[first], venue.names))
    count = len(positions.account)
    return _Pools(keys, label[:count], label[count : len(venue.code)])


def _of_accounts(names: Any, owner: IntArray, venue: Codes) -> PoolKeys:
    share = np.full(len(owner), Share.ACCOUNT)
    return PoolKeys(owner, venue.code, share, owner, names, venue.names, (names,))


def _together(one: Codes, other: Codes) -> Codes:
    """Return two columns of names as one."""
    names = tuple(dict.fromkeys((*one.names, *other.names)))
    number = {name: code if name else -1 for code, name in enumerate(names)}
    codes = (
        np.array([*(number[name] for name in each.names), -1], np.int64)[each.code]
        for each in (one, other)
    )
    return Codes(np.concatenate(list(codes)), names)


def _isolated(names: Any, positions: Lines, balances: Lines, universe: Universe) -> _Pools:
    """Return a pool for each position or named group, and one for the deposits of each venue.

    They are numbered in the order of the file, in which deposits are divided among them.
    """
    count, deposits = len(positions.account), len(balances.account)
    instruments, groups = universe.book.names.instruments, positions.pool.names
    grouped = np.array([*map(bool, groups), False])[positions.pool.code]
    within = np.where(grouped, Share.GROUP, Share.INSTRUMENT)
    share = np.concatenate([within, np.full(deposits, Share.UNALLOCATED)])
    named = np.where(grouped, positions.pool.code, positions.instrument)
    name = np.concatenate([named, np.zeros(deposits, np.int64)])
    account = np.concatenate([positions.account, balances.account])
    venue = _together(positions.venue, balances.venue)
    width = max(len(instruments), len(groups), 1)
    first, label = group_rows(account, ((venue.code + 1) * len(Share) + share) * width + name)
    order = np.argsort(first)
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    first, label = first[order], number[label]
    called = (names, groups, instruments, (UNALLOCATED,))
    keys = PoolKeys(
        account[first], venue.code[first], share[first], name[first], names, venue.names, called
    )
    return _Pools(keys, label[:count], label[count:])


def _held(positions: Lines, balances: Lines, pools: _Pools, universe: Universe) -> Holdings:
    """Net what is held, with the profit of futures and perpetuals booked as `assemble` books it."""
    columns = universe.book.instruments
    booked = universe.settlement[positions.instrument]
    rows = np.flatnonzero((booked >= 0) & ~np.isnan(positions.entry))
    held = positions.instrument[rows]
    size, entry = positions.quantity[rows] * columns.multiplier[held], positions.entry[rows]
    forward, inverse = columns.forward[held], columns.inverse[held]
    with np.errstate(divide="ignore"):  # a linear contract may have been had for nothing
        coin = inverse_profit(size, entry, forward)
    profit = np.where(inverse, coin, linear_profit(size, entry, forward))
    parts = (
        Holdings(pools.positions, positions.instrument, positions.quantity, positions.entry),
        Holdings(pools.positions[rows], booked[rows], profit, _unknown(len(rows))),
        Holdings(
            pools.balances, balances.instrument, balances.quantity, _unknown(len(balances.account))
        ),
    )
    return netted(Holdings(*(np.concatenate(column) for column in zip(*parts, strict=True))))


def _unknown(count: int) -> FloatArray:
    return np.full(count, np.nan)
