"""The page of results: each group's tables as it was last measured, and how many targets are met.

A group stands in the page below a comment with its name, so that it can be measured, and
replaced, without the others.
"""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.tables import MISSED, REACHED, Table

RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = ("numpy", "scipy", "vollib", "QuantLib", "mpmath", "click", "pydantic", "PyYAML")
_HEAD = (
    "Written by `make bench`, or group by group by `python -m benchmarks GROUP...`. Ours and the "
    "peer take turns, and a time is the median of its turns; the ratio is of medians, ours over "
    "the peer's, so below 1 is faster; the range is of the turns' own ratios. Absolute times are "
    "this machine's, and it may have been busy."
)
_GROUP = re.compile(r"^<!-- group (\w+) -->\n", re.MULTILINE)
_TARGET = re.compile(rf"\| (?P<met>{REACHED}|{MISSED}) *\|$", re.MULTILINE)


def section(tables: Sequence[Table], extras: Sequence[str] = ()) -> str:
    """Return what the page says of one group, with the machine that it was measured on.

    Parameters
    ----------
    extras : packages that this group uses and others do not
    """
    return "\n".join([machine(extras), "", *(table.text() for table in tables)])


def sections(page: str) -> dict[str, str]:
    """Cut a page into its groups."""
    _, *parts = _GROUP.split(page)
    return {
        name: text.strip("\n") + "\n" for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def page(groups: Mapping[str, str]) -> str:
    """Put groups together, in their order."""
    body = "\n".join(f"<!-- group {name} -->\n{text}" for name, text in groups.items())
    met = [found["met"] == REACHED for found in _TARGET.finditer(body)]
    return f"# Benchmarks\n\n{_HEAD}\n\nTargets met: {sum(met)} of {len(met)}.\n\n{body}"


def machine(extras: Sequence[str] = ()) -> str:
    """Say what the times were measured on, without its name."""
    packages = ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, *extras))
    return (
        f"Machine: {os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}; "
        f"Python {platform.python_version()}, {packages}."
    )


def replace(groups: Mapping[str, str], order: Sequence[str], path: Path) -> None:
    """Put newly measured groups into a page; one that is not in `order` leaves it."""
    known = {**(sections(path.read_text("utf-8")) if path.exists() else {}), **groups}
    write(page({name: known[name] for name in order if name in known}), path)


def write(text: str, path: Path) -> None:
    """Put the whole page in the place of the last one, or leave that as it is."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, "utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
