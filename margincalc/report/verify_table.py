"""The proof of models: examples that match, every figure that does not, models without any."""

from collections.abc import Sequence

from margincalc.answers.results import VerifyLine, VerifyReport
from margincalc.report.layout import Block, Column, Row, name, table, wrapped

_EXAMPLES = (
    Column("model", left=True),
    Column("example", left=True),
    Column("proof", left=True, rank=1),
    Column("figures"),
    Column("match"),
    Column("worst error"),
)
_MISMATCHES = (
    Column("mismatch", left=True),
    Column("figure", left=True),
    Column("expected"),
    Column("computed"),
    Column("tolerance", rank=1),
)


def verify_blocks(report: VerifyReport, width: int) -> list[Block]:
    """Return a line per example, then a line per mismatch, then what is unproven."""
    groups: dict[tuple[str, str], list[VerifyLine]] = {}
    for line in report.lines:
        groups.setdefault((line.model, line.example), []).append(line)
    wrong = [line for line in report.lines if not line.matches]
    matches = len(report.lines) - report.mismatches
    closing = f"{matches:,} of {len(report.lines):,} figures match"
    unproven = ", ".join(name(model) for model in report.unproven)
    return [
        table(_EXAMPLES, [_example(lines) for lines in groups.values()], width) if groups else [],
        table(_MISMATCHES, [_mismatch(line) for line in wrong], width) if wrong else [],
        _problems(wrong, width),
        wrapped(f"Unproven, for want of examples: {unproven}", width) if unproven else [],
        [closing] if report.lines else [],
    ]


def _example(lines: Sequence[VerifyLine]) -> Row:
    errors = [line.error for line in lines if line.error is not None]
    return (
        name(lines[0].model),
        name(lines[0].example),
        lines[0].strength,
        f"{len(lines):,}",
        f"{sum(line.matches for line in lines):,}",
        f"{max(errors):.2e}" if errors else "-",
    )


def _mismatch(line: VerifyLine) -> Row:
    return (
        name(line.example),
        name(line.path),
        f"{line.expected:,.10g}",
        "-" if line.computed is None else f"{line.computed:,.10g}",
        f"{line.tolerance:.1e}",
    )


def _problems(wrong: Sequence[VerifyLine], width: int) -> Block:
    """Return why figures could not be computed, each reason once."""
    reasons = {f"{line.example}: {line.problem}": None for line in wrong if line.problem}
    return [part for reason in reasons for part in wrapped(name(reason, 1000), width)]
