"""What a table is read on: its width, and whether it shows colour."""

import re
from typing import NamedTuple

NARROWEST, WIDEST = 40, 200
_COLOURS = {"HEALTHY": "32", "RESTRICTED": "33", "LIQUIDATABLE": "31;1"}
_STATUS = re.compile(r"(?<![\w.-])(" + "|".join(_COLOURS) + r")(?![\w.-])")


class Screen(NamedTuple):
    """A terminal, or whatever stands in its place.

    Attributes
    ----------
    width : characters in a line
    colour : whether status words are also coloured
    """

    width: int = 80
    colour: bool = False

    @property
    def columns(self) -> int:
        """The width that a table is laid out for."""
        return min(max(self.width, NARROWEST), WIDEST)

    def painted(self, text: str) -> str:
        """Colour the status words of a finished table, so that no layout needs to know of it."""
        if not self.colour:
            return text
        return _STATUS.sub(lambda word: f"\033[{_COLOURS[word[1]]}m{word[1]}\033[0m", text)


PLAIN = Screen()
