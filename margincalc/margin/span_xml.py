"""The XML format of risk parameter files (`.spn`, 4.00).

Element names are those of NSE's daily files as several public readers have them.
"""

import math
from typing import Any
from xml.parsers import expat

from margincalc.errors import shown
from margincalc.margin.span_entries import ROWS, Entries, Entry, Key, add, damaged, expiry_of

MAXIMUM_DEPTH = 40
_FAMILIES = ("futPf", "phyPf", "oopPf", "oofPf", "oocPf", "cmbPf")
_CONTRACTS = ("fut", "phy", "opt", "cmb")
_KEPT = {"pe", "setlDate", "o", "k"}


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
        self._delta = 0.0
        self._arrays: list[tuple[list[float], float]] = []

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
            self._array, self._delta = [], 0.0

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
            self._array.append(_finite(text))
        elif parent == "ra" and tag == "d":
            self._delta = _finite(text)
        elif tag == "pfCode" and (parent in _FAMILIES or parent == "undPf"):
            self._family[parent] = text
        elif tag in _KEPT and parent == "series":
            self._series[tag] = text
        elif tag in _KEPT and parent in _CONTRACTS:
            self._contract[tag] = text
        elif tag == "ra" and parent in _CONTRACTS:
            self._arrays.append((self._array, self._delta))
        elif tag in _CONTRACTS:
            self._emit()

    def _emit(self) -> None:
        if not self._arrays:
            return
        values, delta = self._arrays[0]
        if len(values) != ROWS:
            raise ValueError(f"{ROWS} values `a` of an array; it has {len(values)}")
        terms = {**self._series, **self._contract}
        own = next((self._family[each] for each in _FAMILIES if each in self._family), "")
        right = terms.get("o", "")
        key = Key(
            self._family.get("undPf", own) if right else own,
            right,
            _finite(terms.get("k", "")) if right else 0.0,
            _expiry_of_terms(terms),
        )
        add(self.entries, key, Entry(tuple(-value for value in values), delta))


def _finite(text: str) -> float:
    """Read a number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"a number, not {shown(text)}")
    return number


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
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        problem = expat.errors.messages[error.code]
        raise damaged(name, error.lineno, problem, "XML") from None
    except (ValueError, LookupError) as error:  # the latter of an unknown encoding
        raise damaged(name, parser.CurrentLineNumber, "a damaged element", str(error)) from None
    return found.entries


def _refuse_doctype(*_: Any) -> None:
    raise ValueError("XML without a document type, of which entities could be declared")
