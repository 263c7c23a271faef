"""What it costs to trade out of a position, where a venue provides for it in its margins."""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.book import Book, Kind
from margincalc.margin.base import Parameters, Share
from margincalc.margin.lots import Lots


class Fees(Parameters):
    """Taker fees: shares of notional; of an option, a share of the index up to one of its value."""

    delta_one: Share = 0.0
    option: Share = 0.0
    option_cap: Share = 1.0


class Market(NamedTuple):
    """A book with the value of one long unit of each instrument, account currency, shape (I,)."""

    book: Book
    mark: FloatArray


def trading_fees(market: Market, lots: Lots, fees: Fees) -> FloatArray:
    """Fee to trade lots, account currency, shape of the lots."""
    book = market.book
    option = book.instruments.kind[lots.instrument] == int(Kind.OPTION)
    value = np.abs(lots.quantity * market.mark[lots.instrument])
    of_options = np.minimum(fees.option * lots.at_index(book), fees.option_cap * value)
    return np.where(option, of_options, fees.delta_one * lots.at_mark(book))
