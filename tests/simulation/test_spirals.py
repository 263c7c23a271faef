"""Dealers who hedge, margins that rise with the move, holders who deleverage, and venues."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import margincalc as mc
from margincalc.answers.accounts import Source
from margincalc.errors import InputError
from margincalc.simulation.dealers import Gamma
from margincalc.simulation.firesale import deleverage
from margincalc.simulation.linear_accounts import Line, tightened

NODES = np.geomspace(100.0, 40.0, 50)


@given(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0), st.floats(30.0, 90.0))
def test_dealers_sell_the_integral_of_their_gamma(low: float, high: float, middle: float) -> None:
    gamma = Gamma(np.array([middle, middle + 20.0]), np.array([low, high]))
    sold = gamma.sold(NODES)
    fine = np.linspace(100.0, 40.0, 400_001)
    held = 100.0 * np.interp(fine, gamma.spot, gamma.money) / fine**2
    whole = np.sum(0.5 * (held[1:] + held[:-1]) * np.diff(fine))
    assert sold[0] == 0.0
    assert sold[-1] == pytest.approx(whole, rel=1e-6, abs=1e-8)


def test_dealers_short_gamma_sell_a_fall_and_buy_a_rise() -> None:
    gamma = Gamma(np.ones(1), np.array([-3.0]))
    assert np.all(np.diff(gamma.sold(NODES)) > 0.0)
    assert np.all(np.diff(gamma.sold(np.geomspace(100.0, 200.0, 9))) < 0.0)


prices = st.floats(70.0, 99.0)


@given(prices, st.floats(0.01, 0.2), st.floats(0.0, 20.0))
def test_a_rising_margin_is_met_exactly_where_it_liquidates(
    bankrupt: float, rate: float, response: float
) -> None:
    falls = min(bankrupt / (1.0 - rate), 100.0)
    rate = (falls - bankrupt) / falls
    above = 200.0 - bankrupt
    rises = above / (1.0 + rate)
    nan = float("nan")
    line = Line(
        np.array([falls, nan]),
        np.array([nan, max(rises, 100.0)]),
        np.ones(2),
        np.array([bankrupt, above]),
    )
    moved = tightened(line, 100.0, response)
    low, high = float(moved.below[0]), float(moved.above[1])
    assert falls <= low + 1e-9
    assert low <= 100.0 + 1e-9
    assert 100.0 - 1e-9 <= high <= float(line.above[1]) + 1e-9
    assert low - bankrupt == pytest.approx(rate * low * (1.0 + response * (1.0 - low / 100.0)))
    own = (above - float(line.above[1])) / float(line.above[1])
    assert above - high == pytest.approx(own * high * (1.0 + response * (high / 100.0 - 1.0)))


DRAWN = Source(accounts=200, seed=3)


def test_the_multiplier_is_of_losses_and_margins_together() -> None:
    calm, spiral = (
        mc.cascade(DRAWN, depth_left=0.05, margin_response=response) for response in (0.0, 10.0)
    )
    assert all(row["by_margins"] == 0.0 for row in calm["levels"])
    for row in spiral["levels"]:
        feeds = row["by_losses"] + row["by_margins"]
        assert row["reproduction"] == pytest.approx(feeds)
        if feeds < 1.0:
            assert row["multiplier"] == pytest.approx(1.0 / (1.0 - feeds))
    for one, other in zip(calm["curve"], spiral["curve"], strict=True):
        assert other["liquidated"] >= one["liquidated"]


def test_long_gamma_stops_what_short_gamma_drives(tmp_path: Path) -> None:
    table = tmp_path / "gamma.csv"
    table.write_text("spot,gamma\n60000,-2e5\n140000,-2e5\n", "utf-8")
    short, written, long = (
        mc.cascade(DRAWN, shocks="-0.05,0.05", depth="1%=2e6", dealers=gamma)["curve"]
        for gamma in ("-2e5", table, "2e5")
    )
    assert short == written
    for worse, better in zip(short, long, strict=True):
        assert abs(worse["move"]) > abs(worse["shock"])
        assert abs(worse["move"]) > abs(better["move"])


def test_holders_short_and_long_mirror_each_other() -> None:
    held, equity, depth = np.array([[1000.0]]), np.array([100.0]), np.array([1e5])
    long = deleverage(held, equity, 12.0, depth, np.array([0.03]))
    short = deleverage(-held, equity, 12.0, depth, np.array([-0.03]))
    assert long.first[0, 0] == pytest.approx(130.0)
    assert short.first[0, 0] < 0.0
    assert short.price[0] > 1.03
    assert long.price[0] < 0.97


def test_deleveraging_is_reached_from_the_command() -> None:
    report = mc.cascade(DRAWN, shocks="-0.1,-0.01", deleverage=10.0)
    rows = report["deleveraged"]
    assert len(rows) == 2
    assert rows[0]["lost"] > rows[1]["lost"] > 0.0
    assert all(row["sold"] >= row["first"] > 0.0 for row in rows)
    with pytest.raises(InputError, match="--deleverage"):
        mc.cascade(DRAWN, shocks="-0.1", deleverage=0.5)


MARKET = """as_of: 2026-11-20T08:00:00Z
market:
  BTC: {spot: 100000, volatility: 0.6}
  ETH: {spot: 4000, volatility: 0.7}
venues:
  one: {model: generic-portfolio}
  two: {model: generic-standard}
"""
HELD = """account,venue,instrument,asset,quantity
a,one,BTC-PERPETUAL,,2
a,one,,USD,30000
a,two,BTC-PERPETUAL,,-2
a,two,,USD,30000
b,one,ETH-PERPETUAL,,30
b,one,,USD,20000
"""


def test_a_hedge_on_another_venue_saves_neither_leg(tmp_path: Path) -> None:
    market, file = tmp_path / "market.yaml", tmp_path / "accounts.csv"
    market.write_text(MARKET, "utf-8")
    file.write_text(HELD, "utf-8")
    report = mc.cascade(Source(file, market), shocks="-0.3,0.3", depth="1%=1e9")
    assert report.title.startswith("2 accounts")
    assert "an account is one on each of its venues" in " ".join(report.notes)
    names = {row["account"] for row in report["first"]}
    assert names == {"a at one", "a at two", "b at one"}
    assert [row["liquidated"] for row in report["curve"]] == [2, 1]
    file.write_text(HELD.replace("b,one,,USD", ",one,,USD"), "utf-8")
    with pytest.raises(InputError, match=r"accounts.csv:7, column account\n.*an account's name"):
        mc.cascade(Source(file, market), shocks="-0.3")
    file.write_text(HELD.replace(",two,", ",three,"), "utf-8")
    with pytest.raises(InputError, match="three"):
        mc.cascade(Source(file, market), shocks="-0.3")


@pytest.mark.parametrize("text", ["nan", "1e40", "nowhere.csv"])
def test_dealers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        mc.cascade(DRAWN, shocks="-0.1", dealers=text)


def test_a_walk_beside_dealers_without_gamma_ends_where_the_search_does() -> None:
    shocks = "-0.25,-0.15,-0.05,0.05,0.15,0.25"
    sorted_, walked = (
        mc.cascade(DRAWN, shocks=shocks, depth_left=0.05, dealers=gamma)["curve"]
        for gamma in (None, "0")
    )
    assert any(row["bad_debt"] > 1_000.0 for row in sorted_)
    for exact, node in zip(sorted_, walked, strict=True):
        # Whoever lies between two nodes is sold at the further one: a node is 0.7 % of the spot.
        assert abs(node["move"]) >= abs(exact["move"]) - 1e-12
        assert node["move"] == pytest.approx(exact["move"], abs=0.02)
        assert node["liquidated"] >= exact["liquidated"]
        assert node["bad_debt"] == pytest.approx(exact["bad_debt"], rel=0.1, abs=100.0)


def test_a_monitor_refuses_what_only_a_cascade_answers() -> None:
    with pytest.raises(TypeError, match="'dealers'; those of a population's stress are depth, "):
        mc.monitor(DRAWN, dealers="1e6")  # type: ignore[call-arg]
