"""Greeks of one long unit of every instrument: Black's in closed form, American ones by steps."""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book, Instruments, Kind
from margincalc.pricing import black
from margincalc.risk.known import remembered
from margincalc.risk.states import State, carry, discount, row_spot
from margincalc.risk.values import american_value, now

RATE_STEP = 1e-3  # of an American option's rho, per year
# Nowhere, then up and down along spot, volatility, time and rate: shape (4, 9).
_STEPS = np.concatenate([np.zeros((4, 1)), np.kron(np.eye(4), [1.0, -1.0])], axis=1)
_STILL = np.zeros((1, 1))


class Greeks(NamedTuple):
    """Sensitivities of value in account currency, of any shape.

    Attributes
    ----------
    delta : per unit of spot
    gamma : delta per unit of spot
    vega : per 1.00 of volatility
    theta : per year of passing time, spot and carry unchanged
    rho : per 1.00 of the discount rate, spot and yield unchanged
    """

    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray


def greeks(book: Book) -> Greeks:
    """Greeks of one long unit, each of shape (I,), in account currency.

    They are those of the spot: the forward follows it with its carry, so that on a forward
    carried at rate less yield they are Black and Scholes' (1973), Merton's (1973) with a yield.
    """
    return Greeks(*np.ascontiguousarray(remembered(_greeks, book).T))


def _greeks(book: Book) -> FloatArray:
    """Greeks as columns, shape (I, 5)."""
    quote = _quote_greeks(book)
    if not book.coin:
        return np.column_stack(quote)
    spot = row_spot(book)
    worth = now(book) * spot
    delta = quote.delta / spot - worth / spot**2
    gamma = quote.gamma / spot - 2.0 * quote.delta / spot**2 + 2.0 * worth / spot**3
    return np.column_stack([delta, gamma, quote.vega / spot, quote.theta / spot, quote.rho / spot])


def _quote_greeks(book: Book) -> Greeks:
    columns, spot = book.instruments, row_spot(book)
    result = _delta_one_greeks(columns, spot)
    rows = np.flatnonzero(columns.is_kind(Kind.OPTION))
    if len(rows):
        _put(result, rows, _option_greeks(columns.take(rows), spot[rows]))
    rows = np.flatnonzero(columns.american)
    if len(rows):
        _put(result, rows, _american_greeks(columns.take(rows), spot[rows]))
    return result


def _put(whole: Greeks, rows: IntArray, part: Greeks) -> None:
    for column, values in zip(whole, part, strict=True):
        column[rows] = values


def _delta_one_greeks(columns: Instruments, spot: FloatArray) -> Greeks:
    slope = np.where(columns.underlying >= 0, columns.beta * columns.variable / spot, 0.0)
    contract = columns.is_kind(Kind.FUTURE, Kind.PERPETUAL)
    inverse, forward = contract & columns.inverse, columns.forward
    zero = np.zeros(len(spot))
    with np.errstate(divide="ignore", invalid="ignore"):  # only inverse rows are kept
        coin = 1.0 / columns.settled - 1.0 / forward
        bend = 2.0 * slope / forward**2 * (1.0 - spot * slope / forward)
        turn = spot * slope / forward**2
    delta = columns.multiplier * np.where(inverse, coin + turn, slope)
    gamma = columns.multiplier * np.where(inverse, bend, zero)
    carried = columns.multiplier * np.where(inverse, turn, slope) * spot
    theta = np.where(contract, -carried * carry(columns, spot), zero)
    rho = np.where(contract, carried * columns.time, zero)
    return Greeks(delta, gamma, zero, theta, rho)


def _option_greeks(columns: Instruments, spot: FloatArray) -> Greeks:
    forward, time, drift = columns.forward, columns.time, carry(columns, spot)
    b = black.greeks_unchecked(forward, columns.strike, columns.volatility, time, columns.call)
    state = State(spot[:, None], _STILL, forward[:, None], time[:, None])
    factor = columns.multiplier * discount(columns, state)[:, 0]
    slope = columns.variable / spot  # of the forward in the spot
    # An inverse option's discount contains spot / forward, which itself moves unless the whole
    # forward does.
    bend = np.where(columns.inverse, 1.0 / spot - slope / forward, 0.0)
    rate = columns.rate + np.where(columns.inverse, drift, 0.0)
    return Greeks(
        delta=factor * (b.delta * slope + b.price * bend),
        gamma=factor * slope * (b.gamma * slope + 2.0 * bend * (b.delta - b.price / forward)),
        vega=factor * b.vega,
        theta=factor * (b.theta + rate * b.price - b.delta * forward * drift),
        rho=factor * time * (b.delta * forward - b.price),
    )


def _american_greeks(columns: Instruments, spot: FloatArray) -> Greeks:
    """Central differences of the value, each step a hundredth of what it steps along."""
    size = np.clip(columns.volatility * np.sqrt(columns.time), 1e-3, 1.0)
    step = np.array([1e-2 * size * spot, 1e-2 * columns.volatility, 1e-2 * columns.time])
    along_spot, along_volatility, along_time = step[:, :, None] * _STEPS[:3, None]
    along_rate = RATE_STEP * _STEPS[3]
    time = columns.time[:, None] + along_time
    drift = carry(columns, spot)[:, None] * along_time + columns.time[:, None] * along_rate
    slope = (columns.variable / spot)[:, None]
    forward = (columns.forward[:, None] + slope * along_spot) * np.exp(drift)
    state = State(spot[:, None] + along_spot, _STILL, forward, time)
    # The rate of an inverse option is the coin's, and stays.
    rate = columns.rate[:, None] + np.where(columns.inverse[:, None], 0.0, along_rate)
    volatility = columns.volatility[:, None] + along_volatility
    value = columns.multiplier[:, None] * american_value(columns, state, volatility, rate)
    first = [value[:, 1 + 2 * k] - value[:, 2 + 2 * k] for k in range(4)]
    with np.errstate(divide="ignore", invalid="ignore"):  # no step, no sensitivity
        delta, vega, less_time = (
            np.where(own > 0.0, change / (2.0 * own), 0.0)
            for change, own in zip(first[:3], step, strict=True)
        )
    bend = value[:, 1] - 2.0 * value[:, 0] + value[:, 2]
    return Greeks(delta, bend / step[0] ** 2, vega, -less_time, first[3] / (2.0 * RATE_STEP))
