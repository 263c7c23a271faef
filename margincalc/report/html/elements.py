"""HTML by functions: what is not `Markup` is text, and is escaped wherever it is put."""

import html
import json
from collections.abc import Iterable, Sequence
from typing import Any

_VOID = frozenset({"br", "input", "link", "meta", "line", "path", "rect", "circle", "polygon"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(kind: str, *children: str, **attributes: object) -> Markup:
    """Return an element; children that are no Markup are escaped.

    Parameters
    ----------
    attributes : None and False are left out, True stands alone; `class_` is `class`, and an
        underscore inside a name a hyphen
    """
    head = "".join(_attribute(key, value) for key, value in attributes.items())
    inside = joined(children)
    return Markup(f"<{kind}{head}/>" if kind in _VOID else f"<{kind}{head}>{inside}</{kind}>")


def joined(parts: Iterable[str]) -> Markup:
    """Put parts one after the other."""
    return Markup("".join(escaped(part) for part in parts))


def escaped(text: str) -> Markup:
    """Return text as HTML that shows it."""
    return text if isinstance(text, Markup) else Markup(html.escape(text))


def data(identifier: str, value: Any) -> Markup:
    """Return a script element that holds JSON, out of which no text can break."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return tag("script", Markup(text), type="application/json", id=identifier)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, class_: str | None = None
) -> Markup:
    """Return a table that scrolls where it is too wide; cells after the first `left` are numbers.

    A row's first cell is its heading. An empty table is nothing; headings that are all empty are
    left out.
    """
    body = [_row(row, left) for row in rows]
    if not body:
        return Markup()
    cells = (
        tag("th", head, scope="col", class_=None if place < left else "number")
        for place, head in enumerate(heads)
    )
    head = tag("thead", tag("tr", *cells)) if any(heads) else Markup()
    whole = tag("table", head, tag("tbody", *body), class_=class_)
    return tag("div", whole, class_="scroll", tabindex="0")


def section(identifier: str, title: str, lead: str, *children: str) -> Markup:
    """Return a section under its heading and a sentence; without children it is nothing."""
    shown = [child for child in children if child]
    if not shown:
        return Markup()
    head = [tag("h2", title), *([tag("p", lead, class_="lead")] if lead else [])]
    return tag("section", *head, *shown, id=identifier)


def panel(title: str, *children: str, wide: bool = False) -> Markup:
    """Return a part of a section under a smaller heading; without children it is nothing."""
    shown = [child for child in children if child]
    if not shown:
        return Markup()
    return tag("div", tag("h3", title), *shown, class_="panel wide" if wide else "panel")


def note(*text: str) -> Markup:
    """Return a small remark; of nothing, nothing."""
    return tag("p", *text, class_="note") if any(text) else Markup()


def _row(cells: Sequence[str], left: int) -> Markup:
    head, *rest = cells
    others = (
        tag("td", cell, class_=None if place < left else "number")
        for place, cell in enumerate(rest, 1)
    )
    return tag("tr", tag("th", head, scope="row"), *others)


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'
