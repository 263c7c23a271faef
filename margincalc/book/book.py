"""The computed form of a portfolio: columns, and the two moves a market makes.

An instrument row is account-free; a position row says which pool holds how much of which
instrument. A balance is a position in an asset, so that collateral, unrealised profit and
contracts all enter one product of quantities and values.

Rows stand in canonical order (pool, then instrument name), so that a pool's sums do not depend
on the order in which its file lists it, nor on the other pools of the book.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows, renumbered
from margincalc.book.columns import Instruments, Kind
from margincalc.book.labels import Names, Picked
from margincalc.book.orders import NO_ORDERS, Orders

_Found = TypeVar("_Found")
_NONE = np.zeros(0, np.int64)
MOST_PARTS = 64  # of a book that is followed; the sets of parameters of a model are fewer


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
    _parts: ClassVar[list["_Part"] | None] = None  # of one that is followed
    _found: ClassVar[dict[Hashable, Any]]  # likewise

    @property
    def pools(self) -> int:
        """The number of pools, A."""
        return len(self.names.keys)

    @cached_property
    def kind(self) -> IntArray:
        """Kind of each position row, shape (P,)."""
        return self.instruments.kind[self.instrument]

    @cached_property
    def underlying(self) -> IntArray:
        """Underlying of each position row, shape (P,); -1 where there is none."""
        return self.instruments.underlying[self.instrument]

    def rows(self, *kinds: Kind) -> IntArray:
        """Return the position rows of the given kinds."""
        found = self._rows.get(kinds)
        if found is None:
            found = np.flatnonzero(self.instruments.is_kind(*kinds)[self.instrument])
            found.flags.writeable = False
            self._rows[kinds] = found
        return found

    @cached_property
    def _rows(self) -> dict[tuple[Kind, ...], IntArray]:
        return {}

    @cached_property
    def groups(self) -> tuple[IntArray, IntArray]:
        """Position rows by pool and underlying: the first of each group, and the group of each."""
        return group_rows(self.pool, self.underlying)

    @cached_property
    def strikes(self) -> tuple[IntArray, IntArray, IntArray]:
        """Options by pool, underlying, expiry and strike.

        Their rows, shape (N,), the first of these in each group, and the group of each of them.
        """
        rows = self.rows(Kind.OPTION)
        return rows, *group_rows(self.pool[rows], self.instruments.series[self.instrument[rows]])

    def followed(self) -> "Book":
        """Return the book as one that will be repriced many times: its parts are kept, too."""
        return self._with({**self.__dict__, "_parts": [], "_found": {}, "_rows": {}})

    def once(self, what: Hashable, find: Callable[[], _Found]) -> _Found:
        """Find what holdings and terms alone decide: of a book that is followed, once."""
        if self._parts is None:
            return find()
        if what not in self._found:
            self._found[what] = find()
        found: _Found = self._found[what]
        return found

    @property
    def is_followed(self) -> bool:
        """Whether what is worked out of it is worth keeping."""
        return self._parts is not None

    def repriced(self, spot: FloatArray | None = None, **columns: Any) -> "Book":
        """Return the book at other prices; what was worked out of holdings and terms is kept.

        Parameters
        ----------
        spot : shape (U,); as it is where none is given
        columns : some of `columns.PRICES`
        """
        return self._priced(
            self.spot if spot is None else spot, self.instruments.repriced(**columns)
        )

    def _priced(self, spot: FloatArray, instruments: Instruments) -> "Book":
        """Return the book at other prices; what reads no quotes is kept if nothing else moved."""
        known = {**self.__dict__, "spot": spot, "instruments": instruments}
        if spot is not self.spot or not instruments.same_but_for_quotes(self.instruments):
            known.pop("unquoted", None)
        return self._with(known)

    @staticmethod
    def _with(known: dict[str, Any]) -> "Book":
        book = object.__new__(Book)
        book.__dict__.update(known)
        return book

    @cached_property
    def unquoted(self) -> "Unquoted":
        """The book without quotes of options, which stays the same while nothing else moves."""
        return Unquoted(self._with({**self.__dict__, "instruments": self.instruments.unquoted}), {})

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
        return self.repriced(self.spot * factor, variable=np.maximum(variable, 0.0))

    def regrouped(self, pools: IntArray, position: IntArray, order: IntArray) -> "Book":
        """Return the book with other pools, K of them, each of what one of these holds.

        Parameters
        ----------
        pools : shape (K,), the pool that each is of
        position, order : new pool of each position row and order, -1 of what is left out
        """
        rows, orders = _in_order(position), _in_order(order)
        return replace(
            self,
            names=self.names._replace(keys=Picked(self.names.keys, pools)),
            pool=position[rows],
            instrument=self.instrument[rows],
            quantity=self.quantity[rows],
            entry=self.entry[rows],
            limited=self.limited[pools],
            orders=self.orders.take(orders)._replace(pool=order[orders]),
        )

    def restricted(self, rows: IntArray, orders: IntArray = _NONE) -> tuple["Book", IntArray]:
        """Return the book with the given position rows and orders only, and what it keeps.

        Columns of which every row stays where it is are shared, not copied.

        Returns
        -------
        book : the smaller book
        held : its instruments, as rows of this one's
        """
        if self._parts is None:
            return self._restricted(rows, orders)
        for number, known in enumerate(self._parts):
            if np.array_equal(known.rows, rows) and np.array_equal(known.orders, orders):
                again = known.book.instruments.taken_again(self.instruments)
                self._parts[number] = known._replace(book=known.book._priced(self.spot, again))
                return self._parts[number].book, known.held
        part, held = self._restricted(rows, orders)
        if len(self._parts) < MOST_PARTS:
            part = part.followed()
            self._parts.append(_Part(rows.copy(), orders.copy(), part, held))
        return part, held

    def _restricted(self, rows: IntArray, orders: IntArray) -> tuple["Book", IntArray]:
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

    def of_pools(self, pools: IntArray) -> "Book":
        """Return the book of some of its pools only, numbered from 0 in the order given."""
        pool, rows = _of_pools(self.pool, pools)
        ordered, orders = _of_pools(self.orders.pool, pools)
        part, _ = self._restricted(rows, orders)
        return replace(
            part,
            names=part.names._replace(keys=Picked(self.names.keys, pools)),
            pool=pool,
            limited=self.limited[pools],
            orders=part.orders._replace(pool=ordered),
        )

    def with_volatility(self, multiple: float) -> "Book":
        """Return the book with every implied volatility multiplied."""
        return self.repriced(volatility=self.instruments.volatility * multiple)

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
            tuple(np.array(self.names.underlyings, object)[underlying]),
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


class _Part(NamedTuple):
    """Some rows and orders of a book that is followed, and the book of them at some prices."""

    rows: IntArray
    orders: IntArray
    book: Book
    held: IntArray


class Unquoted(NamedTuple):
    """A book that has no quotes of options, and what is known of it, for whoever keeps it."""

    book: Book
    known: dict[Any, Any]


def _in_order(pool: IntArray) -> IntArray:
    """Return the rows of each pool, those of -1 left out."""
    rows = np.flatnonzero(pool >= 0)
    ascending = bool(np.all(np.diff(pool[rows]) >= 0))
    return rows if ascending else rows[np.argsort(pool[rows], kind="stable")]


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
