"""OKX: the terms of its portfolio margin by hand, and its options."""

from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.results import MarginReport
from margincalc.answers.verify import verify
from margincalc.errors import InputError, ModelRefusal
from margincalc.portfolio import Portfolio
from tests import oracle
from tests.books import margined

AS_OF = "2026-11-20T08:00:00Z"
STILL_RATES = "rates.moves=[[0.0]]"


def book(**parts: Any) -> Portfolio:
    return Portfolio.model_validate({"as_of": AS_OF, **parts})


def report(*settings: str, model: str = "okx-pm", **parts: Any) -> MarginReport:
    """Margin a book; where no moves of the rates are given, without MR5."""
    if model == "okx-pm" and not any(setting.startswith("rates.") for setting in settings):
        settings = (*settings, STILL_RATES)
    return mc.margin(book(**parts), model=model, settings=settings)


def market(spot: float = 100_000.0, **more: Any) -> dict[str, Any]:
    return {"BTC": {"spot": spot, **more}}


def held(instrument: str, quantity: float, **more: Any) -> dict[str, Any]:
    return {"instrument": instrument, "quantity": quantity, **more}


@pytest.mark.parametrize("model", ["okx-pm", "okx-options"])
def test_the_worked_examples_match(model: str) -> None:
    assert verify(model).mismatches == 0


# Portfolio margin, term by term


def shocked_loss(index: float, move: float, volatility: float, short: float) -> float:
    """Return the loss of one linear call sold at the money, 30 days before it expires."""
    years = 30.0 / 365.0
    before = oracle.black(index, index, short, years, True)
    after = oracle.black(index * (1.0 + move), index, volatility, years, True)
    return after - before


def test_the_index_and_volatility_move_together() -> None:
    positions = [held("BTC_USDC-20DEC26-100000-C", -1.0, volatility=0.6)]
    details = report(market=market(), positions=positions).details
    moved = (0.6, 0.6 - 0.25, 0.6 + 0.25, 0.6 * 0.65, 0.6 * 1.35)
    steps = (-0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12)
    losses = [shocked_loss(1e5, step, shocked, 0.6) for step in steps for shocked in moved]
    extreme = max(shocked_loss(1e5, step, 0.6, 0.6) for step in (-0.24, 0.24))
    assert details["BTC mr1"] == pytest.approx(max(losses), rel=1e-11)
    assert details["BTC mr6"] == pytest.approx(extreme / 2.0, rel=1e-11)
    assert details["BTC mr2"] == 0.0  # what is sold gains by decay


def test_the_scenarios_are_those_of_the_margin() -> None:
    spots = {"BTC": {"spot": 1e5}, "SOL": {"spot": 180.0}}
    positions = [
        held("BTC_USDC-20DEC26-100000-C", -1.0, volatility=0.6),
        held("BTC", 3.0),
        held("SOL-PERPETUAL", -50.0),
    ]
    smaller = ["classes.third.moves=[0.1]", STILL_RATES]  # grids need not be of one size
    whole = book(market=spots, positions=positions)
    lines = mc.scenarios(whole, model="okx-pm", settings=smaller).lines
    details = mc.margin(whole, model="okx-pm", settings=smaller).details
    for name, count in (("BTC", 38), ("SOL", 18)):
        mine = [line for line in lines if line.underlying == name]
        assert len(mine) == count
        losses = [-line.weighted_pnl for line in mine]
        assert max(losses[:-3]) == pytest.approx(details[f"{name} mr1"], rel=1e-12)
        assert max(losses[-3:-1]) == pytest.approx(details[f"{name} mr6"], rel=1e-12)


def test_what_is_bought_decays() -> None:
    positions = [held("BTC_USDC-20DEC26-100000-C", 2.0, volatility=0.6)]
    details = report(market=market(), positions=positions).details
    later = oracle.black(1e5, 1e5, 0.6, 29.0 / 365.0, True)
    decay = oracle.black(1e5, 1e5, 0.6, 30.0 / 365.0, True) - later
    assert details["BTC mr2"] == pytest.approx(2.0 * decay, rel=1e-10)


@pytest.mark.parametrize(
    ("days", "points", "percent"),
    [(1, 0.30 - 0.05 / 30, 0.50 - 0.15 / 30), (45, 0.225, 0.30), (365, 0.20, 0.25)],
)
def test_volatility_moves_fall_with_time(days: int, points: float, percent: float) -> None:
    rules = margined(book(market=market()), model="okx-pm").model
    volatility = rules.classes[0].scenarios.volatility  # type: ignore[attr-defined]
    found = volatility.shocked(np.array([1.0]), np.array([days / 365.0]))
    expected = [1.0, 1.0 - points, 1.0 + points, 1.0 - percent, 1.0 + percent]
    assert [float(column[0]) for column in found] == pytest.approx(expected, rel=1e-12)


def test_perpetuals_shock_the_index_and_pay_basis_at_the_mark() -> None:
    quoted = market(perpetual={"mark": 101_000.0})
    details = report(market=quoted, positions=[held("BTC_USDT-PERPETUAL", 2.0)]).details
    assert details["BTC mr1"] == pytest.approx(0.12 * 200_000.0, rel=1e-12)
    assert details["BTC mr4"] == pytest.approx(0.002 * 202_000.0, rel=1e-12)
    assert details["BTC mr7"] == pytest.approx(0.0045 * 202_000.0, rel=1e-12)
    assert details["BTC mmr"] == pytest.approx(24_000.0 + 404.0, rel=1e-12)
    assert details["imr"] == pytest.approx(1.3 * 24_404.0, rel=1e-12)


def test_expiries_are_legs_of_their_own() -> None:
    expiries = {"2027-11-20": {"forward": 110_000.0}}
    positions = [held("BTC-20NOV27", 1.0), held("BTC-PERPETUAL", -1.0)]
    details = report(market=market(expiries=expiries), positions=positions).details
    assert details["BTC mr1"] == pytest.approx(0.0, abs=1e-9)
    assert details["BTC mr4"] == pytest.approx(0.05 * 110_000.0 + 0.002 * 100_000.0, rel=1e-12)


@pytest.mark.parametrize(("coins", "used"), [(10.0, 4.0), (2.0, 2.0), (-3.0, 0.0)])
def test_coins_count_as_far_as_they_hedge(coins: float, used: float) -> None:
    positions = [held("BTC", coins), held("BTC-PERPETUAL", -4.0)]
    details = report(market=market(), positions=positions).details
    assert details["BTC mr1"] == pytest.approx(0.12 * (4.0 - used) * 1e5, abs=1e-6)
    assert details["BTC mr4"] == pytest.approx(0.002 * (4.0 + used) * 1e5, rel=1e-12)


def test_coins_alone_need_nothing() -> None:
    found = report(market=market(), positions=[held("BTC", 10.0)])
    assert found.maintenance_margin == 0.0


def test_closing_costs_grow_tier_by_tier() -> None:
    rate = 'classes.first={underlyings=["BTC"], moves=[0.0001], extreme_move=0.0001, '
    rate += "annualised_basis=0.0, least_basis=0.0, "
    rate += "closing={rate=0.5, tiers=[250e3, 500e3], multipliers=[1.0, 2.0, 4.0]}}"
    for stable in (1.0, 0.8):
        found = report(
            rate, market=market(), stable_price=stable, positions=[held("BTC-PERPETUAL", 12.0)]
        )
        raw = 600_000.0 * stable
        tiers = 250e3 + 2.0 * min(raw - 250e3, 250e3) + 4.0 * max(raw - 500e3, 0.0)
        assert found.details["BTC mr7"] == pytest.approx(tiers, rel=1e-12)
        assert found.maintenance_margin == pytest.approx(tiers / stable, rel=1e-12)
        parts = found.components
        assert parts["floor_top_up"] == pytest.approx(tiers / stable - 120.0, rel=1e-9)


def test_what_is_owed_is_margined_by_currency() -> None:
    deposits = [
        {"asset": "USDT", "quantity": -30_000.0},
        {"asset": "USDC", "quantity": 10_000.0},
        {"asset": "BTC", "quantity": -0.5},
    ]
    found = report(market=market(), collateral=deposits)
    assert found.components["borrow"] == pytest.approx(0.02 * 70_000.0, rel=1e-12)
    assert found.initial_components["borrow"] == pytest.approx(0.10 * 70_000.0, rel=1e-12)


# MR3, MR5 and MR9

NEAR, FAR = "BTC_USDC-20DEC26-100000-C", "BTC_USDC-19MAR27-100000-C"


def calendar(near: float = -2.0, far: float = 1.0) -> list[dict[str, Any]]:
    legs = ((NEAR, near, 0.6), (FAR, far, 0.5))
    return [held(name, each, volatility=own) for name, each, own in legs if each]


def bumped(days: float, volatility: float, by: float) -> float:
    """Value of a linear call at the money, `by` volatility away."""
    return oracle.black(1e5, 1e5, volatility + by, days / 365.0, True)


def vega(days: float, volatility: float) -> float:
    return (bumped(days, volatility, 1e-4) - bumped(days, volatility, -1e-4)) / 2e-4


@pytest.mark.parametrize(("near", "far"), [(-2.0, 1.0), (2.0, -1.0), (-1.0, 3.0)])
def test_vega_of_one_expiry_against_another_is_charged(near: float, far: float) -> None:
    moves = ("term_structure.days=[0.0, 60.0]", "term_structure.moves=[0.10, 0.04]")
    details = report(*moves, market=market(), positions=calendar(near, far)).details
    losses = near * vega(30, 0.6) * (0.10 - 0.06 * 30 / 60), far * vega(119, 0.5) * 0.04
    expected = sum(map(abs, losses)) - abs(sum(losses))
    assert expected > 100.0
    assert details["BTC mr3"] == pytest.approx(expected, rel=1e-6)
    whole = max(details["BTC mr1"], details["BTC mr2"], details["BTC mr6"])
    assert details["BTC mmr"] == pytest.approx(whole + expected + details["BTC mr4"], rel=1e-6)


def test_vegas_of_one_sign_are_in_mr1_already() -> None:
    for positions in (calendar(-2.0, -1.0), calendar(2.0, 1.0), calendar(-2.0, 0.0)):
        found = report("term_structure.moves=[0.1]", market=market(), positions=positions)
        assert found.details["BTC mr3"] == 0.0
        assert report(market=market(), positions=positions).details["BTC mr3"] == 0.0


def test_expiries_against_each_other_are_refused_without_moves() -> None:
    spread = held("BTC_USDC-20DEC26-110000-C", 1.0, volatility=0.6)
    for positions in (calendar(), [*calendar(-2.0, -1.0), spread]):
        with pytest.raises(ModelRefusal, match=r"--set 'term_structure\.moves"):
            report(market=market(), positions=positions)
    within = [*calendar(-2.0, 0.0), spread]
    assert report(market=market(), positions=within).maintenance_margin > 0.0
    apart = {**market(), "ETH": {"spot": 4_000.0}}
    other = held("ETH_USDC-19MAR27-4000-C", 1.0, volatility=0.5)
    found = report(market=apart, positions=[*calendar(-2.0, 0.0), other])
    assert found.maintenance_margin > 0.0


def test_rates_move_by_days_and_the_worst_counts() -> None:
    moves = ("rates.days=[0.0, 60.0]", "rates.moves=[[0.02, 0.02], [0.03, -0.01]]")
    written: dict[str, Any] = {"market": market(rate=0.05), "positions": calendar(-2.0, -1.0)}
    found = report(*moves, **written)
    near, far = (each.rho for each in found.greeks_by_expiry["BTC"].values())
    level, turned = 0.02 * (near + far), 0.01 * near - 0.01 * far
    assert abs(level) > abs(turned) > 0.0
    assert found.details["BTC mr5"] == pytest.approx(abs(level), rel=1e-9)
    assert found.components["rates"] == pytest.approx(abs(level), rel=1e-9)
    without = report(**written)
    more = found.maintenance_margin - without.maintenance_margin
    assert more == pytest.approx(abs(level), rel=1e-9)


@pytest.mark.parametrize("quantity", [-2.0, 1e-9])
def test_options_are_refused_without_moves_of_the_rates(quantity: float) -> None:
    whole = book(market=market(), positions=calendar(quantity, 0.0))
    with pytest.raises(ModelRefusal, match=r"--set 'rates\.moves=\[\[0\.01\]\]'"):
        mc.margin(whole, model="okx-pm")
    left_out = mc.margin(whole, model="okx-pm", settings=[STILL_RATES])
    assert left_out.details["BTC mr5"] == left_out.components["rates"] == 0.0
    for futures in ([held("BTC-PERPETUAL", 1.0)], []):
        found = mc.margin(book(market=market(), positions=futures), model="okx-pm")
        assert found.components.get("rates", 0.0) == 0.0
        assert not any("MR" in note for note in found.notes)


def test_what_closing_options_costs_is_said_to_be_left_out() -> None:
    found = report(market=market(), positions=calendar(-2.0, 0.0))
    assert any("closing options" in note for note in found.notes)


def crossed(quantity: float, stable: float = 1.0, *settings: str, **more: Any) -> MarginReport:
    """A long linear perpetual against a coin-settled one, of BTC at 100,000 of the money."""
    inverse = {"kind": "perpetual", "underlying": "BTC", "settlement": "inverse"}
    positions = [
        {"instrument": inverse, "quantity": -quantity},
        held("BTC_USDT-PERPETUAL", quantity / 1e5),
    ]
    whole: dict[str, Any] = {"market": market(), "stable_price": stable, "positions": positions}
    return report(*settings, **{**whole, **more})


def test_the_published_example_of_mr9() -> None:
    factors = ("peg.indexes=[0.0]", "peg.factors=[[0.0075, 0.0175, 0.025]]")
    details = crossed(10e6, 1.0, *factors).details
    assert details["BTC mr9_volume"] == pytest.approx(10e6, rel=1e-12)
    assert details["BTC mr9"] == pytest.approx(202_500.0, rel=1e-12)


@pytest.mark.parametrize(
    ("volume", "stable", "expected"),
    [
        (800e3, 1.0, 0.005 * 800e3),
        (2e6, 0.995, 0.005 * 1e6 + 0.010 * 0.99e6),
        (2e6, 0.994, 0.005 * 1e6 + 0.015 * 0.988e6),
        (7e6, 1.01, 0.005 * 1e6 + 0.010 * 4e6 + 0.025 * 2.07e6),
    ],
)
def test_a_money_off_its_peg_costs_what_is_offset(
    volume: float, stable: float, expected: float
) -> None:
    found = crossed(volume, stable)
    assert found.details["BTC mr9"] == pytest.approx(expected, rel=1e-12)
    assert found.components["peg"] == pytest.approx(expected / stable, rel=1e-12)


def test_factors_of_a_fallen_money_are_asked_for_where_they_are_needed() -> None:
    with pytest.raises(ModelRefusal, match=r"peg\.factors .* below 0\.99"):
        crossed(1e6, 0.98)
    alone = [held("BTC_USDT-PERPETUAL", 1.0)]
    found = report(market=market(), stable_price=0.98, positions=alone)
    assert found.details["BTC mr9"] == 0.0


def test_before_2025_there_is_no_mr9() -> None:
    found = crossed(1e6, 0.98, as_of="2024-12-01T08:00:00Z")
    assert found.details["BTC mr9_volume"] == pytest.approx(0.98e6)
    assert found.details["BTC mr9"] == 0.0


def test_an_account_in_coin_needs_as_much() -> None:
    positions = [held("BTC-25DEC26-110000-C", -8.0, mark_price=0.0341)]
    whole: dict[str, Any] = {"market": market(settlement="inverse"), "positions": positions}
    deposits = [{"asset": "BTC", "quantity": 5.0}, {"asset": "USDT", "quantity": -1e4}]
    coin = report(currency="BTC", collateral=[deposits[0], {**deposits[1], "price": 1e-5}], **whole)
    money = report(collateral=deposits, **whole)
    for found in ("equity", "initial_margin", "maintenance_margin"):
        in_money = getattr(coin, found) * 1e5
        assert in_money == pytest.approx(getattr(money, found), rel=1e-9), found
    for name, amount in money.components.items():
        assert coin.components[name] * 1e5 == pytest.approx(amount, rel=1e-9, abs=1e-6)


def test_rates_that_are_not_published_are_asked_for() -> None:
    whole = book(market={"UNI": {"spot": 8.0}}, positions=[held("UNI-PERPETUAL", 10.0)])
    with pytest.raises(ModelRefusal, match=r"classes\.fourth\.least_basis"):
        mc.margin(whole, model="okx-pm")
    given_rates = ["classes.fourth.least_basis=0.02", "classes.fourth.closing.rate=0.01"]
    found = mc.margin(whole, model="okx-pm", settings=given_rates)
    assert found.details["UNI mmr"] == pytest.approx(max(0.25 * 80, 0.18 * 80) + 1.6)


@pytest.mark.parametrize(
    "setting",
    [
        "volatility.days=[0.0, 30.0]",
        "volatility.days=[0.0, 60.0, 30.0]",
        "classes.first.closing.tiers=[250e3]",
        "classes.first.closing={rate=0.1, tiers=[2.0, 1.0], multipliers=[1.0, 1.0, 1.0]}",
        "classes.first.moves=[1.5]",
        "extreme_share=2.0",
        "borrow={initial=0.1}",
        "term_structure.moves=[0.1, 0.1]",
        "term_structure={days=[0.0, 0.0], moves=[0.1, 0.1]}",
        "rates.moves=[[0.1, 0.1]]",
        "rates.moves=[0.1]",
        "peg.tiers=[5e6, 1e6]",
        "peg.factors=[[0.005, 0.01, 0.02]]",
        "peg={tiers=[1e6], indexes=[0.9], factors=[[0.1]]}",
    ],
)
def test_bad_parameters_are_refused(setting: str) -> None:
    with pytest.raises(InputError):
        report(setting, market=market())


def test_the_set_in_force_is_used() -> None:
    whole: dict[str, Any] = {"market": market(), "positions": [held("BTC-PERPETUAL", 1.0)]}
    before = report(**{**whole, "as_of": "2024-12-01T08:00:00Z"})
    assert before.model.effective == "2024-05-31"
    assert before.details["BTC mr1"] == pytest.approx(15_000.0)
    assert report(**whole).details["BTC mr1"] == pytest.approx(12_000.0)


def test_a_short_strangle_is_liquidated_on_both_sides() -> None:
    found = report(
        market=market(volatility=0.6),
        collateral=[{"asset": "USDT", "quantity": 200_000.0}],
        positions=[
            held("BTC_USDC-25DEC26-115000-C", -10.0),
            held("BTC_USDC-25DEC26-85000-P", -10.0),
        ],
    )
    prices = found.liquidation["BTC"]
    assert prices.below is not None
    assert prices.above is not None
    assert 50_000.0 < prices.below < 100_000.0 < prices.above < 150_000.0


# Options outside portfolio margin


def test_a_put_in_coin_needs_a_share_of_its_mark() -> None:
    positions = [held("ETH-25DEC26-9000-P", -2.0, mark_price=2.0, volatility=0.6)]
    quoted = {"ETH": {"spot": 3_000.0, "settlement": "inverse"}}
    found = report(model="okx-options", market=quoted, positions=positions)
    unit = 0.05 * 2.0 + 2.0  # c times the mark, the larger of mark and 1 coin
    assert found.details["venue_maintenance_margin"] == pytest.approx(2 * unit * 3_000.0)


def test_money_options_are_measured_from_the_forward() -> None:
    expiries = {"2026-12-25": {"forward": 102_000.0}}
    positions = [held("BTC_USDC-25DEC26-110000-C", -3.0, mark_price=1_500.0)]
    found = report(
        "factor=1.1", model="okx-options", market=market(expiries=expiries), positions=positions
    )
    unit = max(0.10, 0.15 - 8_000.0 / 102_000.0) * 1.1 * 100_000.0
    assert found.initial_components["short_options"] == pytest.approx(3.0 * unit, rel=1e-12)
    assert found.components["short_options"] == pytest.approx(3.0 * 0.03 * 1.1 * 1e5, rel=1e-12)
    balance = found.details["margin_balance"] - found.details["venue_initial_margin"]
    assert balance == pytest.approx(found.available_funds, rel=1e-12)


def test_orders_that_close_freeze_what_closing_costs_beyond_the_margin() -> None:
    name = "BTC_USDC-25DEC26-110000-C"
    position = held(name, -2.0, mark_price=1_500.0)
    orders = [{"instrument": name, "quantity": 3.0, "price": 20_000.0}]
    found = report(model="okx-options", market=market(), positions=[position], orders=orders)
    closes = 20_000.0 + 20.0 - (0.10 * 1e5 + 1_500.0)
    expected = 2.0 * closes + 1.0 * 20_020.0
    assert found.initial_components["open_orders"] == pytest.approx(expected, rel=1e-12)


def test_perpetuals_are_refused() -> None:
    with pytest.raises(ModelRefusal, match="perpetuals"):
        report(model="okx-options", market=market(), positions=[held("BTC-PERPETUAL", 1.0)])


def test_an_underlying_without_maintenance_rate_is_named() -> None:
    with pytest.raises(ModelRefusal, match=r"maintenance\.BTC"):
        report(
            "maintenance={ETH = 0.05}",
            model="okx-options",
            market=market(volatility=0.5),
            positions=[held("BTC-25DEC26-110000-C", -1.0)],
        )
