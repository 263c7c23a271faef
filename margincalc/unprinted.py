"""Standard output without what a solver's own code prints into it.

HiGHS writes a line past `sys.stdout` and all its options where it repairs a solution. It would
stand inside a program's JSON or log. What anybody else writes meanwhile is passed on afterwards:
other threads of whoever uses the library may be printing.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

OWN = b"Highs"  # how the solver's lines begin
_STDOUT = 1
_guard = threading.Lock()
_inside = 0
_aside: tuple[int, IO[bytes]] | None = None  # the real standard output, and what stands for it


@contextmanager
def unprinted() -> Iterator[None]:
    """Pass on what is written to standard output inside, without the solver's own lines.

    Threads may be inside together: the last to leave passes it on. Where standard output is
    closed, there is nothing to do.
    """
    global _inside
    with _guard:
        _inside += 1
        if _inside == 1:
            _put_aside()
    try:
        yield
    finally:
        with _guard:
            _inside -= 1
            if _inside == 0:
                _put_back()


def _put_aside() -> None:
    global _aside
    with suppress(OSError):
        kept = os.dup(_STDOUT)
        try:
            instead = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when it is put back
        except OSError:  # there is no place for it: a line too many is better than one lost
            os.close(kept)
            return
        os.dup2(instead.fileno(), _STDOUT)
        _aside = kept, instead


def _put_back() -> None:
    global _aside
    if _aside is None:
        return
    (kept, instead), _aside = _aside, None
    os.dup2(kept, _STDOUT)
    os.close(kept)
    with instead:
        instead.seek(0)
        others = b"".join(line for line in instead if not line.startswith(OWN))
    while others:
        others = others[os.write(_STDOUT, others) :]
