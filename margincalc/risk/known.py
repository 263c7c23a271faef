"""Values of instruments, computed once for all the books that hold them.

The books of a venue's accounts differ in who holds what, and share their instruments. A pricer that
keeps what is known looks a value up by all that it depends on: the instruments' columns, the spots,
the scenarios. A value of one instrument never depends on the others, so that rows of a larger
computation are what a smaller one would have given, to the bit.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from margincalc import pricer
from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book
from margincalc.book.columns import taken_from

MOST_CELLS = 1 << 24  # numbers kept, 128 MB; what would be more is computed each time


def is_kept() -> bool:
    """Whether values are computed once for many books, or for one that moves."""
    return pricer.current().known is not None


def remembered(compute: Callable[..., FloatArray], book: Book, *more: Any) -> FloatArray:
    """Return ``compute(book, *more)``, shape (I, ...), which depends on the instruments alone.

    What is kept is read-only.
    """
    known = pricer.current().known
    if known is None:
        return compute(book, *more)
    if not isinstance(known, dict):
        followed: FloatArray = known.value(compute, book, more)
        return followed
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
    return digest((compute.__name__, book.coin, book.spot, book.instruments.digest, *more))


def digest(parts: tuple[Any, ...]) -> bytes:
    """Return what arrays, numbers and tuples of them are known by."""
    made = hashlib.blake2b(digest_size=16)
    for column in _flat(parts):
        plain = np.ascontiguousarray(column) if isinstance(column, np.ndarray) else None
        made.update(repr(column).encode() if plain is None else f"{plain.shape}".encode())
        if plain is not None:
            made.update(plain.data)
    return made.digest()


def _flat(parts: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the members of tuples in place of the tuples."""
    for part in parts:
        if isinstance(part, tuple):
            yield from _flat(part)
        else:
            yield part


def owned(known: dict[bytes, Any]) -> dict[bytes, Any]:
    """Return what is known with arrays that own their numbers and are read-only.

    Arrays that came from another process are views of what brought them, and kernels keep nothing
    of a view: they would not screen accounts by it.
    """
    return {key: _owned(kept) for key, kept in known.items()}


def _owned(kept: Any) -> Any:
    if isinstance(kept, _Part):
        return _Part(kept.rows, _owned(kept.values))
    own = kept.copy()
    own.flags.writeable = False
    return own
