"""The proof of models: examples that match, every figure that does not, models without any.

Of one model alone, every figure. Names are never cut: they are what one looks for next.
"""

from collections.abc import Mapping, Sequence

from margincalc.answers.model_results import VerifyLine, VerifyReport
from margincalc.report.layout import Block, Column, Row, labelled, name, table, wrapped

_EXAMPLES = (
    Column("proof", left=True, rank=1),
    Column("figures"),
    Column("match"),
    Column("worst error"),
)
_FIGURES = (
    Column("expected"),
    Column("computed"),
    Column("error"),
    Column("tolerance"),
    Column("match", left=True),
)
_Groups = Mapping[tuple[str, str], Sequence[VerifyLine]]


def verify_blocks(report: VerifyReport, width: int) -> list[Block]:
    """Return a line per example, then a line per mismatch, then what is unproven."""
    one = len({line.model for line in report.lines} | set(report.unproven)) == 1
    wrong = [line for line in report.lines if not line.matches]
    matches = len(report.lines) - report.mismatches
    closing = f"{matches:,} of {len(report.lines):,} figures match"
    unproven = ", ".join(name(model) for model in report.unproven)
    return [
        _examples(_grouped(report.lines), width),
        _figures("Figures" if one else "Mismatches", report.lines if one else wrong, width),
        _problems(wrong, width),
        wrapped(f"Unproven, for want of examples: {unproven}", width) if unproven else [],
        [closing] if report.lines else [],
    ]


def _grouped(lines: Sequence[VerifyLine]) -> _Groups:
    groups: dict[tuple[str, str], list[VerifyLine]] = {}
    for line in lines:
        groups.setdefault((line.model, line.example), []).append(line)
    return groups


def _examples(groups: _Groups, width: int) -> Block:
    """Return a line per example under the name of its model."""
    labels, rows = ["Examples"], []
    before = ""
    for (model, example), lines in groups.items():
        if model != before:
            labels.append(name(model, _WHOLE))
            rows.append([""] * len(_EXAMPLES))
        before = model
        labels.append(f"  {name(example, _WHOLE)}")
        rows.append([*_example(lines)])
    return labelled(labels, table(_EXAMPLES, rows, width), width) if rows else []


_WHOLE = 1000  # characters: no name is longer


def _example(lines: Sequence[VerifyLine]) -> Row:
    errors = [line.error for line in lines if line.error is not None]
    return (
        lines[0].strength,
        f"{len(lines):,}",
        f"{sum(line.matches for line in lines):,}",
        f"{max(errors):.2e}" if errors else "-",
    )


def _figures(title: str, lines: Sequence[VerifyLine], width: int) -> Block:
    """Return a line per figure under the name of its example."""
    labels: list[str] = [title]
    rows: list[Row] = []
    for (model, example), figures in _grouped(lines).items():
        labels.append(name(f"{model} {example}", _WHOLE))
        labels += [f"  {name(line.path, _WHOLE)}" for line in figures]
        rows += [[""] * len(_FIGURES), *(_figure(line) for line in figures)]
    return labelled(labels, table(_FIGURES, rows, width), width) if rows else []


def _figure(line: VerifyLine) -> Row:
    return (
        f"{line.expected:,.10g}",
        "-" if line.computed is None else f"{line.computed:,.10g}",
        "-" if line.error is None else f"{line.error:.1e}",
        f"{line.tolerance:.1e}",
        "yes" if line.matches else "no",
    )


def _problems(wrong: Sequence[VerifyLine], width: int) -> Block:
    """Return why figures could not be computed, each reason once."""
    reasons = {f"{line.example}: {line.problem}": None for line in wrong if line.problem}
    return [part for reason in reasons for part in wrapped(name(reason, _WHOLE), width)]
