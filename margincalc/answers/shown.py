"""How a result shows itself: in a terminal, in a notebook, to other programs.

The room `report` writes the texts, and stands above this one: `api`, which hands out the results,
says so with `show_by`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

Render = Callable[[Any, Literal["table", "json", "rows"]], str]
STYLE = "font-family: monospace; line-height: 1.25"


class Shown:
    """Base of the results of commands: each is what its command prints, in every format."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, `schema` first."""
        raise TypeError(f"{type(self).__name__} has no JSON")

    def to_json(self) -> str:
        """Return the JSON that the command prints."""
        return self._rendered("json")

    def to_frame(self) -> Any:
        """Return the rows of the command's CSV as a frame of pandas, or else of polars.

        Texts are as they are, also those that a spreadsheet would compute.

        Raises
        ------
        MissingExtraError
            If neither is installed.
        """
        from io import StringIO

        from margincalc.errors import MissingExtraError

        text = StringIO(self._rendered("rows"))
        for library in ("pandas", "polars"):
            try:
                frames = import_module(library)
            except ImportError:
                continue
            return frames.read_csv(text)
        raise MissingExtraError("to_frame() needs pandas or polars: pip install pandas")

    def __repr__(self) -> str:
        """Return the table that the command prints."""
        return self._rendered("table").rstrip("\n") if _renders else object.__repr__(self)

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        from html import escape

        return f'<pre style="{STYLE}">{escape(repr(self))}</pre>'

    def _rendered(self, format: Literal["table", "json", "rows"]) -> str:
        if not _renders:
            raise RuntimeError("nothing writes results yet: import margincalc.api")
        return _renders[-1](self, format)


_renders: list[Render] = []


def show_by(render: Render) -> None:
    """Have results written by a function of the result and the format."""
    _renders[:] = [render]
