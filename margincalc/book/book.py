"""The computed form of a portfolio: columns, and the two moves a market makes.

An instrument row is account-free; a position row says which pool holds how much of which
instrument. A balance is a position in an asset, so that collateral, unrealised profit and
contracts all enter one product of quantities and values.

Rows stand in canonical order (pool, then instrument name), so that a pool's sums do not depend
on the order in which its file lists it, nor on the other pools of the book.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, renumbered
from margincalc.book.columns import Instruments, Kind

__all__ = ["NO_ORDERS", "Book", "Instruments", "Kind", "Names", "Orders", "Pool"]


class Pool(NamedTuple):
    """Which collateral a row shares; rows of equal pools are margined together.

    Attributes
    ----------
    venue : where it is, "" where that is not said
    share : `account`, `group`, `instrument`, or `unallocated` for deposits that no pool holds yet
    name : of the account, group or instrument
    owner : account that it belongs to, in a book of several; "" where that need not be said
    """

    venue: str
    share: Literal["account", "group", "instrument", "unallocated"]
    name: str
    owner: str = ""

    @property
    def title(self) -> str:
        """What a report calls it."""
        if self.share == "account":
            return self.venue or self.name
        return f"{self.venue}: {self.name}" if self.venue else self.name


class Names(NamedTuple):
    """What the rows are called; carried for reports, never computed with."""

    keys: Sequence[Pool]  # [A]
    underlyings: tuple[str, ...]  # [U]
    instruments: tuple[str, ...]  # [I]

    @property
    def pools(self) -> tuple[str, ...]:
        """What reports call the pools, [A]."""
        return tuple(key.title for key in self.keys)


class Picked(Sequence[Pool]):
    """Some of the keys of pools, looked up when somebody asks: of a million, few are."""

    def __init__(self, keys: Sequence[Pool], rows: IntArray) -> None:
        self._keys, self._rows = keys, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        chosen = self._rows[index]
        return [self._keys[row] for row in chosen] if chosen.ndim else self._keys[int(chosen)]


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

    def moving(self, *kinds: Kind) -> BoolArray:
        """Return which position rows are balances whose value moves with a spot, shape (P,)."""
        return self.moving_instruments(*kinds)[self.instrument]

    def moving_instruments(self, *kinds: Kind) -> BoolArray:
        """Return which instruments are balances whose value moves with a spot, shape (I,).

        In an account kept in coin it is money that moves, and the coin that does not.
        """
        columns = self.instruments
        moves = columns.is_kind(*kinds) & (columns.underlying >= 0)
        moves &= columns.beta != (1.0 if self.coin else 0.0)
        return moves

    def money(self, price: FloatArray, rows: IntArray) -> FloatArray:
        """Convert quote-currency prices of position rows to the account currency."""
        if not self.coin:
            return price
        return price / self.spot[self.instruments.underlying[self.instrument[rows]]]

    def shifted(self, factor: FloatArray) -> "Book":
        """Return the book with each spot multiplied, shape (U,); volatility stays by strike."""
        columns = self.instruments
        moved = np.where(columns.underlying >= 0, factor[columns.underlying], 1.0)
        variable = columns.variable * (1.0 + columns.beta * (moved - 1.0))
        instruments = replace(columns, variable=np.maximum(variable, 0.0))
        return replace(self, spot=self.spot * factor, instruments=instruments)

    def restricted(self, rows: IntArray, orders: IntArray = _NONE) -> tuple["Book", IntArray]:
        """Return the book with the given position rows and orders only, and what it keeps.

        Columns of which every row stays where it is are shared, not copied.

        Returns
        -------
        book : the smaller book
        held : its instruments, as rows of this one's
        """
        chosen, count = self.orders.take(orders), len(rows)
        whole = count == len(self.pool) and bool(np.all(rows[1:] > rows[:-1]))
        own = slice(None) if whole else rows
        named = np.concatenate([self.instrument[own], chosen.instrument])
        held, instrument = renumbered(named, len(self.instruments.kind))
        book = replace(
            self,
            names=self.names._replace(instruments=()),
            instruments=self.instruments.take(held),
            pool=self.pool[own],
            instrument=instrument[:count],
            quantity=self.quantity[own],
            entry=self.entry[own],
            orders=chosen._replace(instrument=instrument[count:]),
        )
        return book, held

    def with_volatility(self, multiple: float) -> "Book":
        """Return the book with every implied volatility multiplied."""
        volatility = self.instruments.volatility * multiple
        return replace(self, instruments=replace(self.instruments, volatility=volatility))

    def copies(
        self, pools: IntArray, factor: FloatArray, volatility: FloatArray | None = None
    ) -> "Book":
        """Return a book of K pools, each in a market of its own choice.

        Pool k is a copy of pool ``pools[k]`` with each spot multiplied by ``factor[k]``. A ladder
        of spots is therefore a book like any other, and is margined by the same functions.

        Parameters
        ----------
        pools : shape (K,)
        factor : shape (K, U)
        volatility : shape (K,), what every implied volatility of a copy is multiplied by
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
        keys = (held, moves) if volatility is None else (held, moves, volatility[owner])
        first, number = group_rows(*keys)
        columns = replace(self.instruments.take(held[first]), underlying=moves[first])
        if volatility is not None:
            moved = columns.volatility * volatility[owner[first]]
            columns = replace(columns, volatility=moved)
        underlying = first_market % max(width, 1)
        names = Names(
            Picked(self.names.keys, pools),
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
