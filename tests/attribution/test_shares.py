"""Shares of a requirement: they sum, and they are what they are called."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings

import margincalc as mc
from margincalc.arrays import FloatArray, group_sum
from margincalc.attribution import shapley as shapley_module
from margincalc.attribution.shapley import shapley
from margincalc.attribution.shares import shares
from margincalc.attribution.taylor import taylor
from margincalc.attribution.weighted import alone, legs, pooled
from margincalc.book import Book
from margincalc.margin.base import MarginModel, MarginResult
from margincalc.margin.forms import LinearForm
from margincalc.margin.scan import build
from margincalc.portfolio import Portfolio
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid
from tests.books import ANY, WITH_POOLS, margined, portfolios
from tests.proving import examples

MODELS = ("generic-portfolio", "generic-standard")
few = settings(max_examples=examples(15))


class Rule(NamedTuple):
    """A requirement written as a function of quantities, shape (A, N) -> (A,)."""

    function: Callable[[FloatArray], FloatArray]

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """None."""
        return ()

    def margin(self, book: Book) -> MarginResult:
        """Apply the function to what each pool holds of the instruments, by strike."""
        strike = book.instruments.strike[book.instrument]
        held = [group_sum(book.quantity * (strike == k), book.pool, book.pools) for k in STRIKES]
        need = self.function(np.stack(held, axis=1))
        return MarginResult(equity(book, now(book)), {"rule": need}, {"rule": need})

    def linear(self, book: Book) -> LinearForm:
        """Nothing of it is one."""
        return LinearForm(without=("rule",))


STRIKES = (90_000.0, 100_000.0, 110_000.0)


def account(*quantities: float) -> Book:
    held = zip(STRIKES, quantities, strict=False)
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}},
        "positions": [
            {"instrument": f"BTC-25DEC26-{strike:.0f}-C", "quantity": quantity}
            for strike, quantity in held
        ],
    }
    return margined(Portfolio.model_validate(content)).book


def divided(book: Book, function: Callable[[FloatArray], FloatArray]) -> Any:
    """Divide by strike, as instruments sort otherwise than strikes."""
    found = shares(pooled(book, Rule(function), 0))
    order = np.argsort(book.instruments.strike[book.instrument])
    return found._replace(amount=found.amount[order], low=found.low[order], high=found.high[order])


@few
@given(portfolios(ANY))
def test_shares_sum_to_the_maintenance_margin(portfolio: Portfolio) -> None:
    for model in MODELS:
        held = margined(portfolio, model=model)
        total = float(held.result.maintenance[0])
        found = shares(pooled(held.book, held.model, 0))
        assert np.sum(found.amount) == pytest.approx(total, abs=1e-9 * max(1.0, total))
        assert np.all(found.low <= found.amount)
        assert np.all(found.amount <= found.high)


@few
@given(portfolios(ANY))
def test_shapley_values_sum_and_agree_when_sampled(portfolio: Portfolio) -> None:
    held = margined(portfolio)
    whole = pooled(held.book, held.model, 0)
    players = legs(whole, alone(whole))
    exact = shapley(whole, players, 1)
    total = float(held.result.maintenance[0])
    assert np.sum(exact.amount) == pytest.approx(total, abs=1e-9 * max(1.0, total))
    by_order = shapley_module._sampled(whole, players, np.random.default_rng(3))
    assert np.allclose(np.sum(by_order, axis=1), total, rtol=0.0, atol=1e-9 * max(1.0, total))
    error = np.std(by_order, axis=0) / np.sqrt(len(by_order))
    apart = np.abs(np.mean(by_order, axis=0) - exact.amount[players])
    assert np.all(apart <= 6.0 * error + 1e-9 * max(1.0, total))


def test_many_positions_are_sampled_with_their_error() -> None:
    rows = [
        {"instrument": f"BTC-25DEC26-{70 + 4 * n}000-C", "quantity": (-1.0) ** n * (n + 1)}
        for n in range(14)
    ]
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}},
        "positions": rows,
        "collateral": [{"asset": "USD", "quantity": 1e6}],
    }
    held = margined(Portfolio.model_validate(content))
    whole = pooled(held.book, held.model, 0)
    players = legs(whole, alone(whole))
    assert len(players) == 14, "cash is no player"
    once, again, other = (shapley(whole, players, seed) for seed in (1, 1, 2))
    total = float(held.result.maintenance[0])
    assert once.orders == 256
    assert np.sum(once.amount) == pytest.approx(total, abs=1e-9 * total)
    assert np.array_equal(once.amount, again.amount)
    both = np.hypot(once.error, other.error)[players]
    assert np.all(np.abs(once.amount - other.amount)[players] <= 6.0 * both)
    assert np.all(both > 0.0)


@few
@given(portfolios(WITH_POOLS))
def test_without_and_alone_are_margins_of_other_accounts(portfolio: Portfolio) -> None:
    held = margined(portfolio, mode="cross")
    names = {contract.name for contract in held.assembly.contracts}
    for pool in range(held.book.pools):
        whole = pooled(held.book, held.model, pool)
        found = alone(whole)
        total = held.result.maintenance[pool]
        for n, row in enumerate(whole.rows[:2]):
            other = np.setdiff1d(np.arange(len(held.book.pool)), [row])
            rest, _ = held.book.restricted(other)
            single, _ = held.book.restricted(np.array([row]))
            if held.instrument(int(row)) in names:
                without = total - held.model.margin(rest).maintenance[pool]
                own = held.model.margin(single).maintenance[pool]
                size = max(1.0, float(total))
                assert found.leave_one_out[n] == pytest.approx(without, abs=1e-9 * size)
                assert found.standalone[n] == pytest.approx(own, abs=1e-9 * size)


def test_a_concentration_charge_is_shared_along_the_ray() -> None:
    """Of ``(sum |q|) ** 1.5`` each position has its part of the sum, not 3/2 of it."""
    found = divided(account(3.0, -1.0, 4.0), lambda q: np.sum(np.abs(q), axis=1) ** 1.5)
    assert found.method == "aumann-shapley"
    assert found.amount == pytest.approx(8.0**1.5 * np.array([3.0, 1.0, 4.0]) / 8.0, rel=1e-6)
    assert np.sum(found.amount) == pytest.approx(8.0**1.5, rel=1e-13)


def test_a_minimum_is_shared_along_the_ray() -> None:
    found = divided(account(3.0, -1.0, 4.0), lambda q: np.maximum(np.sum(np.abs(q), axis=1), 10.0))
    assert found.method == "aumann-shapley"
    assert np.sum(found.amount) == pytest.approx(10.0, abs=1e-9)


def test_a_curved_but_homogeneous_requirement() -> None:
    found = divided(account(3.0, -1.0, 4.0), lambda q: np.sqrt(np.sum(q**2, axis=1)))
    assert found.method == "euler"
    assert found.amount == pytest.approx(np.array([9.0, 1.0, 16.0]) / np.sqrt(26.0), rel=1e-6)


def test_a_tie_has_a_range_and_its_middle() -> None:
    found = divided(account(3.0, -1.0, 4.0), lambda q: np.max(np.abs(q) * [4.0, 12.0, 3.0], axis=1))
    assert found.method == "euler"
    assert found.low == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert found.high == pytest.approx([12.0, 12.0, 12.0], rel=1e-6)
    assert found.amount == pytest.approx([4.0, 4.0, 4.0], rel=1e-6)


@pytest.mark.parametrize("settlement", ["linear", "inverse"])
@pytest.mark.parametrize("currency", ["USD", "BTC"])
def test_small_moves_leave_no_residual(settlement: str, currency: str) -> None:
    """What Greeks miss is of third order: a tenth of the move, a thousandth of the residual."""
    collateral = "USD" if settlement == "linear" else currency
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "currency": currency,
        "market": {
            "BTC": {"spot": 100_000.0, "rate": 0.05, "volatility": 0.6, "settlement": settlement}
        },
        "positions": [
            {"instrument": "BTC-25DEC26-90000-P", "quantity": -3.0},
            {"instrument": "BTC-25DEC26-115000-C", "quantity": -2.0},
        ],
        "collateral": [{"asset": collateral, "quantity": 10.0}],
    }
    held = margined(Portfolio.model_validate(content))
    residuals = []
    for size in (0.02, 0.002):
        grid = {"spot": [-size], "volatility": [5.0 * size]}
        model: MarginModel = build({"grid": grid, "volatility": {"rule": "relative"}})
        worst = model.margin(held.book).worst
        assert worst is not None
        terms = taylor(held.book, model, worst)
        together = sum(np.sum(column) for column in terms)
        assert together == pytest.approx(worst.pnl[0], rel=1e-12)
        residuals.append(abs(float(np.sum(terms.residual))))
    assert residuals[1] < residuals[0] / 300.0


def test_a_deposit_outside_the_scenarios_has_no_terms() -> None:
    portfolio = mc.load("sample_portfolios/two_underlyings_three_collaterals.yaml")
    outside, inside = (
        {
            line.instrument: line.terms
            for line in mc.explain(portfolio, model=model).positions
            if "deposit" in line.instrument
        }
        for model in ("paradex-pm", "generic-portfolio")
    )
    assert outside.keys() == inside.keys()
    for name, terms in outside.items():
        assert terms is not None
        assert set(terms) == {0.0}
        counted = inside[name]
        assert counted is not None
        assert counted.delta < 0.0
        assert counted.residual == pytest.approx(0.0, abs=1e-9)
