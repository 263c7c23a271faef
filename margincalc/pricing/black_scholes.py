"""Black-Scholes-Merton on the spot: Black (1976) with a forward made of rate and yield.

The forward is ``F = S exp((r - q) T)``, and present values are ``exp(-r T)`` times the undiscounted
ones; rate and yield are continuously compounded decimals per year.

Reference: J. C. Hull, "Options, Futures, and Other Derivatives", 7th ed., chapters 13, 15 and 17.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margincalc.arrays import BoolArray, FloatArray
from margincalc.pricing import black
from margincalc.pricing._checks import amounts, flags, reals, refuse


@dataclass(frozen=True, slots=True)
class Option:
    """What was agreed: strike, time to expiry in years, True for a call. All fields broadcast."""

    strike: npt.ArrayLike
    time: npt.ArrayLike
    call: npt.ArrayLike


@dataclass(frozen=True, slots=True)
class Market:
    """What is observed: spot, interest rate and dividend (or foreign) yield. All broadcast."""

    spot: npt.ArrayLike
    rate: npt.ArrayLike = 0.0
    yield_: npt.ArrayLike = 0.0


@dataclass(frozen=True, slots=True)
class SpotGreeks:
    """Present value and sensitivities, arrays of the arguments' common shape.

    `delta` is dV/dS, `gamma` d2V/dS2, `vega` dV/dsigma per 1.00 of volatility, `theta` the change
    per year of calendar time at a fixed spot, and `rho` dV/dr per 1.00 of rate at a fixed spot.
    """

    price: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray


@dataclass(frozen=True, slots=True)
class _Forward:
    """The same contracts on the forward, contiguous arrays of one shape."""

    forward: FloatArray
    growth: FloatArray  # forward per unit of spot
    discount: FloatArray
    carry: FloatArray  # rate less yield
    rate: FloatArray
    option: tuple[FloatArray, FloatArray, FloatArray, BoolArray]  # strike, volatility, time, call


def price(option: Option, market: Market, volatility: npt.ArrayLike) -> FloatArray:
    """Present value of a European option on a spot price.

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
        If an argument is not as above, or rate, yield and time make a factor that is not finite.
    """
    view = _on_forward(option, market, volatility)
    return view.discount * black.price_unchecked(view.forward, *view.option)


def greeks(option: Option, market: Market, volatility: npt.ArrayLike) -> SpotGreeks:
    """Present value and Greeks of a European option on a spot price; errors as for `price`."""
    view = _on_forward(option, market, volatility)
    plain = black.greeks_unchecked(view.forward, *view.option)
    time = view.option[2]
    value = view.discount * plain.price
    exposure = view.discount * view.forward * plain.delta
    return SpotGreeks(
        price=value,
        delta=view.discount * view.growth * plain.delta,
        gamma=view.discount * view.growth * view.growth * plain.gamma,
        vega=view.discount * plain.vega,
        theta=view.discount * plain.theta + view.rate * value - view.carry * exposure,
        rho=time * (exposure - value),
    )


def _on_forward(option: Option, market: Market, volatility: npt.ArrayLike) -> _Forward:
    sizes = amounts(spot=market.spot, strike=option.strike, volatility=volatility, time=option.time)
    rates = reals(rate=market.rate, yield_=market.yield_)
    every = np.broadcast_arrays(*sizes.values(), *rates.values(), flags("call", option.call))
    # Contiguous, because NumPy may round exp differently over strided memory.
    spot, strike, sigma, time, rate, yield_ = (np.asarray(a, order="C") for a in every[:-1])
    with np.errstate(over="ignore"):
        growth, discount = np.exp((rate - yield_) * time), np.exp(-rate * time)
        forward = spot * growth
    _refuse_overflow(forward, discount)
    contract = (strike, sigma, time, every[-1])
    return _Forward(forward, growth, discount, rate - yield_, rate, contract)


def _refuse_overflow(forward: FloatArray, discount: FloatArray) -> None:
    wanted = "a finite number: rate and yield_ are decimals per year (0.05 is 5 %)"
    refuse("the forward from spot", forward, ~np.isfinite(forward), wanted)
    refuse("the discount factor", discount, ~np.isfinite(discount), wanted)
