"""Every Derive case matches: the random portfolios carried here, and all of a reference's."""

import json
import os
from pathlib import Path

import pytest

from margincalc.pricing.svi import SVI, volatility
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
