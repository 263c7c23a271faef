"""Margins in a grid of markets: spots, volatilities and days, each what `margin` would print.

All spots of one volatility and day are copies of the book that are margined together, in the
market that `--spot`, `--vol` and `--days` would make.
"""

from dataclasses import replace

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.page_results import MarketGrid
from margincalc.arrays import BoolArray, FloatArray
from margincalc.assembly.what_if import moved, what_if
from margincalc.book import Book, Kind
from margincalc.margin.base import MarginResult
from margincalc.pricer import current, using
from margincalc.times import DAYS_PER_YEAR

SPOTS = tuple(2.5 * step for step in range(-20, 21))  # per cent
VOLATILITIES = (-50.0, -25.0, 0.0, 25.0, 50.0, 100.0)
DAYS = (0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90)
MOST_DAYS = DAYS[-1]
FUNDED_DAYS = 30  # what perpetuals pay is followed so far
ROWS = 3_000_000  # position rows that the whole grid may margin; a larger book has fewer spots
ROWS_AT_ONCE = 1 << 16  # of one margin call, which bounds its memory
_FIGURES = 6


def market_grid(account: Account) -> MarketGrid:
    """Margin an account in every market of a grid that suits its book.

    Raises
    ------
    InputError
        If the model cannot margin the book in one of them.
    """
    book = account.book
    volatilities = VOLATILITIES if np.any(book.instruments.is_kind(Kind.OPTION)) else (0.0,)
    days = _days(book)
    spots = _spots(book, len(volatilities) * len(days))
    found = np.empty((len(days), len(volatilities), _FIGURES, len(spots)))
    with using(replace(current(), known=None)):  # a moved market is met once
        for day, after in enumerate(days):
            for row, percent in enumerate(volatilities):
                found[day, row] = _along_spot(account, np.array(spots), percent, after)
    series = np.moveaxis(found, 2, 0).reshape(_FIGURES, -1)
    figures = (tuple(None if np.isnan(x) else x for x in each.tolist()) for each in series)
    return MarketGrid(spots, volatilities, days, *figures)


def _days(book: Book) -> tuple[float, ...]:
    """Return the days to look at: to the last expiry, or some of funding, at most ninety."""
    columns = book.instruments
    dated = columns.is_kind(Kind.OPTION, Kind.FUTURE)
    last = float(np.max(columns.time[dated], initial=0.0)) * DAYS_PER_YEAR
    if np.any(columns.is_kind(Kind.PERPETUAL) & (columns.funding != 0.0)):
        last = max(last, float(FUNDED_DAYS))
    end = min(int(np.ceil(round(last, 6))), MOST_DAYS)
    return tuple(float(day) for day in sorted({*(day for day in DAYS if day < end), end}))


def _spots(book: Book, others: int) -> tuple[float, ...]:
    """Return the moves of spot, fewer of a book that is large."""
    rows = max(len(book.pool), 1) * others
    for step in (1, 2, 4):
        if rows * len(SPOTS[::step]) <= ROWS:
            return SPOTS[::step]
    return SPOTS[::10]


def _along_spot(account: Account, percent: FloatArray, vol: float, days: float) -> FloatArray:
    """Return the figures at every spot of one volatility and day, shape (figures, spots)."""
    book = account.book
    changes = what_if(vol=[f"{vol:+g}%"] if vol else [], days=days)
    at_once = max(ROWS_AT_ONCE // max(len(book.pool), 1), 1)
    parts = []
    for start in range(0, len(percent), at_once):
        factor = 1.0 + percent[start : start + at_once] / 100.0
        pools = np.tile(np.arange(book.pools), len(factor))
        moves = np.repeat(factor, book.pools)[:, None] * np.ones(len(book.spot))
        ladder = book.copies(pools, moves)
        later = moved(account.assembly, ladder, changes)[1]
        parts.append(_figures(account.model.margin(later), later.limited, len(factor)))
    return np.concatenate(parts, axis=1)


def _figures(result: MarginResult, limited: BoolArray, markets: int) -> FloatArray:
    """Sum the pools of each market as a report does, shape (figures, markets)."""
    whole = np.where(limited, np.maximum(result.equity, 0.0), result.equity)
    equity, initial, maintenance = (
        amount.reshape(markets, -1) for amount in (whole, result.initial, result.maintenance)
    )
    ratio = np.divide(maintenance, equity, out=np.full(equity.shape, np.nan), where=equity > 0.0)
    return np.stack(
        [
            equity.sum(axis=1),
            initial.sum(axis=1),
            maintenance.sum(axis=1),
            ratio.max(axis=1, initial=-np.inf) if ratio.shape[1] else np.full(markets, np.nan),
            (equity - maintenance).min(axis=1, initial=np.inf),
            (equity - initial).min(axis=1, initial=np.inf),
        ]
    )
