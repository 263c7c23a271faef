"""The laws that hold of every shipped model, and those that a venue's own rules break.

What a model can express, and values that its venue does not publish, are `benchmarks.accounts`.
"""

import math
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest

from benchmarks.accounts import EXPRESSED, SIZE, account, exchange
from margincalc import api
from margincalc.answers.account import Account
from margincalc.liquidation.nearest import nearest
from margincalc.margin.load import model_names
from margincalc.portfolio import Portfolio
from tests.books import margined
from tests.test_laws import alone, assert_close, exact, excess_along, figures, rebuilt, scaled

MODELS = model_names()
SEEDS = range(12)
INITIAL, PROPORTION, NETTING, CONTINUITY = (
    "initial margin is at least maintenance margin",
    "twice the account needs twice the margin",
    "two accounts in one need no more than apart",
    "at a liquidation price the excess is nothing",
)
BROKEN: dict[str, dict[str, str]] = {
    INITIAL: {},
    PROPORTION: {},
    NETTING: {},
    CONTINUITY: {},
}
UNPROVEN: dict[str, str] = {}
every_model = pytest.mark.parametrize("model", MODELS)


@cache
def drawn(model: str, seed: int, legs: int = 6) -> tuple[Portfolio, Account]:
    """Return an account that the model can express, and its margin."""
    whole = Portfolio.model_validate(account(model, legs, seed))
    return whole, margin(whole, model)


def margin(whole: Portfolio, model: str) -> Account:
    return margined(whole, None, model, EXPRESSED[model].settings)


def size(whole: Portfolio) -> float:
    """Return the amount against which rounding is measured."""
    return 3.0 * SIZE * len(whole.positions) + sum(held.quantity for held in whole.collateral)


def breaks(law: str, model: str, broken: Callable[[int], bool]) -> None:
    """Assert that a law holds, or is listed and indeed broken."""
    found = [seed for seed in SEEDS if broken(seed)]
    print(law, model, found)
    assert bool(found) == (model in BROKEN[law])


def test_every_model_is_expressed() -> None:
    assert sorted(EXPRESSED) == MODELS
    assert all(reason for models in (*BROKEN.values(), UNPROVEN) for reason in models.values())
    assert {name for models in BROKEN.values() for name in models} <= set(MODELS)


# What holds everywhere


@every_model
def test_worked_examples_are_matched(model: str) -> None:
    report = api.verify_models(model)
    assert report.mismatches == 0
    assert bool(report.lines) == (model not in UNPROVEN)


@every_model
def test_components_sum_to_the_requirement(model: str) -> None:
    for seed in SEEDS:
        whole, found = drawn(model, seed)
        for parts, total in (
            (found.result.components, found.result.maintenance),
            (found.result.initial_components, found.result.initial),
        ):
            summed = math.fsum(float(part[0]) for part in parts.values())
            assert summed == pytest.approx(float(total[0]), rel=0.0, abs=1e-9)
            assert total[0] >= -1e-9
            assert np.isfinite(total[0])


@every_model
def test_an_account_equals_its_row_among_a_hundred_exactly(model: str) -> None:
    whole = Portfolio.model_validate(exchange(model, 100, range(1, 7)))
    together = margin(whole, model)
    assert together.book.pools == 100
    for number, name in list(enumerate(together.book.names.pools))[::4]:
        single = margin(alone(whole, name), model)
        assert exact(single, 0) == exact(together, number)
        assert details(single, 0) == details(together, number)


def details(found: Account, pool: int) -> dict[str, float]:
    """Return the venue's own figures, without those that are nothing."""
    every = {name: float(part[pool]) for name, part in found.result.details.items()}
    return {name: amount for name, amount in every.items() if amount}


@every_model
def test_the_order_of_positions_is_irrelevant(model: str) -> None:
    for seed in SEEDS:
        whole, found = drawn(model, seed)
        order = Random(seed).sample(whole.positions, len(whole.positions))
        other = margin(whole.model_copy(update={"positions": tuple(order)}), model)
        assert_close(figures(other), figures(found), size(whole))


@every_model
def test_splitting_a_position_changes_nothing(model: str) -> None:
    for seed in SEEDS:
        whole, found = drawn(model, seed)
        first, *others = whole.positions
        halves = [
            first.model_copy(update={"quantity": first.quantity * share}) for share in (0.25, 0.75)
        ]
        other = margin(whole.model_copy(update={"positions": (*halves, *others)}), model)
        assert_close(figures(other), figures(found), size(whole))


# What a venue's rules may break


@every_model
def test_initial_margin_is_at_least_maintenance_margin(model: str) -> None:
    def broken(seed: int) -> bool:
        whole, found = drawn(model, seed)
        short = found.result.maintenance - found.result.initial
        return bool(np.any(short > 1e-11 * size(whole)))

    breaks(INITIAL, model, broken)


@every_model
def test_twice_the_account_needs_twice_the_margin(model: str) -> None:
    def broken(seed: int) -> bool:
        whole, found = drawn(model, seed)
        twice = figures(margin(scaled(whole, 2.0), model))
        return any(
            abs(twice[pool][name] - 2.0 * amount) > 1e-10 * size(whole)
            for pool, columns in figures(found).items()
            for name, amount in columns.items()
        )

    breaks(PROPORTION, model, broken)


@every_model
def test_two_accounts_in_one_need_no_more_than_apart(model: str) -> None:
    def broken(seed: int) -> bool:
        whole, _ = drawn(model, seed)
        both = whole.model_copy(update={"collateral": ()})
        cut = 1 + seed % (len(both.positions) - 1)
        parts = [
            margin(both.model_copy(update={"positions": held}), model).result.maintenance[0]
            for held in (both.positions[:cut], both.positions[cut:])
        ]
        together = margin(both, model).result.maintenance[0]
        return bool(together > sum(parts) + 1e-11 * size(whole))

    breaks(NETTING, model, broken)


@every_model
def test_at_a_liquidation_price_the_excess_is_nothing(model: str) -> None:
    prices = 0

    def broken(seed: int) -> bool:
        nonlocal prices
        whole, found = drawn(model, seed, 3)
        slack = 1e-10 * size(whole)
        worst = 0.0
        for underlying, price in crossings(found):
            prices += 1
            at = price / found.book.spot[underlying]
            steps = at * np.array([1.0 - 1e-9, 1.0, 1.0 + 1e-9])
            left, here, right = excess_along(found, 0, underlying, steps) / max(at, 1.0)
            assert min(left, here, right) <= slack
            assert max(left, here, right) >= -slack
            worst = max(worst, abs(here))
        return worst > slack

    breaks(CONTINUITY, model, broken)
    assert prices > 5


def crossings(found: Account) -> list[tuple[int, float]]:
    """Return every liquidation price of an account with its underlying."""
    prices = nearest(found.book, found.model)
    return [
        (int(underlying), float(price))
        for side in (prices.below, prices.above)
        for underlying, price in zip(prices.underlying, side, strict=True)
        if not math.isnan(price)
    ]
