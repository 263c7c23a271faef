"""Lines come over a websocket, which is connected again when it is lost."""

import math
import threading
from collections.abc import Iterator
from socket import socket as Peer
from types import SimpleNamespace
from typing import Any

import pytest

from margincalc.errors import InputError
from margincalc.feed import websocket
from margincalc.feed.sources import FeedLost, Lost
from tests.feed.hostile import PATIENCE


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "wss://",
        "ws://host:99999",
        "ws://host:port",
        "ws://[::1",
        "ws://host/#part",
        "ws://name@host",
        "ws://ho st",
        "ws://host\n",
    ],
)
def test_an_address_is_wanted(url: str) -> None:
    with pytest.raises(InputError, match="wanted an address"):
        next(websocket.socket(websocket.Socket(url), 1.0))


@pytest.fixture
def server() -> Iterator[Any]:
    """Serve two lines a connection, and drop it."""
    from websockets.sync.server import ServerConnection, serve

    greetings: list[str | bytes] = []

    def answer(connection: ServerConnection) -> None:
        greetings.append(connection.recv())
        connection.send('{"n": 1}')
        connection.send(b'{"n": 2}')

    with serve(answer, "127.0.0.1", 0, open_timeout=None, ping_interval=None) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.socket.getsockname()[1], greetings
        running.shutdown()
        thread.join()


def test_a_websocket_is_connected_again(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(websocket, "OPENING", PATIENCE)
    port, greetings = server
    feed = websocket.socket(websocket.Socket(f"ws://127.0.0.1:{port}", ("hello",)), PATIENCE)
    found = [next(feed) for _ in range(5)]
    lost = found.pop(2)
    assert found == [b'{"n": 1}', b'{"n": 2}', b'{"n": 1}', b'{"n": 2}']
    assert isinstance(lost, Lost)
    assert "1000 (OK)" in lost.reason
    assert lost.wait == 0.01
    feed.close()  # type: ignore[attr-defined]
    assert greetings == ["hello", "hello"]


@pytest.mark.parametrize(("steady", "waits"), [(math.inf, [0.01, 0.02, 0.04]), (0.0, [0.01] * 3)])
def test_a_server_that_only_answers_and_hangs_up_is_not_pressed(
    server: Any, monkeypatch: pytest.MonkeyPatch, steady: float, waits: list[float]
) -> None:
    monkeypatch.setattr(websocket, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(websocket, "STEADY", steady)
    monkeypatch.setattr(websocket, "OPENING", PATIENCE)
    address = f"ws://127.0.0.1:{server[0]}"
    feed = websocket.socket(websocket.Socket(address, ("hello",), 3), PATIENCE)
    found = [next(feed) for _ in range(9)]
    assert [line.wait for line in found if isinstance(line, Lost)] == waits
    feed.close()  # type: ignore[attr-defined]


@pytest.fixture
def nobody() -> Iterator[str]:
    """Yield an address at which nobody listens, nor can begin to meanwhile."""
    with Peer() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"ws://127.0.0.1:{taken.getsockname()[1]}"


def test_a_feed_that_cannot_be_reached_is_given_up(
    nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "FIRST_WAIT", 0.01)
    feed = websocket.socket(websocket.Socket(nobody, attempts=3), 1.0)
    assert [next(feed), next(feed)] == [
        Lost("Connection refused", 0.01),
        Lost("Connection refused", 0.02),
    ]
    with pytest.raises(FeedLost, match="in 3 attempts: Connection refused") as error:
        next(feed)
    assert error.value.exit_status == 3


def test_the_wait_doubles_up_to_half_a_minute(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(websocket, "time", SimpleNamespace(sleep=waited.append, monotonic=float))
    feed = websocket.socket(websocket.Socket(nobody, attempts=2000), 1.0)
    waits = [lost.wait for lost in (next(feed) for _ in range(1999)) if isinstance(lost, Lost)]
    assert waits[:8] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert set(waits[8:]) == {30.0}
    assert waited == waits[:-1]
