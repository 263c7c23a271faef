"""Checked access to the fields of an export: numbers that may be texts, faults with their place.

Venues write numbers as texts, leave out what does not apply or write it as "", and add fields as
they please. A field that is needed and missing is a fault, with the nearest of those there are.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from margincalc.errors import Fault, did_you_mean, shown
from margincalc.files.tree import Locator, Tree

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One mapping of an export.

    Attributes
    ----------
    path : where it stands in its file
    locate : says where a path stands
    faults : of the whole conversion, to which this row adds its own
    """

    fields: Mapping[str, Tree]
    path: str
    locate: Locator
    faults: list[Fault]

    def __contains__(self, key: str) -> bool:
        return self.fields.get(key) not in (None, "")

    def place(self, key: str = "") -> str:
        """Return where a field stands, or the row."""
        return self.locate(joined(self.path, key) if key in self.fields else self.path)

    def fault(self, key: str, found: str, wanted: str, remedy: str = "") -> None:
        """Note a fault of a field."""
        self.faults.append(Fault(self.place(key), found, wanted, remedy))

    def number(self, key: str) -> float:
        """Return a field that must be a number; a faulty one is noted, and stands as 0."""
        found = self.maybe(key)
        if found is None and key not in self:
            self._missing(key, "a number")
        return found or 0.0

    def maybe(self, key: str) -> float | None:
        """Return a field that may be absent, null or ""."""
        value = self.fields.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(key, shown(value), "a number")
            return None
        if not math.isfinite(number := _float(value)):
            self.fault(key, shown(value), "a finite number")
            return None
        return number

    def price(self, key: str) -> float | None:
        """Return a price that may be absent; venues write 0 for none."""
        found = self.maybe(key)
        return found if found is not None and found > 0.0 else None

    def size(self, key: str) -> float:
        """Return a size that must be a number above 0; a faulty one is noted, and stands as 1."""
        found = self.number(key)
        if found <= 0.0 and key in self:
            self.fault(key, shown(self.fields[key]), "a number above 0")
        return found if found > 0.0 else 1.0

    def text(self, key: str) -> str:
        """Return a field that must be a text; a faulty one is noted, and stands as ""."""
        value = self.fields.get(key)
        if isinstance(value, str) and value:
            return value
        if value in (None, ""):
            self._missing(key, "a text")
        else:
            self.fault(key, shown(value), "a text")
        return ""

    def word(self, key: str, *known: str) -> str:
        """Return a field that must be one of a few words, in lower case."""
        found = self.text(key).casefold()
        if found and found not in known:
            self.fault(key, shown(self.fields[key]), f"one of {', '.join(known)}")
        return found

    def sign(self, key: str, up: str, down: str) -> float:
        """Return 1 of the word for what is bought or long, -1 of the word for what is not."""
        return 1.0 if self.word(key, up, down) == up else -1.0

    def day(self, key: str, digits: str, written: str) -> dt.date | None:
        """Return the day in a contract's name; one that no calendar has is noted.

        Parameters
        ----------
        key : of the name
        written : how its digits are, as of `strptime`
        """
        try:
            return dt.datetime.strptime(digits, written).date()
        except ValueError:
            found = f"{self.fields[key]} ({digits} is no day)"
            self.fault(key, found, "a contract that can exist")
            return None

    def inner(self, key: str) -> "Row":
        """Return a mapping in a field; one without fields where it is none."""
        value = self.fields.get(key)
        fields = value if isinstance(value, dict) else {}
        return Row(fields, joined(self.path, key), self.locate, self.faults)

    def rows(self, key: str) -> "list[Row]":
        """Return the mappings in a list; what is none is a fault."""
        value = self.fields.get(key)
        if value is None:
            self._missing(key, "a list")
            return []
        return list(rows_of(value, joined(self.path, key), self.locate, self.faults))

    def _missing(self, key: str, wanted: str) -> None:
        if key in self.fields:
            self.fault(key, "nothing", wanted)
            return
        near = did_you_mean(key, self.fields)
        self.fault("", f"no `{key}`", f"`{key}`, {wanted}", near)


def rows_of(value: Tree, path: str, locate: Locator, faults: list[Fault]) -> Iterator[Row]:
    """Yield the mappings of a list; what is none is a fault."""
    if not isinstance(value, list):
        faults.append(Fault(locate(path), shown(value), "a list of mappings"))
        return
    for number, entry in enumerate(value):
        inside = f"{path}[{number}]"
        if isinstance(entry, dict):
            yield Row(entry, inside, locate, faults)
        else:
            faults.append(Fault(locate(inside), shown(entry), "a mapping"))


def joined(path: str, key: str) -> str:
    """Return the path of what stands under a path."""
    return f"{path}{key if key[:1] == '[' else '.' + key}" if path and key else path or key


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
