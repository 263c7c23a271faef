"""A page about an account or a population: all answers in one file, with no need of a network.

    page -> one file per section -> elements (escaped HTML), drawing (SVG)

The style sheet and the script are files beside these, and are put inside the page. All that comes
from a portfolio file is escaped where it is put, and the page forbids itself every connection.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from margincalc._version import __version__
from margincalc.answers.page_population import PopulationPage
from margincalc.answers.page_results import Page
from margincalc.answers.results import ModelInfo
from margincalc.report.html import population
from margincalc.report.html.compared import compared
from margincalc.report.html.cure import what_to_do
from margincalc.report.html.danger import what_would_kill_me
from margincalc.report.html.elements import Markup, joined, section, tag
from margincalc.report.html.first import am_i_safe, identity
from margincalc.report.html.made import what_is_it_made_of
from margincalc.report.html.moves import what_if
from margincalc.report.layout import name

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_PLACES = (
    ("safe", "Am I safe"),
    ("moves", "What if"),
    ("danger", "What would kill me"),
    ("made", "Made of"),
    ("cure", "What to do"),
    ("compared", "Compared"),
    ("notes", "Notes"),
)


def page_text(page: Page) -> str:
    """Return the page as HTML; the same answers give the same text."""
    report = page.margin
    sections = (
        am_i_safe(page),
        what_if(page),
        what_would_kill_me(page),
        what_is_it_made_of(page),
        what_to_do(page),
        compared(page),
        _notes([*report.notes, *report.model.notes]),
    )
    body = (
        identity(report),
        _nav(_PLACES, sections),
        tag("main", *sections),
        _foot(report.model),
        tag("script", Markup(_resource("script.js"))),
    )
    return document(f"{name(report.account, 200)}: margin", joined(body))


def population_text(page: PopulationPage) -> str:
    """Return the page of a population as HTML; the same answers give the same text."""
    notes = [*page.monitor.notes, *page.cascade.notes, *(page.model.notes if page.model else ())]
    sections = (
        population.how_far(page),
        population.where(page),
        population.how_far_it_spreads(page),
        population.who_is_exposed(page),
        _notes(notes),
    )
    body = (
        population.heading(page),
        _nav(population.PLACES, sections),
        tag("main", *sections),
        _foot(page.model),
    )
    return document(f"{name(page.monitor.title, 200)}: systemic risk", joined(body))


def document(title: str, body: Markup) -> str:
    """Return a whole document around a body."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", Markup(_resource("style.css"))),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _nav(places: Sequence[tuple[str, str]], sections: Sequence[str]) -> Markup:
    """Return links to the sections that there are."""
    shown = (place for place, each in zip(places, sections, strict=True) if each)
    return tag("nav", *(tag("a", title, href=f"#{key}") for key, title in shown))


def _notes(notes: Sequence[str]) -> Markup:
    """Return what a reader of the figures should know."""
    items = [tag("li", text) for text in dict.fromkeys(notes)]
    lead = "What was assumed on the way, and what the model's file says of its numbers."
    return section("notes", "Notes", lead, tag("ul", *items) if items else "")


def _foot(model: ModelInfo | None) -> Markup:
    rules = f"; {name(model.name)}, parameters sha256 {model.parameters_sha256}" if model else ""
    return tag("footer", f"margincalc {__version__}{rules}")


@cache
def _resource(file: str) -> str:
    """Read a file of this package."""
    return files(__name__).joinpath(file).read_text("utf-8")


__all__ = ["document", "page_text", "population_text"]
