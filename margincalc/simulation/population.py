"""Populations: many accounts in one market as one book, read as columns or drawn at random.

Each instrument is assembled once, by the same function that assembles a portfolio; who holds how
much of it are columns. A population of linear accounts is also a list of prices and sizes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, group_sum
from margincalc.assembly.assemble import assemble
from margincalc.book import NO_ORDERS, Book, Kind, Names, Pool
from margincalc.errors import input_error
from margincalc.liquidation.nearest import nearest
from margincalc.margin.base import MarginModel
from margincalc.portfolio import Collateral, MarketSnapshot, Order, Portfolio, Position
from margincalc.portfolio.contracts import Contract
from margincalc.risk import equity, greeks, now

Draw = Literal["perpetuals", "options", "two-assets"]
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
        names=Names(
            tuple(
                Pool(venue, "account", name)
                for venue, name in zip(
                    rows.venues or [""] * len(rows.names), rows.names, strict=True
                )
            ),
            template.names.underlyings,
            template.names.instruments,
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


class Line(NamedTuple):
    """Linear accounts, shape (A,) each.

    Attributes
    ----------
    below, above : liquidation prices; NaN where there is none
    size : units that closing an account trades, not negative
    bankrupt : price at which its equity is nothing; NaN where it is not known
    names : of the accounts, or nothing
    """

    below: FloatArray
    above: FloatArray
    size: FloatArray
    bankrupt: FloatArray
    names: tuple[str, ...] = ()


def is_linear(book: Book) -> bool:
    """Whether every account's equity is a straight line in the one spot that there is."""
    options = len(book.rows(Kind.OPTION))
    return len(book.spot) == 1 and not (options or book.coin or np.any(book.instruments.inverse))


def line_of(book: Book, model: MarginModel) -> Line:
    """Return the liquidation prices of linear accounts, from their margins along a ladder."""
    found = nearest(book, model)
    below, above = np.full(book.pools, np.nan), np.full(book.pools, np.nan)
    below[found.pool], above[found.pool] = found.below, found.above
    result, spot = model.margin(book), float(book.spot[0])
    traded, whole = exposures(book)
    late = result.equity < result.maintenance
    # Who fails already is sold at once, in the direction that hurts it.
    below = np.where(late, np.where(whole > 0.0, spot, np.nan), below)
    above = np.where(late, np.where(whole < 0.0, spot, np.nan), above)
    worth = equity(book, now(book))
    bankrupt = np.full(book.pools, np.nan)
    np.divide(-worth, whole, out=bankrupt, where=whole != 0.0)
    below = np.where(whole > 0.0, below, np.nan)
    above = np.where(whole < 0.0, above, np.nan)
    return Line(below, above, np.abs(traded), spot + bankrupt, book.names.pools)


def tightened(line: Line, spot: float, response: float) -> Line:
    """Return the liquidation prices if margins rise as the price moves: ``1 + k |p / S0 - 1|``.

    What an account's maintenance is at its liquidation price L, its equity there, says its rate
    ``r = |L - B| / L``, B the price of bankruptcy. The new price solves ``|p - B| = r p m(p)``, a
    quadratic with one positive root. Source of the spiral: Brunnermeier and Pedersen, Market
    Liquidity and Funding Liquidity, RFS 2009.

    Parameters
    ----------
    response : k, relative rise of maintenance per relative move; accounts whose bankruptcy price is
        not known, or that are bankrupt when they are liquidated, stay as they are
    """
    below, above = (
        _tightened(price, line.bankrupt, spot, side * response)
        for side, price in ((-1.0, line.below), (1.0, line.above))
    )
    return line._replace(below=below, above=above)


def _tightened(price: FloatArray, bankrupt: FloatArray, spot: float, k: float) -> FloatArray:
    """Solve for one side, k negative of a fall: ``B - p = -r p (1 + k (p / S0 - 1))``, r signed."""
    rate = (bankrupt - price) / price
    moves = np.isfinite(rate) & (rate * np.sign(k) > 0.0) & (bankrupt > 0.0)
    rate = np.where(moves, rate, 0.0)
    square, line = rate * k / spot, 1.0 + rate * (1.0 - k)
    # The root in its stable form, which needs no division by a k of nothing.
    root = 2.0 * np.where(moves, bankrupt, 0.0)
    root = root / (line + np.sqrt(line * line + 2.0 * square * root))
    return np.where(moves, root, price)


def exposures(book: Book) -> tuple[FloatArray, FloatArray]:
    """Delta of each pool's positions, and of all that it holds, shape (A,) each."""
    delta = book.quantity * greeks(book).delta[book.instrument]
    traded = np.where(book.instruments.is_kind(*POSITIONS)[book.instrument], delta, 0.0)
    return group_sum(traded, book.pool, book.pools), group_sum(delta, book.pool, book.pools)


def linear(line: Line) -> tuple[BoolArray, BoolArray]:
    """Return which accounts a fall liquidates, and which a rise."""
    return ~np.isnan(line.below), ~np.isnan(line.above)


def drawn(accounts: int, seed: int, kind: Draw, spots: Mapping[str, float]) -> Population:
    """Draw accounts: sizes with a heavy tail, own money a lognormal share of what is held.

    Six of ten perpetuals are long. Of options three of four are sold: puts and calls from 70 to
    130 % of the spot, of 35 days.
    """
    rng = np.random.default_rng(seed)
    market, held, choices = _market(kind, spots)
    each = 2 if kind == "two-assets" else 1
    pick = np.stack([rng.integers(low, high, accounts) for low, high in choices[:each]], axis=1)
    notional = 2_000.0 * (1.0 + rng.pareto(1.3, accounts)).clip(max=5_000.0)
    long = rng.random((accounts, each)) < (0.25 if kind == "options" else 0.6)
    # Portfolio margin of sold options is a multiple of that of perpetuals.
    least, usual = (0.2, 0.2) if kind == "options" else (0.03, 0.12)
    share = least + np.exp(rng.normal(np.log(usual), 0.7, accounts))
    value = np.array([spots[name.partition("-")[0]] for name in held.instruments])
    quantity = np.where(long, 1.0, -1.0) * (notional / each)[:, None] / value[pick]
    account = np.arange(accounts)
    rows = Rows(
        np.concatenate([np.repeat(account, each), account]),
        np.concatenate([pick.ravel(), np.full(accounts, len(held.instruments))]),
        np.concatenate([quantity.ravel(), notional * share]),
        np.full(accounts * (each + 1), np.nan),
        tuple(f"a{number:0{len(str(accounts))}d}" for number in range(accounts)),
    )
    population = populate(market, held, rows)
    return _repaid(population) if kind == "options" else population


def _repaid(population: Population) -> Population:
    """Add what sold options brought in, so that own money is what was drawn."""
    book = population.book
    value = book.quantity * now(book)[book.instrument]
    option = book.instruments.is_kind(Kind.OPTION)[book.instrument]
    premium = group_sum(np.where(option, value, 0.0), book.pool, book.pools)
    cash = book.rows(Kind.COLLATERAL)
    quantity = book.quantity.copy()
    quantity[cash] -= premium[book.pool[cash]]
    return Population(replace(book, quantity=quantity), population.names)


def _market(
    kind: Draw, spots: Mapping[str, float]
) -> tuple[MarketSnapshot, Held, Sequence[tuple[int, int]]]:
    """Return a market, what there is to hold, and from which of it each holding is picked."""
    volatility = {"BTC": 0.5, "ETH": 0.7}
    names = ("BTC", "ETH") if kind == "two-assets" else ("BTC",)
    market = MarketSnapshot.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {
                name: {"spot": spots[name], "volatility": volatility[name]} for name in names
            },
        }
    )
    if kind != "options":
        held = tuple(f"{name}-PERPETUAL" for name in names)
        return market, Held(held, ("USD",)), ((0, 1), (1, 2))
    strikes = [round(spots["BTC"] * share, -2) for share in np.arange(0.7, 1.301, 0.05).tolist()]
    held = tuple(f"BTC-25DEC26-{strike:.0f}-{side}" for strike in strikes for side in "PC")
    return market, Held(held, ("USD",)), ((0, len(held)),)
