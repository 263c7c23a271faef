"""Values of instruments, computed once for all the books that hold them.

The books of a venue's accounts differ in who holds what, and share their instruments. A pricer that
keeps what is known looks a value up by all that it depends on: the instruments' columns, the spots,
the scenarios. A value of one instrument never depends on the others, so that rows of a larger
computation are what a smaller one would have given, to the bit.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from margincalc import pricer
from margincalc.arrays import AnyArray, BoolArray, FloatArray, IntArray
from margincalc.book import Book
from margincalc.book.columns import Instruments, taken_from

MOST_CELLS = 1 << 24  # numbers kept, 128 MB; what would be more is computed each time


def is_kept() -> bool:
    """Whether values are computed once for many books that share their instruments."""
    known = pricer.current().known
    return known is not None and not isinstance(known, Latest)


def remembered(compute: Callable[..., FloatArray], book: Book, *more: Any) -> FloatArray:
    """Return ``compute(book, *more)``, shape (I, ...), which depends on the instruments alone.

    What is kept is read-only.
    """
    known = pricer.current().known
    if known is None:
        return compute(book, *more)
    if isinstance(known, Latest):
        return known.value(compute, book, more)
    whole, rows = taken_from(book.instruments)
    key = _key(compute, replace(book, instruments=whole), more)
    if key not in known:
        value = compute(replace(book, instruments=whole), *more)
        if value.size + sum(kept.size for kept in list(known.values())) > MOST_CELLS:
            return value if rows is None else value[rows]
        value.flags.writeable = False
        known[key] = value
    found: FloatArray = known[key]
    return found if rows is None else _part(found, rows, known, key + b"part")


class _Part(NamedTuple):
    """Some rows of what is known."""

    rows: IntArray
    values: FloatArray

    @property
    def size(self) -> int:
        return self.values.size


def _part(whole: FloatArray, rows: IntArray, known: dict[bytes, Any], key: bytes) -> FloatArray:
    """Return some rows; those taken last are kept, as most books of a run take the same."""
    last = known.get(key)
    if last is None or not np.array_equal(last.rows, rows):
        last = _Part(rows, whole[rows])
        last.values.flags.writeable = False
        known[key] = last
    return last.values


def _key(compute: Callable[..., FloatArray], book: Book, more: tuple[Any, ...]) -> bytes:
    """Digest all that the values of a book's instruments depend on."""
    return _digest((compute.__name__, book.coin, book.spot, book.instruments.digest, *more))


def _digest(parts: tuple[Any, ...]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for column in _flat(parts):
        plain = np.ascontiguousarray(column) if isinstance(column, np.ndarray) else None
        digest.update(repr(column).encode() if plain is None else f"{plain.shape}".encode())
        if plain is not None:
            digest.update(plain.data)
    return digest.digest()


def _flat(parts: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the members of tuples in place of the tuples."""
    for part in parts:
        if isinstance(part, tuple):
            yield from _flat(part)
        else:
            yield part


class Latest:
    """The last values of one market that moves a little at a time.

    Only rows of which a column, or the spot of their underlying, differs from the last time are
    computed again. For a book whose instruments are the same all along.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bytes], tuple[list[AnyArray], FloatArray]] = {}

    def value(
        self, compute: Callable[..., FloatArray], book: Book, more: tuple[Any, ...]
    ) -> FloatArray:
        """Return ``compute(book, *more)``, shape (I, ...)."""
        whole, rows = taken_from(book.instruments)
        key = compute.__name__, _digest((book.coin, *more))
        columns = _columns(book, whole)
        kept = self._kept.get(key)
        if kept is None or len(kept[0][0]) != len(columns[0]):
            value = compute(replace(book, instruments=whole), *more)
        else:
            value = kept[1]
            moved = np.flatnonzero(_differ(kept[0], columns))
            if len(moved):
                part = replace(book, instruments=whole.take(moved))
                value[moved] = compute(part, *more)
        self._kept[key] = columns, value
        found: FloatArray = value.copy() if rows is None else value[rows]
        return found


def _columns(book: Book, whole: Instruments) -> list[AnyArray]:
    """Return all that the values of instruments depend on, shape (I, ...) each."""
    moves = whole.underlying >= 0
    spot = np.where(moves, book.spot[whole.underlying], 1.0) if len(book.spot) else moves * 1.0
    return [spot, *(getattr(whole, field.name) for field in fields(Instruments))]


def _differ(before: list[AnyArray], after: list[AnyArray]) -> BoolArray:
    """Return which rows differ in any column, shape (I,)."""
    differ = np.zeros(len(after[0]), bool)
    for one, other in zip(before, after, strict=True):
        if one is other:  # a column that nothing has touched
            continue
        unequal = one != other
        differ |= unequal if unequal.ndim == 1 else np.any(unequal, axis=1)
    return differ
