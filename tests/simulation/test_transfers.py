"""What can move between venues, by which route, and how much each must hold for itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import margincalc as mc
from margincalc.answers.margining import Rules
from margincalc.answers.routes import Routes, read_routes
from margincalc.answers.venues import TransferTerms
from margincalc.errors import InputError
from margincalc.simulation.transfers import Network, Route, least_buffers
from tests.cli import ROOT

NEVER = float("inf")
NAMES = ("one", "two", "three")


def test_a_venue_under_maintenance_must_act_now() -> None:
    portfolio = mc.load(ROOT / "sample_portfolios" / "two_venues.yaml")
    by_name = {pool.pool: pool for pool in mc.margin(portfolio).pools}
    assert by_name["derive"].status == "liquidatable"
    said = {row["venue"]: row for row in mc.transfer(portfolio).to_dict()["venues"]}
    assert (said["derive"]["act"], said["derive"]["distance"]) == (True, 0.0)
    assert said["okx"]["act"] is False
    assert said["okx"]["distance"] < 0.0


def network(*routes: Route, halts: dict[tuple[str, str], float] | None = None) -> Network:
    return Network.of(NAMES, Route("", "", 60.0, 0.01), routes, halts or {})


def test_each_pair_has_its_own_route() -> None:
    own = network(
        Route("one", "two", 10.0, 0.0, 5.0),
        Route("three", "two", NEVER),
        halts={("one", ""): 100.0, ("two", "three"): 7.0},
    )
    assert own.seconds.tolist() == [
        [NEVER, 110.0, 160.0],
        [60.0, NEVER, 67.0],
        [60.0, NEVER, NEVER],
    ]
    spare = np.array([8.0, 0.0, 100.0])
    assert own.arriving(spare)[0].tolist() == pytest.approx([0.0, 5.0, 7.92])
    assert own.arriving(spare)[2].tolist() == pytest.approx([99.0, 0.0, 0.0])
    assert own.soonest(spare).tolist() == [2, 0, 0]
    assert own.movable(spare).tolist() == [0.0, 0.0, 100.0]
    assert network(Route("three", "one", 1.0, 0.0, 4.0)).soonest(np.zeros(3)).tolist() == [-1] * 3


def test_buffers_take_the_route_that_is_cheap_open_and_in_time() -> None:
    # Two needs 90 where one and three have 50 and 200 to spare.
    need = np.array([[-50.0], [90.0], [-200.0]])

    def held(*routes: Route, horizon: float = 100.0) -> list[float]:
        return [*map(float, least_buffers(need, network(*routes), horizon).held)]

    assert held() == pytest.approx([0.0, 0.0, 0.0])
    assert held(horizon=30.0) == pytest.approx([0.0, 90.0, 0.0])
    # Not by way of one, which would take two minutes.
    assert held(Route("three", "two", 1000.0)) == pytest.approx([0.0, 90.0 - 49.5, 0.0])
    assert held(Route("three", "two", 1.0, 0.5), Route("one", "two", NEVER)) == pytest.approx(
        [0, 0, 0]
    )
    assert held(Route("three", "two", 1.0, 0.0, 30.0)) == pytest.approx([0.0, 90.0 - 79.5, 0.0])


needs = st.lists(st.lists(st.floats(-100.0, 100.0), min_size=2, max_size=2), min_size=3, max_size=3)
routes = st.lists(
    st.builds(
        Route,
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.sampled_from([1.0, 60.0, 1e5, NEVER]),
        st.sampled_from([0.0, 0.1, 0.9]),
        st.sampled_from([0.0, 10.0, NEVER]),
    ),
    max_size=6,
)


@given(needs, routes, st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_a_better_route_never_means_more_idle_money(
    written: list[list[float]], stated: list[Route], sender: str, receiver: str
) -> None:
    need = np.array(written)
    plain = least_buffers(need, network(*stated), 100.0)
    better = least_buffers(need, network(*stated, Route(sender, receiver, 1.0)), 100.0)
    assert np.sum(better.held) <= np.sum(plain.held) + 1e-6
    assert np.sum(plain.held) <= np.sum(plain.alone) + 1e-6
    # Nothing comes from nowhere: what is lacking in all is added.
    assert np.sum(better.held) >= max(0.0, float(np.max(np.sum(need, axis=0)))) - 1e-6


def account(one: float, two: float) -> mc.Portfolio:
    return mc.Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {"BTC": {"spot": 100_000.0, "volatility": 0.8}},
            "venues": {name: {"model": "generic-standard"} for name in ("one", "two")},
            "positions": [
                {"instrument": "BTC-PERPETUAL", "quantity": 1.0, "venue": "one"},
                {"instrument": "BTC-PERPETUAL", "quantity": -1.0, "venue": "two"},
            ],
            "collateral": [
                {"asset": "USD", "quantity": one, "venue": "one"},
                {"asset": "USD", "quantity": two, "venue": "two"},
            ],
        }
    )


def told(one: float, two: float, *stated: Route, **terms: Any) -> dict[str, dict[str, Any]]:
    given = TransferTerms(**terms, routes=Routes(stated))
    rows: list[dict[str, Any]] = mc.transfer(account(one, two), given)["venues"]
    return {row["venue"]: row for row in rows}


def test_when_to_move_is_by_the_route_that_helps() -> None:
    fast, slow = (
        told(6_000.0, 40_000.0, Route("two", "one", seconds))["one"] for seconds in (60.0, 86_400.0)
    )
    assert (fast["sender"], fast["latency"], slow["latency"]) == ("two", 60.0, 86_400.0)
    assert (fast["act"], slow["act"]) == (False, True)
    assert fast["horizon"] == slow["horizon"]
    # The other way nobody has anything to spare: it comes from outside.
    assert told(6_000.0, 2_000.0)["one"]["sender"] == "outside"


def test_help_in_time_is_worth_a_deposit_and_late_help_nothing() -> None:
    def one(money: float, seconds: float) -> dict[str, Any]:
        return told(money, 40_000.0, Route("two", "one", seconds, 0.1, 1_000.0))["one"]

    alone, helped, late = one(6_000.0, NEVER), one(6_000.0, 60.0), one(6_000.0, 1e6)
    assert alone["helped"] == alone["horizon"] == late["helped"]
    assert helped["helped"] == pytest.approx(one(6_900.0, NEVER)["horizon"], rel=1e-9)
    assert helped["helped"] > helped["horizon"]


def test_a_file_of_routes_is_the_same_as_routes(tmp_path: Path) -> None:
    file = tmp_path / "routes.csv"
    file.write_text(
        "from,to,seconds,cost,most,halt\none,two,,,,\ntwo,one,120,0.1,1000,600\n", "utf-8"
    )
    written = read_routes(file)
    stated = (Route("one", "two", NEVER), Route("two", "one", 120.0, 0.1, 1000.0))
    assert written == Routes(stated, ((("two", "one"), 600.0),))
    found = mc.transfer(account(6_000.0, 40_000.0), TransferTerms(routes=written))
    (route,) = found["routes"]
    assert (route["from"], route["latency"], route["arrives"]) == ("two", 720.0, 900.0)
    assert found["fungible"] == 0.0  # two is halted, and from one there is no way


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from,to\none,two\n", "no column seconds"),
        ("from,to,seconds\none,two,-1\n", "'-1'"),
        ("from,to,seconds\none,six,1\n", "'six'"),
        ("from,to,seconds\none,one,1\n", "itself"),
        ("from,to,seconds,cost\none,two,1,1\n", "a cost of 1"),
        ("from,to,seconds,halt\none,two,1,1e10\n", "--halt"),
        ("from,to,seconds,colour\none,two,1,red\n", "colour"),
    ],
)
def test_wrong_routes_are_refused(tmp_path: Path, text: str, found: str) -> None:
    file = tmp_path / "routes.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError, match=found):
        mc.transfer(account(6_000.0, 40_000.0), TransferTerms(routes=read_routes(file)))


def test_what_was_tried_and_changed_is_noted() -> None:
    rules = Rules(settings=("factors.initial=1.3",), changes=mc.what_if(spot=["-5%"]))
    portfolio = mc.load("sample_portfolios/eth_gamma_hedged_perp.yaml")
    for study in (mc.transfer(portfolio, rules=rules), mc.collateral(portfolio, rules=rules)):
        assert "parameters changed: factors.initial=1.3" in study.notes
        assert any(note.startswith("what if: ETH at 3,040") for note in study.notes)
