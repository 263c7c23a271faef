"""`python -m tests.conformance DIR...`: run every case below the folders, and say what matches.

Exit status 0 if all that must match do, 1 if not, 2 if there is nothing to run.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.runner import Outcome, files, run

MOST_FIGURES = 3  # shown of one case
FIRST = ("pmrm2", "pmrm1", "srm", "venues", "traditional", "checks", "malformed")


def main(arguments: Sequence[str]) -> int:
    """Run the folders named, and return the exit status."""
    folders = [Path(argument) for argument in arguments]
    absent = [str(folder) for folder in folders if not folder.exists()]
    if not folders or absent:
        print(__doc__, file=sys.stderr)
        for name in absent:
            print(f"no such folder: {name}", file=sys.stderr)
        return 2
    outcomes = [run(path) for path in files(folders)]
    if not outcomes:
        print(f"no case files in {', '.join(arguments)}", file=sys.stderr)
        return 2
    families = {outcome.family for outcome in outcomes}
    for family in sorted(families, key=lambda name: (_rank(name), name)):
        _report(family, [outcome for outcome in outcomes if outcome.family == family])
    return int(any(outcome.failed for outcome in outcomes))


def _rank(family: str) -> int:
    return FIRST.index(family) if family in FIRST else len(FIRST) - 1


def _report(family: str, outcomes: Sequence[Outcome]) -> None:
    """Print a family's line, then what did not match and what is not proven."""
    matching = [outcome for outcome in outcomes if outcome.matches]
    worst = max(
        (figure.relative for outcome in matching for figure in outcome.figures), default=0.0
    )
    print(
        f"{family}: {len(outcomes)} cases, {len(matching)} match, worst relative error {worst:.3g}"
    )
    for outcome in outcomes:
        if outcome.standing != "must":
            print(f"  {outcome.standing}  {outcome.name}: {_remark(outcome)}")
        elif not outcome.matches:
            print(f"  FAILED  {outcome.name}: {_remark(outcome)}")
        for figure in outcome.unasserted:
            print(f"  unasserted  {outcome.name}: {figure}")
        for reason in outcome.skipped:
            print(f"  skipped  {outcome.name}: {reason}")


def _remark(outcome: Outcome) -> str:
    """Say what is wrong with a case, or that nothing is."""
    if outcome.problem is not None:
        return outcome.problem
    wrong = [str(figure) for figure in outcome.figures if not figure.matches]
    more = [f"{len(wrong) - MOST_FIGURES} more"] if len(wrong) > MOST_FIGURES else []
    return "; ".join(wrong[:MOST_FIGURES] + more) or "matches"


def _quietly() -> int:
    """Run, and end without a word where the reader of the output has gone."""
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(_quietly())
