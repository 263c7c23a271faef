"""Equity less maintenance of pools in moved markets, with as few rows margined as may be.

Where a model margins underlyings apart, one spot moves one part of a pool. That part is a pool of
its own here, and what the rest of the pool has to spare is a number.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, renumbered
from margincalc.book import Book
from margincalc.margin.base import Apart, MarginModel, MarginResult
from margincalc.pricer import current, using

ROWS_AT_ONCE = 1 << 18  # position rows of one margin call, which share the instruments revalued
ROWS_APART = 1 << 16  # of one in which each row is revalued by itself, so that caches stay warm


def excess_at(
    book: Book,
    model: MarginModel,
    pools: IntArray,
    factor: FloatArray,
    volatility: FloatArray | None = None,
) -> FloatArray:
    """Equity less maintenance of pools in moved markets, shape (K,).

    Parameters
    ----------
    pools : shape (K,)
    factor : shape (K, U), what each spot is multiplied by
    volatility : shape (K,), what every implied volatility is multiplied by
    """
    sizes = np.bincount(book.pool, minlength=book.pools)[pools]
    excess = np.empty(len(pools))
    with using(replace(current(), known=None)):  # a moved market is met once
        for chosen in batches(sizes):
            moved = None if volatility is None else volatility[chosen]
            excess[chosen] = _excess(
                model.margin(book.copies(pools[chosen], factor[chosen], moved))
            )
    return excess


def batches(sizes: IntArray, rows: int | None = None) -> list[IntArray]:
    """Cut what has so many rows each into parts of about `ROWS_AT_ONCE` rows, one after another."""
    batch = np.cumsum(sizes) // (rows or ROWS_AT_ONCE)
    return np.split(np.arange(len(sizes)), np.flatnonzero(np.diff(batch)) + 1)


def _excess(result: MarginResult) -> FloatArray:
    return result.equity - result.maintenance


class Moved(NamedTuple):
    """Pools, and the underlyings that each is moved by, one at a time (G pairs).

    Attributes
    ----------
    book : the parts of pools that any of the underlyings moves, each a pool
    pool, underlying : rows of the whole book, shape (G,)
    part : pool of `book`, shape (G,)
    apart : whether each part is of one underlying
    rest : excess of the pool beyond its part's, which stays, shape (G,)
    present : excess of the pool where nothing has moved, shape (G,)
    """

    book: Book
    model: MarginModel
    pool: IntArray
    underlying: IntArray
    part: IntArray
    apart: bool
    rest: FloatArray
    present: FloatArray

    @property
    def rows(self) -> IntArray:
        """How many position rows a pair moves, shape (G,)."""
        return np.bincount(self.book.pool, minlength=self.book.pools)[self.part]

    def excess(self, pairs: IntArray, factor: FloatArray) -> FloatArray:
        """Excess of chosen pairs, each at its own multiple of spot, shape of `pairs`."""
        moves = np.ones((len(pairs), len(self.book.spot)))
        moves[np.arange(len(pairs)), self.underlying[pairs]] = factor
        own = np.empty(len(pairs))
        for chosen in batches(self.rows[pairs], ROWS_APART if self.apart else ROWS_AT_ONCE):
            own[chosen] = excess_at(self.book, self.model, self.part[pairs[chosen]], moves[chosen])
        return own + self.rest[pairs]

    def at(self, factor: float) -> FloatArray:
        """Excess of every pair at one multiple of spot, shape (G,): what `excess` says of it.

        The book itself is moved, so that what it shares with others is found once. Parts must be
        `apart`.
        """
        book = self.book.shifted(np.full(len(self.book.spot), factor))
        return _excess(self.model.margin(book))[self.part] + self.rest

    def take(self, pairs: IntArray) -> "Moved":
        """Return some pairs, and the parts that they are of."""
        kept, part = renumbered(self.part[pairs], self.book.pools)
        number = np.full(self.book.pools, -1)
        number[kept] = np.arange(len(kept))
        book = self.book.regrouped(kept, *(number[pool] for pool in _pools(self.book)))
        return self._replace(
            book=book.followed(),
            pool=self.pool[pairs],
            underlying=self.underlying[pairs],
            part=part,
            rest=self.rest[pairs],
            present=self.present[pairs],
        )


def cut(book: Book, model: MarginModel, underlyings: IntArray, result: MarginResult) -> Moved:
    """Cut pools into what the model margins apart, and keep what underlyings move.

    Parameters
    ----------
    underlyings : rows of the book
    result : of the book under the model
    """
    together = model.together(book) if isinstance(model, Apart) else None
    of = np.zeros(len(book.spot), np.int64) if together is None else together
    label = np.append(of, 0 if together is None else -1)  # what nothing moves is by itself
    pools, columns = _pools(book), book.instruments.underlying
    held = np.concatenate([book.instrument, book.orders.instrument])
    first, part = group_rows(np.concatenate(pools), label[columns[held]])
    owner = np.concatenate(pools)[first]
    moves = np.isin(columns, underlyings)[book.instrument]
    touched = np.zeros(len(first), bool)
    touched[part[: len(moves)][moves]] = True
    number = np.where(touched, np.cumsum(touched) - 1, -1)
    parts = book.regrouped(owner[touched], *np.split(number[part], [len(book.pool)]))
    moved = np.flatnonzero(np.isin(parts.underlying, underlyings))
    pairs = moved[group_rows(owner[touched][parts.pool[moved]], parts.underlying[moved])[0]]
    part, under = parts.pool[pairs], parts.underlying[pairs]
    pool = owner[touched][part]
    present = _excess(result)[pool]
    rest = np.zeros(len(pairs))
    if together is not None:
        rest = present - _excess(model.margin(parts))[part]
    apart = len(np.unique(of)) == len(of)
    return Moved(parts, model, pool, under, part, apart, rest, present)


def _pools(book: Book) -> tuple[IntArray, IntArray]:
    """Return the pools of positions and of orders."""
    return book.pool, book.orders.pool
