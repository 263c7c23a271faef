"""An account spread over venues: each venue's pools under its own model."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import Book
from margincalc.errors import refusing_as
from margincalc.margin.base import (
    NOT_APART,
    Apart,
    Components,
    Kinks,
    MarginResult,
    Shape,
    Shaped,
    Venue,
    Worst,
)
from margincalc.margin.forms import LinearForm
from margincalc.margin.grids import joined
from margincalc.scenarios import ScenarioGrid


class PerVenue(NamedTuple):
    """Models by venue; "" for pools that name none."""

    parts: Mapping[str, Venue]

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios of every model, one after the other."""
        return tuple(grid for part in self.parts.values() for grid in part.model.grids)

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book by its venue's model."""
        chosen = self._chosen(book)
        equity = np.zeros(book.pools)
        parts: list[_Part] = []
        grids = 0
        for number, (venue, papers) in enumerate(self.parts.items()):
            mine = chosen == number
            rows = np.flatnonzero(mine[book.pool])
            orders = np.flatnonzero(mine[book.orders.pool])
            if len(rows) or len(orders):
                with refusing_as(papers.at(venue)):
                    result = papers.model.margin(book.restricted(rows, orders)[0])
                equity = np.where(mine, result.equity, equity)
                parts.append(_Part(mine, rows, grids, result))
            grids += len(papers.model.grids)
        return MarginResult(
            equity,
            _merged([(part.mine, part.result.components) for part in parts]),
            _merged([(part.mine, part.result.initial_components) for part in parts]),
            _worst(book, parts),
            _merged([(part.mine, part.result.details) for part in parts]),
            tuple(dict.fromkeys(words for part in parts for words in part.result.left_out)),
        )

    def together(self, book: Book) -> IntArray | None:
        """Return what every model says, where they all say one thing; else all is together."""
        found: IntArray | None = None
        for papers in self.parts.values():
            model = papers.model
            own = model.together(book) if isinstance(model, Apart) else None
            if own is None or (found is not None and not np.array_equal(own, found)):
                return None
            found = own
        return found

    def linear(self, book: Book) -> LinearForm:
        """Return the linear form of one pool by its venue's model."""
        papers = self.parts[book.names.keys[0].venue]
        return papers.model.linear(book)

    def shape(self, book: Book) -> Shape | str:
        """State how the requirements depend on spot, if every model of a pool does."""
        chosen, whole = self._chosen(book), []
        for number, papers in enumerate(self.parts.values()):
            rows = np.flatnonzero((chosen == number)[book.pool])
            if not len(rows):
                continue
            part, held = book.restricted(rows)
            model = papers.model
            own = model.shape(part) if isinstance(model, Shaped) else NOT_APART
            if isinstance(own, str):
                return own
            whole.append(_renumbered(own, rows, held))
        scanned = tuple(each for shape in whole for each in shape.scanned)
        marked = tuple(each for shape in whole for each in shape.marked)
        parts = [shape.kinks for shape in whole]
        bends = Kinks(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        return Shape(scanned, bends, marked)

    def _chosen(self, book: Book) -> IntArray:
        """Return the number of each pool's model, shape (A,)."""
        number = {venue: index for index, venue in enumerate(self.parts)}
        return np.array([number[key.venue] for key in book.names.keys], np.int64)


def _renumbered(shape: Shape, rows: IntArray, held: IntArray) -> Shape:
    """Return the shape of a part of a book, given its rows and instruments in the whole."""
    scanned = tuple(each._replace(rows=rows[each.rows]) for each in shape.scanned)
    marked = tuple(each._replace(rows=rows[each.rows]) for each in shape.marked)
    return Shape(scanned, shape.kinks._replace(instrument=held[shape.kinks.instrument]), marked)


class _Part(NamedTuple):
    """The pools of one model.

    Attributes
    ----------
    mine : shape (A,), which pools they are
    rows : their position rows
    grids : the number of scenario grids of the models before it
    """

    mine: BoolArray
    rows: IntArray
    grids: int
    result: MarginResult


def _merged(parts: list[tuple[BoolArray, Components]]) -> Components:
    """Put components together by name, each pool's from its own model."""
    merged: dict[str, FloatArray] = {}
    for mine, components in parts:
        for name, amount in components.items():
            own = np.where(mine, amount, 0.0)
            merged[name] = merged[name] + own if name in merged else own
    return merged


def _worst(book: Book, parts: list[_Part]) -> Worst | None:
    """Put the models' worst scenarios together; those without scenarios have none."""
    found = [
        (part.rows, part.result.worst._replace(grid=part.result.worst.grid + part.grids))
        for part in parts
        if part.result.worst is not None
    ]
    return joined(found, book) if found else None
