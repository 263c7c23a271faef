"""Models: the list, and one model's file under a head that is a comment."""

from collections.abc import Sequence
from itertools import zip_longest

from margincalc.answers.model_results import DiffReport, ModelReport, ModelsReport
from margincalc.answers.results import Json
from margincalc.errors import printable
from margincalc.report.layout import Block, Column, name, packed, table, wrapped
from margincalc.report.screen import WIDEST

_COLUMNS = ("name", "family", "mode", "effective", "proof")
_LEAST_TITLE = 12
_PROOFS = {
    "exact": "matches published or contract-computed examples",
    "partly": "matches the published examples of a part of its rules",
    "rules only": "follows published rules, for which there are no worked examples",
    "own": "margincalc's own rules; no venue's number",
}


def models_blocks(report: ModelsReport, width: int) -> list[Block]:
    """Return a line per model, the titles wrapped into the room that is left."""
    heads = [Column(heading, left=True) for heading in _COLUMNS]
    rows = [[name(getattr(model, key)) for key in _COLUMNS] for model in report.models]
    drawn = table(heads, rows, width)
    margin = max(len(line) for line in drawn) + 2
    titles = ["title", *(model.title for model in report.models)]
    room = width - margin
    if room < _LEAST_TITLE:
        return [drawn]
    block: Block = []
    for line, title in zip(drawn, titles, strict=True):
        first, *rest = wrapped(name(title, WIDEST), room)
        block.append(f"{line:{margin}}{first}")
        block += [" " * margin + more for more in rest]
    return [block]


def model_blocks(report: ModelReport, width: int) -> list[Block]:
    """Return a model's file, whole, under comments: what is printed is again a model file."""
    facts = [
        f"{report.name}: {report.title}",
        f"{report.family} family, {report.mode} mode, effective {report.effective}",
        f"proof: {report.proof} ({_PROOFS.get(report.proof, 'unknown')})",
        f"parameters sha256 {report.parameters_sha256}",
        *_other_dates(report),
        *(f"note: {note}" for note in report.notes),
    ]
    head = [line for fact in facts for line in wrapped(name(fact, 1000), width, "# ")]
    return [head, report.text.rstrip("\n").split("\n")]


def diff_blocks(report: DiffReport, width: int) -> list[Block]:
    """Return the parameters that differ, by their whole names."""
    if not report.lines:
        return [[f"{report.first} and {report.second} have the same parameters"]]
    keys = [printable(line.parameter, WIDEST) for line in report.lines]
    values = [(_value(line.first), _value(line.second)) for line in report.lines]
    heads = (name(report.first), name(report.second))
    room = (width - max(len(key) for key in ("parameter", *keys)) - 4) // 2
    if room < max(len(word) for head in heads for word in head.split()):
        return [_one_under_the_other(keys, values, heads, width)]
    rows = [
        row
        for key, pair in zip(("parameter", *keys), (heads, *values), strict=True)
        for row in zip_longest([key], *(wrapped(text, room) for text in pair), fillvalue="")
    ]
    columns = [Column(heading, left=True) for heading in rows[0]]
    return [table(columns, rows[1:], width)]


def _one_under_the_other(
    keys: Sequence[str], values: Sequence[tuple[str, str]], heads: tuple[str, str], width: int
) -> Block:
    """Return a parameter's name, and under it what it is in each model."""
    block: Block = []
    margin = max(map(len, heads))
    for key, pair in zip(keys, values, strict=True):
        block.append(key)
        for head, value in zip(heads, pair, strict=True):
            block += packed(value.split(), width, f"  {head:{margin}}  ", between=1)
    return block


def _value(value: Json) -> str:
    return "-" if value is None else printable(str(value), 1000)


def _other_dates(report: ModelReport) -> list[str]:
    others = [day for day in report.effective_dates if day != report.effective]
    return [f"also effective from {', '.join(others)}; --effective chooses"] if others else []
