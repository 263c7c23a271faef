"""Values of instruments in one market that moves a little at a time.

Of what a pricer keeps, only rows of which a column, or the spot of their underlying, differs from
the last time are computed again; columns that are the same arrays are not looked at.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import AnyArray, FloatArray, IntArray
from margincalc.book import Book
from margincalc.book.columns import Instruments, taken_from
from margincalc.risk.known import digest
from margincalc.scenarios import ScenarioGrid

MOST_DIGESTS = 100  # of scenarios, kept so that they are not made again; few models have as many
_columns: Callable[[Instruments], tuple[AnyArray, ...]] = attrgetter(
    *(field.name for field in fields(Instruments))
)
Key = tuple[Any, ...]


class _Market(NamedTuple):
    """All that values of instruments depend on."""

    instruments: Instruments
    spot: FloatArray
    coin: bool

    def is_(self, other: "_Market") -> bool:
        """Whether it is the very same."""
        same = self.instruments is other.instruments and self.spot is other.spot
        return same and self.coin == other.coin


class _Kept(NamedTuple):
    """A value, shape (I, ...), what it was asked for with, and the market that it is of."""

    more: tuple[Any, ...]
    market: _Market
    value: FloatArray


class _Step(NamedTuple):
    """From one market to the next: the rows that moved, and the book of their instruments."""

    before: _Market
    after: _Market
    rows: IntArray
    book: Book


class _Joint(NamedTuple):
    """Values that are computed at once, and with what."""

    keys: tuple[Key, ...]
    more: tuple[Any, ...]


class Latest:
    """The last values of a market, for a book whose instruments are the same all along."""

    def __init__(self) -> None:
        self._kept: dict[Key, _Kept] = {}
        self._digests: dict[int, tuple[Any, bytes]] = {}
        self._joints: dict[tuple[Key, ...], _Joint] = {}
        self._last: _Step | None = None

    def value(
        self, compute: Callable[..., FloatArray], book: Book, more: tuple[Any, ...]
    ) -> FloatArray:
        """Return ``compute(book, *more)``, shape (I, ...): to be read, until the market moves."""
        whole, rows = taken_from(book.instruments)
        market = _Market(whole, book.spot, book.coin)
        key = compute, book.coin, *map(self._digest, more)
        kept = self._kept.get(key)
        if kept is None or not kept.market.is_(market):
            step = None if kept is None else self._step(kept.market, market, book)
            if step is None:
                value = compute(replace(book, instruments=whole), *more)
                self._kept[key] = _Kept(more, market, value)
            elif len(step.rows):
                self._follow(key, step)
            else:
                self._kept[key] = _Kept(more, market, self._kept[key].value)
        found = self._kept[key].value[_slice(rows)]
        if found.base is not None:  # a view of what will be written to; no kernel keeps it
            found.flags.writeable = False
        return found

    def _follow(self, key: Key, step: _Step) -> None:
        """Compute the rows that moved again, at once in all scenarios that were asked for."""
        joint = self._together(key, step.before)
        new = key[0](step.book, *joint.more)
        start = 0
        for each in joint.keys:
            more, _, value = self._kept[each]
            value[step.rows] = new[:, start : start + value.shape[1]]
            start += value.shape[1]
            self._kept[each] = _Kept(more, step.after, value)

    def _together(self, key: Key, before: _Market) -> "_Joint":
        """Return what else is kept of the same market, and differs in its scenarios alone."""
        more = self._kept[key].more
        keys: tuple[Key, ...] = (key,)
        if len(more) == 1 and isinstance(more[0], ScenarioGrid):
            for other, kept in self._kept.items():
                if other[:2] == key[:2] and other != key and kept.market.is_(before):
                    keys = *keys, other
        if keys not in self._joints:
            self._joints[keys] = self._joint(keys)
        return self._joints[keys]

    def _joint(self, keys: tuple[Key, ...]) -> "_Joint":
        """Put scenarios together, as far as volatility moves by one rule."""
        chosen, more = keys[:1], self._kept[keys[0]].more
        for key in keys[1:]:
            both = more[0].beside(self._kept[key].more[0])
            if both is not None:
                chosen, more = (*chosen, key), (both,)
        return _Joint(chosen, more)

    def _step(self, before: _Market, after: _Market, book: Book) -> _Step | None:
        """Return what moved, the last step again where that is asked; None for most rows."""
        last = self._last
        if last is None or not (last.before.is_(before) and last.after.is_(after)):
            rows = _moved(before, after)
            if rows is None:
                return None
            part = replace(book, instruments=after.instruments.take(rows))
            self._last = last = _Step(before, after, rows, part)
        return last

    def _digest(self, part: Any) -> bytes:
        """Digest a part of a key, once; while it is kept, no other object has its number."""
        known = self._digests.get(id(part))
        if known is None:
            if len(self._digests) >= MOST_DIGESTS:
                self._digests.clear()
            known = self._digests[id(part)] = part, digest((part,))
        return known[1]


def _moved(before: _Market, after: _Market) -> IntArray | None:
    """Return the rows that differ in any column or in their spot; None if most do or others are."""
    underlying = after.instruments.underlying
    differ = np.zeros(len(underlying), bool)
    same = len(differ) == len(before.instruments.kind) and len(after.spot) == len(before.spot)
    if not same:
        return None
    for one, other in zip(_columns(before.instruments), _columns(after.instruments), strict=True):
        if one is not other:
            unequal = one != other
            differ |= unequal if unequal.ndim == 1 else np.any(unequal, axis=1)
    if after.spot is not before.spot and len(after.spot):
        differ |= (after.spot != before.spot)[underlying] & (underlying >= 0)
    rows = np.flatnonzero(differ)
    return rows if 2 * len(rows) <= len(differ) else None


def _slice(rows: IntArray | None) -> IntArray | slice:
    """Return rows that follow each other, or all of them, as what takes no copy."""
    if rows is None:
        return slice(None)
    first, last = (int(rows[0]), int(rows[-1])) if len(rows) else (0, 0)
    if last - first + 1 != len(rows) or not (rows[1:] > rows[:-1]).all():
        return rows
    return slice(first, last + 1)
