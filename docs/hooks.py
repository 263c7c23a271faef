"""What the pages take from the package when they are built, so that it cannot go stale."""

from typing import Any

import margincalc as mc
from margincalc.answers.model_results import ModelReport

MARK = "<!-- every model -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the mark of a page by what the model files say."""
    return markdown.replace(MARK, every_model()) if MARK in markdown else markdown


def every_model() -> str:
    """Return a table of the shipped models, and what is known of each."""
    models = mc.models()
    rows = [
        f"| [{model.name}](#{model.name}) | {model.family} | {model.mode} "
        f"| {', '.join(model.effective_dates)} | {model.proof} |"
        for model in models
    ]
    head = ["| model | family | mode | effective from | proof |", "| - | - | - | - | - |"]
    return "\n".join([*head, *rows, "", *map(_section, models)])


def _section(model: ModelReport) -> str:
    """Return the title, sources and notes of a model, under a heading of its name."""
    sources = [
        f"- <{source['url']}>: {_plain(str(source['what']))} (read {source['read']})"
        if "://" in str(source.get("url", ""))
        else f"- {_plain('; '.join(map(str, source.values())))}"
        for source in model.sources
    ]
    notes = [f"- {_plain(note)}" for note in model.notes]
    said = [f"{_plain(model.title)}. Family `{model.family}`, proof: {model.proof}."]
    said += ["", "Sources:", "", *sources] if sources else []
    said += ["", "Notes:", "", *notes] if notes else []
    return "\n".join(["", f"### {model.name}", "", *said, ""])


def _plain(text: str) -> str:
    """Return text that Markdown takes as it stands."""
    for sign in ("\\", "*", "_", "[", "]", "<", ">", "|"):
        text = text.replace(sign, f"\\{sign}")
    return text
