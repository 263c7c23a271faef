"""The page of results: the machine, the tables, and how many targets were met."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.tables import Table

RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = ("numpy", "scipy", "vollib", "QuantLib", "mpmath", "click", "pydantic", "PyYAML")


def page(tables: Sequence[Table]) -> str:
    """Return the whole page."""
    met = [each for table in tables for each in table.met]
    head = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Ours and the peer take turns, and a time is the median of its "
        "turns; the ratio is of medians, ours over the peer's, so below 1 is faster; the range is "
        "of the turns' own ratios. Absolute times are this machine's, and it may have been busy.",
        "",
        machine(),
        "",
        f"Targets met: {sum(met)} of {len(met)}.",
        "",
    ]
    return "\n".join([*head, "\n".join(table.text() for table in tables)])


def machine() -> str:
    """Say what the times were measured on, without its name."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Machine: {os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}; "
        f"Python {platform.python_version()}, {packages}."
    )


def write(text: str, path: Path = RESULTS) -> None:
    """Put the whole page in the place of the last one, or leave that as it is."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, "utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
