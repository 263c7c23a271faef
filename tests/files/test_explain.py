"""Faults in words, where the catalogue of bad files does not reach."""

import json
from collections.abc import Callable, Iterator

import pytest
from pydantic import BaseModel, ValidationError

from margincalc.errors import MOST_FAULTS, Fault, did_you_mean, printable, shown
from margincalc.files.explain import MOST_TRACED, explain
from margincalc.files.json_text import json_growth
from margincalc.files.tree import STRIDE, Grower, Places
from margincalc.files.yaml_text import yaml_growth


class Row(BaseModel):
    """A row of a long list."""

    number: int


class Long(BaseModel):
    """Two long lists."""

    rows: list[Row]
    more: list[Row] = []


class Strange(BaseModel):
    """A form that no file has."""

    number: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (5.0, "5"),
        (0.1, "0.1"),
        (10**100, "a whole number of more than 60 digits"),
        ([], "an empty list"),
        ((1,), "a list"),
        ({}, "an empty mapping"),
        ("a\nb\x1b", r"'a\nb\x1b'"),
        ("x" * 100, "'" + "x" * 60 + "...'"),
    ],
)
def test_shown(value: object, text: str) -> None:
    assert shown(value) == text


def test_printable() -> None:
    assert printable("BRK.B ü") == "BRK.B ü"
    assert printable("a\x1b[31m\ud800\u202e") == r"a\x1b[31m\ud800\u202e"
    assert printable("x" * 300) == "x" * 200 + "..."


def test_did_you_mean() -> None:
    assert did_you_mean("QUANTIY", ["quantity", "group"]) == "did you mean `quantity`?"
    assert did_you_mean("zzz", ["quantity"]) == ""


def test_an_error_not_foreseen_is_told_in_the_validator_s_words() -> None:
    text = '{"number": "five"}'
    with pytest.raises(ValidationError) as caught:
        Strange.model_validate({"number": "five"})
    place = Places("x.json", text, json_growth)
    assert explain(caught.value, {"number": "five"}, Strange, place) == [
        Fault(
            "x.json:1, number",
            "'five'",
            "a valid integer, unable to parse string as an integer",
        )
    ]


def test_a_path_into_a_scalar_ends_there() -> None:
    place = Places("x.json", '{"a":\n{"b": 1}}', json_growth)
    assert place("a.b.c") == "x.json:2, a.b.c"
    assert "a.b" in place
    assert "a.b.c" not in place


def faults(tree: dict[str, list[dict[str, object]]]) -> list[Fault]:
    with pytest.raises(ValidationError) as caught:
        Long.model_validate(tree)
    return explain(
        caught.value, tree, Long, Places("x.json", json.dumps(tree, indent=0), json_growth)
    )


def test_of_very_many_faults_the_first_are_told_wherever_they_are() -> None:
    good: dict[str, object] = {"number": 1}
    bad: dict[str, object] = {"number": "x"}
    at_once = faults({"rows": [bad] * (MOST_TRACED + 1)})
    assert [fault.place for fault in at_once[:2]] == [
        "x.json:4, rows[0].number",
        "x.json:7, rows[1].number",
    ]
    assert at_once[-1].found == f"at least {MOST_TRACED - MOST_FAULTS + 1:,} more faults"
    late = faults({"rows": [good] * MOST_TRACED + [bad] * (MOST_TRACED + 1)})
    assert late[0].place.endswith(f", rows[{MOST_TRACED}].number")
    assert late[-1].found == at_once[-1].found
    behind = faults({"rows": [good], "more": [bad] * (MOST_TRACED + 1)})
    assert behind[0].place.endswith(", more[0].number")


@pytest.mark.parametrize("growth", [json_growth, yaml_growth])
def test_lines_are_read_as_far_as_they_are_asked_for(
    growth: Callable[[str, str], Iterator[Grower]],
) -> None:
    text = json.dumps({"rows": [{"number": row} for row in range(STRIDE)], "last": 1}, indent=0)
    taken: list[Grower] = []

    def counted(text: str, name: str) -> Iterator[Grower]:
        for tree in growth(text, name):
            taken.append(tree)
            yield tree

    place = Places(f"{growth.__name__}.txt", text, counted)
    assert place.line("rows[1].number") == 7
    assert len(taken) == 1
    assert place.line("last") == 3 * STRIDE + 4
    everything = len(taken)
    assert everything > 3
    assert place.line("rows[2].number") == 10
    assert place.line("rows[2].absent") == 9
    assert len(taken) == everything
