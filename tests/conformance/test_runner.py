"""The runner says what matches, what does not and what cannot be read, and exits accordingly."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import registry
from tests.conformance.__main__ import main
from tests.conformance.pack import cases
from tests.conformance.runner import Printed, Sampled, run_text, standing_of

CASE = next(iter(cases()))


def write(folder: Path, name: str, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / f"{name}.json").write_text(text, "utf-8")


def changed(**expected: Any) -> dict[str, Any]:
    return {**CASE, "expected": {**CASE["expected"], **expected}}


def test_a_folder_that_matches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "deeper", "one", CASE)
    assert main([str(tmp_path)]) == 0
    assert "pmrm1: 1 cases, 1 match, worst relative error" in capsys.readouterr().out


def test_a_wrong_figure_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = float(CASE["expected"]["net_initial_margin"]) * (1.0 + 1e-8)
    write(tmp_path, "one", changed(net_initial_margin=wrong))
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "1 cases, 0 match" in out
    assert "FAILED" in out
    assert "net_initial_margin: expected" in out


def test_a_figure_that_is_not_computed_fails() -> None:
    assert run_text(json.dumps(changed(something_else=1.5)), "x").failed


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "null", '{"method": "derive_srm"}', '{"verification": {}}', "\ud800"],
)
def test_malformed_files_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "bad.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    write(tmp_path, "good", CASE)
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "bad.json: malformed: " in out
    assert "pmrm1: 1 cases, 1 match" in out


def test_inputs_that_are_missing_are_the_case_s_failure() -> None:
    outcome = run_text(json.dumps({**CASE, "feeds": {}}), "x")
    assert outcome.failed
    assert "KeyError" in str(outcome.problem)


def test_nothing_to_run(tmp_path: Path) -> None:
    assert main([]) == 2
    assert main([str(tmp_path)]) == 2
    assert main([str(tmp_path / "absent")]) == 2


@pytest.mark.parametrize(
    ("case", "standing"),
    [
        ({"verification": {"status": "reproduced", "strength": "independent"}}, "must"),
        ({"verification": {"status": "reproduced (rounded)", "strength": "identity"}}, "must"),
        ({"verification": {"status": "reproduced", "strength": "x; rates fitted"}}, "fitted"),
        ({"verification": {"status": "reproduced", "strength": "definitional"}}, "unproven"),
        ({"verification": {"status": "not reproduced", "strength": "independent"}}, "unproven"),
        ({"venue": "x"}, "unproven"),
        ({"methodology": "x", "reproduction": "exact"}, "must"),
        ({"methodology": "x", "reproduction": "not recomputed"}, "unproven"),
        ({"methodology": "x", "reproduction": {"total": 1}, "unproven": "why"}, "unproven"),
        ({"methodology": "x"}, "unproven"),
        ({}, "must"),
    ],
)
def test_standing(case: dict[str, Any], standing: str) -> None:
    assert standing_of(case) == standing


def test_printed_digits() -> None:
    assert Printed("0.01932").half_digit == pytest.approx(5e-6)
    assert Printed("1.5e3").half_digit == pytest.approx(50.0)
    assert Printed("750").half_digit == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("computed", "matches"),
    [
        ({"a": 1.254}, True),
        ({"a": 1.256}, False),
        ({"b.0": 2.4}, True),
        ({"a": Sampled(1.30, 0.02)}, True),
        ({"a": Sampled(1.40, 0.02)}, False),
        ({"c": 1.0}, False),
    ],
)
def test_checks_compare_by_path(
    monkeypatch: pytest.MonkeyPatch, computed: dict[str, Any], matches: bool
) -> None:
    monkeypatch.setattr(registry, "_adapters", lambda: {"cascade": lambda case: computed})
    outcome = run_text('{"a": 1.25, "b": [2], "source": "x"}', "cascade")
    assert outcome.family == "checks"
    assert outcome.matches is matches


def test_without_an_adapter_a_case_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "one", {**CASE, "method": "derive_pmrm9"})
    assert main([str(tmp_path)]) == 1
    assert "no adapter" in capsys.readouterr().out


def test_a_figure_that_is_left_out_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_left_out", lambda: {"derive_pmrm1.something_else": "why"})
    write(tmp_path, "one", {**changed(something_else=1.5), "method": "derive_pmrm1"})
    main([str(tmp_path)])
    assert "something_else: not compared, why" in capsys.readouterr().out


def test_a_file_s_own_error_widens_no_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_adapters", lambda: {"x": lambda case: {"a": 1.3}})
    case = {
        "id": "x",
        "expected": {"a": 1.25},
        "verification": {
            "status": "reproduced",
            "strength": "independent",
            "recomputed": {"a": 1.3},
        },
    }
    assert run_text(json.dumps(case), "x").failed


PROVEN = {"status": "reproduced", "strength": "independent"}


def example(**inputs: Any) -> str:
    case = {"id": "x", "venue": "X", "inputs": inputs, "expected": {"a": 2.5}}
    return json.dumps(case | {"parameters": {"rate": 0.5}, "verification": PROVEN})


def read_by(monkeypatch: pytest.MonkeyPatch, compute: Any) -> None:
    monkeypatch.setattr(registry, "_adapters", lambda: {"x": compute})


def test_an_input_that_nothing_reads_fails_its_case(monkeypatch: pytest.MonkeyPatch) -> None:
    read_by(monkeypatch, lambda case: {"a": case["inputs"]["size"] * case["parameters"]["rate"]})
    assert run_text(example(size=5), "x").matches
    more = run_text(example(size=5, sides=[{"strike": 1}]), "x")
    assert more.failed
    assert "nothing reads inputs.sides" in str(more.problem)
    monkeypatch.setattr(registry, "_unread", lambda: {"x.inputs.sides": "why"})
    assert run_text(example(size=5, sides=[{"strike": 1}], spot_note="words"), "x").matches


def test_keys_of_rows_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def compute(case: dict[str, Any]) -> dict[str, Any]:
        legs = case["inputs"]["legs"]
        return {"a": sum(leg["size"] for leg in legs) * dict(case["parameters"])["rate"]}

    read_by(monkeypatch, compute)
    assert run_text(example(legs=[{"size": 2}, {"size": 3}]), "x").matches
    outcome = run_text(example(legs=[{"size": 2}, {"size": 3, "side": "put"}]), "x")
    assert "nothing reads inputs.legs.side" in str(outcome.problem)


def test_figures_that_their_source_does_not_assert_are_listed_and_need_not_match(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_by(monkeypatch, lambda case: {"one": 5.0, "two": 5.0})
    vectors = [
        {"test": "one", "margin": 5.0, "numeric_assert": True},
        {"test": "two", "margin": 6.0, "numeric_assert": False},
    ]
    case = {"id": "x", "methodology": "m", "reproduction": "exact", "vectors": vectors}
    write(tmp_path, "x", case)
    assert main([str(tmp_path)]) == 0
    assert "unasserted  x: two.margin: expected 6.0, computed 5.0" in capsys.readouterr().out
    vectors[0]["margin"] = 6.0
    write(tmp_path, "x", case)
    assert main([str(tmp_path)]) == 1
