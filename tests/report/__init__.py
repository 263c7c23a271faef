"""Tests of the reports: tables against golden files, the other formats by reading them back.

`python -m tests.report` writes the golden files anew and prints what changes.
"""

from pathlib import Path

from margincalc.report import Report, Screen, render
from tests.report import by_hand, computed

FOLDER = Path(__file__).parent / "golden"
WIDTHS = (80, 200)
NAMES = (*by_hand.REPORTS, *computed.COMPUTED)
GOLDEN = [(name, width) for name in NAMES for width in WIDTHS]


def golden(name: str, width: int) -> Path:
    """Return the file that holds a report's table at a width."""
    return FOLDER / f"{name}.{width}.txt"


def drawn(name: str, width: int) -> str:
    """Return a report's table at a width."""
    return render(report(name), "table", Screen(width))


def report(name: str) -> Report:
    """Return a report, written by hand or computed."""
    return by_hand.REPORTS[name] if name in by_hand.REPORTS else computed.report(name)
