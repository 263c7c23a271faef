"""`hedge` on the command line: faults are placed, and what is infeasible is computed."""

import json
from pathlib import Path

import pytest

from tests.cli import ROOT, STRANGLE
from tests.cli.conftest import Run
from tests.hedge import EXPIRY

SAMPLES = ROOT / "sample_portfolios"


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (("--target", "0"), "--target"),
        (("--spot-range", "15%,-15%"), "--spot-range"),
        (("--spot-range", "wide"), "--spot-range"),
        (("--candidate", "BTC-FOO"), "--candidate"),
        (("--candidate", f"ETH-{EXPIRY}-100-C"), "--candidate"),
        (("--lot", "inf"), "--lot"),
        (("--fee", "nan"), "--fee"),
        (("--strike", "-1"), "--strike"),
        (("--max-delta", "-1"), "--max-delta"),
    ],
)
def test_faults_are_placed(run: Run, options: tuple[str, str], place: str) -> None:
    outcome = run("hedge", str(SAMPLES / "btc_short_strangle.yaml"), *options)
    assert outcome.status == 2
    assert place in outcome.err


def test_an_infeasible_hedge_is_computed(run: Run) -> None:
    options = ("--max-deposit", "0", "--max-size", "0.1", "--target", "50%")
    outcome = run("hedge", str(SAMPLES / "btc_short_strangle.yaml"), *options, "--format", "json")
    assert outcome.status == 0
    assert json.loads(outcome.out)["feasible"] is False


def test_a_picture_is_drawn(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "hedge.svg"
    outcome = run("hedge", str(SAMPLES / "just_under_maintenance.yaml"), "--plot", str(path))
    assert outcome.status == 0
    assert path.read_text("utf-8").startswith("<?xml")


def test_what_a_search_does_not_find_is_not_said_to_be_impossible(run: Run) -> None:
    limits = ("--target", "25%", "--budget", "500")
    searched = run("hedge", STRANGLE, "--model", "deribit-pm", *limits)
    proved = run("hedge", STRANGLE, *limits)
    assert (searched.status, proved.status) == (0, 0)
    assert "NOT FEASIBLE: no answer was found" in searched.out
    assert "NOT FEASIBLE: there is no answer" in proved.out
