"""Black-Scholes on the spot: published figures, vollib, and derivatives by differences.

Published figures are those of J. C. Hull, "Options, Futures, and Other Derivatives", 7th edition.
"""

import numpy as np
import pytest
from vollib.black_scholes_merton import black_scholes_merton

from margincalc.pricing import black
from margincalc.pricing.black_scholes import Market, Option, greeks, price


@pytest.mark.parametrize(("call", "published"), [(True, 4.76), (False, 0.81)])
def test_hull_example_13_6_page_294(call: bool, published: float) -> None:
    found = price(Option(40.0, 0.5, call), Market(42.0, 0.1), 0.2)
    assert abs(found - published) < 0.005


def test_hull_example_16_6_page_343_put_on_a_futures_price() -> None:
    found = price(Option(20.0, 4 / 12, False), Market(20.0, 0.09, 0.09), 0.25)
    assert abs(found - 1.12) < 0.005
    undiscounted = black.price(20.0, 20.0, 0.25, 4 / 12, False)
    np.testing.assert_allclose(found, np.exp(-0.09 * 4 / 12) * undiscounted, rtol=1e-15)


def test_hull_example_16_7_page_343_call_on_a_futures_price() -> None:
    found = np.exp(-0.05 * 0.5) * black.price(620.0, 600.0, 0.2, 0.5, True)
    assert abs(found - 44.19) < 0.005


@pytest.mark.parametrize(
    ("name", "published", "half_digit"),
    [
        ("delta", 0.522, 0.0005),  # example 17.1, page 355
        ("theta", -4.31, 0.005),  # example 17.2, page 359
        ("gamma", 0.066, 0.0005),  # example 17.4, page 364
        ("vega", 12.1, 0.05),  # example 17.6, page 367
        ("rho", 8.91, 0.005),  # example 17.7, page 368
    ],
)
def test_hull_greeks_of_chapter_17(name: str, published: float, half_digit: float) -> None:
    found = greeks(Option(50.0, 0.3846, True), Market(49.0, 0.05), 0.2)
    assert abs(getattr(found, name) - published) <= half_digit


def test_prices_agree_with_vollib() -> None:
    rng = np.random.default_rng(31)
    strike, time = rng.uniform(60, 160, 500), rng.uniform(0.01, 3.0, 500)
    rate, yield_ = rng.uniform(-0.02, 0.1, 500), rng.uniform(0.0, 0.08, 500)
    sigma, call = rng.uniform(0.1, 1.0, 500), rng.random(500) < 0.5
    theirs = [
        black_scholes_merton("c" if c else "p", 100.0, *row)
        for c, *row in zip(call.tolist(), strike, time, rate, sigma, yield_, strict=True)
    ]
    found = price(Option(strike, time, call), Market(100.0, rate, yield_), sigma)
    np.testing.assert_allclose(found, theirs, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("call", [True, False])
@pytest.mark.parametrize("strike", [80.0, 100.0, 130.0])
def test_greeks_are_the_derivatives_of_the_price(call: bool, strike: float) -> None:
    spot, sigma, time, rate, yield_ = 100.0, 0.4, 0.7, 0.06, 0.02

    def value(s: float, v: float, t: float, r: float) -> float:
        return float(price(Option(strike, t, call), Market(s, r, yield_), v))

    found = greeks(Option(strike, time, call), Market(spot, rate, yield_), sigma)
    base = np.array([spot, sigma, time, rate])
    steps = np.array([0.01, 1e-4, 1e-4, 1e-4])
    first = [
        (value(*(base + move)) - value(*(base - move))) / (2 * np.sum(move))
        for move in np.diag(steps)
    ]
    wanted = [found.delta, found.vega, -found.theta, found.rho]
    np.testing.assert_allclose(first, wanted, rtol=1e-5)
    around = value(spot + 0.1, sigma, time, rate) + value(spot - 0.1, sigma, time, rate)
    second = (around - 2 * value(spot, sigma, time, rate)) / 0.01
    np.testing.assert_allclose(second, found.gamma, rtol=1e-4)
    np.testing.assert_array_equal(found.price, value(spot, sigma, time, rate))


def test_put_call_parity_with_carry() -> None:
    market, strike = Market(100.0, 0.05, 0.02), np.array([70.0, 100.0, 140.0])
    call = price(Option(strike, 2.0, True), market, 0.3)
    put = price(Option(strike, 2.0, False), market, 0.3)
    np.testing.assert_allclose(
        call - put, 100.0 * np.exp(-0.04) - strike * np.exp(-0.1), rtol=0, atol=1e-13
    )


def test_one_option_equals_its_row_in_an_array_to_the_last_bit() -> None:
    rng = np.random.default_rng(32)
    spot, rate, time = rng.uniform(50, 150, 999), rng.normal(0, 0.1, 999), rng.uniform(0, 3, 999)
    whole = greeks(Option(100.0, time, True), Market(spot, rate), 0.3)
    for row in range(0, 999, 37):
        one = greeks(Option(100.0, time[row], True), Market(spot[row], rate[row]), 0.3)
        assert (one.price, one.theta, one.rho) == (
            whole.price[row],
            whole.theta[row],
            whole.rho[row],
        )


def test_what_cannot_be_priced_is_refused() -> None:
    with pytest.raises(ValueError, match=r"spot\[1\] is -1.0; wanted a finite number of at least"):
        price(Option(100.0, 1.0, True), Market([1.0, -1.0]), 0.2)
    with pytest.raises(ValueError, match=r"rate is nan; wanted a finite number"):
        price(Option(100.0, 1.0, True), Market(100.0, np.nan), 0.2)
    with pytest.raises(ValueError, match=r"forward from spot\[0\] is inf; .* decimals per year"):
        price(Option(100.0, 2.0, True), Market([100.0], 500.0), 0.2)
    with pytest.raises(ValueError, match=r"discount factor\[0\] is inf; .* decimals per year"):
        greeks(Option([100.0], 2.0, True), Market(100.0, -500.0), 0.2)
