"""A page about one account: all answers in one file, with no need of a network.

    page -> one file per section -> elements (escaped HTML), drawing (SVG)

The style sheet and the script are files beside these, and are put inside the page. All that comes
from a portfolio file is escaped where it is put, and the page forbids itself every connection.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from margincalc._version import __version__
from margincalc.answers.page_results import Page
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
    body = (
        identity(report),
        tag("nav", *(tag("a", title, href=f"#{key}") for key, title in _PLACES)),
        tag(
            "main",
            am_i_safe(page),
            what_if(page),
            what_would_kill_me(page),
            what_is_it_made_of(page),
            what_to_do(page),
            compared(page),
            _notes([*report.notes, *report.model.notes]),
        ),
        _foot(report.model.name, report.model.parameters_sha256),
        tag("script", Markup(_resource("script.js"))),
    )
    return document(f"{name(report.account, 200)}: margin", joined(body))


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


def _notes(notes: Sequence[str]) -> Markup:
    """Return what a reader of the figures should know."""
    items = [tag("li", text) for text in dict.fromkeys(notes)]
    lead = "What was assumed on the way, and what the model's file says of its numbers."
    return section("notes", "Notes", lead, tag("ul", *items) if items else "")


def _foot(model: str, digest: str) -> Markup:
    text = f"margincalc {__version__}; {name(model)}, parameters sha256 {digest}"
    return tag("footer", text)


@cache
def _resource(file: str) -> str:
    """Read a file of this package."""
    return files(__name__).joinpath(file).read_text("utf-8")


__all__ = ["document", "page_text"]
