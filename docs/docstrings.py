"""How the reference reads docstrings: types are those of the signature, words follow a name.

A docstring says `name : what it is`; the tool that renders it takes what follows for a type.
"""

import re
from typing import Any

from griffe import Extension, Object

HEAD = re.compile(r"^(Parameters|Attributes|Returns)\n-+\n", re.MULTILINE)
ITEM = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*) : (.+)$", re.MULTILINE)
END = re.compile(r"\n\n(?=\S)|\Z")


class Words(Extension):
    """Puts what is said of a name on a line of its own."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of everything that has one."""
        if obj.docstring is not None:
            obj.docstring.value = reworded(obj.docstring.value)


def reworded(text: str) -> str:
    """Return a docstring in the form that is rendered as it is meant."""
    start = 0
    while head := HEAD.search(text, start):
        end = END.search(text, head.end())
        assert end is not None
        body = ITEM.sub(_item, text[head.end() : end.start()])
        text = text[: head.end()] + body + text[end.start() :]
        start = head.end() + len(body)
    return text


def _item(found: re.Match[str]) -> str:
    names, words = found.groups()
    return "\n".join(f"{name}\n    {words}" for name in names.split(", "))
