"""What it costs to trade one unit: the quoted side's distance from the mark, or an assumption.

Where no price is quoted, half the spread of an option is the larger of some points of volatility,
some share of its premium and some share of its underlying's value; of anything else the last alone.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book, Kind
from margincalc.hedge.aims import Costs
from margincalc.portfolio import Quote
from margincalc.portfolio.contracts import Contract
from margincalc.risk import greeks, now


def unit_costs(
    quotes: Mapping[str, Quote],
    book: Book,
    contracts: tuple[Contract, ...],
    row: IntArray,
    costs: Costs,
) -> tuple[FloatArray, FloatArray]:
    """Return the cost of buying and of selling a contract, account currency, shape (C,) each.

    Buying below the mark is no gain to count on: half the quoted spread is its cost.

    Parameters
    ----------
    quotes : by the instruments' names
    row : position row of each contract in `book`
    """
    instrument = book.instrument[row]
    columns = book.instruments.take(instrument)
    index = np.where(columns.underlying >= 0, book.spot[columns.underlying], 1.0)
    account = index if book.coin else np.ones(len(row))  # quote currency per unit of the account's
    coins = columns.is_kind(Kind.FUTURE, Kind.PERPETUAL) & columns.inverse
    notional = np.where(coins, columns.multiplier, columns.multiplier * index) / account
    value = (now(book) + book.instruments.offset)[instrument]
    option = columns.is_kind(Kind.OPTION)
    vega = np.abs(greeks(book).vega[instrument])
    spread = np.maximum(costs.spread_vol * vega, costs.spread_premium * np.abs(value))
    spread = np.maximum(np.where(option, spread, 0.0), costs.spread_spot * notional)
    fee = np.array([costs.fee if each.fee is None else each.fee for each in contracts]) * notional
    # A quote is of a unit of the underlying: money, or coin where the option settles in it.
    unit = columns.multiplier * np.where(option & columns.inverse, index, 1.0) / account
    forward = columns.forward
    mark = np.where(option, value / unit, forward)
    ask, bid = (np.array(list(_quoted(quotes, contracts, side))) for side in ("ask", "bid"))
    # An inverse contract of value `multiplier` gains coin as one over its price.
    unit = np.where(coins, notional / forward, unit)
    half = np.maximum(0.5 * (ask - bid), 0.0)
    sides = []
    for away in (ask - mark, mark - bid):
        # Where the mark lies beyond the quote it is doubtful, and half the spread stands for both.
        worth = np.where(away < 0.0, half, away) * unit
        sides.append(np.where(np.isnan(worth), spread, worth) + fee)
    return sides[0], sides[1]


def _quoted(
    quotes: Mapping[str, Quote], contracts: tuple[Contract, ...], side: str
) -> Iterator[float]:
    """Yield one side's price of each contract, NaN where none is quoted."""
    for each in contracts:
        price = getattr(quotes[each.name], side) if each.name in quotes else None
        yield np.nan if price is None else price
