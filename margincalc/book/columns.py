"""Instruments as columns: all that pricing needs to know of them, and nothing of who holds them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cached_property
from operator import attrgetter, is_
from typing import Any

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows


class Kind(IntEnum):
    """What a row of `Instruments` is."""

    OPTION = 0
    FUTURE = 1
    PERPETUAL = 2
    SPOT = 3
    COLLATERAL = 4  # an asset deposited, valued at its price
    SETTLEMENT = 5  # money or coin owed: unrealised profit and unpaid cash flows


_SOURCE = "taken from"  # where rows of instruments note which rows of what they are
_DIGEST = "digest"
# Of one option, which no other value depends on.
QUOTES = frozenset({"volatility", "offset", "implied"})
PRICES = QUOTES | {"fixed", "variable", "settled", "rate", "funding"}


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
    implied : whether the volatility is what the mark implies, so that `offset` is rounding alone
    haircut, initial_haircut : share of an asset's value, or of its first tier
    cap : largest price of an asset that counts, account currency
    american : whether an option may be exercised before it expires
    listed : whether an option is an exchange's equity option, or a spot said to be such a stock
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
    implied: BoolArray
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
        """Return the given rows, each column when it is first asked for."""
        whole, own = taken_from(self)
        part = object.__new__(Instruments)
        part.__dict__[_SOURCE] = whole, rows if own is None else own[rows]
        return part

    def __getattr__(self, name: str) -> Any:
        """Copy a column that `take` has left where it was."""
        if name not in Instruments.__dataclass_fields__ or _SOURCE not in self.__dict__:
            raise AttributeError(name)
        whole, rows = self.__dict__[_SOURCE]
        column = getattr(whole, name)[rows]
        self.__dict__[name] = column
        return column

    @cached_property
    def series(self) -> IntArray:
        """Number of the underlying, expiry and strike of each row, in their order, shape (I,)."""
        whole, rows = taken_from(self)
        if rows is not None:
            number: IntArray = whole.series[rows]
            return number
        return group_rows(self.underlying, self.time, self.strike)[1]

    @cached_property
    def digest(self) -> bytes:
        """What all columns together are known by."""
        return self._digest(self._terms_digest, sorted(PRICES))

    @cached_property
    def _terms_digest(self) -> bytes:
        """What the columns that are no prices are known by; instruments at others keep it."""
        return self._digest(
            b"", [own.name for own in fields(Instruments) if own.name not in PRICES]
        )

    def _digest(self, before: bytes, names: Sequence[str]) -> bytes:
        digest = hashlib.blake2b(before, digest_size=16)
        for name in names:
            column = np.ascontiguousarray(getattr(self, name))
            digest.update(f"{column.shape}".encode())
            digest.update(column.data)
        return digest.digest()

    @property
    def forward(self) -> FloatArray:
        """Forward price, or price of an asset."""
        return self.fixed + self.variable

    def repriced(self, **columns: Any) -> "Instruments":
        """Return them with some of the `PRICES` replaced: what is known of their terms is kept."""
        if _SOURCE in self.__dict__ or not columns.keys() <= PRICES:
            return replace(self, **columns)
        moved = object.__new__(Instruments)
        moved.__dict__.update(self.__dict__, **columns)
        moved.__dict__.pop(_DIGEST, None)
        return moved

    def taken_again(self, whole: "Instruments") -> "Instruments":
        """Return these rows of their whole at other prices; the columns of terms are kept."""
        rows = taken_from(self)[1]
        part = object.__new__(Instruments)
        stale = PRICES | {_DIGEST}
        part.__dict__.update({k: own for k, own in self.__dict__.items() if k not in stale})
        part.__dict__[_SOURCE] = taken_from(whole)[0], rows
        return part

    def same_but_for_quotes(self, other: "Instruments") -> bool:
        """Whether all columns but `QUOTES` are the very same arrays."""
        one, two = _unquoted(taken_from(self)[0]), _unquoted(taken_from(other)[0])
        return all(map(is_, one, two))

    @property
    def unquoted(self) -> "Instruments":
        """Return them without their `QUOTES`: to read one is an error."""
        whole, rows = taken_from(self)
        part = object.__new__(Instruments)
        stale = QUOTES | {_DIGEST}
        part.__dict__.update({k: own for k, own in self.__dict__.items() if k not in stale})
        if rows is not None:
            part.__dict__[_SOURCE] = whole.unquoted, rows
        return part

    def is_kind(self, *kinds: Kind) -> BoolArray:
        """Return which rows are of one of the kinds."""
        found = self._kinds.get(kinds)
        if found is None:
            found = np.zeros(len(self.kind), bool)
            for kind in kinds:
                found |= self.kind == int(kind)
            found.flags.writeable = False
            self._kinds[kinds] = found
        return found

    @cached_property
    def _kinds(self) -> dict[tuple[Kind, ...], BoolArray]:
        return {}


_unquoted = attrgetter(*(own.name for own in fields(Instruments) if own.name not in QUOTES))


def taken_from(instruments: Instruments) -> tuple[Instruments, IntArray | None]:
    """Return of what instruments these are rows, and which; of all of themselves, None."""
    found: tuple[Instruments, IntArray | None] = instruments.__dict__.get(
        _SOURCE, (instruments, None)
    )
    return found
