"""Closed forms, bridges and simulations of first passage agree where they must."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import margincalc as mc
from margincalc.arrays import FloatArray
from margincalc.book import Kind
from margincalc.errors import InputError
from margincalc.liquidation.dynamics import Diffusion, History, Jumps
from margincalc.liquidation.passage import Walk, either, met, moment, polled, single
from margincalc.liquidation.simulate import Run, mass_by, passage, steps_of
from margincalc.liquidation.surface import Layer, Surface, one_pool, surface
from margincalc.portfolio import Portfolio
from margincalc.risk.aging import aged
from tests.books import margined
from tests.cli import SAMPLES, STRANGLE
from tests.cli.conftest import Run as Command
from tests.cli.conftest import run
from tests.proving import examples

__all__ = ["run"]

WEEK = 7.0 / 365.0


@pytest.mark.parametrize(
    ("walk", "low", "high", "expected"),
    [
        (Walk(100.0, 0.0, 0.6, WEEK), 85.0, None, 0.05471297806158142),
        (Walk(100.0, 0.0, 0.6, WEEK), None, 120.0, 0.025742351217830053),
        (Walk(100.0, 0.1, 0.8, 30.0 / 365.0), 80.0, None, 0.3563735883511476),
        (Walk(100.0, 0.0, 0.6, WEEK), 85.0, 120.0, 0.08045532810601241),
        (Walk(100.0, 0.0, 0.8, 90.0 / 365.0), 60.0, 160.0, 0.43775818377984266),
    ],
)
def test_closed_forms(walk: Walk, low: float | None, high: float | None, expected: float) -> None:
    assert met(walk, low, high) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=examples(8))
@given(
    st.floats(-0.5, 0.5),
    st.floats(0.1, 2.0),
    st.floats(0.001, 1.0),
    st.floats(0.3, 0.99),
    st.floats(1.01, 3.0),
)
@example(0.5, 0.125, 1.0, 0.5, 2.5)
@example(0.5, 0.125, 1.0, 0.5, 3.0)
@example(0.5, 0.5, 1.0, 0.5, 2.0)
@example(0.5, 2.0, 1.0, 0.98, 1.02)
def test_two_barriers_between_one_and_both(
    drift: float, volatility: float, years: float, low: float, high: float
) -> None:
    walk = Walk(1.0, drift, volatility, years)
    below, above, both = single(walk, low), single(walk, high), met(walk, low, high)
    assert max(below, above) <= both + 1e-9
    assert both <= min(below + above, 1.0) + 1e-9
    assert both <= met(walk._replace(years=1.1 * years), low, high) + 1e-9
    far = np.exp(20.0 * (volatility * np.sqrt(years) + years))
    assert either(walk, low, float(far)) == pytest.approx(below, abs=1e-8)
    half = moment(walk, low, high, 0.5 * both)
    if both > 1e-6:
        assert half is not None
        assert met(walk._replace(years=half), low, high) == pytest.approx(0.5 * both, rel=1e-6)


def test_nothing_to_meet_and_already_met() -> None:
    walk = Walk(100.0, 0.0, 0.6, WEEK)
    assert met(walk, None, None) == 0.0
    assert met(walk, 100.0, None) == met(walk, None, 99.0) == 1.0
    assert met(walk._replace(years=0.0), 99.0, None) == 0.0
    assert polled(85.0, walk, WEEK / 7) < 85.0 < 120.0 < polled(120.0, walk, WEEK / 7)


def tent(low: float, high: float, steps: int) -> Surface:
    nodes = np.linspace(-0.6, 0.6, 20_001)
    excess = np.minimum(nodes - np.log(low), np.log(high) - nodes)[None, :]
    return Surface(np.zeros(1, np.int64), nodes, (Layer(excess, excess, None),) * (steps + 1), 0.0)


@pytest.mark.parametrize("steps", [2, 14])
@pytest.mark.parametrize("drift", [0.0, 3.0])
def test_the_bridge_needs_few_steps(steps: int, drift: float) -> None:
    walk = Walk(1.0, drift, 0.6, WEEK)
    motion = Diffusion(np.array([drift]), np.array([0.6]), 0.0)
    times = np.linspace(0.0, WEEK, steps + 1)
    found = passage(tent(0.85, 1.2, steps), motion, Run(times, 100_000, 3, bridge=True))
    error = np.std(found.probability) / np.sqrt(100_000)
    assert abs(np.mean(found.probability) - met(walk, 0.85, 1.2)) < 4.0 * error
    assert np.sum(found.mass) == pytest.approx(np.mean(found.probability))
    assert np.sum(found.at_step) == pytest.approx(np.mean(found.probability))
    assert np.allclose(found.equity, 0.0, atol=2e-4) or steps < 14


def test_jumps_are_compensated() -> None:
    motion = Diffusion(np.array([0.2]), np.array([0.5]), 0.0, Jumps())
    moves = list(motion.moves(np.random.default_rng(1), 200_000, np.full(4, 0.05)))
    growth = np.exp(np.sum([move.jump + move.diffusion for move in moves], axis=0))
    error = np.std(growth) / np.sqrt(200_000)
    assert abs(np.mean(growth) - np.exp(0.2 * 0.2)) < 4.0 * error


def test_underlyings_are_correlated_as_asked() -> None:
    motion = Diffusion(np.zeros(2), np.array([0.5, 0.8]), 0.7)
    (move,) = motion.moves(np.random.default_rng(1), 100_000, np.array([0.1]))
    one, other = move.diffusion.T
    product = float(np.mean(one * other)) / float(np.std(one) * np.std(other))
    assert product == pytest.approx(0.7, abs=0.01)


def test_history_is_drawn_in_blocks() -> None:
    returns = np.random.default_rng(0).normal(0.01, 0.02, (50, 1))
    law = History(returns, 5, np.zeros(1))
    moves = [m.jump[:, 0] for m in law.moves(np.random.default_rng(1), 7, np.full(10, 0.01))]
    growth = np.log(np.mean(np.exp(returns)))
    drawn: FloatArray = np.stack(moves, axis=1) + growth
    for row in range(len(drawn)):
        path = drawn[row]
        start = int(np.argmin(np.abs(returns[:, 0] - path[0])))
        assert path[:5] == pytest.approx(returns[start : start + 5, 0])


def expiring(quantity: float, cash: float) -> Portfolio:
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0, "rate": 0.03, "volatility": 0.9}},
        "positions": [
            {"instrument": "BTC-22NOV26-98000-C", "quantity": quantity},
            {"instrument": "BTC-23NOV26", "quantity": -1.0},
            {"instrument": "BTC-25DEC26-100000-P", "quantity": -2.0},
        ],
        "collateral": [{"asset": "USD", "quantity": cash}],
    }
    return Portfolio.model_validate(content)


class _Fixed:
    """Moves that were drawn before."""

    def __init__(self, moves: list[Any]) -> None:
        self.drawn = moves

    def moves(self, rng: np.random.Generator, paths: int, years: FloatArray) -> Any:
        """Hand them out."""
        return iter(self.drawn)


@pytest.mark.parametrize(("quantity", "cash"), [(-1.0, 70_000.0), (1.0, 50_000.0)])
def test_paths_through_expiries_are_those_of_full_revaluation(quantity: float, cash: float) -> None:
    """Every path is margined step by step: what expires is paid at the spot of its day."""
    held = margined(expiring(quantity, cash))
    book, paths = one_pool(held.book, 0), 400
    times = np.arange(7) / 365.0
    motion = Diffusion(np.zeros(1), np.array([0.9]), 0.0)
    moves = list(motion.moves(np.random.default_rng(5), paths, np.diff(times)))
    found = passage(
        surface(book, held.model, times, 0.9), _Fixed(moves), Run(times, paths, 1, bridge=False)
    )
    factors = [np.exp(move.diffusion[:, 0]) for move in moves]
    state = book.copies(np.zeros(paths, np.int64), factors[0][:, None])
    option = state.rows(Kind.OPTION)
    market = np.zeros(paths, np.int64)  # of each path's copy
    market[state.pool[option]] = state.underlying[option]
    fallen = np.zeros(paths, bool)
    for number, factor in enumerate(factors):
        if number:
            own = np.ones(len(state.spot))
            own[market] = factor
            state = state.shifted(own)
        state = aged(state, 1.0)
        result = held.model.margin(state)
        fallen |= result.equity < result.maintenance
    assert 0.05 < np.mean(fallen) < 0.95
    assert np.mean(found.probability != fallen) <= 0.005, "but for interpolation at the brink"


def test_a_perpetual_has_the_closed_form_and_the_simulation_agrees() -> None:
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}},
        "positions": [{"instrument": "BTC-PERPETUAL", "quantity": 2.0, "entry_price": 100_000.0}],
        "collateral": [{"asset": "USD", "quantity": 50_000.0}],
    }
    portfolio = Portfolio.model_validate(content)
    report = mc.passage(portfolio)
    (line,) = report.pools
    below = mc.margin(portfolio).liquidation["BTC"].below
    assert below is not None
    walk = Walk(100_000.0, 0.0, 0.6, WEEK)
    assert (line.method, line.standard_error) == ("closed form", 0.0)
    assert line.probability == pytest.approx(single(walk, below), rel=1e-9)
    held = margined(portfolio)
    times = steps_of(iter(()), WEEK, 14)
    run = Run(times, 50_000, 1, bridge=True)
    motion = Diffusion(np.zeros(1), np.array([0.6]), 0.0)
    found = passage(surface(one_pool(held.book, 0), held.model, times, 0.7), motion, run)
    error = np.std(found.probability) / np.sqrt(50_000)
    assert abs(np.mean(found.probability) - line.probability) < 4.0 * error
    half = mass_by(found, times, (0.5 * line.probability,))[0]
    assert half is not None
    assert half * 365.0 == pytest.approx(line.days["0.5"], abs=0.2)
    seen = mc.passage(portfolio, odds=mc.Odds(poll="4h")).pools[0].probability
    assert 0.7 * line.probability < seen < line.probability


def test_the_same_seed_gives_the_same_report() -> None:
    portfolio = mc.load("sample_portfolios/btc_short_strangle.yaml")
    odds = mc.Odds(horizon="3d", law="merton", paths=2000)
    once, again = (mc.passage(portfolio, odds=odds).to_dict() for _ in range(2))
    other = mc.passage(portfolio, odds=odds._replace(seed=2)).to_dict()
    assert once == again != other
    (line,) = mc.passage(portfolio, odds=odds).pools
    assert line.low <= line.probability <= line.high
    assert line.probability > mc.passage(portfolio, odds=odds._replace(law="gbm")).low


def test_every_pool_and_several_underlyings() -> None:
    portfolio = mc.load("sample_portfolios/two_underlyings_three_collaterals.yaml")
    report = mc.passage(portfolio, odds=mc.Odds(horizon="30d", paths=1000))
    (line,) = report.pools
    assert line.underlyings == ("BTC", "ETH")
    assert line.interpolation_error < 1e-3
    assert 0.0 <= line.low <= line.probability <= line.high < 1.0
    isolated = mc.passage(portfolio, mode="isolated", odds=mc.Odds(paths=500))
    assert isolated.low <= isolated.high
    assert len(isolated.pools) > 2


def test_correlation_is_an_option_and_is_told(run: Command) -> None:
    """Short of two coins: what moves together liquidates sooner than what moves apart."""
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {name: {"spot": 100.0, "volatility": 0.8} for name in ("BTC", "ETH")},
        "positions": [
            {"instrument": f"{name}-PERPETUAL", "quantity": -100.0, "entry_price": 100.0}
            for name in ("BTC", "ETH")
        ],
        "collateral": [{"asset": "USD", "quantity": 6_000.0}],
    }
    portfolio = Portfolio.model_validate(content)
    apart, joint = (
        mc.passage(portfolio, odds=mc.Odds(paths=20_000, correlation=rho)) for rho in (0.0, 1.0)
    )
    assert joint.pools[0].low > apart.pools[0].high
    assert (apart.correlation, joint.correlation) == (0.0, 1.0)
    assert mc.passage(mc.load(STRANGLE), odds=mc.Odds(paths=10)).correlation is None
    two = str(SAMPLES / "isolated_perpetuals.yaml")
    common = ("liquidation", two, "--within", "1d", "--paths", "50", "--correlation", "0.25")
    assert "correlation 0.25" in run(*common).out
    assert json.loads(run(*common, "--format", "json").out)["correlation"] == 0.25
    assert "--correlation" in run(*common[:-1], "1.5").err


def test_what_is_liquidated_already_is_certain() -> None:
    portfolio = mc.load("sample_portfolios/just_under_maintenance.yaml")
    (line,) = mc.passage(portfolio, odds=mc.Odds(paths=100)).pools
    assert line.probability == 1.0
    assert line.days["0.9"] == 0.0


@pytest.mark.parametrize(
    ("odds", "said"),
    [
        (mc.Odds(horizon="soon"), "--within"),
        (mc.Odds(horizon="0d"), "--within"),
        (mc.Odds(horizon="99999d"), "--within"),
        (mc.Odds(poll="1m", horizon="30d"), "at most 2,000"),
        (mc.Odds(paths=1), "--paths"),
        (mc.Odds(drift=float("nan")), "--drift"),
        (mc.Odds(volatility=0.0), "--volatility"),
        (mc.Odds(correlation=2.0), "--correlation"),
        (mc.Odds(law="history"), "--prices"),
        (mc.Odds(prices="x.csv"), "together"),
        (mc.Odds(law="history", prices="x.csv", poll="1h"), "--poll"),
    ],
)
def test_what_cannot_be_simulated_is_said(odds: Any, said: str) -> None:
    portfolio = mc.load("sample_portfolios/btc_short_strangle.yaml")
    with pytest.raises(InputError, match=said):
        mc.passage(portfolio, odds=odds)


def test_several_underlyings_cross_by_their_covariance() -> None:
    """Long one coin and short another: the bridge is no likelier to cross than fine looks are."""
    portfolio = mc.load("sample_portfolios/isolated_perpetuals.yaml")
    bridged, polled = (
        mc.passage(portfolio, odds=mc.Odds(horizon="1d", poll=poll, paths=20_000)).pools[0]
        for poll in (None, "3m")
    )
    assert bridged.probability == pytest.approx(polled.probability, rel=0.25)
    assert bridged.probability >= polled.probability - 4.0 * polled.standard_error
