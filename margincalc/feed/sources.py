"""Where lines come from: a stream, a file that grows, a websocket.

A source yields lines, and None where nothing has come for as long as was asked: who listens can
say so. A stream that ends, ends the source; a growing file and a websocket go on.
"""

import contextlib
import os
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from margincalc.errors import MargincalcError, MissingExtraError, input_error
from margincalc.feed.ticks import MOST_BYTES

Line = bytes | None
WAITING = 1000  # lines read ahead
POLL = 0.1  # seconds between looks at a file that grows
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds before a lost connection is tried again
_END = object()


class FeedLost(MargincalcError):
    """A feed could not be reached, or ended in the middle."""


def lines_of(path: str, silence: float) -> Iterator[Line]:
    """Yield the lines of a file that may be a pipe; see `stream`.

    Raises
    ------
    InputError
        If there is no such file.
    """
    with contextlib.ExitStack() as opened:
        try:
            file = opened.enter_context(open(path, "rb"))
        except OSError as error:
            raise input_error(path, error.strerror or "no file", "a file of ticks") from None
        yield from stream(file, silence)


def stream(file: IO[bytes], silence: float) -> Iterator[Line]:
    """Yield the lines of a stream as they come, None after `silence` seconds without one.

    A line that is longer than any tick is cut, so that it can be refused.
    """
    lines: queue.Queue[object] = queue.Queue(WAITING)

    def read() -> None:
        try:
            for line in _bounded(file):
                lines.put(line)
            lines.put(_END)
        except (OSError, ValueError) as error:
            lines.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=silence)
        except queue.Empty:
            yield None
            continue
        if line is _END:
            return
        if isinstance(line, Exception):
            raise FeedLost(f"the feed could not be read: {line}")
        assert isinstance(line, bytes)
        yield line


def _bounded(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines, what is too long of one in pieces dropped but its beginning."""
    while line := file.readline(MOST_BYTES + 2):
        rest = line
        while len(rest) > MOST_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MOST_BYTES + 2)
        yield line


def growing(path: str, silence: float) -> Iterator[Line]:
    """Yield the lines of a file, then those that are added to it; a shorter file starts again.

    Raises
    ------
    InputError
        If there is no such file.
    """
    last = time.monotonic()
    kept = b""
    try:
        with open(path, "rb") as file:
            while True:
                line = kept + file.readline(MOST_BYTES + 2)
                if line.endswith(b"\n") or len(line) > MOST_BYTES:
                    kept, last = b"", time.monotonic()
                    yield line
                    continue
                kept = line
                if os.stat(path).st_size < file.tell():
                    file.seek(0)
                    kept = b""
                elif time.monotonic() - last >= silence:
                    last = time.monotonic()
                    yield None
                time.sleep(POLL)
    except OSError as error:
        raise input_error(path, error.strerror or "no file", "a file of ticks") from None


class Socket(NamedTuple):
    """A websocket to listen to.

    Attributes
    ----------
    url : `ws://` or `wss://`
    greeting : messages that are sent at each connection, such as subscriptions
    attempts : at connecting without a line in between, before it is given up; 0 is no limit
    """

    url: str
    greeting: tuple[str, ...] = ()
    attempts: int = 0


def socket(of: Socket, silence: float) -> Iterator[Line]:
    """Yield the messages of a websocket, connecting again when it is lost.

    The wait before the next attempt doubles from half a second to thirty.

    Raises
    ------
    InputError
        If the address is none of a websocket.
    MissingExtraError
        If `websockets` is not installed.
    FeedLost
        If it could not be reached in as many attempts as were allowed.
    """
    refuse_address(of.url)
    lost = _protocol_errors()
    failed = 0
    while True:
        reason = "it was closed"
        try:
            for line in _connected(of, silence):
                failed = 0
                yield line
        except OSError as error:
            reason = error.strerror or type(error).__name__
        except lost as error:
            reason = str(error)
        failed += 1
        if of.attempts and failed >= of.attempts:
            raise FeedLost(f"{of.url} could not be reached in {failed} attempts: {reason}")
        yield None
        time.sleep(min(FIRST_WAIT * 2.0 ** min(failed - 1, 10), LONGEST_WAIT))


def refuse_address(url: str) -> None:
    """Refuse what is no address of a websocket."""
    if not url.startswith(("ws://", "wss://")):
        raise input_error(
            "--connect", repr(url), "an address such as wss://www.deribit.com/ws/api/v2"
        )


def _connected(of: Socket, silence: float) -> Iterator[Line]:
    """Yield what comes over one connection."""
    from websockets.sync.client import connect

    with connect(of.url, max_size=MOST_BYTES, open_timeout=10) as connection:
        for message in of.greeting:
            connection.send(message)
        while True:
            try:
                received = connection.recv(timeout=silence)
            except TimeoutError:
                yield None
                continue
            yield received if isinstance(received, bytes) else received.encode()


def _protocol_errors() -> type[Exception]:
    """Return the error of the websocket library."""
    try:
        from websockets.exceptions import WebSocketException
    except ImportError:
        raise MissingExtraError(
            "--connect needs websockets: pip install 'margincalc[feeds]'"
        ) from None
    return WebSocketException


def subscriptions(instruments: Iterable[str], indices: Iterable[str]) -> str:
    """Return Deribit's request for the tickers of instruments and its index prices.

    Deribit API, `public/subscribe`; channels `ticker.NAME.100ms` and `deribit_price_index.NAME`.
    """
    import json

    channels = [f"ticker.{name}.100ms" for name in instruments]
    channels += [f"deribit_price_index.{name}" for name in indices]
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "public/subscribe",
        "params": {"channels": channels},
    }
    return json.dumps(request)
