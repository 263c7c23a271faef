"""Every fault of the catalogue gives its message, word for word."""

from pathlib import Path

import pytest

from tests.errors import FOLDER, cases, expected, text


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.stem)
def test_message(path: Path) -> None:
    assert text(path) == expected(path).read_text("utf-8")


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.stem)
def test_message_is_printable_and_says_what_was_wanted(path: Path) -> None:
    message = expected(path).read_text("utf-8").split("\n", 1)[1]
    assert all(sign.isprintable() or sign == "\n" for sign in message)
    assert not message or "; wanted " in message
    assert "Traceback" not in message


def test_names_are_distinct_and_none_is_left_over() -> None:
    stems = [path.stem for path in cases()]
    assert sorted(stems) == sorted(set(stems))
    assert {path.stem for path in FOLDER.glob("*.expected")} == set(stems)
