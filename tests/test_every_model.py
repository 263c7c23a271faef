"""The laws that hold of every shipped model, and those that a venue's own rules break.

What a model can express, and values that its venue does not publish, are `benchmarks.accounts`.
"""

import math
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

import margincalc as mc
from benchmarks.accounts import EXPRESSED, account, exchange, market
from margincalc.answers.account import Account
from margincalc.book import Kind
from margincalc.liquidation.moved import cut
from margincalc.liquidation.nearest import nearest
from margincalc.margin.load import model_names
from margincalc.portfolio import Portfolio
from tests.books import margined
from tests.test_laws import alone, assert_close, exact, excess_along, figures, scaled

MODELS = model_names()
SEEDS = range(8)  # of four sizes
Held = dict[str, float]


class Broken(NamedTuple):
    """Why a venue's rules break a law, and an account, or two, that show it."""

    reason: str
    one: Held
    other: Held = {}  # noqa: RUF012 - a named tuple's default, never changed


POSITIVE, PROPORTION, NETTING = (
    "no component is negative",
    "twice the account needs twice the margin",
    "two accounts in one need no more than apart",
)
_BIG = {"BTC-PERPETUAL": 5e7}
_HEDGED = {"BTC-27NOV26": 400.0, "BTC-25DEC26": -400.0}
BROKEN: dict[str, dict[str, Broken]] = {
    POSITIVE: {
        "derive-pm1": Broken(
            "equity is at market, the venue's own mark undiscounted: `valuation` is the difference",
            {"BTC-25DEC26-110000-C": 3.0},
        ),
        "derive-sm": Broken(
            "spreads are what an expiry needs less than its options one by one; and equity is at "
            "market, the venue's own mark undiscounted: `valuation` is the difference",
            {"BTC-25DEC26-110000-C": -3.0, "BTC-25DEC26-120000-C": 3.0},
        ),
        "paradex-cross": Broken(
            "spread_relief is what the options of an expiry need less than one by one",
            {"BTC-25DEC26-100000-C": -3.0, "BTC-25DEC26-105000-C": 3.0},
        ),
    },
    PROPORTION: {
        "deribit-pm": Broken(
            "the rate on the delta of futures grows with size, offsets between underlyings are "
            "capped and large moves forgive a fixed amount",
            _BIG,
        ),
        "deribit-sm": Broken("the rate on futures and perpetuals grows with size", _BIG),
        "okx-pm": Broken("what closing futures would cost (MR7) grows tier by tier", _HEDGED),
        "reg-t": Broken(
            "contracts are paired whole, and twice as many may pair where one is left over",
            {
                "SPY   270326P00700000": -2.0,
                "SPY   261225P00700000": -1.0,
                "SPY   261225P00650000": 1.0,
                "SPY   270326P00750000": 1.0,
                "SPY   261225C00650000": -2.0,
                "SPY": 200.0,
            },
        ),
    },
    NETTING: {
        "deribit-pm": Broken("the rate on the delta of futures grows with size", _BIG, _BIG),
        "deribit-sm": Broken("the rate on futures and perpetuals grows with size", _BIG, _BIG),
        "derive-pm2": Broken(
            "gains of an expiry count for more (static discount 1.05) than its losses (0.95), as "
            "the venue's script has them: what nets a loss counts for less than alone",
            {"BTC-25DEC26-120000-P": -2.0},
            {"BTC-25JUN27-110000-P": -3.0, "BTC-25DEC26-75000-P": 2.0},
        ),
        "nse-span": Broken(
            "deltas of two months that offset are charged as a spread, by more than the scan saves",
            {"RELIANCE-25DEC26-1330-C": 70.0},
            {"RELIANCE-29JAN27-1050-P": 140.0},
        ),
        "okx-pm": Broken("closing (MR7) grows tier by tier", _HEDGED, _HEDGED),
    },
}
UNPROVEN = {
    "bit-options": "the venue prints rules and no worked figures",
}
every_model = pytest.mark.parametrize("model", MODELS)


@cache
def drawn(model: str, seed: int, legs: int = 6) -> tuple[Portfolio, Account]:
    """Return an account that the model can express, and its margin."""
    whole = Portfolio.model_validate(account(model, legs, seed))
    # Small and large ones in turn; rules that look at size are looked at too.
    whole = scaled(whole, 10.0 ** (seed % 4))
    return whole, margin(whole, model)


def margin(whole: Portfolio, model: str) -> Account:
    return margined(whole, None, model, EXPRESSED[model].settings)


def size(found: Account) -> float:
    """Return the gross notional, against which rounding is measured."""
    columns = found.book.instruments
    delta_one = np.where(columns.inverse, 1.0, columns.forward)
    price = np.where(columns.kind == Kind.OPTION, columns.strike, delta_one)
    return float(
        np.sum(np.abs(found.book.quantity) * (columns.multiplier * price)[found.book.instrument])
    )


def of(model: str, *accounts: Held) -> Portfolio:
    """Write positions of accounts, of each contract in all, in the model's market."""
    held: Held = {}
    for each in accounts:
        held = {name: held.get(name, 0.0) + each.get(name, 0.0) for name in {**held, **each}}
    positions = [{"instrument": name, "quantity": quantity} for name, quantity in held.items()]
    return Portfolio.model_validate(market(model) | {"positions": positions})


def test_every_model_is_expressed_and_every_exception_is_of_one() -> None:
    assert sorted(EXPRESSED) == MODELS
    assert {name for models in BROKEN.values() for name in models} | {*UNPROVEN} <= {*MODELS}


# What holds everywhere


@every_model
def test_worked_examples_are_matched(model: str) -> None:
    report = mc.verify_models(model)
    assert report.mismatches == 0
    assert bool(report.lines) == (model not in UNPROVEN)


@every_model
def test_components_sum_to_the_requirement(model: str) -> None:
    for seed in SEEDS:
        found = drawn(model, seed)[1]
        for parts, total in (
            (found.result.components, found.result.maintenance),
            (found.result.initial_components, found.result.initial),
        ):
            summed = math.fsum(float(part[0]) for part in parts.values())
            assert summed == pytest.approx(float(total[0]), rel=1e-12, abs=1e-9)
            assert total[0] >= -1e-11 * size(found)
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
        assert_close(figures(other), figures(found), size(found))


@every_model
def test_splitting_a_position_changes_nothing(model: str) -> None:
    for seed in SEEDS:
        whole, found = drawn(model, seed)
        first, *others = whole.positions
        halves = [
            first.model_copy(update={"quantity": first.quantity * share}) for share in (0.25, 0.75)
        ]
        other = margin(whole.model_copy(update={"positions": (*halves, *others)}), model)
        assert_close(figures(other), figures(found), size(found))


@every_model
def test_initial_margin_is_at_least_maintenance_margin(model: str) -> None:
    for seed in SEEDS:
        found = drawn(model, seed)[1]
        assert np.all(found.result.initial >= found.result.maintenance - 1e-11 * size(found))


@every_model
def test_at_a_liquidation_price_the_excess_is_nothing(model: str) -> None:
    prices = 0
    for seed in SEEDS:
        found = drawn(model, seed, 3)[1]
        for underlying, price in crossings(found):
            at = price / found.book.spot[underlying]
            excess = excess_along(found, 0, underlying, np.array([at]))
            assert abs(excess[0]) <= 1e-11 * size(found) * max(at, 1.0)
            prices += 1
    assert prices > 3


@every_model
def test_what_is_margined_apart_moves_apart(model: str) -> None:
    """A part and what stays have the excess of the whole pool, wherever one spot goes."""
    for seed in SEEDS:
        found = drawn(model, seed)[1]
        every = np.arange(len(found.book.spot))
        parts = cut(found.book, found.model, every, found.result)
        pairs = np.arange(len(parts.pool))
        for at in (0.3, 0.9, 1.0, 1.15, 2.0):
            excess = parts.excess(pairs, np.full(len(pairs), at))
            assert not parts.apart or np.array_equal(excess, parts.take(pairs).at(at))
            for pair, underlying in enumerate(parts.underlying.tolist()):
                whole = excess_along(found, 0, underlying, np.array([at]))
                assert abs(excess[pair] - whole[0]) <= 1e-12 * size(found) * max(at, 1.0)


def crossings(found: Account) -> list[tuple[int, float]]:
    """Return every liquidation price of an account with its underlying."""
    prices = nearest(found.book, found.model)
    return [
        (int(underlying), float(price))
        for side in (prices.below, prices.above)
        for underlying, price in zip(prices.underlying, side, strict=True)
        if not math.isnan(price)
    ]


# What a venue's rules may break


def negative(whole: Portfolio, model: str) -> bool:
    """Whether a component is less than nothing."""
    found = margin(whole, model)
    parts = (*found.result.components.values(), *found.result.initial_components.values())
    return any(bool(np.any(part < -1e-11 * size(found))) for part in parts)


def disproportionate(whole: Portfolio, model: str) -> bool:
    """Whether a component of twice the account is not twice as much."""
    found, twice = margin(whole, model), figures(margin(scaled(whole, 2.0), model))
    return any(
        abs(twice[pool][name] - 2.0 * amount) > 1e-11 * size(found)
        for pool, columns in figures(found).items()
        for name, amount in columns.items()
    )


def dearer(whole: Portfolio, parts: Sequence[Portfolio], model: str) -> bool:
    """Whether accounts need more together than apart."""
    found, apart = margin(whole, model), [margin(part, model) for part in parts]
    limit = sum(float(part.result.maintenance[0]) for part in apart)
    return bool(found.result.maintenance[0] > limit + 1e-11 * size(found))


def halves(whole: Portfolio, seed: int) -> list[Portfolio]:
    """Cut an account in two."""
    cut = 1 + seed % (len(whole.positions) - 1)
    parts = (whole.positions[:cut], whole.positions[cut:])
    return [whole.model_copy(update={"positions": held, "collateral": ()}) for held in parts]


@every_model
def test_no_component_is_negative(model: str) -> None:
    if broken := BROKEN[POSITIVE].get(model):
        assert negative(of(model, broken.one), model), broken.reason
    else:
        assert not any(negative(drawn(model, seed)[0], model) for seed in SEEDS)


@every_model
def test_no_requirement_is_below_nothing(model: str) -> None:
    """Equity of at least nothing is what every model asks: the bound of a hedge stands on it."""
    for seed in range(8):
        _, found = drawn(model, seed)
        assert np.all(found.result.maintenance >= 0.0)
        assert np.all(found.result.initial >= 0.0)


@every_model
def test_twice_the_account_needs_twice_the_margin(model: str) -> None:
    if broken := BROKEN[PROPORTION].get(model):
        assert disproportionate(of(model, broken.one), model), broken.reason
    else:
        assert not any(disproportionate(drawn(model, seed)[0], model) for seed in SEEDS)


@every_model
def test_two_accounts_in_one_need_no_more_than_apart(model: str) -> None:
    if broken := BROKEN[NETTING].get(model):
        parts = [of(model, broken.one), of(model, broken.other)]
        assert dearer(of(model, broken.one, broken.other), parts, model), broken.reason
        return
    for seed in SEEDS:
        whole = drawn(model, seed)[0].model_copy(update={"collateral": ()})
        assert not dearer(whole, halves(whole, seed), model)
