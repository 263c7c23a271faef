"""Tests of the command line, in this process where that is enough."""

import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_portfolios"
STRANGLE = str(SAMPLES / "btc_short_strangle.yaml")
UNDER = str(SAMPLES / "just_under_maintenance.yaml")


def process(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "margincalc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)
