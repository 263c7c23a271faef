"""Black (1976): accuracy, limits, refusals, and independence of an element from its neighbours."""

import itertools

import mpmath as mp
import numpy as np
import pytest
import QuantLib as ql
from vollib.black import undiscounted_black

from margincalc.arrays import FloatArray
from margincalc.pricing import black
from tests.pricing.reference import Case, exact, relative_error, wide_cases

GREEKS = ("price", "delta", "gamma", "vega", "theta")
LENGTHS = (1, 2, 3, 7, 8, 9, 31, 100, 8191, 8192, 8193, 20000)


def ordinary_cases(count: int, seed: int) -> Case:
    """Options such as a book holds: within four standard deviations, a day to two years."""
    rng = np.random.default_rng(seed)
    forward = rng.uniform(50.0, 1e5, count)
    volatility, time = rng.uniform(0.1, 1.5, count), rng.uniform(1 / 365, 2.0, count)
    log = volatility * np.sqrt(time) * rng.uniform(-4.0, 4.0, count)
    return Case(forward, forward * np.exp(log), volatility, time, rng.random(count) < 0.5)


def edge_cases() -> Case:
    """A grid of magnitudes, with strikes at, next to and far from the forward."""
    ratios = (1e-3, 0.5, 1 - 1e-12, 1 - 1e-6, 1.0, 1 + 1e-9, 1 + 1e-3, 2.0, 1e3)
    rows = itertools.product(
        (1e-8, 1.0, 1e5), ratios, (0.01, 0.8, 20.0), (1e-6, 0.1, 30.0), (True, False)
    )
    f, ratio, sigma, t, call = (np.array(column) for column in zip(*rows, strict=True))
    return Case(f, f * ratio, sigma, t, call)


def stacked(found: black.BlackGreeks) -> FloatArray:
    return np.stack([getattr(found, name) for name in GREEKS])


@pytest.mark.parametrize(
    "case",
    [wide_cases(3000, 3), edge_cases(), ordinary_cases(500, 4)],
    ids=["wide", "edge", "book"],
)
def test_price_and_greeks_have_full_relative_accuracy(case: Case) -> None:
    found = black.greeks(*case)
    np.testing.assert_array_equal(found.price, black.price(*case))
    for index, row in enumerate(zip(*case, strict=True)):
        wanted = exact(*row)
        if wanted.price < 1e-300 * row[0]:
            continue  # the exponential itself leaves the range of a double
        for name in GREEKS:
            value = getattr(wanted, name)
            if abs(value) > 1e-290:
                assert relative_error(getattr(found, name)[index], value) < 1e-12, (name, row)


def test_prices_of_ordinary_books_are_right_to_a_few_last_digits() -> None:
    case = ordinary_cases(1000, 6)
    found = black.price(*case)
    wanted = [exact(*row).price for row in zip(*case, strict=True)]
    assert max(map(relative_error, found, wanted)) < 2e-14


def test_prices_reach_down_to_1e_300_of_the_forward() -> None:
    deviations = np.linspace(36.0, 36.86, 50)
    strike = 1e4 * np.exp(0.3 * deviations + 0.045)
    found = black.price(1e4, strike, 0.3, 1.0, True)
    assert 1e-300 < found.min() / 1e4 < 1e-298
    for k, value in zip(strike, found, strict=True):
        assert relative_error(value, exact(1e4, k, 0.3, 1.0, True).price) < 1e-12


def test_prices_agree_with_vollib() -> None:
    case = ordinary_cases(2000, 5)
    kinds = np.where(case.call, "c", "p")
    theirs = [undiscounted_black(*row) for row in zip(*case[:4], kinds, strict=True)]
    np.testing.assert_allclose(black.price(*case), theirs, rtol=2e-13)


def test_prices_agree_with_quantlib() -> None:
    case = ordinary_cases(500, 7)
    theirs = [
        ql.blackFormula(ql.Option.Call if c else ql.Option.Put, k, f, s * t**0.5)
        for f, k, s, t, c in (map(float, row) for row in zip(*case, strict=True))
    ]
    np.testing.assert_allclose(black.price(*case) / case.forward, theirs / case.forward, atol=1e-15)


@pytest.mark.parametrize(("volatility", "time"), [(0.0, 1.0), (0.7, 0.0), (0.0, 0.0)])
def test_without_total_volatility_an_option_is_its_payoff(volatility: float, time: float) -> None:
    forward = np.array([90.0, 100.0, 110.0, 0.0, 100.0])
    strike = np.array([100.0, 100.0, 100.0, 100.0, 0.0])
    call = black.greeks(forward, strike, volatility, time, True)
    put = black.greeks(forward, strike, volatility, time, False)
    np.testing.assert_array_equal(call.price, [0.0, 0.0, 10.0, 0.0, 100.0])
    np.testing.assert_array_equal(put.price, [10.0, 0.0, 0.0, 100.0, 0.0])
    np.testing.assert_allclose(call.delta, [0.0, 0.5, 1.0, 0.0, 1.0], rtol=4e-16, atol=0.0)
    np.testing.assert_allclose(put.delta, [-1.0, -0.5, 0.0, -1.0, 0.0], rtol=4e-16, atol=0.0)
    for found in (call, put):
        np.testing.assert_array_equal(found.gamma, 0.0)
        np.testing.assert_array_equal(found.theta, 0.0)
        at_the_money = 100.0 * np.sqrt(time / (2.0 * np.pi))
        np.testing.assert_allclose(found.vega, [0.0, at_the_money, 0.0, 0.0, 0.0], rtol=1e-15)


@pytest.mark.parametrize("volatility", [60.0, 1e3, 1e40, 1e200, 1.7e308])
def test_with_huge_volatility_a_call_is_the_forward_and_a_put_the_strike(volatility: float) -> None:
    forward = np.array([100.0, 90.0, 110.0, 1e-5, 1e9])
    call = black.greeks(forward, 100.0, volatility, 4.0, True)
    put = black.greeks(forward, 100.0, volatility, 4.0, False)
    np.testing.assert_array_equal(call.price, forward)
    np.testing.assert_array_equal(put.price, 100.0)
    np.testing.assert_array_equal(call.delta, 1.0)
    np.testing.assert_array_equal(put.delta, 0.0)
    assert all(np.isfinite(stacked(found)).all() for found in (call, put))


@pytest.mark.parametrize("volatility", [0.0, 1e-9, 0.5, 80.0, 1e50, 1.7e308])
def test_zero_forward_and_zero_strike_are_limits(volatility: float) -> None:
    forward, strike = np.array([0.0, 100.0, 0.0]), np.array([100.0, 0.0, 0.0])
    call = black.greeks(forward, strike, volatility, 1.0, True)
    put = black.greeks(forward, strike, volatility, 1.0, False)
    np.testing.assert_array_equal(call.price, forward)
    np.testing.assert_array_equal(put.price, strike)
    np.testing.assert_array_equal(call.delta, [0.0, 1.0, 1.0])
    np.testing.assert_array_equal(put.delta, [-1.0, 0.0, 0.0])
    for found in (call, put):
        np.testing.assert_array_equal(stacked(found)[2:], 0.0)


def test_one_option_equals_its_row_in_any_array_to_the_last_bit() -> None:
    case = wide_cases(20000, 8)
    whole = stacked(black.greeks(*case))
    for length in LENGTHS:
        for start in {0, 1, 3, 20000 - length}:
            rows = slice(start, min(start + length, 20000))
            part = case.part(rows)
            np.testing.assert_array_equal(stacked(black.greeks(*part)), whole[:, rows])
            np.testing.assert_array_equal(black.price(*part), whole[0, rows])
    for row in range(0, 20000, 67):
        one = black.greeks(*case.part(row))
        np.testing.assert_array_equal(stacked(one), whole[:, row])


def test_strides_and_broadcasting_change_no_bit() -> None:
    case = wide_cases(3000, 9)
    whole = black.price(*case)
    spread = case.part(np.repeat(np.arange(3000), 3)).part(slice(None, None, 3))
    np.testing.assert_array_equal(black.price(*spread), whole)
    np.testing.assert_array_equal(black.price_unchecked(*spread), whole)
    backward = case.part(slice(None, None, -1))
    np.testing.assert_array_equal(black.price(*backward), whole[::-1])
    table = black.price(case.forward[:, None], case.strike[:50], 0.4, case.time[:, None], True)
    assert table.shape == (3000, 50)
    row = black.price(case.forward[7], case.strike[:50], 0.4, case.time[7], True)
    np.testing.assert_array_equal(table[7], row)


def test_scalars_give_arrays_without_axes_and_empty_arrays_stay_empty() -> None:
    assert black.price(100.0, 100.0, 0.2, 1.0, True).shape == ()
    assert black.price([], 100.0, 0.2, 1.0, True).shape == (0,)
    assert black.greeks(np.zeros((0, 3)), 100.0, 0.2, 1.0, False).gamma.shape == (0, 3)


@pytest.mark.parametrize("name", ["forward", "strike", "volatility", "time"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0])
def test_what_is_no_amount_is_refused_by_name_place_and_value(name: str, value: float) -> None:
    arguments = {"forward": 100.0, "strike": 90.0, "volatility": 0.5, "time": 1.0}
    wrong = np.array([[1.0, 2.0], [value, 3.0]])
    message = rf"{name}\[1, 0\] is {value}; wanted a finite number of at least 0"
    for function in (black.price, black.greeks):
        with pytest.raises(ValueError, match=message):
            function(**(arguments | {name: wrong}), call=True)
    with pytest.raises(ValueError, match=f"{name} is {value}; wanted"):
        black.price(**(arguments | {name: value}), call=True)


@pytest.mark.parametrize("call", ["c", 1, [1, 0], ["P"], None])
def test_a_flag_that_is_not_boolean_is_refused(call: object) -> None:
    with pytest.raises(ValueError, match=r"call holds .*; wanted booleans"):
        black.price(100.0, 90.0, 0.5, 1.0, call)  # type: ignore[arg-type]


def test_the_reference_itself_meets_a_closed_form() -> None:
    """At the money a price is ``F (2 N(s / 2) - 1)``, which needs no logarithm."""
    with mp.workdps(40):
        wanted = 100 * mp.erf(mp.mpf(0.25) / mp.sqrt(8))
    assert relative_error(float(exact(100.0, 100.0, 0.25, 1.0, True).price), wanted) < 1e-15
