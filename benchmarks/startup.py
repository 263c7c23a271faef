"""How long a command takes that has almost nothing to compute, against its imports alone."""

from typing import NamedTuple

from benchmarks.clock import cpus, in_turns, walls
from benchmarks.processes import margincalc, process, python
from benchmarks.tables import Comparison, Table, compared

SAMPLE = "sample_portfolios/btc_short_strangle.yaml"
TARGET = 1.3
IMPORTS = "import click, numpy, yaml; from pydantic import BaseModel; type('M', (BaseModel,), {})"
CLICK = "import click"


class Sizes(NamedTuple):
    """How often each command runs."""

    turns: int = 21


def tables(sizes: Sizes) -> list[Table]:
    """Time the margin of a sample and the help."""
    works = [
        process(margincalc("margin", SAMPLE, "--format", "json")),
        process(python(IMPORTS)),
        process(margincalc("--help")),
        process(python(CLICK)),
    ]
    margin, imports, usage, click = in_turns(works, sizes.turns)
    rows = [
        Comparison("margin SAMPLE, wall", walls(margin), walls(imports), "imports", TARGET),
        Comparison("margin SAMPLE, cpu", cpus(margin), cpus(imports), "imports", TARGET),
        Comparison("--help, wall", walls(usage), walls(click), "click", TARGET),
        Comparison("--help, cpu", cpus(usage), cpus(click), "click", TARGET),
    ]
    how = (
        f"Whole processes, byte-compiled, {sizes.turns} turns: `margincalc margin {SAMPLE} "
        f'--format json` against `python -c "{IMPORTS}"`, and `margincalc --help` against '
        f'`python -c "{CLICK}"`.'
    )
    return [compared("Start-up", how, rows)]
