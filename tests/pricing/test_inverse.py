"""Coin-settled options."""

import numpy as np
import pytest

from margincalc.arrays import FloatArray
from margincalc.pricing import black, inverse

FORWARD = np.array([95610.24, 64195.93, 2500.0, 100.0])
STRIKE = np.array([75000.0, 88000.0, 2500.0, 1e5])
VOLATILITY = np.array([0.4732, 0.5988, 1.2, 3.0])
TIME = np.array([0.1121, 0.212, 0.003, 0.5])


def test_a_published_deribit_mark() -> None:
    """BTC-27FEB26-75000-C on 2026-01-17 09:14:01 UTC: mark 0.2194 coin, volatility 47.32 %."""
    seconds = 40 * 86400 + 22 * 3600 + 45 * 60 + 59
    found = inverse.price(95610.24, 75000.0, 0.4732, seconds / (365 * 86400), True)
    assert abs(found - 0.21938056) < 1e-5


@pytest.mark.parametrize("call", [True, False])
def test_coin_value_is_black_over_the_forward(call: bool) -> None:
    found = inverse.greeks(FORWARD, STRIKE, VOLATILITY, TIME, call)
    plain = black.greeks(FORWARD, STRIKE, VOLATILITY, TIME, call)
    np.testing.assert_array_equal(found.price, plain.price / FORWARD)
    np.testing.assert_array_equal(
        found.price, inverse.price(FORWARD, STRIKE, VOLATILITY, TIME, call)
    )
    np.testing.assert_array_equal(found.delta, plain.delta - found.price)


def test_put_call_parity_in_coin() -> None:
    call = inverse.price(FORWARD, STRIKE, VOLATILITY, TIME, True)
    put = inverse.price(FORWARD, STRIKE, VOLATILITY, TIME, False)
    np.testing.assert_allclose(call - put, 1.0 - STRIKE / FORWARD, rtol=1e-14)


@pytest.mark.parametrize("call", [True, False])
def test_greeks_are_the_derivatives_of_the_coin_value(call: bool) -> None:
    found = inverse.greeks(FORWARD, STRIKE, VOLATILITY, TIME, call)

    def value(forward: float = 1.0, volatility: float = 1.0, time: float = 1.0) -> FloatArray:
        return inverse.price(FORWARD * forward, STRIKE, VOLATILITY * volatility, TIME * time, call)

    up, down, step = 1.0 + 1e-4, 1.0 - 1e-4, 2e-4
    by_forward = (value(forward=up) - value(forward=down)) / step
    np.testing.assert_allclose(by_forward, found.delta, rtol=1e-5, atol=1e-9)
    bend = (value(forward=up) - 2.0 * value() + value(forward=down)) / 1e-8
    np.testing.assert_allclose(bend, found.gamma * FORWARD**2, rtol=1e-4, atol=1e-5)
    by_volatility = (value(volatility=up) - value(volatility=down)) / step
    np.testing.assert_allclose(by_volatility, found.vega * VOLATILITY, rtol=1e-5, atol=1e-9)
    by_time = (value(time=up) - value(time=down)) / step
    np.testing.assert_allclose(by_time, -found.theta * TIME, rtol=1e-5, atol=1e-9)


def test_a_coin_that_is_worth_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"forward\[1\] is 0.0; wanted a positive number"):
        inverse.price([1.0, 0.0], 100.0, 0.5, 1.0, True)
    with pytest.raises(ValueError, match=r"forward is nan; wanted a finite number"):
        inverse.greeks(np.nan, 100.0, 0.5, 1.0, True)
