"""Model files: found by name and day, read strictly, changed by settings, extended by a file."""

import datetime as dt
import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

import margincalc as mc
from margincalc.answers.results import MarginReport
from margincalc.errors import Fault, InputError
from margincalc.margin.base import laid_over
from margincalc.margin.load import (
    FAMILIES,
    FOLDER,
    MODELS,
    effective_dates,
    load_model,
    model_names,
)
from margincalc.margin.scan import Scan
from margincalc.portfolio import Portfolio
from tests.books import ANY, portfolio

TODAY = dt.date(2026, 11, 20)
FILES = sorted(FOLDER.glob("*.toml"))
GENERIC = ("generic-portfolio", "generic-standard")


def faults(error: pytest.ExceptionInfo[InputError]) -> tuple[Fault, ...]:
    return error.value.faults


def text_of(name: str) -> str:
    return next(path for path in FILES if path.stem.startswith(f"{name}.")).read_text("utf-8")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


# The files that ship


def test_the_generic_models_are_there() -> None:
    assert set(GENERIC) <= set(model_names())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_reads_names_itself_and_has_its_sources(path: Path) -> None:
    name, _, day = path.stem.rpartition(".")
    venue = load_model(name, dt.date.fromisoformat(day))
    assert (venue.name, venue.effective.isoformat()) == (name, day)
    assert venue.family in FAMILIES
    assert venue.sources
    assert all(source.what and source.url.startswith("https://") for source in venue.sources)
    assert all(ord(sign) < 128 for sign in path.stem)


@pytest.mark.parametrize("name", GENERIC)
def test_every_parameter_has_a_unit_or_a_meaning_beside_it(name: str) -> None:
    tables = text_of(name).partition("[parameters")[2]
    bare = [line for line in tables.splitlines() if "=" in line and "#" not in line]
    assert [line.partition(" ")[0] for line in bare] in ([], ["rule"])


# Bounds


def every_number(tables: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """List the parameters of a file that are numbers or lists of them, by path."""
    found: list[tuple[str, Any]] = []
    for key, value in tables.items():
        if isinstance(value, dict):
            found += every_number(value, f"{prefix}{key}.")
        elif isinstance(value, float | list):
            found.append((f"{prefix}{key}", value))
    return found


NUMBERS = [
    (name, key, value)
    for name in GENERIC
    for key, value in every_number(tomllib.loads(text_of(name))["parameters"])
]


@pytest.mark.parametrize("wrong", ["nan", "inf", "-1000.0", "1000.0", '"much"', "true", "{}"])
@pytest.mark.parametrize(("name", "key", "value"), NUMBERS)
def test_every_parameter_is_bounded(name: str, key: str, value: Any, wrong: str) -> None:
    setting = f"{key}=[{wrong}]" if isinstance(value, list) else f"{key}={wrong}"
    with pytest.raises(InputError) as error:
        load_model(name, TODAY, [setting])
    assert any(key in fault.place for fault in faults(error))


REQUIRED = [
    *[("generic-standard", key) for key in ("short_option", "delta_one", "spot")],
    ("generic-standard", "short_option.initial"),
    ("generic-standard", "spot.maintenance"),
    ("generic-portfolio", "volatility"),
    ("generic-portfolio", "volatility.rule"),
    ("generic-portfolio", "grid.spot"),
    ("generic-portfolio", "tails.volatility"),
]


@pytest.mark.parametrize(("name", "key"), REQUIRED)
def test_a_missing_parameter_is_named(name: str, key: str, tmp_path: Path) -> None:
    tables = tomllib.loads(text_of(name))["parameters"]
    *parents, last = key.split(".")
    inner = tables
    for parent in parents:
        inner = inner[parent]
    del inner[last]
    head = text_of(name).partition("[parameters")[0].replace("[[sources]]", "[[sources]]\n")
    path = write(tmp_path, "mine.toml", head + toml("parameters", tables))
    with pytest.raises(InputError) as error:
        load_model(str(path), TODAY)
    (fault,) = faults(error)
    assert fault.place.endswith(f"parameters.{key}")
    assert fault.found == "nothing"


def toml(name: str, table: dict[str, Any]) -> str:
    """Write a table; JSON's scalars and lists are TOML's."""
    own = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in own.items())]
    inner = [toml(f"{name}.{key}", table[key]) for key in table.keys() - own.keys()]
    return "\n".join([*lines, *inner])


@pytest.mark.parametrize(
    ("name", "setting", "remedy"),
    [
        ("generic-portfolio", "charges.short_option=0.01", "did you mean `short_options`?"),
        ("generic-standard", "delta_one.slopes=0.0", "did you mean `slope`?"),
        ("generic-portfolio", "nonsense=1", "models show"),
    ],
)
def test_an_unknown_parameter_is_refused(name: str, setting: str, remedy: str) -> None:
    with pytest.raises(InputError) as error:
        load_model(name, TODAY, [setting])
    (fault,) = faults(error)
    assert setting.partition("=")[0] in fault.place
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (["tails.weight=[0.1]"], "a `weight` for each of `spot`, which has 5"),
        (["tails={spot=[0.5], volatility=0.5}"], "`cover`, or a `weight` for each of `spot`"),
        (["grid.spot=[]"], "a list of at least 1"),
        (["volatility.rule='both'"], "one of relative, absolute"),
    ],
)
def test_tables_that_contradict_themselves(settings: Sequence[str], wanted: str) -> None:
    with pytest.raises(InputError, match=wanted):
        load_model("generic-portfolio", TODAY, settings)


def test_a_large_move_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="a move other than 0"):
        load_model("deribit-pm", TODAY, ["rows.extended_moves=[0.66, 0.0]"])


def test_a_scan_without_scenarios_is_refused(tmp_path: Path) -> None:
    head = text_of("generic-portfolio").partition("[parameters")[0]
    path = write(tmp_path, "none.toml", head + '[parameters.volatility]\nrule = "relative"')
    with pytest.raises(InputError, match="at least one scenario"):
        load_model(str(path), TODAY)


# Faults in words


@pytest.mark.parametrize(
    ("setting", "place", "wanted"),
    [
        ("grid.spot=3", "grid.spot", "a list"),
        ('grid.spot=[0.1, "x"]', "grid.spot[1]", "a number"),
        ("charges.short_options=-1", "charges.short_options", "a number of at least 0"),
        ("underlyings.ETH.charges.short_options=-1",) * 2 + ("a number of at least 0",),
        ("underlyings.ETH.tails.weight=[0.1]",) * 2 + ("a `weight` for each of `spot`",),
        ("grid=3", "grid", "a mapping"),
        ("tails.weight=[0.1]", "tails.weight", "a `weight` for each of `spot`"),
    ],
)
def test_a_fault_is_in_words_and_names_its_setting(setting: str, place: str, wanted: str) -> None:
    with pytest.raises(InputError) as error:
        load_model("generic-portfolio", TODAY, [setting])
    (fault,) = faults(error)
    assert fault.place == f"--set {place.partition('=')[0]}"
    assert fault.wanted.startswith(wanted)


@pytest.mark.parametrize("name", model_names())
def test_no_fault_speaks_of_the_validator(name: str) -> None:
    tables = load_model(name, TODAY).parameters
    settings = [
        f"{key}={wrong}" for key in tables for wrong in ("3", "[]", "{}", "true", '"x"', "-1e9")
    ]
    for setting in settings:
        try:
            load_model(name, TODAY, [setting])
        except InputError as error:
            text = str(error).casefold()
            assert not any(word in text for word in ("tuple", "input should", "pattern", "dict"))
            places = [fault.place for fault in error.faults]
            assert len(places) == len(set(places))


def test_a_fault_of_a_file_has_its_whole_path(tmp_path: Path) -> None:
    own = "\n[parameters.underlyings.ETH.charges]\nshort_options = -1.0\n"
    path = write(tmp_path, "mine.toml", text_of("generic-portfolio") + own)
    with pytest.raises(InputError) as error:
        load_model(str(path), TODAY)
    (fault,) = faults(error)
    assert fault.place == "mine.toml, parameters.underlyings.ETH.charges.short_options"


@pytest.mark.parametrize("name", ["generic-standard", "derive-pm1", "deribit-pm"])
def test_a_remedy_shows_the_model_or_one_of_its_family(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, "mine.toml", text_of(name).replace(f'"{name}"', '"mine"'))
    family = load_model(name, TODAY).family
    for model in (name, str(path)):
        with pytest.raises(InputError) as error:
            load_model(model, TODAY, ["zzz=1"])
        (fault,) = faults(error)
        shown = fault.remedy.split()[3].strip("`")
        assert load_model(shown, TODAY).family == family
        assert model != name or shown == name


# Settings


def test_a_setting_changes_a_margin_and_is_noted() -> None:
    book = portfolio(Random(5))
    usual, changed = mc.margin(book), mc.margin(book, settings=["factors.initial=2.5"])
    haircut = usual.initial_components["collateral_haircut"]
    assert changed.maintenance_margin == usual.maintenance_margin
    assert changed.initial_margin - haircut == pytest.approx(2 * (usual.initial_margin - haircut))
    assert "parameters changed: factors.initial=2.5" in changed.notes
    assert not any(note.startswith("parameters changed") for note in usual.notes)


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("factors.initial", "'factors.initial'"),
        ("factors.initial=", "'factors.initial='"),
        ("factors.initial=one", "'factors.initial=one'"),
        ("factors.initial.more=1", "'factors.initial.more'"),
        ("factors.initial=" + "[" * 5000, "[[["),
    ],
)
def test_a_setting_that_says_nothing_is_refused(setting: str, found: str) -> None:
    with pytest.raises(InputError) as error:
        load_model("generic-portfolio", TODAY, [setting])
    (fault,) = faults(error)
    assert fault.place == "--set"
    assert found in fault.found


def test_the_digest_is_of_the_parameters() -> None:
    plain = load_model("generic-portfolio", TODAY)
    same = load_model("generic-portfolio", TODAY, ["factors.initial=1.25"])
    other = load_model("generic-portfolio", TODAY, ["factors.initial=1.26"])
    assert plain.parameters_sha256 == same.parameters_sha256 != other.parameters_sha256
    tables = tomllib.loads(text_of("generic-portfolio"))["parameters"]
    text = json.dumps(tables, sort_keys=True, separators=(",", ":"))
    assert plain.parameters_sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_what_differs_for_an_underlying_leaves_the_rest_as_it_is() -> None:
    settings = ["underlyings.ETH.charges.short_options=0.03"]
    model = load_model("generic-portfolio", TODAY, settings).model
    assert isinstance(model, Scan)
    usual, own = model.sets[""].parameters, model.sets["ETH"].parameters
    assert own.charges.short_options == 0.03
    assert own.charges.delta_one == usual.charges.delta_one == 0.01
    assert own.grid == usual.grid


def test_changes_are_laid_over_tables_without_touching_them() -> None:
    tables = {"a": {"x": 1, "y": 2}, "b": 3}
    assert laid_over(tables, {"a": {"x": 9}, "c": {"z": 4}}) == {
        "a": {"x": 9, "y": 2},
        "b": 3,
        "c": {"z": 4},
    }
    assert tables == {"a": {"x": 1, "y": 2}, "b": 3}


def losses_of(book: Portfolio) -> dict[str, float]:
    """Return the loss of each underlying in its worst scenario, where there is one."""
    lines = [line for line in mc.scenarios(book).lines if line.worst and line.weighted_pnl < 0.0]
    return {line.underlying: -line.weighted_pnl for line in lines}


def in_scenarios(report: MarginReport) -> float:
    """Return what the scenarios need, deposits among them."""
    return report.components["scenario_loss"] + report.components["wrong_way"]


def test_the_parameters_of_one_underlying_apply_to_it_alone() -> None:
    books = (portfolio(Random(seed), ANY) for seed in range(99))
    losses = ((book, losses_of(book)) for book in books)
    book, loss = next(found for found in losses if len(found[1]) > 1)
    name = min(loss)
    settings = [f"underlyings.{name}.factors.maintenance=3.0"]
    usual, changed = mc.margin(book), mc.margin(book, settings=settings)
    assert in_scenarios(changed) == pytest.approx(in_scenarios(usual) + 2.0 * loss[name])


# Dates, folders and paths


def dated(folder: Path, *days: str) -> None:
    text = text_of("generic-portfolio").replace("generic-portfolio", "mine")
    for number, day in enumerate(days):
        changed = text.replace("2026-11-01", day).replace(
            "maintenance = 1.0", f"maintenance = {number + 2}.0"
        )
        write(folder, f"mine.{day}.toml", changed)


@pytest.mark.parametrize(
    ("day", "effective"),
    [
        ("2024-12-31", "2025-01-01"),
        ("2025-01-01", "2025-01-01"),
        ("2025-06-29", "2025-01-01"),
        ("2025-06-30", "2025-06-30"),
        ("2030-01-01", "2025-06-30"),
    ],
)
def test_the_parameters_in_force_are_used(day: str, effective: str, tmp_path: Path) -> None:
    dated(tmp_path, "2025-01-01", "2025-06-30")
    venue = load_model("mine", dt.date.fromisoformat(day), shelf=MODELS._replace(folder=tmp_path))
    assert venue.effective.isoformat() == effective
    early = day < "2025-01-01"
    assert any("no parameters before 2025-01-01" in note for note in venue.remarks) == early
    assert [str(date) for date in effective_dates("mine", tmp_path)] == ["2025-01-01", "2025-06-30"]


def test_a_file_dropped_in_a_folder_is_a_model(tmp_path: Path) -> None:
    dated(tmp_path, "2025-01-01")
    assert model_names(tmp_path) == ["mine"]
    assert load_model("mine", TODAY, shelf=MODELS._replace(folder=tmp_path)).name == "mine"


def test_a_path_is_a_model(tmp_path: Path) -> None:
    dated(tmp_path, "2025-01-01")
    book = portfolio(Random(6))
    usual = mc.margin(book)
    own = mc.margin(book, model=str(tmp_path / "mine.2025-01-01.toml"))
    assert own.model.name == "mine"
    assert in_scenarios(own) == pytest.approx(2.0 * in_scenarios(usual))


def test_a_model_that_is_none_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"did you mean `generic-portfolio`\?"):
        load_model("generic-portfoli", TODAY)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('mode = "portfolio"', 'mode = "portfolios"', "mode"),
        ('mode = "portfolio"', 'mode = "crossed"', "mode"),
        ('proof = "own"', 'proof = "inexact"', "proof"),
        ('family = "scan"', 'family = "skan"', "family"),
        ('title = "Generic portfolio margin"', 'title = ""', "title"),
        ("effective = 2026-11-01", 'effective = "soon"', "effective"),
        ('name = "generic-portfolio"', "nom = 3", "nom"),
        ("initial = 1.25", "initial = 2026-11-01", "factors.initial"),
    ],
)
def test_a_wrong_head_is_refused(old: str, new: str, place: str, tmp_path: Path) -> None:
    text = text_of("generic-portfolio")
    assert old in text
    path = write(tmp_path, "wrong.toml", text.replace(old, new))
    with pytest.raises(InputError) as error:
        load_model(str(path), TODAY)
    assert any(fault.place.endswith(place) for fault in faults(error))


@pytest.mark.parametrize(
    "content", [b"name = ", b"\xff\xfe", b"a = " + b"[" * 100_000, b"#" * (1 << 21)]
)
def test_a_file_that_is_no_toml_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InputError):
        load_model(str(path), TODAY)


def test_a_path_without_a_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(InputError):
            load_model(f"{path}/.toml", TODAY)


NUMBER = re.compile(r"^\s*[\w.-]+\s*=\s*(?P<value>[^#]*)")


def without_unit(text: str) -> list[str]:
    """Return the numeric parameters of a model file beside which no unit stands."""
    parameters = text[text.index("\n[parameters") :].splitlines()
    return [
        line
        for line in parameters
        if (found := NUMBER.match(line))
        and re.search(r"\d", re.sub(r'"[^"]*"', "", found["value"]))
        and "# " not in line
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_number_of_a_model_file_has_its_unit_beside_it(path: Path) -> None:
    text = path.read_text("utf-8")
    assert without_unit(text) == []
    assert without_unit(f"{text}\nplanted = [0.5]\n") == ["planted = [0.5]"]
