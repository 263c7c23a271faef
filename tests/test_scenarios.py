"""Scenarios: the scale of a volatility move, its floors, and what a scenario is called."""

import math

import numpy as np
import pytest

from margincalc.book import Kind
from margincalc.pricing import black
from margincalc.risk import now, revalued
from margincalc.scenarios import PIVOT_DAYS, ScenarioGrid, VolatilityRule, grid
from tests.books import margined
from tests.test_liquidation import book

YEARS = np.array([0.1, 1.0, 10.0, 30.0, 30.001, 60.0, 365.0]) / 365.0
RULE = VolatilityRule(short_power=0.3, long_power=0.13, floor_days=1.0)


def shocked(rule: VolatilityRule, volatility: float, days: float, move: float) -> float:
    found = rule.shocked(np.array([volatility]), np.array([days / 365.0]), np.array([move]))
    return float(found[0, 0])


def test_a_move_has_its_stated_size_at_thirty_days() -> None:
    assert PIVOT_DAYS == 30.0
    assert RULE.scale(np.array([30.0 / 365.0]))[0] == 1.0
    assert shocked(RULE, 0.6, 30.0, 0.5) == pytest.approx(0.9, rel=1e-15)


def test_the_power_is_that_of_the_side_of_thirty_days() -> None:
    expected = [
        30.0**0.3,  # below the floor, as at one day
        30.0**0.3,
        3.0**0.3,
        1.0,
        (30.0 / 30.001) ** 0.13,
        0.5**0.13,
        (30.0 / 365.0) ** 0.13,
    ]
    assert RULE.scale(YEARS) == pytest.approx(expected, rel=1e-14)


def test_no_powers_are_no_scale() -> None:
    assert np.array_equal(VolatilityRule().scale(YEARS), np.ones(len(YEARS)))


@pytest.mark.parametrize(("floor", "scale"), [(0.5, 60.0**0.3), (7.0, (30.0 / 7.0) ** 0.3)])
def test_shorter_expiries_move_as_the_floor_does(floor: float, scale: float) -> None:
    rule = RULE._replace(floor_days=floor)
    for days in (0.0, 0.01, floor):
        assert rule.scale(np.array([days / 365.0]))[0] == pytest.approx(scale, rel=1e-14)


def test_a_relative_move_multiplies_and_an_absolute_one_adds() -> None:
    assert shocked(RULE, 0.8, 10.0, -0.25) == pytest.approx(0.8 * (1.0 - 0.25 * 3.0**0.3))
    absolute = RULE._replace(relative=False)
    assert shocked(absolute, 0.8, 10.0, -0.25) == pytest.approx(0.8 - 0.25 * 3.0**0.3)


def test_no_volatility_falls_below_zero() -> None:
    assert shocked(RULE, 0.6, 1.0, -0.9) == 0.0
    assert shocked(RULE._replace(relative=False), 0.1, 30.0, -0.2) == 0.0


def test_only_an_upward_move_ends_at_the_least_volatility() -> None:
    rule = RULE._replace(minimum_up=0.4)
    assert shocked(rule, 0.1, 30.0, 0.5) == 0.4
    assert shocked(rule, 0.6, 30.0, 0.5) == pytest.approx(0.9)
    assert shocked(rule, 0.1, 30.0, 0.0) == 0.1
    assert shocked(rule, 0.1, 30.0, -0.5) == pytest.approx(0.05)


def test_scenarios_are_called_by_what_moves() -> None:
    rows = np.array(
        [
            [-0.15, 0.5, 1.0, 0.0],
            [0.0375, -0.25, 1.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
            [2.0, 0.5, 0.075, 0.0],
            [0.0, 0.0, 1.0, 1.5],
        ]
    )
    relative = grid(rows, VolatilityRule())
    assert relative.size == 5
    assert [relative.label(number) for number in range(5)] == [
        "spot -15 %, IV +50 %",
        "spot +3.75 %, IV -25 %",
        "spot unchanged, IV unchanged",
        "spot +200 %, IV +50 %, weight 7.5 %",
        "spot unchanged, IV unchanged, 1.5 days on",
    ]
    absolute = grid(rows, VolatilityRule(relative=False))
    assert absolute.label(0) == "spot -15 %, IV +50 points"
    assert absolute.label(2) == "spot unchanged, IV unchanged"


def days_on(days: float) -> ScenarioGrid:
    return grid(np.array([[0.0, 0.0, 1.0, days]]), VolatilityRule())


@pytest.mark.parametrize("settlement", ["linear", "inverse"])
@pytest.mark.parametrize("days", [0.0, 1.0, 10.0, 29.999, 30.0, 45.0])
def test_time_passes_along_the_forwards_own_carry(days: float, settlement: str) -> None:
    """Spot stays, and so do rate and yield; at expiry an option is worth what it pays."""
    spot, rate, yield_, volatility = 100_000.0, 0.08, 0.03, 0.6
    market = {"spot": spot, "rate": rate, "yield": yield_, "volatility": volatility}
    legs = [
        {"instrument": "BTC-20DEC26-95000-C", "quantity": 1.0},
        {"instrument": "BTC-20DEC26", "quantity": 1.0, "entry_price": 90_000.0},
    ]
    file = book(spot, legs, market={"BTC": market | {"settlement": settlement}})
    found = margined(file, "cross").book
    left = max(30.0 - days, 0.0) / 365.0
    forward = spot * math.exp((rate - yield_) * left)
    price = float(black.price(forward, 95_000.0, volatility, left, True))
    price *= math.exp(-(yield_ if settlement == "inverse" else rate) * left)
    worth = revalued(found, days_on(days))[:, 0]
    option = np.flatnonzero(found.instruments.is_kind(Kind.OPTION))[0]
    future = np.flatnonzero(found.instruments.is_kind(Kind.FUTURE))[0]
    present = now(found)[future]
    started = spot * math.exp((rate - yield_) * 30.0 / 365.0)
    if settlement == "inverse":
        price *= spot / forward
        expected = (1.0 / started - 1.0 / forward) * spot
    else:
        expected = forward - started
    assert worth[option] == pytest.approx(price, rel=1e-12)
    assert worth[future] - present == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_no_move_is_no_change() -> None:
    found = margined(book(100_000.0, [{"instrument": "BTC-20DEC26-95000-C", "quantity": 1.0}])).book
    assert np.array_equal(revalued(found, days_on(0.0))[:, 0], now(found))
