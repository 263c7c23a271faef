"""Every command: what it prints, where, and its exit status."""

import csv
import io
import json
import os
import tomllib
from pathlib import Path

import pytest

import margincalc
from margincalc.answers.results import MarginReport
from margincalc.api import models
from tests.cli import STRANGLE, UNDER
from tests.cli.conftest import Run
from tests.report import by_hand

FILE_COMMANDS = ("margin", "compare", "greeks", "scenarios", "check", "explain")


@pytest.mark.parametrize("command", FILE_COMMANDS)
def test_formats(run: Run, command: str) -> None:
    table, content, lines = (
        run(command, STRANGLE, "--format", format) for format in ("table", "json", "csv")
    )
    assert [outcome.status for outcome in (table, content, lines)] == [0, 0, 0]
    assert "btc-short-strangle" in table.out
    assert json.loads(content.out)["schema"] == f"margincalc.{command}/1"
    assert next(csv.DictReader(io.StringIO(lines.out)))["account"] == "btc-short-strangle"
    assert [outcome.err for outcome in (table, content, lines)] == ["", "", ""]


def test_table_is_what_is_shown_by_default(run: Run) -> None:
    assert run("margin", STRANGLE) == run("margin", STRANGLE, "--format", "table")


def test_command_prints_what_its_function_returns(run: Run) -> None:
    report = margincalc.margin(
        margincalc.load(STRANGLE, as_of="2026-11-21"), mode="cross", settings=["spot.initial=0.3"]
    )
    options = ("--as-of", "2026-11-21", "--mode", "cross", "--set", "spot.initial=0.3")
    printed = run("margin", STRANGLE, *options, "--format", "json")
    assert isinstance(report, MarginReport)
    assert json.loads(printed.out) == json.loads(json.dumps(report.to_dict()))
    assert printed.err == "".join(f"note: {note}\n" for note in report.notes)
    assert report.notes


def test_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    content = Path(STRANGLE).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert run("margin", "-").out == run("margin", STRANGLE).out


def test_compare_shows_the_modes_that_are_asked_for(run: Run) -> None:
    outcome = run("compare", STRANGLE, "--mode", "cross", "--mode", "portfolio")
    assert outcome.status == 0
    assert "isolated" not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "status", "start"),
    [
        ((STRANGLE,), 0, "HEALTHY  ratio"),
        ((STRANGLE, "--above", "0.99"), 0, "HEALTHY  ratio"),
        ((STRANGLE, "--above", "0.01"), 1, "HEALTHY  ratio"),
        ((STRANGLE, "--above", "68%"), 1, "HEALTHY  ratio"),
        ((STRANGLE, "--above", "69%"), 0, "HEALTHY  ratio"),
        ((UNDER,), 1, "LIQUIDATABLE  ratio"),
        ((UNDER, "--above", "5"), 1, "LIQUIDATABLE  ratio"),
    ],
)
def test_check(run: Run, arguments: tuple[str, ...], status: int, start: str) -> None:
    outcome = run("check", *arguments)
    assert outcome.status == status
    assert outcome.out.startswith(start)
    assert outcome.out.count("\n") in (2, 3)
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.parametrize("above", ["nan", "inf", "-1", "eighty", "1,2"])
def test_check_wants_a_ratio(run: Run, above: str) -> None:
    outcome = run("check", STRANGLE, "--above", above)
    assert (outcome.status, outcome.out) == (2, "")
    assert "'--above'" in outcome.err


def test_models(run: Run) -> None:
    assert run("models").out == run("models", "list").out
    listed = json.loads(run("models", "list", "--format", "json").out)
    names = [model["name"] for model in listed["models"]]
    assert {"generic-portfolio", "generic-standard"} <= set(names)
    assert names == [model.name for model in margincalc.models()]


def test_models_show_prints_a_model_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    assert run("models", "show", "generic-portfolio", "--output", str(file)).status == 0
    assert tomllib.loads(file.read_text("utf-8"))["name"] == "generic-portfolio"
    own = run("margin", STRANGLE, "--model", str(file), "--format", "json")
    shipped = run("margin", STRANGLE, "--format", "json")
    assert own.out == shipped.out


def test_schema(run: Run) -> None:
    assert json.loads(run("schema").out) == margincalc.schema()


def test_version(run: Run) -> None:
    assert run("--version").out == f"margincalc {margincalc.__version__}\n"


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    outcome = run()
    assert (outcome.status, outcome.out) == (2, "")
    assert "Usage: margincalc" in outcome.err


def test_compare_says_once_what_every_mode_has(run: Run) -> None:
    outcome = run("compare", "sample_portfolios/two_venues.yaml")
    assert outcome.out.count("derive-pm2") == 1
    assert "not by which rules" in outcome.err


def test_compare_shows_models(run: Run) -> None:
    names = ("generic-standard", "generic-portfolio")
    outcome = run("compare", STRANGLE, "--model", names[0], "--model", names[1])
    assert outcome.status == 0
    assert all(name in outcome.out.splitlines()[2] for name in names)
    assert "Least initial margin" in outcome.out


def test_models_verify(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("models", "verify").status == 0
    monkeypatch.setattr(models, "verify_models", lambda name: by_hand.VERIFY)
    outcome = run("models", "verify", "deribit-pm")
    assert outcome.status == 3
    assert "2 of 4 figures match" in outcome.out


def test_a_terminal_has_its_width_and_colour(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    size = os.terminal_size((120, 50))
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_, **__: size)  # also for pytest
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = run("margin", STRANGLE).out
    assert "\033[32mHEALTHY\033[0m" in coloured
    assert 80 < max(map(len, coloured.splitlines())) <= 120
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in run("margin", STRANGLE).out


def test_width_is_80_or_what_columns_says(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = run("margin", STRANGLE).out
    monkeypatch.setenv("COLUMNS", "200")
    wide = run("margin", STRANGLE).out
    monkeypatch.setenv("COLUMNS", "9" * 5000)
    assert run("margin", STRANGLE).out == wide
    monkeypatch.setenv("COLUMNS", "many")
    assert run("margin", STRANGLE).out == narrow
    assert max(map(len, narrow.splitlines())) <= 80 < max(map(len, wide.splitlines())) <= 200


def test_compare_shows_all_models(run: Run) -> None:
    assert run("compare", STRANGLE, "--all").out.count("deribit-pm") >= 1


def compared(run: Run, *options: str) -> dict[str, float]:
    """Return the initial margin of each model of a comparison."""
    models = ("--model", "generic-standard", "--model", "generic-portfolio")
    content = json.loads(run("compare", STRANGLE, *models, *options, "--format", "json").out)
    return {column["name"]: column["initial_margin"] for column in content["columns"]}


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("factors.initial=2.5", {"generic-portfolio"}),
        ("short_option.initial=0.9", {"generic-standard"}),
    ],
)
def test_compare_changes_the_models_that_have_the_parameter(
    run: Run, setting: str, changed: set[str]
) -> None:
    usual, other = compared(run), compared(run, "--set", setting)
    assert {name for name in usual if usual[name] != other[name]} == changed


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("nonsense=1", "--set\n"),
        ("nonsense.more=1", "--set\n"),
        ("grid.nonsense=1", "--set grid.nonsense\n"),
    ],
)
def test_compare_refuses_a_parameter_of_none(run: Run, setting: str, place: str) -> None:
    outcome = run("compare", STRANGLE, "--set", setting)
    assert outcome.status == 2
    assert outcome.err.startswith(f"error: {place}")


def test_compare_takes_the_parameters_of_a_day(run: Run) -> None:
    options = ("--model", "deribit-pm", "--format", "json")
    days = [
        json.loads(run("compare", STRANGLE, *options, *more).out)["columns"][0]["model"][
            "effective"
        ]
        for more in ((), ("--effective", "2024-07-01"))
    ]
    assert days[0] > days[1] == "2024-06-17"


def test_closing_a_hedge_is_not_liquidated_first() -> None:
    portfolio = margincalc.load(STRANGLE.replace("btc_short_strangle", "eth_calendar_spread"))
    columns = margincalc.compare(portfolio, modes=("cross", "portfolio")).columns
    assert all(first.relief > 0.0 for column in columns for first in column.first)
    held = {line.instrument for line in columns[-1].report.positions}
    assert {first.name for first in columns[-1].first} < held


def test_how_probably_an_account_is_liquidated(run: Run) -> None:
    options = ("--within", "3d", "--dynamics", "merton", "--paths", "2000", "--seed", "4")
    outcome = run("liquidation", STRANGLE, *options, "--format", "json")
    content = json.loads(outcome.out)
    assert (outcome.status, content["schema"]) == (0, "margincalc.passage/1")
    assert (round(content["horizon_days"], 9), content["seed"]) == (3.0, 4)
    assert "jumps" in outcome.err
    assert run("liquidation", STRANGLE, "--within", "soon").status == 2
    assert run("liquidation", STRANGLE, "--within", "3d", "--plot", "x.png").status == 2
