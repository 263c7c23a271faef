"""What a page leaves out, and why."""

from margincalc.answers.page_results import Page
from margincalc.errors import printable
from margincalc.report.html.elements import Markup, note


def refused(page: Page, field: str, title: str) -> Markup:
    """Return the sentence that says why something is not there; nothing where it is."""
    reason = page.refused.get(field)
    if reason is None:
        return Markup()
    words = printable(" ".join(reason.split()), 600)
    return note(f"{title}: left out, {words}")
