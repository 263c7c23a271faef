"""How far long work is: a bar on a terminal, plain lines elsewhere, both on standard error."""

import shutil
import sys
import time

from margincalc.cli.output import say

OFTEN, SELDOM = 0.1, 10.0  # seconds between drawings of the bar, and between lines


class Progress:
    """Accounts done, how fast, and how long it will still take."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        # Short work says nothing where nobody watches.
        self._drawn = float("-inf") if self._terminal else self._start
        self._before: tuple[int, int] | None = None

    def __call__(self, accounts: int, rows: int, whole: int) -> None:
        """Show that so many accounts, and rows of the whole, are done."""
        now = time.monotonic()
        if self._before is None:  # what was done before this run says nothing of its speed
            self._before, self._start = (accounts, rows), now
            self._drawn = self._drawn if self._terminal else now
        last = rows >= whole and self._terminal
        if now - self._drawn < (OFTEN if self._terminal else SELDOM) and not last:
            return
        if not self._terminal and rows <= self._before[1]:  # nothing is done yet: nothing to say
            return
        self._drawn = now
        line = self._line(accounts, rows, whole)
        if not self._terminal:
            say(line)
            return
        width = max(shutil.get_terminal_size().columns - len(line) - 4, 0)
        full = width * rows // max(whole, 1)
        bar = f"[{'#' * full}{'.' * (width - full)}] " if width > 9 else ""
        try:
            sys.stderr.write(f"\r\x1b[K{bar}{line}{chr(10) if last else ''}")
            sys.stderr.flush()
        except OSError:
            pass

    def _line(self, accounts: int, rows: int, whole: int) -> str:
        before = self._before or (0, 0)
        took = max(time.monotonic() - self._start, 1e-9)
        share = 100 * rows // max(whole, 1)
        text = f"{accounts:,} accounts, {share} %"
        if rows <= before[1]:
            return text
        rate = (accounts - before[0]) / took
        left = (whole - rows) * took / (rows - before[1])
        return f"{text}, {rate:,.0f} a second, {_duration(left)} left"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
