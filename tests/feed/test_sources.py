"""Lines come from streams and from files that grow, and silence is said."""

import io
import os
import queue
import threading
from pathlib import Path
from typing import Any

import pytest

from margincalc.errors import InputError
from margincalc.feed import sources
from margincalc.feed.ticks import MOST_BYTES
from tests.feed.hostile import PATIENCE


def test_a_stream_ends_where_it_ends() -> None:
    assert list(sources.stream(io.BytesIO(b"one\ntwo"), PATIENCE)) == [b"one\n", b"two"]


def test_a_line_without_end_is_cut() -> None:
    endless = b"x" * (5 * MOST_BYTES) + b"\nnext\n"
    first, second = sources.stream(io.BytesIO(endless), PATIENCE)
    assert first is not None
    assert MOST_BYTES < len(first) < 2 * MOST_BYTES
    assert second == b"next\n"


def test_a_silent_stream_says_so() -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as file:
        lines = sources.stream(file, 0.05)
        assert next(lines) is None
        os.write(write, b"tick\n")
        assert next(line for line in lines if line is not None) == b"tick\n"
        os.close(write)
        assert [line for line in lines if line is not None] == []


def test_no_file_is_said_in_words(tmp_path: Path) -> None:
    for source in (sources.lines_of, sources.growing):
        with pytest.raises(InputError) as error:
            next(source(str(tmp_path / "none"), 1.0))
        assert "wanted a file of ticks" in str(error.value)


def test_a_growing_file_is_followed_and_a_new_one_read_again(tmp_path: Path) -> None:
    path = tmp_path / "ticks"
    path.write_bytes(b"one\ntw")
    lines = sources.growing(str(path), PATIENCE)
    assert next(lines) == b"one\n"
    with path.open("ab") as file:
        file.write(b"o\n")
    assert next(lines) == b"two\n"
    path.write_bytes(b"new\n")
    assert next(lines) == b"new\n"


def appended(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_a_file_that_takes_the_name_is_read_after_the_rest_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "ticks"
    path.write_bytes(b"one\ntwo\n")
    lines = sources.growing(str(path), PATIENCE)
    assert [next(lines), next(lines)] == [b"one\n", b"two\n"]
    appended(path, b"three\n")
    path.rename(tmp_path / "ticks.1")
    appended(tmp_path / "ticks.1", b"four\ncut")
    path.write_bytes(b"a line that is longer than all of the old file\n")
    found = [next(lines) for _ in range(4)]
    assert found[:3] == [b"three\n", b"four\n", b"cut"]
    assert found[3] == b"a line that is longer than all of the old file\n"
    appended(path, b"six\n")
    assert next(lines) == b"six\n"


def test_a_file_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "ticks"
    path.write_bytes(b"one\n")
    lines = sources.growing(str(path), 0.05)
    assert next(lines) == b"one\n"
    path.unlink()
    assert next(lines) is None
    path.write_bytes(b"two\n")
    assert next(line for line in lines if line is not None) == b"two\n"


def test_a_long_line_of_a_growing_file_is_one_line(tmp_path: Path) -> None:
    """Its end, which might pass for a tick, is no line of its own."""
    path = tmp_path / "ticks"
    path.write_bytes(b"x" * (3 * MOST_BYTES + 7) + b'{"underlying": "BTC", "spot": 1}\nnext\n')
    lines = sources.growing(str(path), PATIENCE)
    first = next(lines)
    assert isinstance(first, bytes)
    assert len(first) == MOST_BYTES + 2
    assert next(lines) == b"next\n"


def test_a_line_that_is_written_little_by_little_is_one(tmp_path: Path) -> None:
    path = tmp_path / "ticks"
    path.write_bytes(b"")
    lines = sources.growing(str(path), 0.01)
    for piece in (b"o", b"n", b"e"):
        appended(path, piece)
        assert next(lines) is None
    appended(path, b"\n")
    assert next(line for line in lines if line is not None) == b"one\n"


@pytest.mark.parametrize("source", [sources.lines_of, sources.growing])
def test_a_folder_or_no_name_is_no_file_of_ticks(source: Any, tmp_path: Path) -> None:
    for path in (str(tmp_path), "", "a\0b"):
        with pytest.raises(InputError, match="wanted a file of ticks"):
            source(path, 1.0)


def test_few_lines_are_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed of long lines that is quicker than its reader fills no memory."""
    held_back = threading.Event()

    class Counted(io.RawIOBase):
        read_lines = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.read_lines += 1
            if self.read_lines < 10 * sources.WAITING:
                return b"x" * 100 + b"\n"
            held_back.set()  # by nothing: that was the end
            return b""

    class Noted(queue.Queue[object]):
        def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
            if self.full():
                held_back.set()
            super().put(item, block, timeout)

    monkeypatch.setattr(queue, "Queue", Noted)
    file = Counted()
    lines = sources.stream(file, PATIENCE)  # type: ignore[arg-type]
    next(lines)
    held_back.wait()
    assert file.read_lines <= sources.WAITING + 3
