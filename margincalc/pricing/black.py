"""Black (1976) on the forward: prices and Greeks of European options.

Everything is forward; the numeraire is divided out. Prices are undiscounted, per unit of the
underlying, in the currency of the forward; multiply by a discount factor for a present value.
Volatility is a decimal per square-root year, time is in years (ACT/365).

Limits are values, not errors: at zero time or zero volatility the price is the intrinsic value, at
very large total volatility a call is worth F and a put K, and F = 0 and K = 0 are allowed. The
relative error of a price is below 1e-12 down to 1e-300 of the forward (while F / K and K / F are
doubles), on both sides of the money; delta, gamma and vega are as good. The result of an element
never depends on the other elements, to the last bit.

The ``*_unchecked`` functions are for callers that have validated their arguments once: they take
arrays of one common shape and look at nothing.

Reference: F. Black, "The pricing of commodity contracts", J. Financial Economics 3 (1976), eq. 16.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margincalc import pricer
from margincalc.arrays import BoolArray, FloatArray
from margincalc.pricing._checks import amounts, flags
from margincalc.pricing._kernel import (
    LEAST,
    Contracts,
    Workspace,
    add_intrinsic,
    blocks,
    time_value,
)


@dataclass(frozen=True, slots=True)
class BlackGreeks:
    """Undiscounted price and sensitivities, arrays of the arguments' common shape.

    `delta` is dV/dF, `gamma` d2V/dF2, `vega` dV/dsigma per 1.00 of volatility, and `theta` the
    change per year of calendar time at a fixed forward, -dV/dT (so it is never positive).

    At zero total volatility the derivatives are those of the payoff away from the strike. At the
    strike itself delta is +0.5 for a call and -0.5 for a put, and gamma and, at zero time, theta,
    which are infinite, are given as 0.
    """

    price: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray


def price(
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    time: npt.ArrayLike,
    call: npt.ArrayLike,
) -> FloatArray:
    """Undiscounted price of a European option on a forward.

    Parameters
    ----------
    forward, strike, volatility, time : finite numbers of at least 0, broadcast together
    call : booleans, True for a call and False for a put

    Returns
    -------
    array of the broadcast shape

    Raises
    ------
    ValueError
        If an argument holds NaN, an infinity or a negative number, or `call` is not boolean.
    """
    return price_unchecked(*_checked(forward, strike, volatility, time, call))


def greeks(
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    time: npt.ArrayLike,
    call: npt.ArrayLike,
) -> BlackGreeks:
    """Undiscounted price and Greeks; arguments, shapes and errors as for `price`."""
    return greeks_unchecked(*_checked(forward, strike, volatility, time, call))


def price_unchecked(
    forward: FloatArray,
    strike: FloatArray,
    volatility: FloatArray,
    time: FloatArray,
    call: BoolArray,
) -> FloatArray:
    """`price` of arrays of one common shape that are known to be valid."""
    contracts = _flat(forward, strike, volatility, time, call)
    if (kernels := pricer.current().black) is not None:
        return kernels.price(contracts.columns).reshape(forward.shape)
    out = np.empty(forward.size)
    with np.errstate(all="ignore"):
        for rows, space in blocks(out.size):
            part = contracts.part(rows)
            time_value(part, space)
            add_intrinsic(part, space, out[rows])
    return out.reshape(forward.shape)


def gamma_unchecked(forward: FloatArray, strike: FloatArray, deviation: FloatArray) -> FloatArray:
    """Second derivative in the forward; `deviation` is volatility times the root of time.

    It has one peak, at ``forward = strike * exp(-1.5 * deviation**2)``. Without deviation it is 0.
    """
    with np.errstate(all="ignore"):
        d = np.log(forward / strike) / deviation + 0.5 * deviation
        value = np.exp(-0.5 * d * d) / (np.sqrt(2.0 * np.pi) * forward * deviation)
    known: FloatArray = np.where((deviation > 0.0) & (forward > 0.0) & (strike > 0.0), value, 0.0)
    return known


def greeks_unchecked(
    forward: FloatArray,
    strike: FloatArray,
    volatility: FloatArray,
    time: FloatArray,
    call: BoolArray,
) -> BlackGreeks:
    """`greeks` of arrays of one common shape that are known to be valid."""
    contracts = _flat(forward, strike, volatility, time, call)
    if (kernels := pricer.current().black) is not None:
        return BlackGreeks(*kernels.greeks(contracts.columns).reshape(5, *forward.shape))
    out = np.empty((5, forward.size))
    with np.errstate(all="ignore"):
        for rows, space in blocks(forward.size):
            _fill(contracts.part(rows), space, out[:, rows])
    return BlackGreeks(*out.reshape(5, *forward.shape))


def _checked(
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    time: npt.ArrayLike,
    call: npt.ArrayLike,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]:
    checked = amounts(forward=forward, strike=strike, volatility=volatility, time=time)
    every = np.broadcast_arrays(*checked.values(), flags("call", call))
    return every[0], every[1], every[2], every[3], every[4]


def _flat(
    forward: FloatArray,
    strike: FloatArray,
    volatility: FloatArray,
    time: FloatArray,
    call: BoolArray,
) -> Contracts:
    # NumPy may round exp and log differently over strided memory, so nothing strided passes here.
    return Contracts(
        np.ravel(forward), np.ravel(strike), np.ravel(volatility), np.ravel(time), np.ravel(call)
    )


def _fill(contracts: Contracts, space: Workspace, out: FloatArray) -> None:
    """Write price, delta, gamma, vega and theta of a block to the rows of `out`, shape (5, N)."""
    time_value(contracts, space)
    price_, delta, gamma, vega, theta = out
    add_intrinsic(contracts, space, price_)
    _delta(contracts, space, delta)
    _gamma(contracts, space, gamma)
    np.multiply(space.density, space.root, out=vega)
    _theta(contracts, space, theta)


def _delta(contracts: Contracts, space: Workspace, out: FloatArray) -> None:
    """N(d1) for a call, N(d1) - 1 for a put, from the tail that keeps its relative accuracy.

    Below the strike d1 is d and the tail is ``phi(d1) M(|d1|)``; above, -d1 is ``-far - half``.
    """
    below = contracts.forward < contracts.strike
    upper = ~below | (space.near < 0.0)  # the tail is N(-d1)
    np.divide(space.density, np.maximum(contracts.forward, LEAST, out=space.spare), out=out)
    np.multiply(out, np.where(below, space.mills_near, space.mills_beyond), out=out)
    one, kind = upper.view(np.int8), contracts.call.view(np.int8)
    np.multiply(out, 1 - 2 * one, out=out)
    np.add(out, one + kind - 1, out=out)


def _gamma(contracts: Contracts, space: Workspace, out: FloatArray) -> None:
    """``phi(d1) / (F s)``, where ``density = F phi(d1)``."""
    np.divide(space.density, np.maximum(contracts.forward, LEAST, out=space.spare), out=out)
    width = np.multiply(contracts.forward, space.total, out=space.spare)
    np.divide(out, np.maximum(width, LEAST, out=space.reach[: out.size]), out=out)
    out[width == 0.0] = 0.0


def _theta(contracts: Contracts, space: Workspace, out: FloatArray) -> None:
    """``-F phi(d1) sigma / (2 sqrt(T))``."""
    np.multiply(space.density, contracts.volatility, out=out)
    np.multiply(out, -0.5, out=out)
    np.divide(out, np.maximum(space.root, LEAST, out=space.spare), out=out)
    out[space.root == 0.0] = 0.0
