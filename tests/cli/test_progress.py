"""Long work shows a bar on a terminal, and a line now and then elsewhere."""

import io
import sys
from types import SimpleNamespace

import pytest

from margincalc.cli import progress


class Terminal(io.StringIO):
    """A standard error that people watch."""

    def isatty(self) -> bool:
        """Say that they do."""
        return True


def shown(
    monkeypatch: pytest.MonkeyPatch, screen: io.StringIO, steps: list[tuple[float, int]]
) -> str:
    """Return what is written for steps of so many seconds and rows of a thousand."""
    now = [0.0]
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setenv("COLUMNS", "80")
    told = progress.Progress()
    for seconds, rows in steps:
        now[0] = seconds
        told(rows // 10, rows, 1000)
    return screen.getvalue()


def test_short_work_says_nothing_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, io.StringIO(), [(0.0, 0), (2.0, 500), (4.0, 1000)]) == ""


def test_long_work_says_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    said = shown(monkeypatch, io.StringIO(), [(0.0, 0), (5.0, 100), (20.0, 400), (25.0, 500)])
    assert said == "40 accounts, 40 %, 2 a second, 30 s left\n"


def test_a_terminal_has_a_bar_with_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    said = shown(monkeypatch, Terminal(), [(0.0, 0), (100.0, 250), (400.0, 1000)])
    *_, halfway, last = said.split("\r")
    assert "#" in halfway
    assert halfway.endswith("] 25 accounts, 25 %, 0 a second, 5 min 00 s left")
    assert last.endswith("100 accounts, 100 %, 0 a second, 0 s left\n")


def test_what_was_done_before_says_nothing_of_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    said = shown(monkeypatch, io.StringIO(), [(0.0, 900), (20.0, 950)])
    assert said == "95 accounts, 95 %, 0 a second, 20 s left\n"
