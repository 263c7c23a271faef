"""What marks say of options: their worth in the account, and the volatility that they imply."""

from dataclasses import replace

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book
from margincalc.pricing.implied import Reason, implied_volatility
from margincalc.pricing.roots import find_roots
from margincalc.risk.values import now

LEAST, MOST = 1e-3, 10.0  # volatilities between which an American option's is sought
EQUAL = 1e-11  # of its worth: an option whose early exercise is worth less is European


def marked_worth(book: Book, rows: IntArray, quoted: FloatArray) -> FloatArray:
    """Worth of a long unit at its mark, account currency, shape of `rows`.

    Parameters
    ----------
    rows : instruments
    quoted : their marks: in coin of an inverse option, otherwise in the quote currency
    """
    columns = book.instruments.take(rows)
    spot = book.spot[columns.underlying]
    worth = quoted * columns.multiplier * np.where(columns.inverse, spot, 1.0)
    return worth / spot if book.coin else worth


def implied(book: Book, rows: IntArray, quoted: FloatArray) -> FloatArray:
    """Volatility at which options are worth their mark; NaN where there is none.

    Parameters and shape are those of `marked_worth`.
    """
    columns = book.instruments.take(rows)
    grown = quoted * np.exp(columns.rate * columns.time)
    price = np.where(columns.inverse, grown * columns.forward, grown)
    solution = implied_volatility(
        price, columns.forward, columns.strike, columns.time, columns.call
    )
    volatility = np.where(solution.reason == Reason.FOUND, solution.volatility, np.nan)
    american = np.flatnonzero(columns.american)
    if len(american):
        own = rows[american]
        worth = marked_worth(book, own, quoted[american])
        volatility[american] = _american(book, own, worth, volatility[american])
    return volatility


def _american(book: Book, rows: IntArray, worth: FloatArray, bound: FloatArray) -> FloatArray:
    """Solve for American options; the volatility of the European one of that worth is a bound."""
    columns = book.instruments.take(rows)

    def excess(numbers: IntArray, volatility: FloatArray) -> FloatArray:
        part = replace(columns.take(numbers), volatility=volatility)
        return now(replace(book, instruments=part)) - worth[numbers]

    low = np.full(len(rows), LEAST)
    high = np.where(np.isnan(bound), MOST, bound)
    over = excess(np.arange(len(rows)), high)
    volatility = np.where(np.abs(over) <= EQUAL * worth, high, np.nan)
    sought = np.flatnonzero((over > EQUAL * worth) & (high > low))
    sought = sought[excess(sought, low[sought]) < 0.0]
    volatility[sought] = find_roots(
        lambda numbers, trial: excess(sought[numbers], trial), low[sought], high[sought]
    )
    return volatility
