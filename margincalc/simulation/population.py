"""Populations: many accounts in one market as one book.

Each instrument is assembled once, by the same function that assembles a portfolio; who holds how
much of it are columns.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.assembly.assemble import assemble
from margincalc.book import NO_ORDERS, Book, Kind, Pool
from margincalc.errors import input_error
from margincalc.margin.base import MarginModel
from margincalc.portfolio import Collateral, MarketSnapshot, Order, Portfolio, Position
from margincalc.portfolio.contracts import Contract
from margincalc.risk import greeks

POSITIONS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL, Kind.SPOT)


class Rows(NamedTuple):
    """What accounts hold, shape (P,) each.

    Attributes
    ----------
    account : number of the account, each in ``range(len(names))``
    held : number of what is held, in `Held`
    quantity : signed
    entry : price at which a position was entered; NaN where its profit is already in its cash
    names : of the accounts; an account has one on each of its venues
    venues : of each, "" where its model is no venue's own; nothing where none has one
    """

    account: IntArray
    held: IntArray
    quantity: FloatArray
    entry: FloatArray
    names: tuple[str, ...]
    venues: tuple[str, ...] = ()

    def pools(self) -> Iterator[tuple[str, str]]:
        """Yield the venue and the name of each account."""
        return zip(self.venues or ("",) * len(self.names), self.names, strict=True)


class Held(NamedTuple):
    """What there is to hold: instruments by name, then assets deposited."""

    instruments: tuple[str, ...]
    assets: tuple[str, ...]


class Population(NamedTuple):
    """Accounts of one market.

    Attributes
    ----------
    book : a pool per account
    names : of the accounts, in the order of the pools
    """

    book: Book
    names: tuple[str, ...]


def populate(market: MarketSnapshot, held: Held, rows: Rows) -> Population:
    """Return the book of many accounts, a pool for each.

    Raises
    ------
    InputError
        If an instrument cannot be assembled in that market.
    """
    template, contract, money = _template(market, held)
    columns = template.instruments
    entered = np.flatnonzero(~np.isnan(rows.entry) & (rows.held < len(held.instruments)))
    line = contract[rows.held]
    own, size = line[entered], rows.quantity[entered] * columns.multiplier[line[entered]]
    linear = size * (columns.settled[own] - rows.entry[entered])
    with np.errstate(divide="ignore", invalid="ignore"):  # kept for inverse rows alone
        inverse = size * (1.0 / rows.entry[entered] - 1.0 / columns.settled[own])
    kinds = columns.is_kind(Kind.FUTURE, Kind.PERPETUAL)[own]
    entered, own = entered[kinds], own[kinds]
    profit = np.where(columns.inverse[own], inverse[kinds], linear[kinds])
    account = np.concatenate([rows.account, rows.account[entered]])
    instrument = np.concatenate([line, money[rows.held[entered]]])
    quantity = np.concatenate([rows.quantity, profit])
    first, labels = group_rows(account, instrument)
    book = replace(
        template,
        names=template.names._replace(
            keys=tuple(Pool(venue, "account", name) for venue, name in rows.pools())
        ),
        pool=account[first],
        instrument=instrument[first],
        quantity=group_sum(quantity, labels, len(first)),
        entry=np.full(len(first), np.nan),
        limited=np.zeros(len(rows.names), bool),
        orders=NO_ORDERS,
    )
    return Population(book, rows.names)


def _template(market: MarketSnapshot, held: Held) -> tuple[Book, IntArray, IntArray]:
    """Assemble one of everything.

    Returns
    -------
    book : with a row for every instrument and asset
    contract : shape (H,), row of each
    money : shape (H,), row in which its profit is booked; -1 of assets and options
    """
    portfolio = Portfolio(
        account="population",
        as_of=market.as_of,
        currency=market.currency or "USD",
        stable_price=market.stable_price or 1.0,
        market=market.market,
        quotes=market.quotes,
        instruments=market.instruments,
        positions=tuple(
            Position(instrument=name, quantity=1.0, unsettled=1.0, venue=str(number))
            for number, name in enumerate(held.instruments)
        ),
        collateral=tuple(
            _terms(market, asset, len(held.instruments) + number)
            for number, asset in enumerate(held.assets)
        ),
    )

    def apart(item: Position | Order | Collateral, contract: Contract | None) -> Pool:
        return Pool("", "account", item.venue or "")

    book = assemble(portfolio, apart).book
    count = len(held.instruments) + len(held.assets)
    contract, money = np.full(count, -1), np.full(count, -1)
    kind = book.kind
    for pool, key in enumerate(book.names.keys):
        mine = np.flatnonzero(book.pool == pool)
        owed = kind[mine] == int(Kind.SETTLEMENT)
        contract[int(key.name)] = book.instrument[mine[~owed]][0]
        if np.any(owed):
            money[int(key.name)] = book.instrument[mine[owed]][0]
    return book, contract, money


def _terms(market: MarketSnapshot, asset: str, number: int) -> Collateral:
    """Return one unit of a deposit, on the terms that the market states for it."""
    for stated in market.collateral:
        if stated.asset == asset:
            if stated.tiers or stated.cap is not None:
                found = f"tiers or a cap of {asset}, which are of one account's amount"
                raise input_error("--market, collateral", found, "a haircut alone")
            return stated.model_copy(update={"quantity": 1.0, "venue": str(number)})
    return Collateral(asset=asset, quantity=1.0, venue=str(number))


def isolated(population: Population, model: MarginModel) -> tuple[Population, IntArray]:
    """Give each position a pool of its own, deposits divided by what each requires initially.

    Returns
    -------
    population : a pool per account and position
    owner : shape (A,), account of each pool
    """
    book = population.book
    position = np.flatnonzero(book.instruments.is_kind(*POSITIONS)[book.instrument])
    rest = np.flatnonzero(~book.instruments.is_kind(*POSITIONS)[book.instrument])
    owner = book.pool[position]
    names = tuple(
        f"{population.names[account]}/{book.names.instruments[row]}"
        for account, row in zip(owner.tolist(), book.instrument[position].tolist(), strict=True)
    )
    keys = tuple(
        Pool(book.names.keys[account].venue, "instrument", name)
        for account, name in zip(owner.tolist(), names, strict=True)
    )
    alone = replace(
        book,
        names=book.names._replace(keys=keys),
        pool=np.arange(len(position)),
        instrument=book.instrument[position],
        quantity=book.quantity[position],
        entry=book.entry[position],
        limited=np.ones(len(position), bool),
    )
    need = np.maximum(model.margin(alone).initial, 0.0)
    whole = group_sum(need, owner, book.pools)[owner]
    count = np.bincount(owner, minlength=book.pools)[owner]
    share = np.divide(need, whole, out=1.0 / count, where=whole > 0.0)
    return _shared(alone, book, rest, (owner, share)), owner


def _shared(
    alone: Book, book: Book, rest: IntArray, split: tuple[IntArray, FloatArray]
) -> Population:
    """Divide the rows `rest` of a book among the pools of each owner."""
    owner, share = split
    order = np.argsort(owner, kind="stable")
    start = np.searchsorted(owner[order], book.pool[rest])
    count = np.searchsorted(owner[order], book.pool[rest], side="right") - start
    each = np.repeat(rest, count)
    within = np.arange(len(each)) - np.repeat(np.cumsum(count) - count, count)
    pool = order[np.repeat(start, count) + within]
    pools = np.concatenate([alone.pool, pool])
    instrument = np.concatenate([alone.instrument, book.instrument[each]])
    quantity = np.concatenate([alone.quantity, book.quantity[each] * share[pool]])
    rows = np.lexsort((instrument, pools))
    whole = replace(
        alone,
        pool=pools[rows],
        instrument=instrument[rows],
        quantity=quantity[rows],
        entry=np.full(len(rows), np.nan),
    )
    return Population(whole, whole.names.pools)


def exposures(book: Book) -> tuple[FloatArray, FloatArray]:
    """Delta of each pool's positions, and of all that it holds, shape (A,) each."""
    delta = book.quantity * greeks(book).delta[book.instrument]
    traded = np.where(book.instruments.is_kind(*POSITIONS)[book.instrument], delta, 0.0)
    return group_sum(traded, book.pool, book.pools), group_sum(delta, book.pool, book.pools)
