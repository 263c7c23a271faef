"""The computed form of a portfolio: columns, and the two moves a market makes.

An instrument row is account-free; a position row says which pool holds how much of which
instrument. A balance is a position in an asset, so that collateral, unrealised profit and
contracts all enter one product of quantities and values.

Rows stand in canonical order (pool, then instrument name), so that a pool's sums do not depend
on the order in which its file lists it, nor on the other pools of the book.
"""

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Literal, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows


class Pool(NamedTuple):
    """Which collateral a row shares; rows of equal pools are margined together.

    Attributes
    ----------
    venue : where it is, "" where that is not said
    share : `account`, `group`, `instrument`, or `unallocated` for deposits that no pool holds yet
    name : of the account, group or instrument
    """

    venue: str
    share: Literal["account", "group", "instrument", "unallocated"]
    name: str

    @property
    def title(self) -> str:
        """What a report calls it."""
        if self.share == "account":
            return self.venue or self.name
        return f"{self.venue}: {self.name}" if self.venue else self.name


class Kind(IntEnum):
    """What a row of `Instruments` is."""

    OPTION = 0
    FUTURE = 1
    PERPETUAL = 2
    SPOT = 3
    COLLATERAL = 4  # an asset deposited, valued at its price
    SETTLEMENT = 5  # money or coin owed: unrealised profit and unpaid cash flows


@dataclass(frozen=True, eq=False)
class Instruments:
    """Columns of shape (I,).

    Attributes
    ----------
    kind : a `Kind`
    underlying : row of `Book.spot`; -1 where nothing moves the instrument
    time : years to expiry, 0 where there is none
    strike : quote currency per unit
    call : whether an option is a call
    inverse : settled in coin
    multiplier : units of the underlying (inverse delta-one: of the quote currency) per contract
    fixed, variable : the forward's two parts; price of an asset is its variable part
    settled : forward at which a future's or perpetual's profit was last booked as a balance
    rate : discount rate: of the quote currency (linear) or of the coin (inverse)
    volatility : decimal per year
    beta : relative move per relative move of the spot
    offset : mark less model value of one long unit, account currency
    haircut, initial_haircut : share of an asset's value, or of its first tier
    cap : largest price of an asset that counts, account currency
    american : whether an option may be exercised before it expires
    listed : whether an option is an exchange's equity option
    confidence : of the feeds that price the instrument alone, from 0 to 1
    funding : what a perpetual's long pays per eight hours, as a share of the spot
    dividend_time, dividend_share : shape (I, D); dividends in the life of an American option, years
        until each and its share of the spot, 0 where there are fewer
    tier_start, tier_step, initial_tier_step : shape (I, T); price of an asset from which another
        haircut applies, account currency, and what it is more than the one before, 0 where there
        are fewer tiers
    """

    kind: IntArray
    underlying: IntArray
    time: FloatArray
    strike: FloatArray
    call: BoolArray
    inverse: BoolArray
    multiplier: FloatArray
    fixed: FloatArray
    variable: FloatArray
    settled: FloatArray
    rate: FloatArray
    volatility: FloatArray
    beta: FloatArray
    offset: FloatArray
    haircut: FloatArray
    initial_haircut: FloatArray
    cap: FloatArray
    american: BoolArray
    listed: BoolArray
    confidence: FloatArray
    funding: FloatArray
    dividend_time: FloatArray
    dividend_share: FloatArray
    tier_start: FloatArray
    tier_step: FloatArray
    initial_tier_step: FloatArray

    def take(self, rows: IntArray) -> "Instruments":
        """Return the given rows."""
        columns = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return Instruments(**columns)

    @property
    def forward(self) -> FloatArray:
        """Forward price, or price of an asset."""
        return self.fixed + self.variable

    def is_kind(self, *kinds: Kind) -> BoolArray:
        """Return which rows are of one of the kinds."""
        found = np.zeros(len(self.kind), bool)
        for kind in kinds:
            found |= self.kind == int(kind)
        return found


class Names(NamedTuple):
    """What the rows are called; carried for reports, never computed with."""

    keys: tuple[Pool, ...]  # [A]
    underlyings: tuple[str, ...]  # [U]
    instruments: tuple[str, ...]  # [I]

    @property
    def pools(self) -> tuple[str, ...]:
        """What reports call the pools, [A]."""
        return tuple(key.title for key in self.keys)


class Orders(NamedTuple):
    """Open orders as columns of shape (O,), in canonical order (pool, then instrument).

    Attributes
    ----------
    pool, instrument : rows of the book
    quantity : signed; a positive one buys
    price : limit, in the unit in which the instrument is quoted
    """

    pool: IntArray
    instrument: IntArray
    quantity: FloatArray
    price: FloatArray

    def take(self, rows: IntArray) -> "Orders":
        """Return the given rows."""
        return Orders(self.pool[rows], self.instrument[rows], self.quantity[rows], self.price[rows])


_NONE = np.zeros(0, np.int64)
NO_ORDERS = Orders(_NONE, _NONE, np.zeros(0), np.zeros(0))


@dataclass(frozen=True, eq=False)
class Book:
    """Pools of positions in one market.

    Attributes
    ----------
    names : labels of pools, underlyings and instruments
    spot : shape (U,), quote currency
    instruments : columns of shape (I,)
    pool : shape (P,), row of the pool that holds a position
    instrument : shape (P,), row of the instrument held
    quantity : shape (P,), signed
    entry : shape (P,), average entry price; NaN where it is not known
    confidence : shape (U,), of the spot feeds, from 0 to 1
    volatility : shape (U,), of each underlying as its market states it, decimal per year; NaN where
        it states none
    stable : price of the money that the account settles in, in its unit of account
    coin : amounts are in coin, each row's own underlying; otherwise in the quote currency
    limited : shape (A,), whether a pool loses no more than its collateral (isolated)
    orders : open orders; part of no value, and of the requirement of a model that margins them
    valued : days from 1970-01-01 to the valuation, UTC; NaN where it is not known
    """

    names: Names
    spot: FloatArray
    instruments: Instruments
    pool: IntArray
    instrument: IntArray
    quantity: FloatArray
    entry: FloatArray
    confidence: FloatArray
    limited: BoolArray
    volatility: FloatArray
    coin: bool = False
    stable: float = 1.0
    orders: Orders = NO_ORDERS
    valued: float = np.nan

    @property
    def pools(self) -> int:
        """The number of pools, A."""
        return len(self.names.keys)

    @property
    def kind(self) -> IntArray:
        """Kind of each position row, shape (P,)."""
        return self.instruments.kind[self.instrument]

    @property
    def underlying(self) -> IntArray:
        """Underlying of each position row, shape (P,); -1 where there is none."""
        return self.instruments.underlying[self.instrument]

    def rows(self, *kinds: Kind) -> IntArray:
        """Return the position rows of the given kinds."""
        return np.flatnonzero(self.instruments.is_kind(*kinds)[self.instrument])

    def money(self, price: FloatArray, rows: IntArray) -> FloatArray:
        """Convert quote-currency prices of position rows to the account currency."""
        return price / self.spot[self.underlying[rows]] if self.coin else price

    def shifted(self, factor: FloatArray) -> "Book":
        """Return the book with each spot multiplied, shape (U,); volatility stays by strike."""
        columns = self.instruments
        moved = np.where(columns.underlying >= 0, factor[columns.underlying], 1.0)
        variable = columns.variable * (1.0 + columns.beta * (moved - 1.0))
        instruments = replace(columns, variable=np.maximum(variable, 0.0))
        return replace(self, spot=self.spot * factor, instruments=instruments)

    def restricted(self, rows: IntArray, orders: IntArray = _NONE) -> tuple["Book", IntArray]:
        """Return the book with the given position rows and orders only, and what it keeps.

        Returns
        -------
        book : the smaller book
        held : its instruments, as rows of this one's
        """
        chosen = self.orders.take(orders)
        named = np.concatenate([self.instrument[rows], chosen.instrument])
        first, instrument = group_rows(named)
        book = replace(
            self,
            names=self.names._replace(instruments=()),
            instruments=self.instruments.take(named[first]),
            pool=self.pool[rows],
            instrument=instrument[: len(rows)],
            quantity=self.quantity[rows],
            entry=self.entry[rows],
            orders=chosen._replace(instrument=instrument[len(rows) :]),
        )
        return book, named[first]

    def with_volatility(self, multiple: float) -> "Book":
        """Return the book with every implied volatility multiplied."""
        volatility = self.instruments.volatility * multiple
        return replace(self, instruments=replace(self.instruments, volatility=volatility))

    def copies(self, pools: IntArray, factor: FloatArray) -> "Book":
        """Return a book of K pools, each in a market of its own choice.

        Pool k is a copy of pool ``pools[k]`` with each spot multiplied by ``factor[k]``. A ladder
        of spots is therefore a book like any other, and is margined by the same functions.

        Parameters
        ----------
        pools : shape (K,)
        factor : shape (K, U)
        """
        copy, rows = _of_pools(self.pool, pools)
        ordered, chosen = _of_pools(self.orders.pool, pools)
        owner = np.concatenate([copy, ordered])
        held = np.concatenate([self.instrument[rows], self.orders.instrument[chosen]])
        # Copies in which a spot is the same share it, and the instruments that it moves.
        width = len(self.spot)
        first_market, market = group_rows(np.tile(np.arange(width), len(pools)), factor.ravel())
        moves = self.instruments.underlying[held]
        moves[moves >= 0] = market[(owner * width + moves)[moves >= 0]]
        first, number = group_rows(held, moves)
        columns = replace(self.instruments.take(held[first]), underlying=moves[first])
        underlying = first_market % max(width, 1)
        names = Names(
            tuple(self.names.keys[pool] for pool in pools),
            tuple(self.names.underlyings[one] for one in underlying),
            (),  # nobody reports a copy by instrument
        )
        book = Book(
            names,
            self.spot[underlying],
            columns,
            copy,
            number[: len(rows)],
            self.quantity[rows],
            self.entry[rows],
            self.confidence[underlying],
            self.limited[pools],
            self.volatility[underlying],
            self.coin,
            self.stable,
            Orders(
                ordered,
                number[len(rows) :],
                self.orders.quantity[chosen],
                self.orders.price[chosen],
            ),
            self.valued,
        )
        return book.shifted(factor.ravel()[first_market])


def _of_pools(column: IntArray, pools: IntArray) -> tuple[IntArray, IntArray]:
    """Number the rows of each pool asked for, given the sorted pools of all rows.

    Returns
    -------
    copy : which entry of `pools` a row is for
    rows : the row
    """
    start = np.searchsorted(column, pools)
    counts = np.searchsorted(column, pools, side="right") - start
    copy = np.repeat(np.arange(len(pools)), counts)
    within = np.arange(len(copy)) - np.repeat(np.cumsum(counts) - counts, counts)
    return copy, start[copy] + within
