"""JSON: what the standard reader lets pass, and where things stand."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margincalc.errors import InputError
from margincalc.files.json_text import json_lines, read_json
from margincalc.files.tree import DEEPEST, Tree

trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def skeleton(tree: Tree) -> Tree:
    """Return the mappings and lists of a tree, without its scalars."""
    if isinstance(tree, dict):
        return {key: skeleton(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [skeleton(value) for value in tree]
    return None


@given(trees, st.sampled_from([None, 1]), st.booleans())
def test_reads_what_the_standard_library_writes(
    tree: Tree, indent: int | None, plain: bool
) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=plain)
    assert read_json(text, "x") == tree
    assert json_lines(text, "x")[0] == skeleton(tree)


def test_lines() -> None:
    text = '{"a": {"b": 1,\n "c\\n\\"": [\n1, {}]},\n\n"d": 2}'
    tree, lines = json_lines(text, "x")
    assert lines[id(tree)] == {"a": 1, "d": 5}
    assert lines[id(tree["a"])] == {"b": 1, 'c\n"': 2}
    assert lines[id(tree["a"]['c\n"'])] == {0: 3, 1: 3}


def test_special_numbers_stay_numbers() -> None:
    tree = read_json("[NaN, Infinity, -Infinity, 1e999, 1" + "0" * 5000 + "]", "x")
    assert math.isnan(tree[0])
    assert tree[1:] == [math.inf, -math.inf, math.inf, math.inf]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": 1,}',
        "[1 2]",
        '{"a": 1} {"b": 2}',
        "{'a': 1}",
        '{"a": "b\nc"}',
        '{"a": 1',
        "nope",
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"a": 1, /* why */ "b": 2}',
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_json(text, "book.json")
    assert str(caught.value).startswith("book.json:")


def test_depth() -> None:
    assert read_json("[" * DEEPEST + "]" * DEEPEST, "x")
