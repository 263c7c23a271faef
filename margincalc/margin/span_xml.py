"""The XML format of risk parameter files (`.spn`, 4.00).

Element names are those of NSE's daily files as several public readers have them.
"""

import re
from typing import Any
from xml.parsers import expat

from margincalc.errors import shown
from margincalc.margin.span_entries import (
    ROWS,
    Entries,
    Entry,
    Key,
    add,
    damaged,
    expiry_of,
    right_of,
)

MAXIMUM_DEPTH = 40
_FAMILIES = ("futPf", "phyPf", "oopPf", "oofPf", "oocPf", "cmbPf")
_CONTRACTS = ("fut", "phy", "opt", "cmb")
_KEPT = {"pe", "setlDate", "o", "k"}
_ENCODINGS = ("UTF-8", "UTF-16", "US-ASCII", "ASCII", "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)


class _Spn:
    """Collects arrays while a file is parsed; texts by the element that holds them."""

    def __init__(self) -> None:
        self.entries: Entries = {}
        self._path: list[str] = []
        self._text: list[str] = []
        self._family: dict[str, str] = {}
        self._series: dict[str, str] = {}
        self._contract: dict[str, str] = {}
        self._array: list[float] = []
        self._deltas: list[float] = []
        self._arrays: list[tuple[list[float], list[float]]] = []

    def start(self, tag: str, _: Any) -> None:
        """Open an element."""
        if len(self._path) >= MAXIMUM_DEPTH:
            raise ValueError("elements that are less deeply nested")
        self._path.append(tag)
        self._text = []
        if tag in _FAMILIES:
            self._family, self._series = {}, {}
        elif tag == "series":
            self._series = {}
        elif tag in _CONTRACTS:
            self._contract, self._arrays = {}, []
        elif tag == "ra":
            self._array, self._deltas = [], []

    def data(self, text: str) -> None:
        """Take text."""
        self._text.append(text)

    def end(self, tag: str) -> None:
        """Close an element."""
        self._path.pop()
        parent = self._path[-1] if self._path else ""
        text = "".join(self._text).strip()
        self._text = []
        if parent == "ra" and tag == "a":
            self._array.append(_number(tag, text))
        elif parent == "ra" and tag == "d":
            self._deltas.append(_number(tag, text))
        elif tag == "pfCode" and (parent in _FAMILIES or parent == "undPf"):
            self._family[parent] = text
        elif tag in _KEPT and parent == "series":
            _once(self._series, tag, text)
        elif tag in _KEPT and parent in _CONTRACTS:
            _once(self._contract, tag, text)
        elif tag == "ra" and parent in _CONTRACTS:
            self._arrays.append((self._array, self._deltas))
        elif tag in _CONTRACTS and self._arrays:
            self._emit(option=tag == "opt")

    def _emit(self, *, option: bool) -> None:
        values, deltas = self._arrays[0]
        if len(values) != ROWS:
            raise ValueError(f"{ROWS} values `a` of an array; it has {len(values)}")
        if len(deltas) != 1:
            raise ValueError(f"one delta `d` of an array; it has {len(deltas)}")
        terms = {**self._series, **self._contract}
        own = next((self._family[each] for each in _FAMILIES if each in self._family), "")
        expiry = _expiry_of_terms(terms)
        if option:
            under = self._family.get("undPf", own)
            key = Key(under, right_of(terms.get("o"), "`o`"), _number("k", terms.get("k")), expiry)
        else:
            key = Key(own, "", 0.0, expiry)
        add(self.entries, key, Entry(tuple(-value for value in values), deltas[0]))


def _once(terms: dict[str, str], tag: str, text: str) -> None:
    """Keep a term, of which a contract has one."""
    if terms.setdefault(tag, text) != text:
        raise ValueError(f"one `{tag}` of a contract, not {shown(terms[tag])} and {shown(text)}")


def _number(tag: str, text: str | None) -> float:
    """Read a number as XML Schema writes it; what overflows is refused with what is too large."""
    if text is None or not _NUMBER.fullmatch(text):
        raise ValueError(f"a number in `{tag}`, not {shown(text)}")
    return float(text)


def _expiry_of_terms(terms: dict[str, str]) -> str:
    """Return the expiry of a contract; a physical has none."""
    day = terms.get("setlDate", "")
    period = day if day.isdecimal() and len(day) == 8 else terms.get("pe", "")
    return expiry_of(period) if period.strip("0") else ""


def read_xml(name: str, data: bytes) -> Entries:
    """Read a file in XML.

    Raises
    ------
    InputError
        If it is damaged; with the line.
    """
    parser, found = expat.ParserCreate(), _Spn()
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.CharacterDataHandler = found.data
    parser.XmlDeclHandler = _refuse_encoding
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        problem = expat.errors.messages[error.code]
        raise damaged(name, error.lineno, problem, "XML") from None
    except ValueError as error:
        raise damaged(name, parser.CurrentLineNumber, "a damaged element", str(error)) from None
    return found.entries


def _refuse_encoding(_: str, encoding: str | None, __: int) -> None:
    """Refuse other encodings: expat asks Python for them, which has many more, some no text's."""
    if encoding is not None and encoding.upper() not in _ENCODINGS:
        raise ValueError(f"an encoding of {', '.join(_ENCODINGS)}, not {shown(encoding)}")


def _refuse_doctype(*_: Any) -> None:
    raise ValueError("XML without a document type, of which entities could be declared")
