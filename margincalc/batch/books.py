"""Books of many accounts: what they hold, as columns over the instruments that all share."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows
from margincalc.assembly.pools import UNALLOCATED
from margincalc.batch.holdings import Accounts
from margincalc.batch.lines import Codes, Lines
from margincalc.batch.universe import Universe
from margincalc.book import Book, Pool
from margincalc.book.holdings import Holdings, inverse_profit, linear_profit, netted

ROWS = 1 << 16  # of positions in one book: bounds memory, and keeps what is computed in cache


class Unit(NamedTuple):
    """Some accounts of a part.

    Attributes
    ----------
    first, stop : which accounts of the part they are
    book : their pools
    owner : account of each pool, from 0, shape (A,)
    """

    first: int
    stop: int
    book: Book
    owner: IntArray


class _Keys(Sequence[Pool]):
    """Keys of pools that are whole accounts, made when somebody asks."""

    def __init__(self, names: Any, owner: IntArray, venue: Codes) -> None:
        self._names, self._owner, self._venue = names, owner, venue

    def __len__(self) -> int:
        return len(self._owner)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        code, account = int(self._venue.code[index]), str(self._names[int(self._owner[index])])
        venue = self._venue.names[code] if code >= 0 else ""
        return Pool(venue, "account", account, account)


def units(accounts: Accounts, universe: Universe) -> Iterator[Unit]:
    """Cut a part into books of about `ROWS` rows."""
    count = len(accounts.names)
    ends = np.cumsum(accounts.positions.sizes(count) + accounts.balances.sizes(count))
    first = 0
    while first < count:
        before = ends[first - 1] if first else 0
        stop = max(int(np.searchsorted(ends, before + ROWS, side="right")), first + 1)
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
    return Unit(first, stop, book, pools.owner)


class _Pools(NamedTuple):
    """Pools, their accounts, and the pool of each position and balance."""

    keys: Sequence[Pool]
    owner: IntArray
    positions: IntArray
    balances: IntArray


def _shared(names: Any, positions: Lines, balances: Lines, universe: Universe) -> _Pools:
    """Return a pool for each account and venue."""
    if not positions.venue.names and not balances.venue.names:
        owner, none = np.arange(len(names)), Codes(np.full(len(names), -1), ())
        return _Pools(_Keys(names, owner, none), owner, positions.account, balances.account)
    venue = _together(positions.venue, balances.venue)
    account = np.concatenate([positions.account, balances.account])
    # An account of which every row was set aside has a pool, too.
    alone = np.flatnonzero(np.bincount(account, minlength=len(names)) == 0)
    account = np.concatenate([account, alone])
    code = np.concatenate([venue.code, np.full(len(alone), -1)])
    first, label = group_rows(account, code)
    keys = _Keys(names, account[first], Codes(code[first], venue.names))
    count = len(positions.account)
    return _Pools(keys, account[first], label[:count], label[count : len(venue.code)])


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
    pools: dict[Pool, int] = {}
    owner: list[int] = []
    accounts = [str(name) for name in names.to_pylist()]
    instruments = universe.book.names.instruments
    number = {"positions": np.empty(len(positions.account), np.int64)}
    number["balances"] = np.empty(len(balances.account), np.int64)
    for section, lines in (("positions", positions), ("balances", balances)):
        for row, account in enumerate(lines.account.tolist()):
            venue, group = _name(lines.venue, row), _name(lines.pool, row)
            key = Pool(venue, "unallocated", UNALLOCATED, accounts[account])
            if section == "positions":
                name = instruments[int(lines.instrument[row])]
                key = key._replace(share="instrument", name=name)
                key = key._replace(share="group", name=group) if group else key
            if key not in pools:
                pools[key] = len(pools)
                owner.append(account)
            number[section][row] = pools[key]
    return _Pools(tuple(pools), np.array(owner, np.int64), **number)


def _name(codes: Codes, row: int) -> str:
    code = int(codes.code[row])
    return codes.names[code] if code >= 0 else ""


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
