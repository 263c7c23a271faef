"""Equity and requirement of a pool on a lattice of spots, at every step of a simulation.

What expires is settled at the spot of its own node; at later steps it is gone, and what it paid on
a path is cash. With several underlyings the lattice is one line of spots for each, the excess their
sum: exact for models that margin underlyings apart, and checked where all move together.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import Book, Kind
from margincalc.margin.base import MarginModel
from margincalc.risk.aging import aged
from margincalc.times import DAYS_PER_YEAR

ROWS_AT_ONCE = 1 << 14  # position rows of one margin call: bounds memory, keeps caches warm
NODES = 257  # of spot, along its logarithm


class Layer(NamedTuple):
    """One step; `excess` and `equity` have shape (U, X), `paid` too where something expires.

    Attributes
    ----------
    excess, equity : with each spot at its nodes and the others unchanged
    paid : what the contracts that expire at this step are worth in equity
    """

    excess: FloatArray
    equity: FloatArray
    paid: FloatArray | None


class Surface(NamedTuple):
    """A pool along its spots at every step.

    Attributes
    ----------
    underlyings : rows of the book, shape (U,)
    nodes : logarithms of multiples of spot, shape (X,)
    layers : now, then one for each step
    error : largest excess that the sum over underlyings misses where all move together
    """

    underlyings: IntArray
    nodes: FloatArray
    layers: tuple[Layer, ...]
    error: float


def surface(book: Book, model: MarginModel, times: FloatArray, reach: float) -> Surface:
    """Margin a book of one pool on the lattice of its underlyings.

    Parameters
    ----------
    times : of the steps in years, increasing, the first 0
    reach : of the lattice on either side, logarithm of the multiple of spot
    """
    held = np.unique(book.underlying[book.underlying >= 0])
    nodes = np.linspace(-reach, reach, NODES)
    layers, before, error = [], -1.0, 0.0
    for number, time in enumerate(times):
        part = _living(book, before)
        layer = _layer(part, model, (held, nodes), time)
        layers.append(layer)
        if len(held) > 1 and number in (0, len(times) - 1):
            error = max(error, _missed(part, model, (held, nodes, time), layer))
        before = float(time)
    return Surface(held, nodes, tuple(layers), error)


def _living(book: Book, before: float) -> Book:
    """Leave out what expired at an earlier step."""
    columns = book.instruments
    gone = _expiring(book) & (columns.time <= before)
    if not np.any(gone):
        return book
    kept, _ = book.restricted(np.flatnonzero(~gone[book.instrument]))
    return kept


def _expiring(book: Book) -> BoolArray:
    """Return which instruments expire some day, shape (I,)."""
    return book.instruments.is_kind(Kind.OPTION, Kind.FUTURE)


def _layer(
    book: Book, model: MarginModel, lattice: tuple[IntArray, FloatArray], time: float
) -> Layer:
    held, nodes = lattice
    factor = np.ones((len(held), len(nodes), len(book.spot)))
    for row, underlying in enumerate(held):
        factor[row, :, underlying] = np.exp(nodes)
    shape = (len(held), len(nodes))
    flat = factor.reshape(-1, len(book.spot))
    excess, equity = _margined(book, model, flat, time)
    paid = None
    due = _expiring(book) & (book.instruments.time <= time)
    if np.any(due) and time > 0.0:
        rest, _ = book.restricted(np.flatnonzero(~due[book.instrument]))
        paid = (equity - _margined(rest, model, flat, time)[1]).reshape(shape)
    return Layer(excess.reshape(shape), equity.reshape(shape), paid)


def _margined(
    book: Book, model: MarginModel, factor: FloatArray, time: float
) -> tuple[FloatArray, FloatArray]:
    """Excess and equity of the pool in moved markets, after a time in years, shape (K,) each."""
    excess, equity = np.empty(len(factor)), np.empty(len(factor))
    most = max(ROWS_AT_ONCE // max(len(book.pool), 1), 1)
    for start in range(0, len(factor), most):
        part = slice(start, start + most)
        copies = book.copies(np.zeros(len(factor[part]), np.int64), factor[part])
        result = model.margin(aged(copies, time * DAYS_PER_YEAR))
        excess[part] = result.equity - result.maintenance
        equity[part] = result.equity
    return excess, equity


def _missed(
    book: Book,
    model: MarginModel,
    lattice: tuple[IntArray, FloatArray, float],
    layer: Layer,
) -> float:
    """Compare the sum over underlyings with the whole, all spots at one node together."""
    held, nodes, time = lattice
    some = np.arange(0, len(nodes), 16)
    factor = np.ones((len(some), len(book.spot)))
    factor[:, held] = np.exp(nodes[some])[:, None]
    together, _ = _margined(book, model, factor, time)
    centre = layer.excess[:, len(nodes) // 2 : len(nodes) // 2 + 1]
    summed = centre[0] + np.sum(layer.excess[:, some] - centre, axis=0)
    return float(np.max(np.abs(together - summed)))


def one_pool(book: Book, pool: int) -> Book:
    """Return a book of one of its pools alone."""
    rows = np.flatnonzero(book.pool == pool)
    part, _ = book.restricted(rows)
    names = part.names._replace(keys=(book.names.keys[pool],))
    return replace(
        part, names=names, pool=np.zeros(len(rows), np.int64), limited=book.limited[pool : pool + 1]
    )
