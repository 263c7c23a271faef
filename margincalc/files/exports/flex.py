"""XML of a Flex statement, as rows of attributes: no document type, no entities, bounded.

What a document type could do to a reader (entities that grow, or that fetch) it cannot do here:
it is refused where it stands, before any of it is read.
"""

import re
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from margincalc.errors import Fault, input_error, printable, shown
from margincalc.files.exports.rows import Row
from margincalc.files.tree import DEEPEST, MOST_VALUES, too_many

ROOT = "FlexQueryResponse"
_SAID = ("ErrorMessage", "ErrorCode", "Status")  # of a FlexStatementResponse, the best first
_PATH = re.compile(r"(\w+)\[(\d+)\]", re.ASCII)


@dataclass(frozen=True)
class XmlPlaces:
    """Says where the elements of an XML file stand, by name and number."""

    name: str
    lines: dict[str, list[int]]

    def __call__(self, path: str) -> str:
        """Return `file:line, element.attribute`."""
        line = self.line(path)
        start = f"{self.name}:{line}" if line else self.name
        return f"{start}, {printable(path)}" if path else start

    def line(self, path: str) -> int:
        """Return the line on which an element starts; 0 for the file."""
        match = _PATH.match(path)
        return self.lines[match[1]][int(match[2])] if match else 0


def read_flex(text: str, name: str, faults: list[Fault]) -> dict[str, list[Row]]:
    """Return the elements of a statement by name, each with its attributes.

    Raises
    ------
    InputError
        If it is malformed, has a document type, or is no Flex statement.
    """
    return _Reader(name, faults).read(text)


class _Reader:
    def __init__(self, name: str, faults: list[Fault]) -> None:
        self._name, self._faults = name, faults
        self._places = XmlPlaces(name, {})
        self._rows: dict[str, list[Row]] = {}
        self._texts: dict[str, str] = {}
        self._depth, self._count, self._open = 0, 0, ""
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._doctype
        self._parser.ExternalEntityRefHandler = self._doctype

    def read(self, text: str) -> dict[str, list[Row]]:
        """Parse, with what goes wrong in words of our own."""
        try:
            self._parser.Parse(text, True)
        except expat.ExpatError as error:
            line = text.split("\n")[error.lineno - 1].strip() if error.lineno else ""
            found = shown(line[:60]) if line else "the end of the file"
            wanted = f"valid XML ({expat.ErrorString(error.code)})"
            remedy = "fetch the statement again: it may be cut short"
            raise input_error(f"{self._name}:{error.lineno}", found, wanted, remedy) from None
        if ROOT not in self._rows:
            said = next((self._texts[tag].strip() for tag in _SAID if tag in self._texts), "")
            found = f"the broker's refusal {shown(said)}" if said else "another kind of XML"
            remedy = "fetch the statement again, and save what has a FlexQueryResponse in it"
            raise input_error(self._name, found, f"a {ROOT}", remedy)
        return self._rows

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._open = tag
        self._count += 1 + len(attributes)
        if self._count > MOST_VALUES:
            raise too_many(self._name)
        if self._depth > DEEPEST:
            self._refuse("deeper nesting", f"at most {DEEPEST} levels of nesting")
        rows = self._rows.setdefault(tag, [])
        self._places.lines.setdefault(tag, []).append(self._parser.CurrentLineNumber)
        rows.append(Row(attributes, f"{tag}[{len(rows)}]", self._places, self._faults))

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._open = ""

    def _text(self, text: str) -> None:
        if self._open in _SAID:
            self._texts[self._open] = (self._texts.get(self._open, "") + text)[:200]

    def _doctype(self, *_: object) -> NoReturn:
        self._refuse("a document type or an entity", "plain elements and attributes")

    def _refuse(self, found: str, wanted: str) -> NoReturn:
        place = f"{self._name}:{self._parser.CurrentLineNumber}"
        raise input_error(place, found, wanted, "fetch the statement anew from the broker")
