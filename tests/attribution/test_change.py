"""What changed a margin: the steps sum, and each stands for what was changed."""

from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import margincalc as mc
from margincalc.answers.explain_results import ChangeReport
from margincalc.errors import InputError
from margincalc.portfolio import Portfolio
from tests.books import CARRIED, WITH_POOLS, plain, portfolios
from tests.proving import examples

KEYS = ("equity", "initial_margin", "maintenance_margin", "excess")


def assert_sums(report: ChangeReport) -> None:
    for key in KEYS:
        moved = sum(getattr(line, key) for line in report.lines)
        size = 1.0 + abs(report.old[key]) + sum(abs(getattr(line, key)) for line in report.lines)
        assert report.old[key] + moved == pytest.approx(report.new[key], abs=1e-9 * size)


@settings(max_examples=examples(20))
@given(portfolios(WITH_POOLS), st.integers(0, 5), st.sampled_from(["portfolio", "isolated"]))
def test_steps_sum_between_any_two_files(portfolio: Portfolio, days: int, mode: Any) -> None:
    """Whatever changed: a later day, another market, other positions, other deposits."""
    content = plain(portfolio)
    for market in content["market"].values():
        market["spot"] *= 1.03
        market["volatility"] = 0.8
    for position in content["positions"][1:]:
        position["quantity"] *= 1.5
        position["isolated_margin"] = None
    content["positions"] = content["positions"][1:] or content["positions"]
    for deposit in content["collateral"]:
        deposit["quantity"] *= 1.2
    new = Portfolio.model_validate(content)
    try:
        mc.margin(new, mode=mode)
    except InputError:  # a mark that no volatility gives at the other spot
        reject()
    assert_sums(mc.explain_change(portfolio, new, mode=mode))


@settings(max_examples=examples(20))
@given(portfolios(CARRIED))
def test_nothing_changed_is_nothing(portfolio: Portfolio) -> None:
    assert mc.explain_change(portfolio, portfolio).lines == ()


def changed(**more: Any) -> list[tuple[str, str]]:
    old = mc.load("sample_portfolios/btc_short_strangle.yaml")
    content = plain(old)
    content["market"]["BTC"] |= more.pop("market", {})
    report = mc.explain_change(old, Portfolio.model_validate(content | more))
    assert_sums(report)
    return [(line.kind, line.name) for line in report.lines]


def test_each_change_has_its_name() -> None:
    option = {"instrument": "BTC-25DEC26-90000-P", "quantity": -10.0, "entry_price": 2900.0}
    call = {"instrument": "BTC-25DEC26-115000-C", "quantity": -10.0, "volatility": 0.55}
    more = {"instrument": "BTC-25DEC26-130000-C", "quantity": 5.0, "volatility": 0.55}
    same = option | {"volatility": 0.58}
    forward = {"2026-12-25": {"forward": 100_900.0, "rate": 0.04}}
    assert changed(market={"expiries": forward}) == [("forward", "BTC")]
    assert changed(positions=[option | {"volatility": 0.7}, call]) == [("volatility", "BTC")]
    assert changed(positions=[same, call, more]) == [("trade", "BTC-25DEC26-130000-C")]
    assert changed(positions=[same]) == [("trade", "BTC-25DEC26-115000-C")]
    assert changed(collateral=[{"asset": "USD", "quantity": 1.0}]) == [("cash", "")]
    assert changed(market={"spot": 101_000.0})[0] == ("spot", "BTC")
    assert changed(as_of="2026-11-21T08:00:00Z")[0] == ("time", "1 days")


def test_rules_of_another_day_are_a_line() -> None:
    old = mc.load("sample_portfolios/two_venues.yaml")
    content = plain(old)
    content["venues"] = {name: {"model": "generic-portfolio"} for name in content["venues"]}
    report = mc.explain_change(old, Portfolio.model_validate(content))
    assert_sums(report)
    assert [line.kind for line in report.lines] == ["rules"]


@pytest.mark.parametrize("turned", [False, True])
def test_an_account_moves_to_venues_that_its_old_rules_know_nothing_of(turned: bool) -> None:
    names = ("btc_short_strangle", "two_venues")
    old, new = (mc.load(f"sample_portfolios/{name}.yaml") for name in names[:: -1 if turned else 1])
    report = mc.explain_change(old, new)
    assert_sums(report)
    assert report.old["equity"] == pytest.approx(mc.margin(old).equity)
    assert report.new["maintenance_margin"] == pytest.approx(mc.margin(new).maintenance_margin)
    # Each venue of the old account keeps its rules; one model alone is kept for all.
    assert ("rules" in [line.kind for line in report.lines]) == (not turned)


def test_files_that_cannot_be_compared() -> None:
    old = mc.load("sample_portfolios/btc_short_strangle.yaml")
    later = old.model_copy(
        update={
            "as_of": mc.load("sample_portfolios/btc_short_strangle.yaml", as_of="2026-11-22").as_of
        }
    )
    with pytest.raises(InputError, match="swap the files"):
        mc.explain_change(later, old)
    euro = old.model_copy(update={"currency": "EUR", "collateral": ()})
    with pytest.raises(InputError, match="one currency"):
        mc.explain_change(old, euro)


def test_two_accounts_are_said_to_be_two() -> None:
    old = mc.load("sample_portfolios/btc_short_strangle.yaml")
    new = old.model_copy(update={"account": "desk"})
    assert len(mc.explain_change(old, old).notes) == 1
    assert "two accounts, btc-short-strangle and desk" in mc.explain_change(old, new).notes[1]
