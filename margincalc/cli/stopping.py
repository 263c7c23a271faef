"""Signals that end what goes on for ever, between one thing that comes and the next."""

import signal
from collections.abc import Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Told:
    """Whether a signal has come; who waits is woken, who works is left to finish."""

    def __init__(self) -> None:
        self.once = False
        self.waiting = False

    def __call__(self, *_: Any) -> None:
        again, self.once = self.once, True
        if self.waiting or again:
            self.waiting = False
            raise KeyboardInterrupt


def until_told(source: Iterator[Item]) -> Iterator[Item]:
    """Yield what comes until SIGINT or SIGTERM; what is made of the last is finished first.

    A second signal interrupts that too. One that the program was started to ignore is ignored.
    """
    told = _Told()
    heard = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, told) for each in heard}
    try:
        while True:
            told.waiting = True  # before it is asked: a signal between the two were slept through
            if told.once:
                break
            item = next(source)
            told.waiting = False
            yield item
    except (KeyboardInterrupt, StopIteration):
        pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
