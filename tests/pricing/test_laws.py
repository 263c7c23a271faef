"""What must hold of prices and Greeks whatever the numbers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from margincalc.pricing import black
from tests.proving import examples

EPSILON = np.finfo(float).eps


class Contract(NamedTuple):
    """One option, in the order of the pricing functions."""

    forward: float
    strike: float
    volatility: float
    time: float
    call: bool


@st.composite
def contracts(draw: st.DrawFn, deviations: float = 30.0) -> Contract:
    """Options up to so many standard deviations from the money."""
    forward = draw(st.floats(1e-3, 1e6))
    volatility, time = draw(st.floats(0.01, 5.0)), draw(st.floats(1e-4, 10.0))
    distance = draw(st.floats(-deviations, deviations))
    strike = forward * np.exp(np.clip(distance * volatility * np.sqrt(time), -50.0, 50.0))
    return Contract(forward, float(strike), volatility, time, draw(st.booleans()))


def value(contract: Contract) -> float:
    return float(black.price(*contract))


def with_number(contract: Contract, name: str, number: float) -> Contract:
    return Contract(**(contract._asdict() | {name: number}))


def rounding(contract: Contract) -> float:
    """What two roundings of the larger of F and K may amount to."""
    return float(2.0 * EPSILON * max(contract.forward, contract.strike))


@given(contracts())
def test_put_call_parity(contract: Contract) -> None:
    call, put = value(contract._replace(call=True)), value(contract._replace(call=False))
    assert abs(call - put - (contract.forward - contract.strike)) <= rounding(contract)


@given(contracts())
def test_prices_stay_within_their_no_arbitrage_bounds(contract: Contract) -> None:
    side = 1.0 if contract.call else -1.0
    intrinsic = max(side * (contract.forward - contract.strike), 0.0)
    upper = contract.forward if contract.call else contract.strike
    assert intrinsic <= value(contract) <= upper


@given(contracts(), st.floats(1.0, 3.0))
def test_prices_rise_with_volatility_and_with_time(contract: Contract, factor: float) -> None:
    slack = rounding(contract) + 1e-12 * value(contract)
    more = contract._replace(volatility=contract.volatility * factor)
    assert value(more) >= value(contract) - slack
    longer = contract._replace(time=contract.time * factor)
    assert value(longer) >= value(contract) - slack


@given(contracts(), st.floats(1.0, 3.0))
def test_calls_fall_and_puts_rise_with_the_strike(contract: Contract, factor: float) -> None:
    higher = contract._replace(strike=contract.strike * factor)
    side = 1.0 if contract.call else -1.0
    slack = rounding(higher) + 1e-12 * max(value(contract), value(higher))
    assert side * (value(contract) - value(higher)) >= -slack


@given(contracts(), st.integers(-40, 40))
def test_prices_are_homogeneous_exactly_for_powers_of_two(contract: Contract, power: int) -> None:
    scale = 2.0**power
    scaled = contract._replace(forward=contract.forward * scale, strike=contract.strike * scale)
    one, other = black.greeks(*contract), black.greeks(*scaled)
    assert other.price == one.price * scale
    assert other.delta == one.delta
    assert other.vega == one.vega * scale


@given(contracts(), st.sampled_from(["volatility", "time"]))
def test_prices_tend_to_the_intrinsic_value(contract: Contract, name: str) -> None:
    side = 1.0 if contract.call else -1.0
    intrinsic = max(side * (contract.forward - contract.strike), 0.0)
    limit = value(with_number(contract, name, 0.0))
    assert limit == intrinsic
    near = with_number(contract, name, 1e-40)
    assert abs(value(near) - limit) <= rounding(contract)


def slope(function: Callable[[float], float], at: float, step: float) -> float:
    """First derivative by a five-point stencil, of fourth order in `step`."""
    near = function(at + step) - function(at - step)
    wide = function(at + 2.0 * step) - function(at - 2.0 * step)
    return (8.0 * near - wide) / (12.0 * step)


@settings(max_examples=examples(60))
@given(contracts(deviations=4.0))
def test_greeks_are_the_derivatives_of_the_price(contract: Contract) -> None:
    found = black.greeks(*contract)
    total = contract.volatility * np.sqrt(contract.time)
    step = 0.003 * min(total, 1.0)
    scale = max(contract.forward, contract.strike)

    def along(name: str) -> Callable[[float], float]:
        return lambda x: value(with_number(contract, name, x))

    def delta(forward: float) -> float:
        return float(black.greeks(*contract._replace(forward=forward)).delta)

    by_forward = slope(along("forward"), contract.forward, step * contract.forward)
    noise = 8.0 * EPSILON / step
    assert abs(by_forward - found.delta) <= 1e-8 + noise * scale / contract.forward
    by_delta = slope(delta, contract.forward, step * contract.forward) * contract.forward
    assert abs(by_delta - found.gamma * contract.forward) <= (1e-8 + noise) / total
    sigma, time = contract.volatility, contract.time
    by_volatility = slope(along("volatility"), sigma, 0.001 * sigma)
    assert abs(by_volatility - found.vega) * sigma <= 1e-8 * scale
    by_time = slope(along("time"), time, 0.001 * time)
    assert abs(by_time + found.theta) * time <= 1e-8 * scale
