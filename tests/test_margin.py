"""The two generic families against figures worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest

from margincalc.answers.account import Account
from margincalc.errors import ModelRefusal
from margincalc.margin.base import MarginResult, standing, status_of, total
from margincalc.margin.charges import net_short_options
from tests.books import margined
from tests.test_liquidation import book, perpetual

SPOT = 100_000.0
Written = dict[str, Any]


def option(strike: int, side: str, quantity: float, day: str = "20DEC26") -> Written:
    return {"instrument": f"BTC-{day}-{strike}-{side}", "quantity": quantity}


def standard(*positions: Written, **more: Any) -> Account:
    return margined(book(SPOT, positions, 1e6, **more), "cross")


def parts(account: Account, name: str) -> tuple[float, float]:
    """Return a component of the maintenance margin and of the initial margin."""
    result = account.result
    return float(result.components[name][0]), float(result.initial_components[name][0])


# The standard family: 15 % less out of the money, least 10 %, maintenance 7.5 %; 4 % and 2 %


@pytest.mark.parametrize(
    ("strike", "side", "initial"),
    [
        (100_000, "C", 15_000.0),
        (103_000, "C", 12_000.0),
        (105_000, "C", 10_000.0),
        (200_000, "C", 10_000.0),
        (80_000, "C", 15_000.0),
        (97_000, "P", 12_000.0),
        (120_000, "P", 15_000.0),
        (9_000, "P", 9_000.0),  # a put never loses more than its strike
    ],
)
def test_a_short_option_needs_a_share_of_spot(strike: int, side: str, initial: float) -> None:
    found = parts(standard(option(strike, side, -2.0)), "short_options")
    assert found == pytest.approx((2.0 * min(7_500.0, initial), 2.0 * initial), rel=1e-14)


def test_a_deep_put_needs_no_more_than_its_strike_to_be_kept() -> None:
    found = parts(standard(option(5_000, "P", -1.0)), "short_options")
    assert found == pytest.approx((5_000.0, 5_000.0), rel=1e-14)


def test_long_options_need_nothing_and_offset_nothing() -> None:
    long = standard(option(100_000, "C", 5.0))
    assert (long.result.maintenance[0], long.result.initial[0]) == (0.0, 0.0)
    spread = standard(option(100_000, "C", -1.0), option(101_000, "C", 1.0))
    assert parts(spread, "short_options") == pytest.approx((7_500.0, 15_000.0), rel=1e-14)


def test_what_is_bought_and_sold_of_one_option_is_netted() -> None:
    account = standard(option(100_000, "C", -3.0), option(100_000, "C", 2.0))
    assert parts(account, "short_options") == pytest.approx((7_500.0, 15_000.0), rel=1e-14)


@pytest.mark.parametrize("quantity", [2.0, -2.0])
def test_a_perpetual_needs_a_share_of_its_notional(quantity: float) -> None:
    account = standard(*perpetual(quantity, SPOT))
    assert parts(account, "delta_one") == pytest.approx((4_000.0, 8_000.0), rel=1e-14)


def test_a_slope_grows_with_the_position() -> None:
    file = book(SPOT, perpetual(-10.0, SPOT), 1e6)
    account = margined(file, "cross", settings=["delta_one.slope=0.001"])
    assert parts(account, "delta_one") == pytest.approx((0.03 * 1e6, 0.05 * 1e6), rel=1e-14)


@pytest.mark.parametrize("currency", ["USD", "BTC"])
def test_an_inverse_perpetual_needs_a_share_of_its_quote_notional(currency: str) -> None:
    market = {"BTC": {"spot": SPOT, "settlement": "inverse"}}
    account = standard(*perpetual(50_000.0, SPOT), market=market, currency=currency)
    unit = SPOT if currency == "BTC" else 1.0
    assert parts(account, "delta_one") == pytest.approx((1_000.0 / unit, 2_000.0 / unit), rel=1e-14)


def test_spot_needs_a_share_of_its_value_long_or_short() -> None:
    for quantity in (0.5, -0.5):
        account = standard({"instrument": "BTC", "quantity": quantity})
        assert parts(account, "spot") == pytest.approx((7_500.0, 10_000.0), rel=1e-14)


@pytest.mark.parametrize(
    ("deposit", "maintenance", "initial"),
    [
        ({"asset": "USD", "quantity": 1e6}, 0.0, 0.0),
        ({"asset": "BTC", "quantity": 2.0, "haircut": 0.1}, 20_000.0, 20_000.0),
        (
            {"asset": "BTC", "quantity": 2.0, "haircut": {"maintenance": 0.1, "initial": 0.2}},
            20_000.0,
            40_000.0,
        ),
        ({"asset": "BTC", "quantity": 2.0, "cap": 150_000.0}, 50_000.0, 50_000.0),
        # What is above the cap is lost, and of what is below it the haircut.
        ({"asset": "BTC", "quantity": 2.0, "cap": 150_000.0, "haircut": 0.1}, 65_000.0, 65_000.0),
        # A debt has no haircut; it is charged as what is owed.
        ({"asset": "USD", "quantity": -1_000.0, "haircut": 0.05}, 0.0, 0.0),
        ({"asset": "USD", "quantity": -1_000.0, "cap": 10.0}, 0.0, 0.0),
    ],
)
@pytest.mark.parametrize("mode", ["cross", "portfolio"])
def test_deposits_count_for_less_than_they_are_worth(
    deposit: Written, maintenance: float, initial: float, mode: Any
) -> None:
    account = margined(book(SPOT, [], collateral=[deposit]), mode)
    found = parts(account, "collateral_haircut")
    assert found == pytest.approx((maintenance, initial), rel=1e-14)
    price = SPOT if deposit["asset"] == "BTC" else 1.0
    assert account.result.equity[0] == pytest.approx(deposit["quantity"] * price, rel=1e-14)


# The scan family


def test_each_underlying_takes_its_own_worst_scenario() -> None:
    market = {"BTC": {"spot": SPOT}, "ETH": {"spot": 4_000.0}}
    legs = [*perpetual(1.0, SPOT), {"instrument": "ETH-PERPETUAL", "quantity": -50.0}]
    account = margined(book(SPOT, legs, 1e6, market=market))
    worst = account.result.worst
    assert worst is not None
    grid = account.model.grids[0]
    assert grid.spot[worst.scenario].tolist() == [-0.15, 0.15]
    assert worst.pnl.tolist() == pytest.approx([-15_000.0, -30_000.0], rel=1e-13)
    assert parts(account, "scenario_loss") == pytest.approx((45_000.0, 1.25 * 45_000.0), rel=1e-13)
    assert parts(account, "delta_one") == pytest.approx((3_000.0, 3_750.0), rel=1e-13)


def test_a_hedged_book_has_no_scenario_loss() -> None:
    legs = [*perpetual(1.0, SPOT), {"instrument": "BTC", "quantity": -1.0}]
    account = margined(book(SPOT, legs, 1e6))
    assert parts(account, "scenario_loss") == (0.0, 0.0)
    assert parts(account, "delta_one") == pytest.approx((1_000.0, 1_250.0), rel=1e-14)


def test_calls_and_puts_of_one_strike_net_and_other_expiries_do_not() -> None:
    legs = [
        option(100_000, "C", -3.0),
        option(100_000, "P", 1.0),
        option(110_000, "C", 4.0),
        option(100_000, "C", -1.0, "25DEC26"),
    ]
    account = margined(book(SPOT, legs, 1e6), settings=["charges.short_options=0.01"])
    assert sorted(net_short_options(account.book).units.tolist()) == [1.0, 2.0]
    expected = 0.01 * SPOT * 3.0
    assert parts(account, "short_options") == pytest.approx((expected, 1.25 * expected), rel=1e-14)


def test_a_far_tail_binds_for_what_is_short_far_out_of_the_money() -> None:
    account = margined(book(SPOT, [option(200_000, "C", -10.0)], 1e6))
    worst = account.result.worst
    assert worst is not None
    grid, scenario = account.model.grids[0], int(worst.scenario[0])
    assert grid.spot[scenario] == 2.0
    assert grid.weight[scenario] == pytest.approx(0.075, rel=1e-15)
    assert worst.by_position().sum() == pytest.approx(worst.pnl[0], rel=1e-13)


# Results


def test_parts_are_summed_in_their_order() -> None:
    parts = {"a": np.array([0.1, 1.0]), "b": np.array([0.2, 2.0])}
    result = MarginResult(np.array([5.0, 5.0]), parts, {"a": parts["a"]})
    assert result.maintenance.tolist() == [0.1 + 0.2, 3.0]
    assert result.initial.tolist() == [0.1, 1.0]
    assert total({}, 3).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("equity", "initial", "maintenance", "status"),
    [
        (10.0, 5.0, 4.0, "healthy"),
        (5.0, 5.0, 4.0, "healthy"),
        (4.5, 5.0, 4.0, "restricted"),
        (4.0, 5.0, 4.0, "restricted"),
        (3.9, 5.0, 4.0, "liquidatable"),
        (0.0, 1.0, 1.0, "liquidatable"),
        (-1.0, 1.0, 1.0, "liquidatable"),
        (-1.0, 0.0, 0.0, "liquidatable"),  # in debt, and nothing required
        (0.0, 0.0, 0.0, "healthy"),
        (1.0 - 1e-15, 1.0, 0.5, "healthy"),  # funded with exactly its initial margin
    ],
)
def test_where_an_account_stands(
    equity: float, initial: float, maintenance: float, status: str
) -> None:
    assert status_of(equity, initial, maintenance) == status


@pytest.mark.parametrize("wrong", range(3))
@pytest.mark.parametrize("found", [math.nan, math.inf, -math.inf])
def test_no_number_has_no_status(wrong: int, found: float) -> None:
    """Compared with anything it is false, by which every account would be healthy."""
    figures = np.array([[100.0, 3.0], [2.0, 2.0], [1.0, 1.0]])
    figures[wrong, 1] = found
    with pytest.raises(ModelRefusal, match="no finite number"):
        standing(*figures)
