"""The command line reads exports: `convert`, and `--from` wherever a portfolio is taken."""

import json
from pathlib import Path

import pytest

from tests.cli import ROOT
from tests.cli.conftest import Run
from tests.exports.test_exports import DERIBIT, LATER, SAMPLES, path


def test_the_command_says_how_files_were_read(run: Run, tmp_path: Path) -> None:
    book = tmp_path / "book.yaml"
    outcome = run("convert", *(str(path(name)) for name in DERIBIT), "-o", str(book))
    assert (outcome.status, outcome.out) == (0, "")
    assert "deribit_summaries.json: read as deribit, account summaries" in outcome.err
    assert "left out: BTC-FS-25DEC26_PERP" in outcome.err
    assert "left out: BTC-FS-25DEC26_PERP" in book.read_text("utf-8")
    shown = run("margin", str(book))
    assert shown.status == 0
    assert "The venue says" in shown.out
    assert "stated by Deribit" in shown.out


def test_every_command_takes_from(run: Run) -> None:
    name, *others = (str(path(name)) for name in SAMPLES["okx"])
    joined = [word for other in others for word in ("--join", other)]
    for command in ("margin", "compare", "greeks", "scenarios", "check"):
        outcome = run(command, name, "--from", "okx", *joined, "--format", "json")
        assert outcome.status == 0 or command == "check"
        assert json.loads(outcome.out)["schema"].startswith("margincalc.")


STATED = {
    "deribit": "Deribit",
    "okx": "OKX",
    "okx builder": "OKX position builder",
    "bybit": "Bybit",
    "bybit inverse": "Bybit, sum over positions",
    "derive documented": "Derive",
    "ccxt": "ccxt, sum over positions",
    "ccxt of deribit": "Deribit, sum over positions",
}


@pytest.mark.parametrize("name", STATED)
def test_what_a_venue_states_stands_beside_ours(run: Run, name: str) -> None:
    first, *others = (str(path(part)) for part in SAMPLES[name])
    joined = [word for other in others for word in ("--join", other)]
    timed = ["--as-of", LATER["as_of"]] if "documented/" in SAMPLES[name][0] else []
    shown = run("margin", first, *joined, *timed).out
    assert f"stated by {STATED[name]}\n" in shown
    answer = json.loads(run("margin", first, *joined, *timed, "--format", "json").out)["stated"]
    assert answer["source"] == STATED[name]
    for figure in ("initial_margin", "maintenance_margin"):
        both = answer[figure]
        assert both["difference"] == both["computed"] - both["stated"]


def test_what_is_not_converted_is_said(run: Run) -> None:
    empty = str(ROOT / "tests" / "errors" / "zero_quantity.yaml")
    outcome = run("convert", empty)
    assert (outcome.status, outcome.err.count("its quantity is 0\n")) == (0, 2)
