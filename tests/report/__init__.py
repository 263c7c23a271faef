"""Tests of the reports: tables against golden files, the other formats by reading them back.

`python -m tests.report` writes the golden files anew and prints what changes.
"""

from pathlib import Path

from margincalc.report import Screen, render
from tests.report import by_hand

FOLDER = Path(__file__).parent / "golden"
WIDTHS = (80, 200)
GOLDEN = [(name, width) for name in by_hand.REPORTS for width in WIDTHS]


def golden(name: str, width: int) -> Path:
    """Return the file that holds a report's table at a width."""
    return FOLDER / f"{name}.{width}.txt"


def drawn(name: str, width: int) -> str:
    """Return a report's table at a width."""
    return render(by_hand.REPORTS[name], "table", Screen(width))
