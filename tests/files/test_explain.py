"""Faults in words, where the catalogue of bad files does not reach."""

import pytest
from pydantic import BaseModel, ValidationError

from margincalc.errors import Fault, did_you_mean, printable, shown
from margincalc.files.explain import explain
from margincalc.files.json_text import json_lines
from margincalc.files.tree import Places


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
    place = Places("x.json", text, json_lines)
    assert explain(caught.value, {"number": "five"}, Strange, place) == [
        Fault(
            "x.json:1, number",
            "'five'",
            "a valid integer, unable to parse string as an integer",
        )
    ]


def test_a_path_into_a_scalar_ends_there() -> None:
    place = Places("x.json", '{"a":\n{"b": 1}}', json_lines)
    assert place("a.b.c") == "x.json:2, a.b.c"
    assert "a.b" in place
    assert "a.b.c" not in place
