"""Implied volatility: the way back, its accuracy, and the reasons for having none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vollib.black.implied_volatility import implied_volatility_of_undiscounted_option_price

from margincalc.arrays import FloatArray
from margincalc.pricing import black
from margincalc.pricing.implied import ImpliedVolatility, Reason, implied_volatility
from tests.pricing.reference import Case, wide_cases

EPSILON = np.finfo(float).eps


def inverted(price: FloatArray, case: Case) -> ImpliedVolatility:
    return implied_volatility(price, case.forward, case.strike, case.time, case.call)


def resolution(found: black.BlackGreeks, volatility: FloatArray) -> FloatArray:
    """What the last digits of a price and of a volatility amount to in the price."""
    return np.spacing(found.price) + EPSILON * volatility * found.vega


def test_the_way_back_reprices_to_the_last_digits() -> None:
    case = wide_cases(300_000, 21)
    prices = black.greeks(*case)
    found = inverted(prices.price, case)
    solved = (found.reason == Reason.FOUND) & (found.volatility > 0.0)
    solved &= prices.price > 1e-300 * case.forward
    assert solved.mean() > 0.7
    again = black.price(case.forward, case.strike, found.volatility, case.time, case.call)
    steps = np.abs(again - prices.price)[solved] / resolution(prices, case.volatility)[solved]
    assert np.median(steps) <= 1.0
    # The direct formula may lose a factor of 50 where the series does not yet apply.
    assert steps.max() < 300.0
    error = np.abs(again - prices.price)[solved] / prices.price[solved]
    assert error.max() < 1e-12


def test_the_way_back_finds_the_volatility_as_far_as_the_price_holds_it() -> None:
    case = wide_cases(100_000, 22)
    prices = black.greeks(*case)
    found = inverted(prices.price, case)
    known = (prices.price > 1e-300 * case.forward) & (found.reason == Reason.FOUND)
    # In units of price, so that a vanishing vega divides nothing.
    error = np.abs(found.volatility - case.volatility) * prices.vega
    allowed = 300.0 * resolution(prices, case.volatility)
    certain = known & (allowed < 0.1 * case.volatility * prices.vega)
    assert certain.mean() > 0.5
    assert (error <= allowed)[certain].all()


def test_ordinary_options_agree_with_vollib() -> None:
    rng = np.random.default_rng(23)
    strike, sigma = 100.0 * np.exp(rng.normal(0, 0.2, 500)), rng.uniform(0.1, 1.5, 500)
    call = strike > 100.0
    price = black.price(100.0, strike, sigma, 0.25, call)
    kinds = np.where(call, "c", "p")
    theirs = [
        implied_volatility_of_undiscounted_option_price(p, 100.0, k, 0.25, kind)
        for p, k, kind in zip(price.tolist(), strike.tolist(), kinds.tolist(), strict=True)
    ]
    np.testing.assert_allclose(
        implied_volatility(price, 100.0, strike, 0.25, call).volatility, theirs, rtol=5e-13
    )


@given(
    distance=st.floats(-300.0, 300.0),
    total=st.floats(1e-10, 40.0),
    time=st.floats(1e-8, 100.0),
    scale=st.floats(1e-100, 1e100),
    call=st.booleans(),
)
def test_every_price_of_the_formula_has_a_finite_answer(
    distance: float, total: float, time: float, scale: float, call: bool
) -> None:
    strike, volatility = scale * np.exp(distance), total / np.sqrt(time)
    price = black.price(scale, strike, volatility, time, call)
    found = implied_volatility(price, scale, strike, time, call)
    assert np.isfinite(found.volatility)
    assert found.reason in (Reason.FOUND, Reason.AT_UPPER_BOUND)
    again = black.price(scale, strike, found.volatility, time, call)
    if found.reason == Reason.FOUND and price > 1e-295 * min(scale, strike):
        np.testing.assert_allclose(again, price, rtol=2e-12)


@pytest.mark.parametrize(
    ("price", "strike", "call", "reason"),
    [
        (10.0, 90.0, True, Reason.FOUND),
        (10.0 - 1e-12, 90.0, True, Reason.BELOW_INTRINSIC),
        (-1e-9, 110.0, True, Reason.BELOW_INTRINSIC),
        (0.0, 110.0, True, Reason.FOUND),
        (0.0, 100.0, False, Reason.FOUND),
        (99.0, 90.0, True, Reason.FOUND),
        (100.0, 90.0, True, Reason.AT_UPPER_BOUND),
        (101.0, 110.0, True, Reason.AT_UPPER_BOUND),
        (90.0, 90.0, False, Reason.AT_UPPER_BOUND),
        (19.9, 120.0, False, Reason.BELOW_INTRINSIC),
        (100.0, 0.0, True, Reason.FOUND),
        (100.1, 0.0, True, Reason.AT_UPPER_BOUND),
        (0.0, 0.0, False, Reason.FOUND),
        (0.1, 0.0, False, Reason.AT_UPPER_BOUND),
    ],
)
def test_a_price_without_a_volatility_says_why(
    price: float, strike: float, call: bool, reason: Reason
) -> None:
    found = implied_volatility(price, 100.0, strike, 0.5, call)
    assert found.reason == reason
    expected_zero = price in (10.0, 0.0, 100.0) or reason != Reason.FOUND
    assert (found.volatility == 0.0) == expected_zero
    at_expiry = implied_volatility(price, 100.0, strike, 0.0, call)
    assert at_expiry.reason == Reason.ZERO_TIME
    assert at_expiry.volatility == 0.0


def test_zero_forward_and_zero_strike_hold_no_volatility() -> None:
    found = implied_volatility([0.0, 0.1, 50.0, 0.0], [0, 0, 0, 0], [50, 50, 50, 0], 1.0, True)
    np.testing.assert_array_equal(
        found.reason, [Reason.FOUND, Reason.AT_UPPER_BOUND, Reason.AT_UPPER_BOUND, Reason.FOUND]
    )
    np.testing.assert_array_equal(found.volatility, 0.0)


def test_in_the_money_options_keep_the_digits_of_their_time_value() -> None:
    """A call far in the money, whose price holds six digits of time value."""
    price = black.price(100.0, 64.0, 0.3, 0.25, True)
    found = float(implied_volatility(price, 100.0, 64.0, 0.25, True).volatility)
    vega = float(black.greeks(100.0, 64.0, 0.3, 0.25, True).vega)
    assert abs(found - 0.3) <= 2.0 * np.spacing(36.0) / vega


def test_the_smallest_prices_have_volatilities() -> None:
    price = np.array([5e-324, 1e-320, 1e-320, 1e-290, 1e-200])
    found = implied_volatility(price, 1e8, [2e8, 1.1e8, 1e8, 1e8, 1e8], 1.0, True)
    assert (found.reason == Reason.FOUND).all()
    assert (found.volatility > 0.0).all()
    np.testing.assert_allclose(found.volatility[3:] * 1e8 / np.sqrt(2 * np.pi), price[3:])


def test_one_price_equals_its_row_in_any_array_to_the_last_bit() -> None:
    case = wide_cases(20_000, 24)
    price = black.price(*case)
    whole = inverted(price, case)
    for length in (1, 2, 3, 7, 8, 9, 100, 8191, 8193):
        for start in (0, 5, 20_000 - length):
            rows = slice(start, min(start + length, 20_000))
            part = inverted(price[rows], case.part(rows))
            np.testing.assert_array_equal(part.volatility, whole.volatility[rows])
            np.testing.assert_array_equal(part.reason, whole.reason[rows])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_price_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=rf"price\[1\] is {value}; wanted a finite number"):
        implied_volatility([1.0, value], 100.0, 100.0, 1.0, True)
    with pytest.raises(ValueError, match=r"time is -1.0; wanted a finite number of at least 0"):
        implied_volatility(1.0, 100.0, 100.0, -1.0, True)
