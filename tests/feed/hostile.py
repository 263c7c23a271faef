"""A server that does what no websocket should, byte by byte."""

import base64
import contextlib
import hashlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket], None]
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
TEXT, BINARY, MORE = 0x1, 0x2, 0x0
LAST = 0x80
PATIENCE = 1e6  # seconds: more than any test takes, on however slow a machine


def frame(content: bytes, first: int = LAST | TEXT, length: int | None = None) -> bytes:
    """Return a frame of a server, perhaps with a length that is not its own (RFC 6455, 5.2)."""
    size = len(content) if length is None else length
    if size < 126:
        return bytes([first, size]) + content
    if size < 1 << 16:
        return bytes([first, 126]) + struct.pack("!H", size) + content
    return bytes([first, 127]) + struct.pack("!Q", size) + content


def request(peer: socket.socket) -> bytes:
    """Read the client's request."""
    found = b""
    while b"\r\n\r\n" not in found:
        piece = peer.recv(4096)
        if not piece:
            raise ConnectionError("the client has gone")
        found += piece
    return found


def shake(peer: socket.socket, *more: bytes) -> None:
    """Answer the client's handshake as it should be, with some headers more."""
    lines = request(peer).split(b"\r\n")
    (key,) = (line[19:].strip() for line in lines if line[:18].lower() == b"sec-websocket-key:")
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    answer = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept,
        *more,
    ]
    peer.sendall(b"\r\n".join(answer) + b"\r\n\r\n")


def until_gone(peer: socket.socket) -> None:
    """Wait until the client has gone."""
    with contextlib.suppress(OSError):
        while peer.recv(4096):
            pass


def endlessly(peer: socket.socket, content: bytes) -> None:
    """Send the same again and again until the client has gone."""
    with contextlib.suppress(OSError):
        while True:
            peer.sendall(content)


@contextlib.contextmanager
def serving(behaviour: Behaviour) -> Iterator[int]:
    """Let whoever connects meet a behaviour, and yield the port; one at a time.

    At the end it hangs up on a client that it still has.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    open_now = [listener]
    ending = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                open_now[1:] = [peer]
                with peer, contextlib.suppress(OSError):
                    if ending.is_set():
                        return
                    behaviour(peer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ending.set()
        for each in open_now:
            with contextlib.suppress(OSError):  # it may be closed already
                each.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()
