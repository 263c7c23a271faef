"""YAML 1.2 scalars, and what is refused."""

import math
import sys
from collections import Counter

import pytest
import yaml

from margincalc.errors import InputError
from margincalc.files import yaml_text
from margincalc.files.tree import DEEPEST
from margincalc.files.yaml_text import read_yaml, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e5", 1e5),
        ("1E-2", 0.01),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("+1", 1),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("-.INF", -math.inf),
        ("12:30", "12:30"),
        ("1:30:00", "1:30:00"),
        ("1_000", "1_000"),
        ("1,000", "1,000"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
        ("0b11", "0b11"),
        ("٣", "٣"),
        ("1e", "1e"),
        (".", "."),
        ("nan", "nan"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_core_schema(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_not_a_number() -> None:
    assert math.isnan(scalar(".nan"))
    assert math.isinf(scalar("9" * 5000))


@pytest.mark.parametrize("loader", [yaml_text._LOADER, yaml.SafeLoader])
def test_tree_and_lines(loader: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "_LOADER", loader)
    text = 'a: {b: 1, 2: "3"}\nlist:\n- ~\n- [x, "y"]\n? k\n: |\n  two\n  lines\n"<<": 1\n'
    tree, lines = read_yaml(text, "book.yaml")
    assert tree == {
        "a": {"b": 1, "2": "3"},
        "list": [None, ["x", "y"]],
        "k": "two\nlines\n",
        "<<": 1,
    }
    assert lines[id(tree)] == {"a": 1, "list": 2, "k": 5, "<<": 9}
    assert lines[id(tree["list"])] == {0: 3, 1: 4}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("!!float 12", 12.0),
        ("!!null ~", None),
        ("! 12", "12"),
        ("!!map {}", {}),
        ("!!seq []", []),
        ("---\n1\n...\n", 1),
        ("%YAML 1.2\n---\n1\n", 1),
    ],
)
def test_core_tags_and_markers(text: str, value: object) -> None:
    assert read_yaml(text, "book.yaml")[0] == value


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object:os.system x",
        "a: !!binary aGk=",
        "a: !!set {b}",
        "a: !mine 1",
        "a: !!int twelve",
        "a: !!bool 1",
        "!!int a: 1",
        "a: &x 1",
        "&x a: 1",
        "&x [1]",
        "a: *x",
        "<<: {}",
        "{a: 1}: 2",
        "a: 1\n---\nb: 2",
        "a: 1\na: 2",
        "a: {b: 1, 'b': 2}",
        "a: [",
        "a: b: c",
        "a: \x07",
        "\ta: 1",
        "# nothing",
        "a: '",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_yaml(text, "book.yaml")
    assert str(caught.value).startswith("book.yaml")


def test_depth() -> None:
    assert read_yaml("[" * DEEPEST + "]" * DEEPEST, "x")[0]
    with pytest.raises(InputError, match="deeper nesting"):
        read_yaml("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "x")
    with pytest.raises(InputError, match="deeper nesting"):
        read_yaml("- " * 100_000, "x")


def test_a_bomb_is_refused_where_it_begins() -> None:
    """Before anything of it could grow."""
    levels = [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(InputError, match="anchor") as caught:
        read_yaml("\n".join(['a: &a ["lol"]', *levels]), "x")
    assert [fault.place for fault in caught.value.faults] == ["x:1"]


def calls(positions: int) -> int:
    """Return how many functions are called to read so many positions."""
    row = "- {instrument: BTC-25DEC26-110000-C, quantity: -1, mark_price: 2500, group: a}\n"
    text, events = row * positions, Counter[str]()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: events.update([event]))
    try:
        tree, _ = read_yaml(text, "x")
    finally:
        sys.setprofile(before)
    assert len(tree) == positions
    return events["call"] + events["c_call"]


def test_work_grows_with_the_text_and_no_faster() -> None:
    few, more, most = (calls(positions) for positions in (100, 200, 400))
    assert most - more == pytest.approx(2 * (more - few), rel=0.01)
