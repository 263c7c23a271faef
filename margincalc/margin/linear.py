"""What families make their linear forms of; every amount comes from the charge's own function.

A charge per unit is what the charge's function says of a book in which each position row is a pool
of its own, and holds one unit.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import NO_ORDERS, Book
from margincalc.margin.base import MarginResult
from margincalc.margin.forms import NO_PARTS, Parts

Charge = Callable[[Book], FloatArray]
"""Maintenance and initial amounts of each pool of a book, shape (2, A)."""


def one_by_one(book: Book, quantity: float) -> Book:
    """Return a book in which each position row is a pool of its own and holds `quantity`."""
    rows = len(book.pool)
    keys = tuple(book.names.keys[pool] for pool in book.pool)
    return replace(
        book,
        names=book.names._replace(keys=keys),
        pool=np.arange(rows),
        quantity=np.full(rows, quantity),
        limited=np.zeros(rows, bool),
        orders=NO_ORDERS,
    )


def by_row(book: Book, charge: Charge) -> Parts:
    """Return a charge that is an amount per unit long, and one per unit short, of each row."""
    found = []
    for sign in (1.0, -1.0):
        amount = charge(one_by_one(book, sign))
        rows = np.flatnonzero(np.any(amount != 0.0, axis=0))
        part = np.arange(len(rows))
        found.append(Parts(part, rows, np.full(len(rows), sign), amount[:, rows]))
    return together(found)


def in_proportion(book: Book, margin: Callable[[Book], MarginResult]) -> Parts:
    """Return margins of which each position needs its own, in proportion to its size."""

    def both(each: Book) -> FloatArray:
        result = margin(each)
        return np.stack([result.maintenance, result.initial])

    return by_row(book, both)


def netted(labels: IntArray, rows: IntArray, unit: FloatArray, weight: FloatArray) -> Parts:
    """Return a charge on what the rows of a group come to: ``weight * max(0, sum unit * q)``.

    Parameters
    ----------
    labels, rows, unit : shape (N,), the group of each position row and what a unit of it adds
    weight : shape (2,), or (2, G) where groups differ
    """
    groups = int(np.max(labels, initial=-1)) + 1
    size = np.zeros(groups)
    np.maximum.at(size, labels, np.abs(unit))
    kept = size > 0.0
    number = np.cumsum(kept) - 1
    chosen = kept[labels]
    scale = size[labels[chosen]]
    each = np.broadcast_to(np.reshape(weight, (2, -1)), (2, groups))
    return Parts(number[labels[chosen]], rows[chosen], unit[chosen] / scale, (each * size)[:, kept])


def together(parts: Iterable[Parts]) -> Parts:
    """Put parts together, those of one book."""
    whole = NO_PARTS
    for more in parts:
        whole = Parts(
            np.concatenate([whole.part, more.part + whole.weight.shape[1]]),
            np.concatenate([whole.row, more.row]),
            np.concatenate([whole.coefficient, more.coefficient]),
            np.concatenate([whole.weight, more.weight], axis=1),
        )
    return whole


def at_rows(parts: Parts, rows: IntArray) -> Parts:
    """Return parts of some rows of a book as parts of the book."""
    return parts._replace(row=rows[parts.row])


def weighted(parts: Parts, weight: FloatArray) -> Parts:
    """Return parts times weights of shape (2,)."""
    return parts._replace(weight=parts.weight * weight[:, None])
