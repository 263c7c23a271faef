"""Bybit's options under cross margin; their laws are in `test_okx_laws`."""

from typing import Any

import pytest

import margincalc as mc
from margincalc.answers.results import MarginReport
from margincalc.answers.verify import verify
from margincalc.errors import ModelRefusal
from margincalc.portfolio import Portfolio

CALL = "BTC_USDC-25DEC26-110000-C"
PUT = "BTC_USDC-25DEC26-90000-P"


def report(**parts: Any) -> MarginReport:
    whole = {"as_of": "2026-11-20T08:00:00Z", "market": {"BTC": {"spot": 100_000.0}}, **parts}
    return mc.margin(Portfolio.model_validate(whole), model="bybit-options")


def sold(name: str, mark: float, **more: Any) -> dict[str, Any]:
    return {"instrument": name, "quantity": -1.0, "mark_price": mark, **more}


def order(quantity: float, price: float, name: str = CALL) -> dict[str, Any]:
    return {"instrument": name, "quantity": quantity, "price": price}


def test_the_worked_examples_match() -> None:
    assert verify("bybit-options").mismatches == 0


@pytest.mark.parametrize(
    ("entry", "initial"),
    [
        ({}, 10_000.0 + 2_000.0),
        ({"entry_price": 1_500.0}, 10_000.0 + 2_000.0),
        ({"entry_price": 2_500.0}, 10_000.0 + 2_500.0),
    ],
)
def test_the_larger_of_entry_and_mark_counts(entry: dict[str, float], initial: float) -> None:
    details = report(positions=[sold(CALL, 2_000.0, **entry)]).details
    assert details["venue_initial_margin"] == pytest.approx(initial, rel=1e-12)
    assert details["venue_maintenance_margin"] == pytest.approx(3_000.0 + 2_000.0 + 200.0)


def test_initial_margin_is_at_least_maintenance() -> None:
    deep = "BTC_USDC-25DEC26-700000-P"
    details = report(positions=[sold(deep, 600_000.0, volatility=0.6)]).details
    least = 0.03 * 600_000.0 + 600_000.0 + 200.0
    assert details["venue_maintenance_margin"] == pytest.approx(least, rel=1e-12)
    assert details["venue_initial_margin"] == pytest.approx(least, rel=1e-12)


def test_what_is_bought_carries_nothing_else() -> None:
    bought = {"instrument": PUT, "quantity": 3.0, "mark_price": 1_800.0}
    deposit = [{"asset": "USDC", "quantity": 10_000.0}]
    found = report(positions=[bought, sold(CALL, 2_000.0)], collateral=deposit)
    assert found.components["long_options"] == pytest.approx(5_400.0)
    assert found.available_funds == pytest.approx(10_000.0 - 12_000.0)
    assert found.details["margin_balance"] == pytest.approx(10_000.0)
    assert found.details["venue_initial_margin"] == pytest.approx(12_000.0)


@pytest.mark.parametrize(
    ("orders", "frozen"),
    [
        ([order(2.0, 100.0)], 2.0 * (100.0 + 12.5)),  # the fee is capped
        ([order(2.0, 2_000.0)], 2.0 * (2_000.0 + 30.0)),
        ([order(-1.0, 2_500.0)], 10_000.0 + 30.0),  # entered above the mark
        ([order(-1.0, 1_000.0)], 10_000.0 + 2_000.0 - 1_000.0 + 30.0),
    ],
)
def test_an_order_adds_its_fee_and_deducts_its_premium(
    orders: list[dict[str, Any]], frozen: float
) -> None:
    found = report(quotes={CALL: {"mark": 2_000.0}}, orders=orders)
    assert found.initial_components["open_orders"] == pytest.approx(frozen, rel=1e-12)
    assert found.maintenance_margin == 0.0


@pytest.mark.parametrize(("size", "opened"), [(1.0, 0.0), (2.0, 0.0), (5.0, 3.0)])
def test_orders_that_close_a_bought_option_freeze_nothing(size: float, opened: float) -> None:
    bought = {"instrument": CALL, "quantity": 2.0, "mark_price": 2_000.0}
    found = report(positions=[bought], orders=[order(-size, 2_000.0)])
    frozen = found.initial_components["open_orders"]
    assert frozen == pytest.approx(opened * 10_030.0, rel=1e-12)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"positions": [{"instrument": "BTC-PERPETUAL", "quantity": 1.0}]}, "perpetuals"),
        ({"orders": [order(1.0, 9e4, "BTC-PERPETUAL")]}, "perpetuals"),
        (
            {
                "market": {"BTC": {"spot": 1e5, "settlement": "inverse", "volatility": 0.6}},
                "positions": [{"instrument": "BTC-25DEC26-110000-C", "quantity": 1.0}],
            },
            "linear",
        ),
        (
            {
                "market": {"SPY": {"spot": 700.0, "volatility": 0.2}},
                "positions": [{"instrument": "SPY   261218P00650000", "quantity": -1.0}],
            },
            "SPY",
        ),
    ],
)
def test_what_it_does_not_list_is_refused(parts: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelRefusal, match=reason):
        report(**parts)
