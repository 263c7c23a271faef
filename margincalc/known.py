"""Values of instruments, computed once for all the books that hold them.

The books of a venue's accounts differ in who holds what, and share their instruments. A pricer that
keeps what is known looks a value up by all that it depends on: the instruments' columns, the spots,
the scenarios. A value of one instrument never depends on the others, so that rows of a larger
computation are what a smaller one would have given, to the bit.
"""

import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from margincalc import pricer
from margincalc.arrays import FloatArray
from margincalc.book import Book
from margincalc.columns import Instruments, taken_from

MOST_CELLS = 1 << 24  # numbers kept, 128 MB; what would be more is computed each time


def remembered(compute: Callable[..., FloatArray], book: Book, *more: Any) -> FloatArray:
    """Return ``compute(book, *more)``, shape (I, ...), which depends on the instruments alone."""
    known = pricer.current().known
    if known is None:
        return compute(book, *more)
    whole, rows = taken_from(book.instruments)
    key = _key(compute, replace(book, instruments=whole), more)
    if key not in known:
        value = compute(replace(book, instruments=whole), *more)
        if value.size + sum(kept.size for kept in list(known.values())) > MOST_CELLS:
            return value if rows is None else value[rows]
        value.flags.writeable = False
        known[key] = value
    found: FloatArray = known[key]
    return found.copy() if rows is None else found[rows]


def _key(compute: Callable[..., FloatArray], book: Book, more: tuple[Any, ...]) -> bytes:
    """Digest all that the values of a book's instruments depend on."""
    digest = hashlib.blake2b(f"{compute.__name__} {book.coin}".encode(), digest_size=16)
    columns = [getattr(book.instruments, field.name) for field in fields(Instruments)]
    for column in (book.spot, *columns, *(part for each in more for part in each)):
        plain = np.ascontiguousarray(column) if isinstance(column, np.ndarray) else None
        digest.update(repr(column).encode() if plain is None else f"{plain.shape}".encode())
        if plain is not None:
            digest.update(plain.data)
    return digest.digest()
