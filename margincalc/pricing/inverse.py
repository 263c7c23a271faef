"""Coin-settled (inverse) options: Black's value, paid in the underlying itself.

A call pays ``max(S - K, 0) / S`` coin. With the coin as numeraire its value is Black's undiscounted
price over the forward, which is how Deribit publishes marks (rate 0). Results are in coin per coin
of contract size, and times the spot in the quote currency.

Reference: A. Lucic and A. Sepp, "Valuation and hedging of cryptocurrency inverse options",
Quantitative Finance 24 (2024), sections 2 and 3.
"""

from dataclasses import dataclass

import numpy.typing as npt

from margincalc.arrays import FloatArray
from margincalc.pricing import black
from margincalc.pricing._checks import amounts, refuse


@dataclass(frozen=True, slots=True)
class InverseGreeks:
    """Coin value and sensitivities, arrays of the arguments' common shape.

    `delta` is premium-adjusted and in coin: Black's delta less the coin value, which is
    ``F dV/dF`` of the coin value V. `gamma` is d2V/dF2, `vega` dV/dsigma per 1.00 of
    volatility, and `theta` the change per year of calendar time at a fixed forward.
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
    """Coin value of an inverse option.

    Parameters, shapes and errors are those of `black.price`, but the forward must be positive: a
    put's coin value has no limit there.
    """
    base = _positive(forward)
    return black.price(base, strike, volatility, time, call) / base


def greeks(
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    time: npt.ArrayLike,
    call: npt.ArrayLike,
) -> InverseGreeks:
    """Coin value and Greeks of an inverse option; arguments and errors as for `price`."""
    base = _positive(forward)
    plain = black.greeks(base, strike, volatility, time, call)
    coin = plain.price / base
    delta = plain.delta - coin
    return InverseGreeks(
        price=coin,
        delta=delta,
        gamma=(plain.gamma - 2.0 * delta / base) / base,
        vega=plain.vega / base,
        theta=plain.theta / base,
    )


def _positive(forward: npt.ArrayLike) -> FloatArray:
    base = amounts(forward=forward)["forward"]
    wanted = "a positive number: a coin that is worth nothing cannot settle an option"
    refuse("forward", base, base == 0.0, wanted)
    return base
