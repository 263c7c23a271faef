"""Dederi, BIT, Thalex and Aevo: what their pages print, and what they do not."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.margining import Rules, margined
from margincalc.answers.results import MarginReport
from margincalc.answers.verify import verify
from margincalc.errors import ModelRefusal
from margincalc.portfolio import Portfolio
from tests.rows import assert_copies_are_pools_moved

AS_OF = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
SPOT = 100_000.0
MODELS = ("dederi-pm", "bit-pm", "thalex-pm", "aevo-pm")
PERPETUAL = {"kind": "perpetual", "underlying": "BTC"}
FUTURE = {"kind": "future", "underlying": "BTC", "expiry": "2026-12-25"}


def option(kind: str, strike: float, underlying: str = "BTC", **terms: str) -> dict[str, Any]:
    own = {"kind": "option", "type": kind, "underlying": underlying, "strike": strike}
    return {**own, "expiry": "2026-12-25", **terms}


def written(*held: tuple[dict[str, Any], float], underlying: str = "BTC") -> dict[str, Any]:
    return {
        "as_of": AS_OF.isoformat(),
        "market": {underlying: {"spot": SPOT, "volatility": 0.6}},
        "collateral": [{"asset": "USDC", "quantity": 50_000.0}],
        "positions": [{"instrument": own, "quantity": quantity} for own, quantity in held],
    }


def margin(content: dict[str, Any], model: str, *settings: str) -> MarginReport:
    return mc.margin(Portfolio.model_validate(content), model=model, settings=settings)


@pytest.mark.parametrize("model", MODELS)
def test_the_worked_examples_are_met(model: str) -> None:
    report = verify(model)
    assert report.lines
    assert [line for line in report.lines if not line.matches] == []


# What is not published


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("dederi-pm", "factors.initial"),
        ("aevo-pm", "charges.delta_one"),
        ("bit-pm", "charges.delta_one"),
        ("bit-options", "delta_one.maintenance"),
    ],
)
def test_a_book_that_needs_what_is_not_published_is_refused(model: str, key: str) -> None:
    underlying = "ETH" if model == "aevo-pm" else "BTC"
    perpetual: dict[str, Any] = {**PERPETUAL, "underlying": underlying}
    if model == "bit-pm":
        perpetual["settlement"] = "inverse"
    with pytest.raises(ModelRefusal, match=f"{key}; give it with --set {key}="):
        margin(written((perpetual, 1.0), underlying=underlying), model)


def test_options_at_dederi_need_its_volatility_moves() -> None:
    content = written((option("call", SPOT), -1.0))
    settings = ["factors.initial=1.3"]
    for more in ("short_power=0.3", "long_power=0.13"):
        with pytest.raises(ModelRefusal, match=f"volatility.{more.partition('=')[0]}"):
            margin(content, "dederi-pm", *settings)
        settings.append(f"volatility.{more}")
    with pytest.raises(ModelRefusal, match=r"grid\.volatility"):
        margin(content, "dederi-pm", *settings)
    settings.append("grid.volatility=[0.45, 0.0, -0.25]")
    with pytest.raises(ModelRefusal, match=r"charges\.short_options"):
        margin(content, "dederi-pm", *settings)
    settings.append("charges.short_options=0.01")
    report = margin(content, "dederi-pm", *settings)
    assert report.components["short_options"] == 0.01 * SPOT
    assert report.initial_margin == pytest.approx(1.3 * report.maintenance_margin)


def test_long_options_need_no_charge_for_short_ones() -> None:
    report = margin(written((option("put", SPOT), 1.0)), "thalex-pm")
    assert report.maintenance_margin == pytest.approx(0.7 * report.initial_margin)
    with pytest.raises(ModelRefusal, match="short_options"):
        margin(written((option("put", SPOT), -1.0)), "thalex-pm")


def test_models_that_refuse_are_named_with_their_reason() -> None:
    portfolio = Portfolio.model_validate(written((PERPETUAL, 1.0)))
    report = mc.compare(portfolio, models=("generic-portfolio", "thalex-pm", "dederi-pm"))
    assert [refusal.model for refusal in report.refused] == ["dederi-pm"]
    assert "factors.initial" in report.refused[0].reason


# Thalex's roll contingency


def test_only_offsetting_expiries_pay_for_the_roll() -> None:
    alone = margin(written((PERPETUAL, 2.0)), "thalex-pm")
    assert alone.components["roll"] == 0.0
    same_way = written((PERPETUAL, 2.0), (FUTURE, 1.0))
    assert margin(same_way, "thalex-pm").components["roll"] == 0.0
    offset = written((PERPETUAL, 2.0), (FUTURE, -0.5))
    with pytest.raises(ModelRefusal, match=r"charges\.roll"):
        margin(offset, "thalex-pm")
    report = margin(offset, "thalex-pm", "charges.roll=0.01")
    assert report.initial_components["roll"] == pytest.approx(0.01 * 0.5 * SPOT)
    assert report.components["roll"] == pytest.approx(0.7 * 0.01 * 0.5 * SPOT)


def test_options_offset_within_an_expiry_first() -> None:
    # A call sold and a put bought at one strike are a future sold, whatever the volatility.
    synthetic = ((option("call", SPOT), -1.0), (option("put", SPOT), 1.0))
    settings = ("charges.roll=0.01", "charges.short_options=0.0")
    content = written(*synthetic, (FUTURE, 1.0))
    assert margin(content, "thalex-pm", *settings).components["roll"] == pytest.approx(0.0)
    content = written(*synthetic, (PERPETUAL, 1.0))
    report = margin(content, "thalex-pm", *settings)
    assert report.initial_components["roll"] == pytest.approx(0.01 * SPOT)


@pytest.mark.parametrize("scale", [0.7, 1.6])
def test_a_copy_in_a_moved_market_is_the_book_moved(scale: float) -> None:
    content = written((PERPETUAL, 2.0), (option("call", 1.1 * SPOT), -3.0), (FUTURE, -1.0))
    settings = ("charges.roll=0.01", "charges.short_options=0.01")
    rules = Rules(model="thalex-pm", settings=settings)
    found = margined(Portfolio.model_validate(content), rules)
    assert_copies_are_pools_moved(found, [0, 0], np.array([[scale], [1.0]]))


# BIT's regular margin


@pytest.mark.parametrize(
    ("underlying", "kind", "strike", "initial", "maintenance"),
    [
        ("BTC", "call", 1.02, 0.13, 0.075),
        ("BTC", "call", 1.50, 0.10, 0.075),
        ("BTC", "put", 0.97, 0.12, 0.075),
        ("BCH", "call", 1.02, 0.23, 0.125),
        ("TON", "put", 0.95, 0.55, 0.4),
    ],
)
def test_bit_prints_these_shares(
    underlying: str, kind: str, strike: float, initial: float, maintenance: float
) -> None:
    sold = option(kind, strike * SPOT, underlying)
    content = written((sold, -1.0), underlying=underlying)
    content["positions"][0]["mark_price"] = 2_000.0
    content["positions"][0]["volatility"] = 0.6
    report = margin(content, "bit-options")
    assert report.initial_margin == pytest.approx(initial * SPOT)
    assert report.maintenance_margin == pytest.approx(maintenance * SPOT)
    assert report.details["venue_initial_margin"] == pytest.approx(initial * SPOT + 2_000.0)
    assert report.details["margin_balance"] == pytest.approx(50_000.0)


def test_a_put_deep_in_the_money_needs_a_share_of_its_mark() -> None:
    content = written((option("put", 4.0 * SPOT), -1.0))
    content["positions"][0] |= {"mark_price": 3.0 * SPOT, "volatility": 0.6}
    report = margin(content, "bit-options")
    assert report.maintenance_margin == pytest.approx(0.075 * 3.0 * SPOT)
    assert report.initial_margin == pytest.approx(0.075 * 3.0 * SPOT)
