"""From the written form to the computed form: `assemble` is the one place that crosses.

Every instrument held becomes a row of columns once, and every position, deposit, unrealised profit
and unpaid amount a row that says which pool holds how much of it.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import NO_ORDERS, Book, Instruments, Kind, Names, Orders, Pool
from margincalc.book.holdings import Holdings, inverse_profit, linear_profit, netted
from margincalc.errors import Fault, InputError
from margincalc.portfolio import LEAST, Collateral, Haircut, Order, Portfolio, Position
from margincalc.portfolio.contracts import Contract, Resolved, resolve
from margincalc.portfolio.quotes import Mark, Market
from margincalc.risk import now

Label = Callable[[Position | Order | Collateral, Contract | None], Pool]
"""Names the pool of a position or an order, or (without a contract) of a deposit."""

_KINDS = {
    "option": Kind.OPTION,
    "future": Kind.FUTURE,
    "perpetual": Kind.PERPETUAL,
    "spot": Kind.SPOT,
}
# A row of each per instrument, filled up with 0.
_RAGGED = ("dividend_time", "dividend_share", "tier_start", "tier_step", "initial_tier_step")
SECONDS_PER_DAY = 86400.0
_MONEY = "money"  # the row in which linear profits and unpaid amounts are booked
_TYPES = {
    "kind": np.int64,
    "underlying": np.int64,
    "call": bool,
    "inverse": bool,
    "american": bool,
    "listed": bool,
}
_QUOTE_ACCOUNT = "keep the account in its quote currency: `currency: USD`"


class Assembly(NamedTuple):
    """A book, with the terms and times of what it holds.

    Attributes
    ----------
    book : the computed form
    contracts : terms of each written position
    pools, ordered : pool of each written position, and of each order
    as_of : the valuation time
    notes : what was decided on the way and a reader should know
    """

    book: Book
    contracts: tuple[Contract, ...]
    pools: tuple[Pool, ...]
    ordered: tuple[Pool, ...]
    as_of: dt.datetime
    notes: tuple[str, ...]


class _Row(NamedTuple):
    """One instrument before it becomes columns; the fields of `Instruments` and a name."""

    name: str
    kind: Kind
    underlying: int = -1
    time: float = 0.0
    strike: float = 0.0
    call: bool = False
    inverse: bool = False
    multiplier: float = 1.0
    fixed: float = 0.0
    variable: float = 1.0
    settled: float = 0.0
    rate: float = 0.0
    volatility: float = 0.0
    beta: float = 1.0
    offset: float = 0.0
    haircut: float = 0.0
    initial_haircut: float = 0.0
    cap: float = np.inf
    american: bool = False
    listed: bool = False
    confidence: float = 1.0
    funding: float = 0.0
    dividend_time: tuple[float, ...] = ()
    dividend_share: tuple[float, ...] = ()
    tier_start: tuple[float, ...] = ()
    tier_step: tuple[float, ...] = ()
    initial_tier_step: tuple[float, ...] = ()


@dataclass
class _Draft:
    """A book while it is being put together."""

    portfolio: Portfolio
    market: Market
    as_of: dt.datetime
    underlyings: tuple[str, ...]
    rows: dict[str, _Row] = field(default_factory=dict)
    held: list[tuple[Pool, str, float, float]] = field(default_factory=list)
    """Pool, instrument, quantity and entry price, NaN where there is none."""
    ordered: list[tuple[Pool, str, float, float]] = field(default_factory=list)
    """Pool, instrument, quantity and limit price of orders."""
    marks: dict[str, Mark] = field(default_factory=dict)  # of options
    unknown: list[str] = field(default_factory=list)  # options whose mark gives the volatility
    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: str, found: str, wanted: str, remedy: str) -> None:
        """Note a fault; they are raised together."""
        self.faults.append(Fault(self.portfolio.place(place), found, wanted, remedy))

    @property
    def coin(self) -> bool:
        """Whether the account is kept in an underlying's coin."""
        return self.portfolio.currency in self.underlyings


def assemble(portfolio: Portfolio, label: Label) -> Assembly:
    """Compute the columns of a portfolio, its pools named by `label`.

    Raises
    ------
    InputError
        With every fault found: terms that do not resolve, an option without volatility, a mark
        below intrinsic value.
    """
    resolved = resolve(portfolio)
    market = Market(portfolio, resolved)
    draft = _Draft(portfolio, market, resolved.as_of, tuple(sorted(portfolio.market)))
    for number, contract in enumerate(resolved.positions):
        if contract.name not in draft.rows:
            _add_contract(draft, contract, f"positions[{number}]")
        _hold(draft, label, number, contract)
    for number, contract in enumerate(resolved.orders):
        if contract.name not in draft.rows:
            _add_contract(draft, contract, f"orders[{number}]")
        order = portfolio.orders[number]
        draft.ordered.append((label(order, contract), contract.name, order.quantity, order.price))
    for number, deposit in enumerate(portfolio.collateral):
        _deposit(draft, number, label(deposit, None))
    _refuse_foreign_coin(draft, resolved)
    if draft.faults:
        raise InputError(draft.faults)
    book = _marked(draft, _book(draft))
    written = zip(portfolio.positions, resolved.positions, strict=True)
    pools = tuple(label(position, contract) for position, contract in written)
    ordered = tuple(pool for pool, _, _, _ in draft.ordered)
    return Assembly(book, resolved.positions, pools, ordered, resolved.as_of, resolved.notes)


def _add_contract(draft: _Draft, contract: Contract, place: str) -> None:
    terms = draft.market.terms(contract)
    row = _Row(
        contract.name,
        _KINDS[contract.kind],
        draft.underlyings.index(contract.underlying),
        terms.time,
        contract.strike,
        contract.call,
        contract.inverse,
        contract.multiplier,
        terms.fixed,
        terms.variable,
        terms.fixed + terms.variable,
        terms.rate,
    )
    row = row._replace(
        confidence=_confidence(draft.market.confidence(contract)),
        funding=draft.market.funding(contract),
        listed=contract.listed,
    )
    if terms.fixed + terms.variable < LEAST:
        _refuse_forward(draft, contract, row, place)
    elif contract.kind == "option":
        volatility = _volatility(draft, contract, place)
        row = row._replace(volatility=volatility, american=contract.american)
        row = _with_dividends(draft, row, contract) if contract.american else row
    draft.rows[contract.name] = row


def _refuse_forward(draft: _Draft, contract: Contract, row: _Row, place: str) -> None:
    """Refuse a contract whose forward is not positive, or its inverse no number."""
    carried = contract.expiry is not None and draft.market.quoted_forward(contract) is None
    if carried and row.fixed + row.variable <= 0.0:
        _refuse_dividends(draft, contract)
        return
    where = f"market.{contract.underlying}.expiries" if contract.expiry is not None else place
    wanted = f"a forward greater than 0, at least {LEAST:g}"
    remedy = "state the `forward` of its expiry, or correct the rate and the yield"
    if not carried:
        remedy = "correct it, or its parts"
    found = f"a forward of {row.fixed + row.variable:g} for {contract.name}"
    draft.fault(where, found, wanted, remedy)


def _refuse_dividends(draft: _Draft, contract: Contract) -> None:
    draft.fault(
        f"market.{contract.underlying}.dividends",
        f"dividends before the expiry of {contract.name} that exceed the spot",
        "dividends worth less than the spot",
        "a dividend is an amount per unit of the underlying: correct it, or the spot",
    )


def _with_dividends(draft: _Draft, row: _Row, contract: Contract) -> _Row:
    """Add the dividends for which an option may be exercised early, as shares of the spot."""
    dividends = draft.market.dividends(contract)
    if not dividends:
        return row
    from margincalc.pricing.american import shares  # few underlyings pay any

    times, amounts = (np.array(column) for column in zip(*dividends, strict=True))
    spot = draft.portfolio.market[contract.underlying].spot
    if np.sum(amounts * np.exp(-row.rate * times)) >= spot:
        _refuse_dividends(draft, contract)
        return row
    share = shares(amounts, times, spot, row.rate)
    return row._replace(dividend_time=tuple(times), dividend_share=tuple(share))


def _volatility(draft: _Draft, contract: Contract, place: str) -> float:
    """Return the quoted or default volatility; 0 where the mark is to give it."""
    mark = draft.market.mark(contract)
    if mark is not None:
        draft.marks[contract.name] = mark
    quoted = draft.market.volatility(contract)
    if quoted is not None:
        return quoted
    if mark is not None:
        draft.unknown.append(contract.name)
        return 0.0
    try:
        default = draft.market.default_volatility(contract, draft.market.terms(contract))
    except ValueError as error:  # an SVI fit that gives none at this strike
        found, _, wanted = str(error).partition("; wanted ")
        where = f"market.{contract.underlying}.expiries"
        draft.fault(where, f"for {contract.name}, {found}", wanted, "correct its `svi`")
        return 0.0
    if default is None:
        draft.fault(
            place,
            f"no volatility for {contract.name}",
            "a volatility, a mark or a default",
            "add `volatility: 0.6` to the position, to `quotes`, or to "
            f"`market.{contract.underlying}`",
        )
    return default or 0.0


def _hold(draft: _Draft, label: Label, number: int, contract: Contract) -> None:
    """Book a position, the profit it has made and what it is still owed."""
    position = draft.portfolio.positions[number]
    pool = label(position, contract)
    entry = np.nan if position.entry_price is None else position.entry_price
    draft.held.append((pool, contract.name, position.quantity, entry))
    row = draft.rows[contract.name]
    money, coin = position.unsettled, 0.0
    if row.kind in (Kind.FUTURE, Kind.PERPETUAL) and position.entry_price is not None:
        size, forward = position.quantity * row.multiplier, row.fixed + row.variable
        if row.inverse and position.entry_price >= LEAST <= forward:  # else a fault
            coin, money = inverse_profit(size, position.entry_price, forward), 0.0
        elif not row.inverse:
            money += linear_profit(size, position.entry_price, forward)
    if row.inverse:
        coin, money = coin + position.unsettled, 0.0
    if money:
        draft.held.append((pool, _settlement(draft, None, contract), money, np.nan))
    if coin:
        draft.held.append((pool, _settlement(draft, contract.underlying, contract), coin, np.nan))


def _settlement(draft: _Draft, coin: str | None, contract: Contract) -> str:
    """Return the name of the row for money or coin owed, adding it the first time."""
    own = draft.underlyings.index(contract.underlying)
    if coin is not None:
        row = _Row(f"{coin} owed", Kind.SETTLEMENT, own, variable=draft.portfolio.market[coin].spot)
    else:
        # In a coin account money itself moves, against the coin.
        row = _Row(_MONEY, Kind.SETTLEMENT, own if draft.coin else -1, beta=0.0)
    draft.rows.setdefault(row.name, row)
    return row.name


def _deposit(draft: _Draft, number: int, pool: Pool) -> None:
    deposit = draft.portfolio.collateral[number]
    moves_with = deposit.moves_with or deposit.asset
    underlying = -1
    if moves_with in draft.underlyings:
        underlying = draft.underlyings.index(moves_with)
    beta = deposit.beta if underlying >= 0 else 0.0
    if draft.coin and underlying < 0:
        underlying = draft.underlyings.index(draft.portfolio.currency)
    name = deposit_name(deposit.asset, number, len(draft.portfolio.collateral))
    row = _Row(
        name,
        Kind.COLLATERAL,
        underlying,
        variable=_asset_price(draft, deposit),
        beta=beta,
        cap=_per_unit(deposit, deposit.cap),
        confidence=_confidence(deposit.confidence),
    )
    draft.rows[name] = _with_haircuts(row, deposit)
    draft.held.append((pool, name, deposit.quantity, np.nan))


def deposit_name(asset: str, number: int, count: int) -> str:
    """Name the instrument of a deposit, one of `count`, numbered from 0."""
    # Names order rows, so the numbers are of one width.
    return f"{asset} deposit {number + 1:0{len(str(count))}d}"


def money_name(contract: Contract) -> str:
    """Name the instrument in which a contract's profits and premiums are owed."""
    return f"{contract.underlying} owed" if contract.inverse else _MONEY


def _with_haircuts(row: _Row, deposit: Collateral) -> _Row:
    """Add a deposit's haircuts, those of tiers as steps from one to the next."""
    written = [tier.haircut for tier in deposit.tiers] or [deposit.haircut]
    pairs = [
        (one.maintenance, one.initial) if isinstance(one, Haircut) else (one, one)
        for one in written
    ]
    steps = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(pairs)]
    return row._replace(
        haircut=pairs[0][0],
        initial_haircut=pairs[0][1],
        tier_start=tuple(_per_unit(deposit, tier.up_to) for tier in deposit.tiers[:-1]),
        tier_step=tuple(step for step, _ in steps),
        initial_tier_step=tuple(step for _, step in steps),
    )


def _per_unit(deposit: Collateral, bound: float | None) -> float:
    """Return a bound per unit, so that a share of a deposit has its share of the bound."""
    if bound is None or deposit.quantity <= 0.0:
        return np.inf
    return bound / deposit.quantity


def _asset_price(draft: _Draft, deposit: Collateral) -> float:
    """Return an asset's price in quote currency; it is written in the account's."""
    market = draft.portfolio.market
    if deposit.price is not None:
        return deposit.price * (market[draft.portfolio.currency].spot if draft.coin else 1.0)
    if deposit.asset not in market:
        return 1.0
    # A spot is in the unit of account; what the account settles in may trade below it.
    return market[deposit.asset].spot / (1.0 if draft.coin else draft.portfolio.stable_price)


def _refuse_foreign_coin(draft: _Draft, resolved: Resolved) -> None:
    """Refuse an account in one coin that holds what moves with another."""
    if not draft.coin:
        return
    currency = draft.portfolio.currency
    written = [(f"positions[{n}]", held) for n, held in enumerate(resolved.positions)]
    written += [(f"orders[{n}]", asked) for n, asked in enumerate(resolved.orders)]
    for path, contract in written:
        if contract.underlying != currency:
            draft.fault(
                f"{path}.instrument",
                f"a contract on {contract.underlying} in an account kept in {currency}",
                f"contracts on {currency}",
                _QUOTE_ACCOUNT,
            )
    for number, deposit in enumerate(draft.portfolio.collateral):
        follows = deposit.moves_with or deposit.asset
        if follows in draft.underlyings and follows != currency:
            draft.fault(
                f"collateral[{number}]",
                f"an asset that moves with {follows} in an account kept in {currency}",
                f"money and {currency}",
                _QUOTE_ACCOUNT,
            )


def _book(draft: _Draft) -> Book:
    """Turn rows into columns, in canonical order, netting what a pool holds twice."""
    rows = sorted(draft.rows.values(), key=lambda row: row.name)
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
    columns = {
        column.name: np.array(
            [getattr(row, column.name) for row in rows], _TYPES.get(column.name, np.float64)
        )
        for column in fields(Instruments)
        if column.name not in _RAGGED
    }
    for name in _RAGGED:
        ragged = [getattr(row, name) for row in rows]
        most = max((len(own) for own in ragged), default=0)
        padded = [own + (0.0,) * (most - len(own)) for own in ragged]
        columns[name] = np.array(padded, np.float64).reshape(len(rows), most)
    market = draft.portfolio.market
    return Book(
        Names(tuple(pools), draft.underlyings, tuple(number)),
        np.array([market[name].spot for name in draft.underlyings], np.float64),
        Instruments(**columns),
        *held,
        np.array([_confidence(market[name].confidence) for name in draft.underlyings], np.float64),
        np.zeros(len(pools), bool),
        np.array([market[name].volatility or np.nan for name in draft.underlyings], np.float64),
        draft.coin,
        draft.portfolio.stable_price,
        orders,
        draft.as_of.timestamp() / SECONDS_PER_DAY,
    )


def _orders(draft: _Draft, pools: dict[Pool, int], number: dict[str, int]) -> Orders:
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


def _confidence(stated: float | None) -> float:
    """A feed of which nothing is said is trusted."""
    return 1.0 if stated is None else stated


def _marked(draft: _Draft, book: Book) -> Book:
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


def _implied(draft: _Draft, book: Book, rows: IntArray, quoted: FloatArray) -> Book:
    from margincalc.risk.marks import implied  # not every file has marks

    columns = book.instruments.take(rows)
    found = implied(book, rows, quoted)
    volatility = book.instruments.volatility.copy()
    for index, (name, mark) in enumerate(draft.marks.items()):
        if name not in draft.unknown:
            continue
        if np.isnan(found[index]):
            _no_volatility(draft, name, mark, columns, index)
        volatility[rows[index]] = found[index]
    if draft.faults:
        raise InputError(draft.faults)
    return replace(book, instruments=replace(book.instruments, volatility=volatility))


def _no_volatility(draft: _Draft, name: str, mark: Mark, columns: Instruments, index: int) -> None:
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
