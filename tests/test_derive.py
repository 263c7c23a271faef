"""What must hold of Derive's models beyond their cases, which tests/conformance runs."""

from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.answers.verify import verify
from margincalc.book import Kind
from margincalc.errors import InputError, ModelRefusal
from margincalc.liquidation.moved import excess_at
from margincalc.liquidation.nearest import nearest
from margincalc.margin.derive_groups import Contingency
from margincalc.margin.derive_pm2 import SkewShock
from margincalc.margin.derive_shocks import (
    BasisContingency,
    FlooredVolShock,
    Scenario,
    VolShock,
    shocks,
)
from margincalc.portfolio import Portfolio
from margincalc.scenarios import ScenarioGrid
from tests.rows import assert_a_pool_is_its_row, assert_copies_are_pools_moved

MODELS = ("derive-pm2", "derive-pm1", "derive-sm")
every_model = pytest.mark.parametrize("model", MODELS)
POSITIONS = (
    {"instrument": "BTC-25DEC26-110000-C", "quantity": -5, "venue": "a"},
    {"instrument": "BTC-25DEC26-90000-P", "quantity": -5, "venue": "a"},
    {"instrument": "BTC-PERPETUAL", "quantity": 1, "entry_price": 99_000, "venue": "a"},
    {"instrument": "BTC-27NOV26-95000-P", "quantity": 3, "venue": "b"},
    {"instrument": "BTC-25DEC26-90000-P", "quantity": -4, "venue": "b"},
    {"instrument": "ETH-25DEC26-4500-C", "quantity": -20, "venue": "b"},
    {"instrument": "ETH-25DEC26-4500-P", "quantity": -20, "venue": "b"},
    {"instrument": "ETH-PERPETUAL", "quantity": -3, "unsettled": 120, "venue": "b"},
)


def written(**changes: Any) -> dict[str, Any]:
    """Return a portfolio of two pools, in a market of doubtful feeds and fallen money."""
    btc = {
        "spot": 100_000,
        "rate": 0.04,
        "confidence": 0.9,
        "perpetual": {"mark": 100_050, "confidence": 0.5},
        "expiries": {"2026-12-25": {"forward": 100_400, "confidence": 0.4}},
    }
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "currency": "USDC",
        "stable_price": 0.97,
        "market": {"BTC": {**btc, "volatility": 0.6}, "ETH": {"spot": 4_000, "volatility": 0.7}},
        "collateral": [
            {"asset": "USDC", "quantity": 400_000, "venue": "a"},
            {"asset": "USDC", "quantity": 90_000, "venue": "b"},
            {"asset": "ETH", "quantity": 30, "haircut": 0.2, "confidence": 0.5, "venue": "b"},
        ],
        "positions": POSITIONS,
    }
    return {**content, **changes}


def account(model: str, **changes: Any) -> Account:
    return margined(Portfolio.model_validate(written(**changes)), Rules(model=model))


@every_model
def test_worked_examples(model: str) -> None:
    report = verify(model)
    assert all(line.matches for line in report.lines)
    assert len(report.lines) >= 11


@every_model
def test_equity_less_requirement_is_the_net_margin(model: str) -> None:
    result = account(model).result
    details = result.details
    assert np.all(result.equity - result.initial == details["net_initial_margin"])
    assert np.all(result.equity - result.maintenance == details["net_maintenance_margin"])
    valued = result.equity - result.components["valuation"]
    assert valued == pytest.approx(details["mark_to_market"], rel=1e-14)
    assert np.all(result.initial >= result.maintenance)


@every_model
@pytest.mark.parametrize("mark", [0.003, 17.3, 4_000.0, 41_000.1])
@pytest.mark.parametrize("quantity", [-7.3, 1.0])
def test_a_mark_that_gives_the_volatility_is_the_venue_s_too(
    model: str, mark: float, quantity: float
) -> None:
    name = "BTC-25DEC26-140000-P" if mark > 40_000.0 else "BTC-25DEC26-95000-P"
    held = {"instrument": name, "quantity": quantity, "mark_price": mark, "venue": "a"}
    market = {"BTC": {"spot": 100_000}}
    found = account(model, market=market, positions=[held], collateral=[])
    for components in (found.result.components, found.result.initial_components):
        assert components["valuation"].tolist() == [0.0]
    assert float(found.result.equity[0]) == quantity * mark
    apart = account(model, market=market, positions=[{**held, "volatility": 1.1}], collateral=[])
    beyond = float(apart.result.components["valuation"][0])
    assert abs(beyond) > 1e-6
    assert beyond == pytest.approx(
        float((apart.book.instruments.offset[apart.book.instrument] * quantity).sum()), rel=1e-9
    )


@every_model
def test_doubt_and_fallen_money_charge_the_initial_margin_alone(model: str) -> None:
    result = account(model).result
    for name in ("oracle_confidence", "peg"):
        assert np.all(result.initial_components[name] > 0.0)
        assert name not in result.components


@every_model
def test_a_pool_is_its_row(model: str) -> None:
    whole = account(model)
    both = {name: number for number, name in enumerate(whole.book.names.pools)}
    for venue in ("a", "b"):
        mine = [row for row in POSITIONS if row["venue"] == venue]
        held = [row for row in written()["collateral"] if row["venue"] == venue]
        alone = account(model, positions=mine, collateral=held)
        assert_a_pool_is_its_row(whole, alone, both[venue])


@every_model
def test_copies_are_the_pools_in_moved_markets(model: str) -> None:
    factor = np.array([[1.0, 1.0], [0.8, 1.0], [1.1, 1.3], [1.7, 0.5], [0.02, 9.0]])
    assert_copies_are_pools_moved(account(model), [0, 1, 1, 0, 1], factor)


@every_model
def test_liquidation_prices_are_where_the_excess_ends(model: str) -> None:
    own = account(model)
    found = nearest(own.book, own.model)
    crossings = 0
    for pool, underlying, *prices in zip(*found, strict=True):
        for price in prices:
            if np.isnan(price):
                continue
            factor = np.ones((1, len(own.book.spot)))
            factor[0, underlying] = price / own.book.spot[underlying]
            left = excess_at(own.book, own.model, np.array([pool]), factor)
            assert abs(left[0]) < 1e-3
            crossings += 1
    assert crossings >= 2


@pytest.mark.parametrize("model", ["derive-pm2", "derive-pm1"])
def test_the_worst_scenario_is_the_worst_and_is_made_of_positions(model: str) -> None:
    own = account(model)
    worst, grid = own.result.worst, own.model.grids[0]
    assert worst is not None
    assert worst.every is not None
    counted = worst.every * grid.weight
    assert np.all(worst.pnl == counted.min(axis=1))
    for group, (pool, underlying) in enumerate(zip(worst.pool, worst.underlying, strict=True)):
        mine = (own.book.pool == pool) & (own.book.underlying == underlying)
        assert worst.by_position()[mine].sum() == pytest.approx(worst.pnl[group], rel=1e-12)


def test_scenarios_show_what_the_margin_takes() -> None:
    portfolio = Portfolio.model_validate(written())
    report = mc.scenarios(portfolio, model="derive-pm2")
    labels = [line.label for line in report.lines if line.underlying == "BTC"]
    assert labels[-3:] == ["skew, linear", "skew, absolute", "basis contingency"]
    alone = Portfolio.model_validate(
        written(positions=POSITIONS[:3], collateral=written()["collateral"][:1])
    )
    margin, lines = mc.margin(alone, model="derive-pm2"), mc.scenarios(alone, model="derive-pm2")
    assert margin.worst_scenario is not None
    assert min(line.weighted_pnl for line in lines.lines) == margin.worst_scenario.pnl


@pytest.mark.parametrize(
    ("model", "setting", "named"),
    [
        ("derive-pm2", "margin.mm_factor=0.05", "margin.mm_factor"),
        ("derive-pm2", "basis_contingency.spot_up=1", "basis_contingency.spot_up"),
        ("derive-pm2", "margin={im_factor = 1.0}", "margin.mm_factor"),
        ("derive-pm1", "vol_shock.min_vol_in_up_shock=0.4", "min_vol_in_up_shock"),
        (
            "derive-pm2",
            'scenarios=[{spot_shock = 1.1, vol_shock = "skew_abs"}]',
            "scenarios",
        ),
        (
            "derive-pm2",
            'scenarios=[{spot_shock = 1, vol_shock = "skew_abs"}, '
            '{spot_shock = 1, vol_shock = "skew_abs"}]',
            "scenarios",
        ),
        ("derive-pm1", "vol_shock.dte_floor_days=401", "vol_shock.dte_floor_days"),
        ("derive-pm1", 'scenarios=[{spot_shock = 1, vol_shock = "skew_abs"}]', "scenarios"),
        ("derive-sm", "option.mm_offset_scale=0.5", "option.mm_offset_scale"),
        ("derive-sm", "depeg.price=1", "depeg.price"),
    ],
)
def test_parameters_have_bounds(model: str, setting: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        mc.margin(Portfolio.model_validate(written()), model=model, settings=[setting])


@every_model
@pytest.mark.parametrize(
    ("instrument", "why"),
    [
        ("BTC-25DEC26", "futures"),
        ({"kind": "perpetual", "underlying": "BTC", "settlement": "inverse"}, "inverse"),
    ],
)
def test_what_is_not_listed_is_refused(model: str, instrument: Any, why: str) -> None:
    position = {"instrument": instrument, "quantity": 1}
    with pytest.raises(ModelRefusal, match=why):
        account(model, positions=[position])


@every_model
def test_a_passed_expiry_is_held_at_its_settlement_price(model: str) -> None:
    held = [{"instrument": "BTC-20NOV26-90000-C", "quantity": -1}]
    with pytest.raises(InputError, match="expired"):
        account(model, positions=held)
    market = written()["market"]
    settled = {"forward": {"fixed": 93_000, "variable": 0}}
    market["BTC"]["expiries"]["2026-11-20"] = settled
    own = account(model, positions=held, market=market, collateral=[])
    assert own.result.equity[0] == pytest.approx(-3_000)
    assert own.model.margin(own.book.shifted(np.full(2, 1.3))).equity[0] == pytest.approx(-3_000)


def test_a_deposit_that_moves_offsets_a_short_call() -> None:
    short = [{"instrument": "ETH-25DEC26-4500-C", "quantity": -20}]
    coins = {"asset": "ETH", "quantity": 5}
    offset, apart = (
        account("derive-pm2", positions=short, collateral=[{**coins, "beta": beta}]).result
        for beta in (1.0, 0.0)
    )
    assert offset.maintenance[0] < apart.maintenance[0]
    assert offset.equity[0] == apart.equity[0]


# Rules that no case pins, so that only their text holds them


def test_powers_change_after_thirty_days_whatever_the_floor() -> None:
    vol = VolShock(
        range_up=0.5, range_down=10, short_term_power=0.3, long_term_power=0.13, dte_floor_days=60
    )
    years = np.array([2_592_000, 2_592_001]) / 31_536_000
    assert vol.rule().scale(years) == pytest.approx([0.5**0.3, 0.5**0.13], rel=1e-12)
    down = vol.rule().shocked(np.array([0.6]), years[:1], np.array([-vol.range_down]))
    assert down[0, 0] == 0.0


def test_an_upward_move_of_nothing_meets_the_least_volatility() -> None:
    vol = FlooredVolShock(
        range_up=0,
        range_down=0,
        short_term_power=0,
        long_term_power=0,
        dte_floor_days=1,
        min_vol_in_up_shock=0.4,
    )
    basis = BasisContingency(spot_up=1.1, spot_down=0.9, add_factor=1, mult_factor=1)
    scenarios = [Scenario(spot_shock=1, vol_shock="up"), Scenario(spot_shock=1, vol_shock="none")]
    grid = shocks(scenarios, vol, basis).grid
    found = grid.rule.shocked(np.array([0.2]), np.array([0.1]), grid.volatility)
    assert found[0, :2] == pytest.approx([0.4, 0.2])


def test_confidence_at_the_threshold_is_not_doubted() -> None:
    other = Contingency(
        peg_loss_threshold=0.99, peg_loss_factor=4, confidence_threshold=0.55, confidence_margin=2
    )
    assert other.doubt(np.array([0.55, 0.54])) == pytest.approx([0.0, 0.92])
    assert [other.peg_loss(1.0), other.peg_loss(0.98)] == pytest.approx([0.0, 0.04])


def test_a_skew_without_width_or_below_zero() -> None:
    columns = account("derive-pm2").book.instruments
    option = columns.take(np.flatnonzero(columns.is_kind(Kind.OPTION)))
    flat = dict.fromkeys(SkewShock.model_fields, 0.0) | {"linear_base_cap": 0.3}
    unmoved = SkewShock.model_validate(flat).volatility(option, absolute=False)
    assert np.all(unmoved == option.volatility)
    steep = SkewShock.model_validate(flat | {"min_k_star": 1e-6, "linear_base_cap": 3.0})
    moved = steep.volatility(option, absolute=False)
    above = option.strike > option.forward
    assert np.all(moved[above] == 4.0 * option.volatility[above])
    assert np.all(moved[~above] == 0.0)


def test_a_scenario_has_its_own_name() -> None:
    plain = np.zeros(2)
    grid = ScenarioGrid(plain, plain, np.ones(2), plain, names=("", "basis contingency"))
    assert [grid.label(0), grid.label(1)] == ["spot unchanged, IV unchanged", "basis contingency"]


@every_model
def test_coin_is_never_owed(model: str) -> None:
    owed = [{"asset": "BTC", "quantity": -1.0, "venue": "a"}]
    with pytest.raises(ModelRefusal, match="lends no coin"):
        account(model, positions=[], collateral=owed)


@every_model
def test_underlyings_without_a_manager_are_refused(model: str) -> None:
    market = {**written()["market"], "SOL": {"spot": 200.0, "volatility": 0.8}}
    held = [{"instrument": "SOL-PERPETUAL", "quantity": 1}]
    with pytest.raises(ModelRefusal, match="SOL"):
        account(model, market=market, positions=held, collateral=[])
