"""American options on a spot with a continuous yield and proportional dividends.

A price is Black's (1976) plus what early exercise is worth (Kim 1990; `_boundary`). Where
exercise never pays, it is Black's to the last bit; where the option is exercised at once, it is the
intrinsic value. Contracts that share volatility, rates and time share a boundary, so that a further
spot costs a tenth of a further contract.

A cash dividend is paid as a share of the spot: the share that it is of today's, so that a scenario
moves dividends with the spot, as it moves forwards. The forward contains them. Such contracts, and
those whose exercise region is a band (a put where yield < rate < 0), are priced on a lattice.

The result of an element never depends on the other elements, to the last bit.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_rows
from margincalc.pricing import _boundary, _lattice, black
from margincalc.pricing._boundary import Unit
from margincalc.pricing._checks import amounts, flags, reals
from margincalc.pricing._lattice import Paying
from margincalc.pricing.black_scholes import Market, Option

DIGITS = 13  # of a yield over the life that are told apart; the rest is a forward's rounding
MOST_SHARE = 0.99  # of the spot that a dividend may take
MOST_REACH = 350.0  # of a lattice, in logarithms: squares of its ends are still numbers
LEAST_TOTAL = 1e-4  # total volatilities below price as none does


class Contracts(NamedTuple):
    """Options and their market, arrays of one shape (N,).

    Attributes
    ----------
    spot, forward : prices of the underlying, now and for the expiry
    rate : discount rate, decimal per year
    strike, volatility, time, call : as for `black.price`
    """

    spot: FloatArray
    forward: FloatArray
    rate: FloatArray
    strike: FloatArray
    volatility: FloatArray
    time: FloatArray
    call: BoolArray

    def part(self, rows: IntArray) -> "Contracts":
        """Take some elements."""
        return Contracts._make(column[rows] for column in self)


class Dividends(NamedTuple):
    """Dividends of each option's underlying, arrays of shape (N, D).

    Attributes
    ----------
    time : years until they are paid; those of the past and after expiry are ignored
    share : of the spot then; 0 is none
    """

    time: FloatArray
    share: FloatArray

    def part(self, rows: IntArray) -> "Dividends":
        """Take some elements."""
        return Dividends(self.time[rows], self.share[rows])


def price(option: Option, market: Market, volatility: npt.ArrayLike) -> FloatArray:
    """Present value of an American option on a spot price with a continuous yield.

    Parameters
    ----------
    option : strike and time, finite and at least 0, and booleans
    market : spot, finite and at least 0, and finite rate and yield
    volatility : finite numbers of at least 0; everything broadcasts together

    Returns
    -------
    array of the broadcast shape

    Raises
    ------
    ValueError
        If an argument is not as above.
    """
    sizes = amounts(spot=market.spot, strike=option.strike, volatility=volatility, time=option.time)
    rates = reals(rate=market.rate, yield_=market.yield_)
    every = np.broadcast_arrays(*sizes.values(), *rates.values(), flags("call", option.call))
    shape = every[0].shape
    spot, strike, sigma, time, rate, yield_, call = (np.ravel(column) for column in every)
    forward = spot * np.exp((rate - yield_) * time)
    contracts = Contracts(spot, forward, rate, strike, sigma, time, call)
    return price_unchecked(contracts).reshape(shape)


def price_unchecked(contracts: Contracts, dividends: Dividends | None = None) -> FloatArray:
    """`price` of contiguous arrays of shape (N,) that are known to be valid.

    Parameters
    ----------
    contracts : the forward contains what the dividends take away
    dividends : those of each element
    """
    c = contracts
    value = black.price_unchecked(c.forward, c.strike, c.volatility, c.time, c.call)
    value *= np.exp(-c.rate * c.time)
    alive = (c.spot > 0.0) & (c.forward > 0.0) & (c.strike > 0.0) & (c.time > 0.0)
    rows = np.flatnonzero(alive)
    if dividends is None or not dividends.share.any():
        own = _none(len(rows))
    else:
        own = _within(dividends.part(rows), c.time[rows])
    value[rows] = _exercised(c.part(rows), own, value[rows])
    return np.maximum(value, np.where(c.call, c.spot - c.strike, c.strike - c.spot))


def shares(amounts: FloatArray, times: FloatArray, spot: float, rate: float) -> FloatArray:
    """Shares of the spot that leave it what cash dividends, in order of time, would leave it.

    Parameters
    ----------
    amounts, times : shape (D,); cash per unit of the underlying, years
    """
    present = amounts * np.exp(-rate * times)
    left = spot - np.cumsum(present)
    before = left + present
    paid: FloatArray = np.full(len(present), MOST_SHARE)
    np.divide(present, before, out=paid, where=before > present)
    return np.minimum(paid, MOST_SHARE)


def _none(size: int) -> Dividends:
    return Dividends(np.zeros((size, 0)), np.zeros((size, 0)))


def _within(dividends: Dividends, time: FloatArray) -> Dividends:
    """Return the dividends of each option's life, times in units of it."""
    paid = dividends.time / time[:, None]
    alive = (paid > 0.0) & (paid <= 1.0)
    return Dividends(np.where(alive, paid, 0.0), np.where(alive, dividends.share, 0.0))


def _exercised(c: Contracts, dividends: Dividends, european: FloatArray) -> FloatArray:
    """Add what early exercise is worth to options that are alive."""
    growth = np.log(c.forward / c.spot)
    rate, total = c.rate * c.time, c.volatility * np.sqrt(c.time)
    paid = np.zeros_like(rate)
    for share in dividends.share.T:
        paid = paid + np.log1p(-share)
    yield_ = np.round(rate - (growth - paid), DIGITS)
    pays = np.any(dividends.share > 0.0, axis=1)
    put = Unit(total, np.where(c.call, yield_, rate), np.where(c.call, rate, yield_))
    early = (put.rate > 0.0) | (put.yield_ < put.rate)
    value = european.copy()
    log_spot = np.log(c.spot) - np.log(c.strike)
    smooth = np.flatnonzero(early & ~pays & (put.rate >= 0.0))
    if len(smooth):
        mirrored = np.where(c.call, -log_spot, log_spot)[smooth]
        unit = np.where(c.call, c.spot, c.strike)[smooth]
        value[smooth] = _by_boundary(mirrored, put.part(smooth), european[smooth] / unit) * unit
    rest = np.flatnonzero(pays | (early & (put.rate < 0.0)))
    if len(rest):
        paying = Paying(total, rate, yield_, c.call, *dividends).part(rest)
        value[rest] = _by_lattice(log_spot[rest], paying, european[rest] / c.strike[rest])
        value[rest] *= c.strike[rest]
    return value


def _by_boundary(log_spot: FloatArray, unit: Unit, european: FloatArray) -> FloatArray:
    """Price puts of strike 1 whose exercise region lies below one boundary."""
    value = european.copy()
    rows = np.flatnonzero(unit.total > LEAST_TOTAL)
    if len(rows):
        own = unit.part(rows)
        first, labels = group_rows(*own)
        log = _boundary.boundary(own.part(first))[:, labels]
        worth = _boundary.premium(log_spot[rows], own, log)
        # What is exercised at once is worth what exercise pays, which the caller adds.
        value[rows] = np.where(np.isnan(worth), 0.0, european[rows] + worth)
    return np.maximum(value, _on_a_day(log_spot, unit))


def _on_a_day(log_spot: FloatArray, unit: Unit) -> FloatArray:
    """Value of exercising on the best day stated in advance, between now and expiry; else 0.

    It is a bound, and exact without volatility: ``exp(-r t) - S exp(-q t)`` is greatest where
    ``exp((r - q) t) = r / (q S)``.
    """
    tilt, bound = unit.rate - unit.yield_, np.zeros_like(log_spot)
    rows = np.flatnonzero((unit.rate > 0.0) & (unit.yield_ > 0.0) & (tilt != 0.0))
    own, spot = unit.part(rows), log_spot[rows]
    with np.errstate(over="ignore"):  # of a spot of nearly nothing, against which nothing is won
        day = (np.log(own.rate) - np.log(own.yield_) - spot) / tilt[rows]
        day = np.clip(day, 0.0, 1.0)
        paid = np.exp(-own.rate * day) - np.exp(spot - own.yield_ * day)
    bound[rows] = np.where((day > 0.0) & (day < 1.0), paid, 0.0)
    return bound


def _by_lattice(log_spot: FloatArray, paying: Paying, european: FloatArray) -> FloatArray:
    """Price options of strike 1 with dividends, or exercised within a band."""
    value = european.copy()
    reach = 8.0 * paying.total + np.abs(np.log(paying.growth(1.0))) + np.abs(paying.rate)
    rows = np.flatnonzero((paying.total > LEAST_TOTAL) & (reach < MOST_REACH))
    if len(rows):
        own = paying.part(rows)
        keys = (own.total, own.rate, own.yield_, own.call, *own.paid.T, *own.share.T)
        first, labels = group_rows(*keys)
        value[rows] += _lattice.premium(log_spot[rows], own.part(first), labels)
    side, spot = np.where(paying.call, 1.0, -1.0), np.exp(log_spot)
    for time in paying.paid.T:  # just before and just after each dividend, stated in advance
        discount = np.exp(-paying.rate * time)
        for before in (True, False):
            forward = spot * paying.growth(time, before=before)
            value = np.maximum(value, side * discount * (forward - 1.0))
    most = np.where(paying.call, spot, 1.0)
    most *= np.exp(np.maximum(-np.where(paying.call, paying.yield_, paying.rate), 0.0))
    value = np.where(paying.total * 8.0 < MOST_REACH, value, most)
    return np.minimum(value, np.maximum(most, european))  # binds only where nodes are far apart
