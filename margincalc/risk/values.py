"""Revalue every instrument, once for all accounts.

Values are per long unit and account-free, shape (I, ...); only a sum of quantities times values
knows who holds what.

An inverse option is worth ``black / forward`` coin, and therefore ``spot / forward * black`` in
quote currency: the same formula as a linear option, with another discount factor.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Instruments, Kind
from margincalc.pricing import black
from margincalc.risk.known import remembered
from margincalc.risk.states import State, discount, moved, row_spot
from margincalc.scenarios import ScenarioGrid

BLOCK = 1 << 15  # values at once: what is made on the way stays in cache
UNCHANGED = ScenarioGrid(np.zeros(1), np.zeros(1), np.ones(1), np.zeros(1))


def now(book: Book) -> FloatArray:
    """Model value of one long unit in the present market, account currency, shape (I,)."""
    return revalued(book, UNCHANGED)[:, 0]


def equity(book: Book, value: FloatArray) -> FloatArray:
    """Value of all that a pool holds, shape (A,); may be negative.

    An option counts at its mark; a future or perpetual counts only what it has made since its
    profit was last booked as a balance of its own.

    Parameters
    ----------
    value : `now(book)`
    """
    worth = book.quantity * (value + book.instruments.offset)[book.instrument]
    return group_sum(worth, book.pool, book.pools)


def revalued(book: Book, grid: ScenarioGrid) -> FloatArray:
    """Value of one long unit per scenario, account currency, shape (I, S).

    Futures and perpetuals are worth their profit since it was last booked as a balance.
    """
    return remembered(_revalued, book, grid)


def _revalued(book: Book, grid: ScenarioGrid) -> FloatArray:
    columns, spot = book.instruments, row_spot(book)
    option = columns.is_kind(Kind.OPTION)
    value = np.empty((len(option), grid.size))
    size = max(BLOCK // grid.size, 1)
    for rows, worth in ((option.nonzero()[0], _options), ((~option).nonzero()[0], _delta_one)):
        if 0 < len(rows) == len(option) <= size:
            value = worth(columns, spot, grid)
            break
        for part in (rows[start : start + size] for start in range(0, len(rows), size)):
            value[part] = worth(columns.take(part), spot[part], grid)
    if book.coin:
        value /= moved(columns, spot, grid).spot
    return value


def _options(columns: Instruments, spot: FloatArray, grid: ScenarioGrid) -> FloatArray:
    state = moved(columns, spot, grid)
    shape = state.forward.shape
    volatility = grid.rule.shocked(columns.volatility, columns.time, grid.volatility)
    strike = np.repeat(columns.strike, grid.size).reshape(shape)
    call = np.repeat(columns.call, grid.size).reshape(shape)
    time = np.broadcast_to(state.time, shape)
    price = black.price_unchecked(state.forward, strike, volatility, time, call)
    value = discount(columns, state) * price
    if columns.american.any():
        rows = np.flatnonzero(columns.american)
        rate = np.broadcast_to(columns.rate[:, None], shape)[rows]
        value[rows] = american_value(columns.take(rows), state.take(rows), volatility[rows], rate)
    return columns.multiplier[:, None] * value


def _delta_one(columns: Instruments, spot: FloatArray, grid: ScenarioGrid) -> FloatArray:
    state = moved(columns, spot, grid)
    settled = columns.settled[:, None]
    contract = columns.is_kind(Kind.FUTURE, Kind.PERPETUAL)[:, None]
    linear = state.forward - np.where(contract, settled, 0.0)
    inverse = columns.inverse[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # only inverse rows are kept
        coin = (1.0 / settled - 1.0 / state.forward) * state.spot
    return columns.multiplier[:, None] * np.where(inverse, coin, linear)


class Vanillas(NamedTuple):
    """European options as Black's formula sees them, in n instruments and S scenarios.

    Their value in quote currency is ``factor * black(forward, strike, deviation)``.

    Attributes
    ----------
    factor : multiplier and discount, shape (n, S)
    forward : shape (n, S)
    deviation : volatility times the root of the time to expiry, shape (n, S)
    """

    factor: FloatArray
    forward: FloatArray
    deviation: FloatArray


def vanillas(book: Book, instrument: IntArray, grid: ScenarioGrid) -> Vanillas:
    """Return what goes into the values of European options, given their rows."""
    columns, spot = book.instruments.take(instrument), row_spot(book)[instrument]
    state = moved(columns, spot, grid)
    volatility = grid.rule.shocked(columns.volatility, columns.time, grid.volatility)
    shape = state.forward.shape
    factor = columns.multiplier[:, None] * discount(columns, state)
    deviation = volatility * np.sqrt(state.time)
    return Vanillas(np.broadcast_to(factor, shape), state.forward, deviation)


def american_value(
    columns: Instruments, state: State, volatility: FloatArray, rate: FloatArray
) -> FloatArray:
    """Quote value of options that may be exercised at any time, shape (n, S).

    Parameters
    ----------
    volatility, rate : decimals per year, as of `Instruments`, shape (n, S)
    """
    from margincalc.pricing import american  # not every book has any

    spot, forward = state.spot, state.forward
    time = np.broadcast_to(state.time, spot.shape)
    width = spot.shape[1]
    rate = rate.copy()
    inverse = columns.inverse[:, None] & (time > 0.0) & (spot > 0.0) & (forward > 0.0)
    # The rate of an inverse option is the coin's, which is the yield of the spot.
    log = np.log(np.divide(forward, spot, out=np.ones_like(spot), where=inverse))
    rate += np.divide(log, time, out=np.zeros_like(rate), where=inverse)
    flat = (
        np.ravel(np.broadcast_to(column, spot.shape))
        for column in (
            *(spot, forward, rate, columns.strike[:, None], volatility, time),
            columns.call[:, None],
        )
    )
    elapsed = columns.time[:, None] - time
    paid = (columns.dividend_time[:, None, :] - elapsed[:, :, None]).reshape(spot.size, -1)
    dividends = american.Dividends(paid, np.repeat(columns.dividend_share, width, axis=0))
    value = american.price_unchecked(american.Contracts._make(flat), dividends)
    return value.reshape(spot.shape)
