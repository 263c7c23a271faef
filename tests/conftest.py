"""Property tests draw the same examples on every run, as many as a working day allows.

Cases of a reference are run too where MARGINCALC_REFERENCE names its folder.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("long", settings.get_profile("repeatable"), max_examples=1000)
settings.load_profile("long" if os.environ.get("MARGINCALC_PROVE") else "repeatable")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the cases of a reference were run; a quiet run has no header to say it in."""
    folder = os.environ.get("MARGINCALC_REFERENCE")
    said = f"ran the cases of {folder}" if folder else "unset: ran only the cases carried here"
    terminalreporter.write_line(f"MARGINCALC_REFERENCE {said}")
