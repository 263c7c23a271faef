"""A margined account: what every report is drawn from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from margincalc.answers.results import ModelInfo, Sensitivity
from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.assembly.assemble import Assembly
from margincalc.book import Book, Pool
from margincalc.liquidation.nearest import Nearest
from margincalc.margin.base import MarginModel, MarginResult, Venue
from margincalc.portfolio import Portfolio
from margincalc.portfolio.contracts import Contract
from margincalc.pricer import PricerName
from margincalc.risk import Greeks, greeks, now
from margincalc.times import zulu

GREEKS = Greeks._fields


@dataclass(frozen=True)
class Account:
    """An account under one mode and model.

    Attributes
    ----------
    book : the pools that were margined
    nearest : liquidation prices, where they were asked for
    notes : what a reader of the figures should know
    pricer : which one made the figures
    """

    portfolio: Portfolio
    assembly: Assembly
    book: Book
    venue: Venue
    mode: str
    result: MarginResult
    nearest: Nearest | None
    notes: tuple[str, ...]
    pricer: PricerName

    @property
    def heading(self) -> tuple[str, str, str, ModelInfo, str, str]:
        """The fields that every answer about the account begins with."""
        return (
            self.portfolio.account,
            zulu(self.assembly.as_of),
            self.portfolio.currency,
            self.model_info(),
            self.mode,
            self.pricer,
        )

    @property
    def model(self) -> MarginModel:
        """The family with its parameters."""
        return self.venue.model

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        """Terms by instrument name, in file order."""
        return {contract.name: contract for contract in self.assembly.contracts}

    @cached_property
    def unit_values(self) -> FloatArray:
        """What one long unit counts for in equity, account currency, shape (I,)."""
        return now(self.book) + self.book.instruments.offset

    @cached_property
    def values(self) -> FloatArray:
        """Contribution of each position row to equity, account currency, shape (P,)."""
        return self.book.quantity * self.unit_values[self.book.instrument]

    @cached_property
    def unit_greeks(self) -> Greeks:
        """Greeks of one long unit, each of shape (I,)."""
        return greeks(self.book)

    def sensitivity(self, rows: IntArray) -> Sensitivity:
        """Sum the Greeks of position rows, one after the other as a margin does."""
        held, instrument = self.book.quantity[rows], self.book.instrument[rows]
        together = np.zeros(len(rows), np.int64)
        sums = (group_sum(held * unit[instrument], together, 1) for unit in self.unit_greeks)
        return Sensitivity(*(float(each[0]) for each in sums))

    def instrument(self, row: int) -> str:
        """Name the instrument of a position row."""
        return self.book.names.instruments[int(self.book.instrument[row])]

    def pool(self, row: int) -> Pool:
        """Return the pool of a position row."""
        return self.book.names.keys[int(self.book.pool[row])]

    def model_info(self, venue: str | None = None) -> ModelInfo:
        """Return what a report says of its model, or of that of one venue."""
        return info(self.venue if venue is None else self.venue.parts.get(venue, self.venue))


def info(papers: Venue) -> ModelInfo:
    """Return what a report says of a model by its papers."""
    day = papers.effective.isoformat()
    return ModelInfo(papers.name, day, papers.proof, papers.parameters_sha256, papers.notes)
