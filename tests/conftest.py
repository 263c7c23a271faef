"""Property tests draw the same examples on every run, as many as a working day allows.

Cases of a reference are run too where MARGINCALC_REFERENCE names its folder, and the report page in
a browser where there is a Chromium.
"""

import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.proving import MOST, PROVE

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("long", settings.get_profile("repeatable"), max_examples=MOST)
settings.load_profile("long" if PROVE else "repeatable")


logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it says when its first start is slow


def starts(program: str) -> bool:
    """Whether a program starts: some systems have one that only says how to install it."""
    asked = [program, "--version"]
    done = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


FOUND = filter(None, map(shutil.which, ("chromium", "chromium-browser")))
CHROMIUM = next(filter(starts, FOUND), None)
collect_ignore = [] if CHROMIUM else ["report/test_page_browser.py"]


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> Iterator[None]:
    """Heed interrupts also where the tests were started in the background, which ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was run of what needs more than the package; a quiet run has no header for it."""
    folder = os.environ.get("MARGINCALC_REFERENCE")
    said = f"ran the cases of {folder}" if folder else "unset: ran only the cases carried here"
    terminalreporter.write_line(f"MARGINCALC_REFERENCE {said}")
    browser = f"in {CHROMIUM}" if CHROMIUM else "not run in a browser: no chromium starts here"
    terminalreporter.write_line(f"report page {browser}")
