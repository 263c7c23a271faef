"""Lines from a websocket, which is connected again when it is lost."""

import contextlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from socket import SHUT_RDWR
from socket import socket as Connection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from margincalc.errors import MissingExtraError, input_error
from margincalc.feed.sources import FeedLost, Line, Lost
from margincalc.feed.ticks import MOST_BYTES
from margincalc.portfolio.names import parse

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds before a lost connection is tried again
STEADY = 10.0  # seconds after which one that is lost was none that only answers and hangs up
OPENING = 10.0  # seconds in which a connection is made
CLOSING = 1.0  # seconds in which it is closed: nothing that comes then is read


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

    The wait before the next attempt doubles from half a second to thirty; it begins anew after a
    connection of ten seconds.

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
    failed = brief = 0
    lost = _protocol_errors()
    while True:
        reason, began = "it was closed", time.monotonic()
        try:
            for line in _connected(of, silence):
                failed = failed if line is None else 0
                yield line
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
        except (lost, ValueError) as error:  # values: an address that a server sends to
            reason = str(error)
        failed += 1
        brief = brief + 1 if time.monotonic() - began < STEADY else 1
        if of.attempts and failed >= of.attempts:
            raise FeedLost(f"{of.url} could not be reached in {failed} attempts: {reason}")
        wait = min(FIRST_WAIT * 2.0 ** min(brief - 1, 10), LONGEST_WAIT)
        yield Lost(reason, wait)
        time.sleep(wait)


def refuse_address(url: str) -> None:
    """Refuse what is no address of a websocket, or one that nobody here could listen to.

    Raises
    ------
    InputError
        If the address is none of a websocket.
    MissingExtraError
        If `websockets` is not installed.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
        sound = sound and not parts.fragment and url.isprintable() and " " not in url
        sound = sound and (parts.username is None) == (parts.password is None)
    except ValueError:  # a port that is no number, half of an IPv6 address
        sound = False
    if not sound:
        raise input_error(
            "--connect", repr(url), "an address such as wss://www.deribit.com/ws/api/v2"
        )
    _protocol_errors()


def _connected(of: Socket, silence: float) -> Iterator[Line]:
    """Yield what comes over one connection."""
    from websockets.protocol import State
    from websockets.sync.client import connect

    logger = logging.getLogger(__name__)
    logger.addHandler(logging.NullHandler())  # reasons are events; nothing else is said
    limits: dict[str, Any] = {
        "max_size": MOST_BYTES,
        "open_timeout": OPENING,
        "close_timeout": CLOSING,
    }
    with connect(of.url, logger=logger, **limits) as connection, _cut_off(connection.socket):
        for message in of.greeting:
            connection.send(message)
        while True:
            try:
                received = connection.recv(timeout=silence)
            except TimeoutError:
                if connection.state is not State.OPEN:  # it is refused, and does not hang up
                    _hang_up(connection.socket)  # the reason comes next
                yield None
                continue
            yield received if isinstance(received, bytes) else received.encode()


@contextlib.contextmanager
def _cut_off(connection: Connection) -> Iterator[None]:
    """Hang up at the end: a server that does not read would hold back a close that is sent."""
    try:
        yield
    finally:
        _hang_up(connection)


def _hang_up(connection: Connection) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(SHUT_RDWR)


def _protocol_errors() -> type[Exception]:
    """Return the error of the websocket library."""
    try:
        from websockets.exceptions import WebSocketException
    except ImportError:
        raise MissingExtraError(
            "--connect needs websockets: pip install 'margincalc[feeds]'"
        ) from None
    return WebSocketException


def channels(instruments: Iterable[str], underlyings: Iterable[str]) -> list[str]:
    """Return Deribit's channels of contracts' tickers, and of the indices that they settle by.

    An underlying without a contract is asked for in dollars.
    """
    contracts = {name: terms for name in instruments if (terms := parse(name))}
    indices = dict.fromkeys((terms.base, terms.quote or "USD") for terms in contracts.values())
    bases = {base for base, _ in indices}
    for name in underlyings:
        base, _, quote = name.partition("_")
        if base not in bases:
            indices[base, quote or "USD"] = None
    found = [f"ticker.{name}.100ms" for name in contracts]
    return found + [f"deribit_price_index.{base}_{quote}".lower() for base, quote in indices]


def subscription(wanted: Sequence[str]) -> str:
    """Return Deribit's request for channels: Deribit API, `public/subscribe`."""
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "public/subscribe",
        "params": {"channels": wanted},
    }
    return json.dumps(request)


def left_out(line: bytes, wanted: Sequence[str]) -> list[str]:
    """Return the channels that Deribit's answer leaves out, as it does what it does not know."""
    if not wanted or b'"result"' not in line:
        return []
    answer = json.loads(line)
    subscribed = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(subscribed, list) or answer.get("id") != 1:
        return []
    known = {channel for channel in subscribed if isinstance(channel, str)}
    return [channel for channel in wanted if channel not in known]
