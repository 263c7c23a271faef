"""Files that are read more than once, or bit by bit: what is made of them is of one state of each.

A state is a size and a time of change: what all who share a file see of it, from every machine.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from margincalc.errors import Fault, InputError

States: TypeAlias = Mapping[str, tuple[int, int] | None]
"""Bytes, and microseconds of the last change, of each file; None of one that is not there."""


def states_of(files: Iterable[str]) -> States:
    """Look at files, and read none."""
    return {file: _state(file) for file in files}


def _state(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns // 1000  # some shares cut off nanoseconds


@contextmanager
def unchanged(states: States) -> Iterator[None]:
    """Read files meanwhile that are what they were; that they are not explains what goes wrong.

    Raises
    ------
    InputError
        Naming the files that changed.
    """
    try:
        yield
    finally:
        changed = [file for file, state in states.items() if _state(file) != state]
        if changed:
            found, wanted = "a file that changed while it was read", "one that stays as it is"
            remedy = "wait until it is written, and begin again with the whole of it"
            raise InputError([Fault(file, found, wanted, remedy) for file in changed])
