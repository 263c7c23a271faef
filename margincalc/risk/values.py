"""Revalue every instrument, once for all accounts.

Everything here is per long unit and account-free: values, risk arrays (value under a scenario
less value now; gains positive, where SPAN publishes losses positive) and Greeks, shape (I, ...).
Only the last step, a sum of quantities times values by group, knows who holds what.

An inverse option is worth ``black / forward`` coin, and therefore ``spot / forward * black`` in
quote currency: the same formula as a linear option, with another discount factor.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc import pricer
from margincalc.arrays import BoolArray, FloatArray, IntArray, group_sum
from margincalc.book import Book, Instruments, Kind
from margincalc.pricing import black
from margincalc.risk.known import remembered
from margincalc.scenarios import ScenarioGrid
from margincalc.times import DAYS_PER_YEAR

UNCHANGED = ScenarioGrid(np.zeros(1), np.zeros(1), np.ones(1), np.zeros(1))
RATE_STEP = 1e-3  # of an American option's rho, per year
# Nowhere, then up and down along spot, volatility, time and rate: shape (4, 9).
_STEPS = np.concatenate([np.zeros((4, 1)), np.kron(np.eye(4), [1.0, -1.0])], axis=1)


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


class _State(NamedTuple):
    """A market as columns for n instruments and S scenarios.

    Attributes
    ----------
    base : spot before the move, shape (n, 1)
    move : relative move of it, shape (1, S) or (n, S)
    forward : shape (n, S)
    time : years to expiry, shape (n, 1) or, where days pass, (n, S)
    """

    base: FloatArray
    move: FloatArray
    forward: FloatArray
    time: FloatArray

    @property
    def spot(self) -> FloatArray:
        """Spot after the move, shape (n, S)."""
        return self.base * (1.0 + self.move)

    def take(self, rows: IntArray) -> "_State":
        """Return the given instruments."""
        move = self.move if len(self.move) == 1 else self.move[rows]
        return _State(self.base[rows], move, self.forward[rows], self.time[rows])


_STILL = np.zeros((1, 1))


class _Pricing(NamedTuple):
    """What the value of an option depends on beside the spot's market, shape (n, S)."""

    volatility: FloatArray
    rate: FloatArray  # as `Instruments.rate`


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


def risk_array(book: Book, grid: ScenarioGrid, value: FloatArray) -> FloatArray:
    """Change in value of one long unit per scenario, account currency, shape (I, S).

    Parameters
    ----------
    value : `now(book)`
    """
    return revalued(book, grid) - value[:, None]


def scenario_pnl(book: Book, risk: FloatArray, labels: IntArray, groups: int) -> FloatArray:
    """Profit and loss by group and scenario, shape (groups, S); `labels` has shape (P,)."""
    if (kernels := pricer.current().sums) is not None:
        return kernels.products((book.quantity, book.instrument), risk, labels, groups)
    held = book.quantity[:, None] * risk[book.instrument]
    return group_sum(held, labels, groups)


def least_pnl(
    book: Book, risk: FloatArray, labels: IntArray, groups: int
) -> tuple[IntArray, FloatArray]:
    """Scenario in which each group loses most, and its profit and loss there, shape (groups,).

    It is where `scenario_pnl` is least; a compiled pricer keeps no group's other scenarios.
    """
    if (kernels := pricer.current().sums) is not None:
        return kernels.least((book.quantity, book.instrument), risk, labels, groups)
    pnl = scenario_pnl(book, risk, labels, groups)
    scenario = np.argmin(pnl, axis=1) if groups else np.zeros(0, np.int64)
    return scenario, pnl[np.arange(groups), scenario]


def least_pnl_beside(
    book: Book, risk: FloatArray, apart: BoolArray, labels: IntArray, groups: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return what `least_pnl` does, and the least without what is set apart, shape (groups,).

    Parameters
    ----------
    apart : which instruments are, shape (I,)
    """
    if (kernels := pricer.current().sums) is not None:
        held = book.quantity, book.instrument
        return kernels.least_beside(held, risk, apart, labels, groups)
    scenario, pnl = least_pnl(book, risk, labels, groups)
    rest = np.flatnonzero(~apart[book.instrument])
    if len(rest) == len(labels):
        return scenario, pnl, pnl
    part = replace(book, quantity=book.quantity[rest], instrument=book.instrument[rest])
    return scenario, pnl, least_pnl(part, risk, labels[rest], groups)[1]


def revalued(book: Book, grid: ScenarioGrid) -> FloatArray:
    """Value of one long unit per scenario, account currency, shape (I, S).

    Futures and perpetuals are worth their profit since it was last booked as a balance.
    """
    return remembered(_revalued, book, grid)


def _revalued(book: Book, grid: ScenarioGrid) -> FloatArray:
    columns = book.instruments
    value = np.empty((len(columns.kind), grid.size))
    spot = row_spot(book)
    option = columns.is_kind(Kind.OPTION)
    for rows, worth in ((np.flatnonzero(option), _options), (np.flatnonzero(~option), _delta_one)):
        if len(rows):
            value[rows] = worth(columns.take(rows), spot[rows], grid)
    if book.coin:
        value /= _moved(columns, spot, grid).spot
    return value


def row_spot(book: Book) -> FloatArray:
    """Spot of each instrument's underlying; 1 where it has none."""
    underlying = book.instruments.underlying
    if not len(book.spot):
        return np.ones(len(underlying))
    return np.where(underlying >= 0, book.spot[underlying], 1.0)


def _moved(columns: Instruments, spot: FloatArray, grid: ScenarioGrid) -> _State:
    """Move spot and forward, and let time pass along each forward's own carry."""
    time, move = columns.time[:, None], grid.spot[None, :]
    if np.any(columns.underlying < 0):
        move = np.where(columns.underlying[:, None] >= 0, move, 0.0)
    relative = move if np.all(columns.beta == 1.0) else columns.beta[:, None] * move
    forward = columns.variable[:, None] * np.maximum(1.0 + relative, 0.0)
    if np.any(grid.days_forward):
        time = np.maximum(time - grid.days_forward / DAYS_PER_YEAR, 0.0)
        elapsed = columns.time[:, None] - time
        forward *= np.exp(-carry(columns, spot)[:, None] * elapsed)
    if np.any(columns.fixed):
        forward = np.maximum(columns.fixed[:, None] + forward, 0.0)
    return _State(spot[:, None], move, forward, time)


def carry(columns: Instruments, spot: FloatArray) -> FloatArray:
    """Rate at which a forward runs away from its spot, per year, shape (I,).

    A forward of which part is fixed already is taken to stay where it is.
    """
    carried = (columns.time > 0.0) & (columns.fixed == 0.0) & (columns.variable > 0.0)
    rate = np.zeros(len(spot))
    np.divide(
        np.log(columns.variable / spot, where=carried, out=rate.copy()),
        columns.time,
        out=rate,
        where=carried,
    )
    return rate


def _discount(columns: Instruments, state: _State) -> FloatArray:
    """Factor from the Black price on the forward to the quote value, shape (I, S)."""
    discount = np.exp(-columns.rate[:, None] * state.time)
    if not np.any(columns.inverse):
        return discount
    ratio = np.ones_like(state.forward)
    inverse = columns.inverse[:, None] & (state.forward > 0.0)
    np.divide(state.spot, state.forward, out=ratio, where=inverse)
    return discount * ratio


def _options(columns: Instruments, spot: FloatArray, grid: ScenarioGrid) -> FloatArray:
    state = _moved(columns, spot, grid)
    shape = state.forward.shape
    volatility = grid.rule.shocked(columns.volatility, columns.time, grid.volatility)
    price = black.price_unchecked(
        state.forward,
        np.broadcast_to(columns.strike[:, None], shape),
        volatility,
        np.broadcast_to(state.time, shape),
        np.broadcast_to(columns.call[:, None], shape),
    )
    value = _discount(columns, state) * price
    rows = np.flatnonzero(columns.american)
    if len(rows):
        rate = np.broadcast_to(columns.rate[:, None], shape)
        part = state.take(rows)
        value[rows] = _american(columns.take(rows), part, _Pricing(volatility[rows], rate[rows]))
    return columns.multiplier[:, None] * value


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
    state = _moved(columns, spot, grid)
    volatility = grid.rule.shocked(columns.volatility, columns.time, grid.volatility)
    shape = state.forward.shape
    factor = columns.multiplier[:, None] * _discount(columns, state)
    deviation = volatility * np.sqrt(state.time)
    return Vanillas(np.broadcast_to(factor, shape), state.forward, deviation)


def _american(columns: Instruments, state: _State, pricing: _Pricing) -> FloatArray:
    """Quote value of options that may be exercised at any time, shape (n, S)."""
    from margincalc.pricing import american  # not every book has any

    spot, forward = state.spot, state.forward
    time = np.broadcast_to(state.time, spot.shape)
    width = spot.shape[1]
    rate = pricing.rate.copy()
    inverse = columns.inverse[:, None] & (time > 0.0) & (spot > 0.0) & (forward > 0.0)
    # The rate of an inverse option is the coin's, which is the yield of the spot.
    log = np.log(np.divide(forward, spot, out=np.ones_like(spot), where=inverse))
    rate += np.divide(log, time, out=np.zeros_like(rate), where=inverse)
    flat = (
        np.ravel(np.broadcast_to(column, spot.shape))
        for column in (
            *(spot, forward, rate, columns.strike[:, None], pricing.volatility, time),
            columns.call[:, None],
        )
    )
    elapsed = columns.time[:, None] - time
    paid = (columns.dividend_time[:, None, :] - elapsed[:, :, None]).reshape(spot.size, -1)
    dividends = american.Dividends(paid, np.repeat(columns.dividend_share, width, axis=0))
    value = american.price_unchecked(american.Contracts._make(flat), dividends)
    return value.reshape(spot.shape)


def _delta_one(columns: Instruments, spot: FloatArray, grid: ScenarioGrid) -> FloatArray:
    state = _moved(columns, spot, grid)
    settled = columns.settled[:, None]
    contract = columns.is_kind(Kind.FUTURE, Kind.PERPETUAL)[:, None]
    linear = state.forward - np.where(contract, settled, 0.0)
    inverse = columns.inverse[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # only inverse rows are kept
        coin = (1.0 / settled - 1.0 / state.forward) * state.spot
    return columns.multiplier[:, None] * np.where(inverse, coin, linear)


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
    state = _State(spot[:, None], _STILL, forward[:, None], time[:, None])
    factor = columns.multiplier * _discount(columns, state)[:, 0]
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
    state = _State(spot[:, None] + along_spot, _STILL, forward, time)
    # The rate of an inverse option is the coin's, and stays.
    rate = columns.rate[:, None] + np.where(columns.inverse[:, None], 0.0, along_rate)
    pricing = _Pricing(columns.volatility[:, None] + along_volatility, rate)
    value = columns.multiplier[:, None] * _american(columns, state, pricing)
    first = [value[:, 1 + 2 * k] - value[:, 2 + 2 * k] for k in range(4)]
    with np.errstate(divide="ignore", invalid="ignore"):  # no step, no sensitivity
        delta, vega, less_time = (
            np.where(own > 0.0, change / (2.0 * own), 0.0)
            for change, own in zip(first[:3], step, strict=True)
        )
    bend = value[:, 1] - 2.0 * value[:, 0] + value[:, 2]
    return Greeks(delta, bend / step[0] ** 2, vega, -less_time, first[3] / (2.0 * RATE_STEP))
