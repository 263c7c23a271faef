"""What a server does wrong costs a connection, is said in words, and takes no memory."""

import functools
import random
import re
import threading
import time
import zlib
from collections.abc import Iterator
from socket import socket as Peer

import pytest

from margincalc.feed import websocket
from margincalc.feed.sources import FeedLost, Line, Lost
from margincalc.feed.ticks import MOST_BYTES
from tests.feed.hostile import (
    BINARY,
    LAST,
    MORE,
    PATIENCE,
    TEXT,
    Behaviour,
    endlessly,
    frame,
    request,
    serving,
    shake,
    until_gone,
)

TICK = b'{"underlying": "BTC", "spot": 100000}'
PING, CLOSE = 0x9, 0x8
COMPRESSED = 0x40  # RFC 7692, 6


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("FIRST_WAIT", 0.01), ("OPENING", PATIENCE), ("CLOSING", 0.2)):
        monkeypatch.setattr(websocket, name, seconds)


def sends(*frames: bytes) -> Behaviour:
    """Shake hands, send something, and wait for the client to go."""

    def behave(peer: Peer) -> None:
        shake(peer)
        peer.sendall(b"".join(frames))
        until_gone(peer)

    return behave


def goes_on(first: bytes, more: bytes) -> Behaviour:
    """Shake hands, send something, and then more of it for as long as it is taken."""

    def behave(peer: Peer) -> None:
        shake(peer)
        peer.sendall(first)
        endlessly(peer, more)

    return behave


def answers(head: bytes, more: bytes = b"") -> Behaviour:
    """Answer the request without a handshake, perhaps without end."""

    def behave(peer: Peer) -> None:
        request(peer)
        peer.sendall(head)
        if more:
            endlessly(peer, more)

    return behave


def redirects(place: bytes) -> Behaviour:
    return answers(b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\nContent-Length: 0\r\n\r\n")


@functools.cache
def bomb() -> bytes:
    """Return 64 megabytes of zeros, a thousandth of that on the way."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(64)]
    packed = b"".join(parts) + packer.flush(zlib.Z_SYNC_FLUSH)
    assert len(packed) < MOST_BYTES
    return frame(packed[:-4], LAST | COMPRESSED | TEXT)


def explodes(peer: Peer) -> None:
    shake(peer, b"Sec-WebSocket-Extensions: permessage-deflate")
    peer.sendall(bomb())
    until_gone(peer)


def drips(peer: Peer) -> None:
    """Send the head of an answer, a byte at a time, without end."""
    request(peer)
    while True:
        peer.sendall(b"H")
        time.sleep(0.05)


def speaks_no_tls(peer: Peer) -> None:
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    until_gone(peer)


def breaks_off(peer: Peer) -> None:
    shake(peer)
    peer.sendall(frame(b"half", length=8))


def heard(port: int, scheme: str = "ws", attempts: int = 2) -> Iterator[Line]:
    of = websocket.Socket(f"{scheme}://127.0.0.1:{port}", ("hello",), attempts)
    return websocket.socket(of, 0.1)


def line_of(feed: Iterator[Line]) -> Line:
    """Return what comes next, however long the server is silent before."""
    return next(line for line in feed if line is not None)


ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
# What is said by the newest websockets, or by the oldest that are allowed, which follow nowhere.
LATE, UNFOLLOWED = "timed out|valid HTTP", "HTTP 302"
REFUSED: dict[str, tuple[Behaviour, str]] = {
    "a length of exabytes": (sends(frame(b"x", length=1 << 62)), "1009"),
    "frames too long": (goes_on(b"", frame(bytes(3 << 20))), "1009"),
    "fragments without end": (goes_on(frame(b"[", TEXT), frame(b"1," * 200, MORE) * 100), "1009"),
    "a bomb": (explodes, "1009"),
    "no UTF-8": (sends(frame(b"\xff\xfe")), "1007"),
    "masked": (sends(bytes([LAST | TEXT, 0x80 | 4]) + b"maskdata"), "1002"),
    "a reserved opcode": (sends(frame(b"x", LAST | 0x3)), "1002"),
    "a fragment of nothing": (sends(frame(b"x", LAST | MORE)), "1002"),
    "a close of no code": (sends(frame(b"\x00\x01", LAST | CLOSE)), "1002"),
    "half a frame": (breaks_off, "no close frame"),
    "another answer": (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"), "HTTP 200"),
    "an answer without end": (answers(b"HTTP/1.1 200 OK\r\n\r\n", bytes(1 << 16)), LATE),
    "another key": (answers(ACCEPTED + b"Sec-WebSocket-Accept: AAAA\r\n\r\n"), "Accept"),
    "no key": (answers(ACCEPTED + b"\r\n"), "Accept"),
    "noise": (answers(b"\x00\xff\x13" * 1000), "valid HTTP"),
    "headers without end": (answers(ACCEPTED, b"A: b\r\n" * 1000), LATE),
    "a header without end": (answers(ACCEPTED, b"A" * (1 << 16)), LATE),
    "nothing": (until_gone, "timed out"),
    "drops of an answer": (drips, "timed out"),
    "no answer": (lambda peer: None, ""),
    "a redirect to itself": (redirects(b"/again"), f"redirects|{UNFOLLOWED}"),
    "a redirect to a page": (redirects(b"http://127.0.0.1/"), f"scheme isn't ws|{UNFOLLOWED}"),
    "a redirect to a file": (redirects(b"file:///etc/passwd"), f"scheme isn't ws|{UNFOLLOWED}"),
    "a redirect to nowhere": (redirects(b"ws://[::1:x"), f"Invalid IPv6|{UNFOLLOWED}"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_connection_is_given_up_and_tried_again(
    what: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour, reason = REFUSED[what]
    if reason.startswith("timed out"):
        monkeypatch.setattr(websocket, "OPENING", 0.3)
    with serving(behaviour) as port:
        feed = heard(port)
        found = [line_of(feed)]
        with pytest.raises(FeedLost, match="in 2 attempts"):
            found += [line for line in feed if line is not None]
    (lost,) = found
    assert isinstance(lost, Lost)
    assert re.search(reason, lost.reason)
    assert capfd.readouterr().err == ""


def test_a_server_that_speaks_no_tls_is_refused() -> None:
    with serving(speaks_no_tls) as port:
        feed = heard(port, "wss")
        lost = line_of(feed)
        assert isinstance(lost, Lost)
        assert "SSL" in lost.reason
        feed.close()  # type: ignore[attr-defined]


def test_a_binary_message_is_a_line() -> None:
    with serving(sends(frame(TICK, LAST | BINARY), frame(b"\xff", LAST | BINARY))) as port:
        feed = heard(port)
        assert [line_of(feed), line_of(feed)] == [TICK, b"\xff"]
        feed.close()  # type: ignore[attr-defined]


def test_a_message_in_fragments_is_one_line() -> None:
    with serving(sends(frame(TICK[:5], TEXT), frame(TICK[5:], LAST | MORE))) as port:
        feed = heard(port)
        assert line_of(feed) == TICK
        feed.close()  # type: ignore[attr-defined]


def test_what_trickles_is_silence_until_it_is_whole() -> None:
    silent = threading.Event()

    def trickle(peer: Peer) -> None:
        shake(peer)
        *most, last = frame(TICK)
        for byte in most:
            peer.sendall(bytes([byte]))
        silent.wait()
        peer.sendall(bytes([last]))
        until_gone(peer)

    with serving(trickle) as port:
        feed = heard(port)
        first = next(feed)
        silent.set()
        assert first is None
        assert line_of(feed) == TICK
        feed.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("waits", [2, 20])
def test_a_server_that_does_not_read_cannot_hold_the_client(waits: int) -> None:
    """Its pings are answered until nothing more goes out; then the client leaves all the same."""
    with serving(goes_on(b"", frame(bytes(125), LAST | PING) * 100)) as port:
        feed = heard(port)
        assert [next(feed) for _ in range(waits)] == [None] * waits
        feed.close()  # type: ignore[attr-defined]


def test_noise_after_the_handshake_is_lines_or_a_lost_connection() -> None:
    for seed in range(60):
        noise = random.Random(seed).randbytes(1 + 5 * seed)

        def behave(peer: Peer, noise: bytes = noise) -> None:
            shake(peer)
            peer.sendall(noise)

        with serving(behave) as port, pytest.raises(FeedLost, match="in 2 attempts"):
            all(line is None or isinstance(line, bytes | Lost) for line in heard(port))
