"""Every Derive case matches: the random portfolios carried here, and all of a reference's."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from margincalc.pricing.svi import SVI, volatility
from tests.conformance.derive import ADAPTERS
from tests.conformance.pack import cases
from tests.conformance.runner import Outcome, files, run, run_text

CARRIED = list(cases())
REFERENCE = os.environ.get("MARGINCALC_REFERENCE")
FOUND = list(files([Path(REFERENCE) / "derive"])) if REFERENCE else []


def assert_matches(outcome: Outcome) -> None:
    wrong = [str(figure) for figure in outcome.figures if not figure.matches]
    assert not outcome.problem, outcome.problem
    assert not wrong


@pytest.mark.parametrize("method", ["derive_pmrm2", "derive_pmrm1", "derive_srm"])
@pytest.mark.parametrize("part", range(4))
def test_random_portfolios(method: str, part: int) -> None:
    chosen = [case for case in CARRIED if case["method"] == method]
    assert len(chosen) >= 90
    for case in chosen[part::4]:
        assert_matches(run_text(json.dumps(case), case["case_id"]))


if FOUND:

    @pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
    def test_reference(path: Path) -> None:
        assert_matches(run(path))


def test_volatilities_are_the_feeds() -> None:
    checked = 0
    for case in CARRIED:
        if case["method"] != "derive_pmrm2":
            continue
        fits = {row["seconds_to_expiry"]: row["svi"] for row in case["feeds"]["expiries"]}
        for option in case["positions"]["options"]:
            fit = {key: float(value) for key, value in fits[option["seconds_to_expiry"]].items()}
            own = SVI(**{("time" if key == "tau_years" else key): fit[key] for key in fit})
            found = float(volatility(own, float(option["strike"])))
            assert found == pytest.approx(float(option["svi_vol"]), rel=1e-9)
            checked += 1
    assert checked > 1000


# What no carried case has, and a lawful case may


def one_of(method: str) -> dict[str, Any]:
    """Return a carried case with options and a perpetual."""
    for case in CARRIED:
        if case["method"] == method and _sides(case)[0][1]["options"]:
            return copy.deepcopy(case)
    raise AssertionError(method)


def _sides(case: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return feeds and positions of each market."""
    feeds, positions = case["feeds"], case["positions"]
    if "markets" not in feeds:
        return [(feeds, positions)]
    return [(feeds["markets"][name], positions["markets"][name]) for name in feeds["markets"]]


def margins(case: dict[str, Any]) -> list[float]:
    found = ADAPTERS[case["method"]](case)
    names = ("net_initial_margin", "net_maintenance_margin", "mtm_incl_cash")
    return [float(found[name]) for name in names]


every_method = pytest.mark.parametrize("method", ["derive_pmrm2", "derive_pmrm1", "derive_srm"])


@every_method
@pytest.mark.parametrize("cash", ["0", "-1234.5", "250"])
def test_an_account_of_money_alone_is_worth_its_money(method: str, cash: str) -> None:
    case = one_of(method)
    case["positions"]["cash"] = cash
    for feeds, positions in _sides(case):
        feeds["expiries"] = []
        positions["options"], positions["perp"]["amount"] = [], 0
        positions.get("base", {})["amount"] = 0
        if "collaterals" in positions:
            positions["collaterals"] = []
    assert margins(case) == pytest.approx([float(cash)] * 3, rel=1e-12)


@every_method
def test_order_and_what_is_not_held_are_irrelevant(method: str) -> None:
    case = one_of(method)
    other = copy.deepcopy(case)
    for feeds, positions in _sides(other):
        feeds["expiries"].reverse()
        nothing = [{**option, "amount": "0"} for option in positions["options"]]
        halves = [
            {**option, "amount": float(option["amount"]) / 2.0} for option in positions["options"]
        ]
        positions["options"] = [*halves, *nothing, *halves]
    assert margins(other) == pytest.approx(margins(case), rel=1e-9)


@every_method
def test_a_perpetual_without_a_price_is_worth_its_profit(method: str) -> None:
    case = one_of(method)
    for feeds, positions in _sides(case):
        feeds["perp"]["price"], positions["options"] = 0, []
        positions["perp"] = {"amount": 3, "unrealized_pnl": "-10.5", "unrealized_funding": "0.25"}
    _, _, mark = margins(case)
    for _, positions in _sides(case):
        positions["perp"]["amount"] = 0
    assert mark - margins(case)[2] == pytest.approx(-10.25 * len(_sides(case)), abs=1e-7)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (("positions",), "positions.surprise"),
        (("parameters",), "parameters.surprise"),
        (("feeds", "stable"), "feeds.stable.surprise"),
        ((), "surprise"),
    ],
)
@every_method
def test_a_key_that_nothing_reads_fails(method: str, path: tuple[str, ...], named: str) -> None:
    case = one_of(method)
    inner = case
    for key in path:
        inner = inner[key]
    inner["surprise"] = 1
    outcome = run_text(json.dumps(case), "x")
    assert outcome.failed
    assert f"unknown: {named}" in str(outcome.problem)


@every_method
def test_options_of_an_expiry_without_feeds_fail(method: str) -> None:
    case = one_of(method)
    for feeds, _ in _sides(case):
        feeds["expiries"] = []
    outcome = run_text(json.dumps(case), "x")
    assert outcome.failed
    assert "one feed for each expiry" in str(outcome.problem)


def test_a_year_of_other_seconds_fails() -> None:
    outcome = run_text(json.dumps({**one_of("derive_srm"), "seconds_per_year": 31_557_600}), "x")
    assert outcome.failed
