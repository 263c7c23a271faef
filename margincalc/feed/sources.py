"""Where lines come from: a stream, a file, a file that grows; `websocket` has another.

A source yields lines, and None where nothing has come for as long as was asked: who listens can
say so. A stream that ends, ends the source; a growing file and a websocket go on.
"""

import contextlib
import os
import queue
import stat
import threading
import time
from collections.abc import Iterator
from typing import IO, NamedTuple

from margincalc.errors import MargincalcError, input_error
from margincalc.feed.ticks import MOST_BYTES

WAITING = 64  # lines read ahead, of a megabyte at most
POLL = 0.1  # seconds between looks at a file that grows
_END = object()


class FeedLost(MargincalcError):
    """A feed could not be reached, or ended in the middle."""


class Lost(NamedTuple):
    """A connection that was lost, or could not be made.

    Attributes
    ----------
    wait : seconds until it is tried again
    """

    reason: str
    wait: float


Line = bytes | Lost | None


def refuse_unreadable(path: str) -> None:
    """Refuse a path at which there is no file or pipe of ticks.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        if not stat.S_ISFIFO(os.stat(path).st_mode):  # to open a pipe waits for who writes
            open(path, "rb").close()
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        remedy = "where it is yet to be written, make it first: `touch FILE`, or `mkfifo FILE`"
        raise input_error(path, found, "a file of ticks", remedy) from None


def lines_of(path: str, silence: float) -> Iterator[Line]:
    """Yield the lines of a file or pipe; see `stream`.

    Raises
    ------
    InputError
        If there is no such file.
    """
    refuse_unreadable(path)
    return _read_ahead(_of_file(path), silence)


def _of_file(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        yield from _bounded(file)


def stream(file: IO[bytes], silence: float) -> Iterator[Line]:
    """Yield the lines of a stream as they come, None after `silence` seconds without one.

    A line that is longer than any tick is cut, so that it can be refused.
    """
    return _read_ahead(_bounded(file), silence)


def _read_ahead(source: Iterator[bytes], silence: float) -> Iterator[Line]:
    """Yield lines that another thread reads, None after `silence` seconds without one.

    Raises
    ------
    FeedLost
        If they cannot be read any more.
    """
    lines: queue.Queue[object] = queue.Queue(WAITING)

    def read() -> None:
        try:
            for line in source:
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
            raise _unread(line)
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
    """Yield the lines of a file, then those that are added to it.

    One that becomes shorter is read again. Another one that takes its name is read after what is
    left of it, and waited for. Of a pipe, one writer is read after the other.

    Raises
    ------
    InputError
        If there is no such file.
    """
    refuse_unreadable(path)
    if stat.S_ISFIFO(os.stat(path).st_mode):
        return _read_ahead(_of_writers(path), silence)
    return _looked_at(_followed(path), silence)


def _of_writers(path: str) -> Iterator[bytes]:
    while True:
        yield from _of_file(path)


def _looked_at(source: Iterator[bytes | None], silence: float) -> Iterator[Line]:
    """Look again a little later where there is no line; say so after `silence` seconds."""
    last = time.monotonic()
    try:
        for line in source:
            if line is not None:
                last = time.monotonic()
                yield line
                continue
            if time.monotonic() - last >= silence:
                last = time.monotonic()
                yield None
            time.sleep(min(POLL, silence))
    except OSError as error:
        raise _unread(error) from None


def _unread(error: Exception) -> FeedLost:
    return FeedLost(f"the feed could not be read: {error}")


def _followed(path: str) -> Iterator[bytes | None]:
    """Yield the lines of whatever has a name, None where there is nothing new."""
    while True:
        # None where the old one was moved away, and the new one is yet to come
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            yield from _added(file, path)
        yield None


def _added(file: IO[bytes], path: str) -> Iterator[bytes | None]:
    """Yield the lines of a file until another has its name, None where there is nothing new."""
    kept = b""
    for piece in _pieces(file, path):
        if not piece:
            kept = kept if piece is None else b""
            yield None
            continue
        kept = (kept + piece)[: MOST_BYTES + 2]
        if piece.endswith(b"\n"):
            yield kept
            kept = b""
    if kept:
        yield kept


def _pieces(file: IO[bytes], path: str) -> Iterator[bytes | None]:
    """Yield what is added to a file until another has its name.

    None is nothing new, and an empty piece that the file has been emptied, and is read again.
    """
    replaced = False
    while True:
        piece = file.readline(MOST_BYTES + 2)
        if piece:
            yield piece
        elif replaced:  # and what was written to it before has been read
            return
        elif _is_another(file, path):
            replaced = True
        elif os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
            yield b""
        else:
            yield None


def _is_another(file: IO[bytes], path: str) -> bool:
    """Whether a name is no longer that of an open file; a name of nothing may come back."""
    try:
        now = os.stat(path)
    except OSError:
        return False
    own = os.fstat(file.fileno())
    return (now.st_dev, now.st_ino) != (own.st_dev, own.st_ino)
