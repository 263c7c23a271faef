"""Lines come from streams, growing files and websockets, and silence is said."""

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from margincalc.errors import InputError
from margincalc.feed import sources
from margincalc.feed.ticks import MOST_BYTES


def test_a_stream_ends_where_it_ends() -> None:
    assert list(sources.stream(io.BytesIO(b"one\ntwo"), 10.0)) == [b"one\n", b"two"]


def test_a_line_without_end_is_cut() -> None:
    endless = b"x" * (5 * MOST_BYTES) + b"\nnext\n"
    first, second = sources.stream(io.BytesIO(endless), 10.0)
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
    lines = sources.growing(str(path), 60.0)
    assert next(lines) == b"one\n"
    with path.open("ab") as file:
        file.write(b"o\n")
    assert next(lines) == b"two\n"
    path.write_bytes(b"new\n")
    assert next(lines) == b"new\n"


def test_an_address_is_wanted() -> None:
    with pytest.raises(InputError) as error:
        next(sources.socket(sources.Socket("http://example.com"), 1.0))
    assert "wanted an address" in str(error.value)


@pytest.fixture
def server() -> Iterator[Any]:
    """Serve two lines a connection, and drop it."""
    from websockets.sync.server import ServerConnection, serve

    greetings: list[str | bytes] = []

    def answer(connection: ServerConnection) -> None:
        greetings.append(connection.recv(timeout=5))
        connection.send('{"n": 1}')
        connection.send(b'{"n": 2}')

    with serve(answer, "127.0.0.1", 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.socket.getsockname()[1], greetings
        running.shutdown()
        thread.join()


def test_a_websocket_is_connected_again(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "FIRST_WAIT", 0.01)
    port, greetings = server
    feed = sources.socket(sources.Socket(f"ws://127.0.0.1:{port}", ("hello",)), 5.0)
    found = [next(feed) for _ in range(5)]
    assert found == [b'{"n": 1}', b'{"n": 2}', None, b'{"n": 1}', b'{"n": 2}']
    feed.close()  # type: ignore[attr-defined]
    assert greetings == ["hello", "hello"]


def test_a_feed_that_cannot_be_reached_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "FIRST_WAIT", 0.01)
    feed = sources.socket(sources.Socket("ws://127.0.0.1:9", attempts=3), 1.0)
    assert [next(feed), next(feed)] == [None, None]
    with pytest.raises(sources.FeedLost) as error:
        next(feed)
    assert "in 3 attempts" in str(error.value)
    assert error.value.exit_status == 3
