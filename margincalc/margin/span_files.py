"""Risk parameter files: the arrays that a clearing house publishes each day.

Two formats are read: the XML of `.spn` (4.00), and the expanded positional format of `.pa2`. Of
either, what scanning needs: each contract's sixteen values, composite delta, expiry and strike.
Charges, credits, minimums and scan ranges are not read; they stay in the model's file. Records and
elements that are not known are skipped.

Files hold losses of one long contract; what is returned are gains. Extreme rows are weighted
already. A contract is known by its underlying's product code, right, strike and expiry; the expiry
is a day where the file has it (`setlDate`, `pe` of eight digits, a `B` record), else a month.

Columns of the expanded format are CME's, as its pages of types 2, 8 and B print them (81 and 82;
https://cmegroupclientsite.atlassian.net/wiki/spaces/pubspan/pages/ 46104629, 46235915, 46170208);
of type P, and of the wide arrays 83 and 84, which those pages do not show, they are the widths of
rpolton/span-for-margin, which follows http://www.cme-ch.com/span/spanl300.htm; a reader of CME's
file of 2025-06-20 has the same but for 83 and 84. Element names of the XML are those of NSE's daily
files as several public readers have them. Not confirmed: wide arrays against a real file, and a
schema of the XML, of which no page was found. Strikes that are to be aligned (type P, column 41: a
last digit that stands for a fraction) are read as plain decimals, and so found under no strike of a
book: such a book is refused.
"""

import math
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from margincalc.errors import InputError, input_error, printable, shown

MAXIMUM_BYTES = 256 * 2**20
ROWS = 16
MAXIMUM_DEPTH = 40


class Key(NamedTuple):
    """Which contract an array is of; `right` is `C`, `P` or empty, `expiry` a day or a month."""

    underlying: str
    right: str
    strike: float
    expiry: str


class Entry(NamedTuple):
    """Gains of one long contract in each row, and its composite delta, scaled."""

    gains: tuple[float, ...]
    delta: float


Entries = dict[Key, Entry | None]
"""Arrays by contract; None where a file has several that differ."""


def read(path: Path) -> Entries:
    """Read a risk parameter file.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged; with the line.
    """
    name = printable(str(path))
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise input_error(name, "a larger file", f"at most {MAXIMUM_BYTES >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        found = (error.strerror or "no file").lower()
        raise input_error(name, found, "a risk parameter file") from None
    entries = (_spn if data.lstrip()[:1] == b"<" else _pa2)(name, data)
    if not entries:
        raise input_error(name, "no risk arrays", "an .spn file, or a .pa2 file (expanded format)")
    return entries


def add(entries: Entries, key: Key, entry: Entry) -> None:
    """Add an array; of two that differ, neither holds."""
    entries[key] = entry if entries.get(key, entry) == entry else None


def expiry_of(digits: str) -> str:
    """Write `20261218` as `2026-12-18`, and `202612` as `2026-12`.

    Raises
    ------
    ValueError
        If the text is neither.
    """
    if not digits.isdecimal() or len(digits) not in (6, 8) or not 1 <= int(digits[4:6]) <= 12:
        raise ValueError("a day as CCYYMMDD or a month as CCYYMM")
    return "-".join(part for part in (digits[:4], digits[4:6], digits[6:]) if part)


# The XML format

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


def _spn(name: str, data: bytes) -> Entries:
    parser, found = expat.ParserCreate(), _Spn()
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.CharacterDataHandler = found.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        problem = expat.errors.messages[error.code]
        raise _damaged(name, error.lineno, problem, "XML") from None
    except (ValueError, LookupError) as error:  # the latter of an unknown encoding
        raise _damaged(name, parser.CurrentLineNumber, "a damaged element", str(error)) from None
    return found.entries


def _refuse_doctype(*_: Any) -> None:
    raise ValueError("XML without a document type, of which entities could be declared")


def _damaged(name: str, line: int, found: str, wanted: str) -> InputError:
    return input_error(f"{name}:{line}", found, wanted, "download the file again")


# The expanded positional format; columns are counted from 1, as its layouts do

_HEADER = {
    "product": (6, 15),
    "underlying": (16, 25),
    "type": (26, 28),
    "right": (29, 29),
    "future": (30, 35),
    "option": (39, 44),
    "option_day": (45, 46),
    "strike": (48, 54),
}
EXPANDED = "U2"  # as record type 0 calls this format; the Paris one has other columns
_WIDTH = {"81": 5, "82": 5, "83": 8, "84": 8}  # of an array value, before its sign
_FIRST, _SECOND = 9, 7  # how many of the sixteen a record holds
_ARRAY = 55
_AFTER_ARRAY = 6 + 8 + 8  # columns of delta, volatility and settlement price, with their signs
_CODES = 6  # products that a type 2 record holds
_FUTURES = ("FUT", "PHY")


class _Record(NamedTuple):
    """A line with its number."""

    line: int
    text: str

    def at(self, columns: tuple[int, int]) -> str:
        """Return the text of columns."""
        return self.text[columns[0] - 1 : columns[1]].strip()

    def whole(self, columns: tuple[int, int]) -> int:
        """Return a number that may be left out, its sign before it."""
        text = self.at(columns) or "0"
        if not text.removeprefix("-").isdecimal():
            place = f"columns {columns[0]} to {columns[1]}"
            raise ValueError(f"digits in {place}, not {shown(text)}")
        return int(text)

    def number(self, start: int, width: int) -> int:
        """Return digits that a sign may follow."""
        digits = self.text[start - 1 : start - 1 + width].strip()
        sign = self.text[start - 1 + width : start + width]
        if not digits.isdecimal() or sign not in ("+", "-", " ", ""):
            columns = f"columns {start} to {start + width}"
            raise ValueError(f"digits and a sign in {columns}, not {shown(digits + sign)}")
        return -int(digits) if sign == "-" else int(digits)


class _Layout(NamedTuple):
    """What other records say of products, by code and type; of series also by month."""

    scale: dict[tuple[str, str], float]
    strike: dict[tuple[str, str], int]
    delta: dict[tuple[str, ...], float]
    expiry: dict[tuple[str, ...], str]


def _pa2(name: str, data: bytes) -> Entries:
    records = [
        _Record(number, line)
        for number, line in enumerate(data.decode("latin-1").splitlines(), start=1)
        if line.strip()
    ]
    layout, entries = _Layout({}, {}, {}, {}), Entries()
    record = _Record(0, "")
    try:
        for record in records:
            _note(layout, record)
        arrays = [each for each in records if each.text[:2] in _WIDTH]
        for record, second in zip_longest(arrays[::2], arrays[1::2]):
            _refuse_unpaired(record, second)
            key = _key(layout, record)
            if second.at((column := _strike_sign(second), column)) == "-":
                key = key._replace(strike=-key.strike)
            add(entries, key, _entry(layout, record, second))
    except ValueError as error:
        raise _damaged(name, record.line, "a damaged record", str(error)) from None
    return entries


def _note(layout: _Layout, record: _Record) -> None:
    """Take what records of types 2, B and P say of products."""
    kind = record.text[:2]
    if kind == "0 ":
        _refuse_other_format(record)
    elif kind == "2 ":
        exponent = record.whole((13, 13))
        for start in range(23, 23 + 16 * _CODES, 16):
            code, type_ = record.at((start, start + 9)), record.at((start + 10, start + 12))
            if code:
                places = record.whole((start + 13, start + 13))
                sign = -1 if record.at((start + 14, start + 14)) == "-" else 1
                layout.scale[code, type_] = 10.0**exponent / 10.0 ** (sign * places)
    elif kind == "P ":
        layout.strike[record.at((6, 15)), record.at((16, 18))] = record.whole((37, 39))
    elif kind == "B ":
        key = _series(record, (6, 16, 19, 28))
        layout.delta[key] = record.whole((86, 91)) / 1e4 if record.at((86, 91)) else 1.0
        if record.at((92, 99)).strip("0"):
            layout.expiry[key] = expiry_of(record.at((92, 99)))


def _refuse_other_format(record: _Record) -> None:
    """Refuse a file that says it is of another format: its columns would be read as these."""
    stated = record.at((36, 37))
    if stated not in ("", EXPANDED):
        raise ValueError(f"the expanded format, {EXPANDED} in columns 36 to 37, not {stated}")


def _series(record: _Record, starts: tuple[int, int, int, int]) -> tuple[str, ...]:
    """Return product, type, and the months of future and option, each with its day or week."""
    code, type_, future, option = starts
    columns = ((code, code + 9), (type_, type_ + 2), (future, future + 7), (option, option + 7))
    found = (record.at(each) for each in columns)
    return tuple(text if text.strip("0") else "" for text in found)


def _refuse_unpaired(first: _Record, second: _Record | None) -> None:
    """Refuse an array without its second record, which follows the first."""
    wanted = {"81": "82", "83": "84"}.get(first.text[:2])
    if second is None or second.text[:2] != wanted or first.text[2:54] != second.text[2:54]:
        raise ValueError("a first and a second record of the same contract, one after the other")


def _key(layout: _Layout, record: _Record) -> Key:
    terms = {name: record.at(columns) for name, columns in _HEADER.items()}
    series = _series(record, (6, 26, 30, 39))
    option = terms["type"] not in _FUTURES
    month = terms["option"] if option and terms["option"].strip("0") else terms["future"]
    expiry = layout.expiry.get(series) or (expiry_of(month) if month.strip("0") else "")
    if not option:
        return Key(terms["product"], "", 0.0, expiry)
    places = layout.strike.get((terms["product"], terms["type"]), 0)
    under = terms["underlying"] or terms["product"]
    return Key(under, terms["right"], record.whole((48, 54)) / 10.0**places, expiry)


def _strike_sign(second: _Record) -> int:
    """Return the column of a strike's sign, which follows delta, volatility and price."""
    width = _WIDTH[second.text[:2]]
    return _ARRAY + _SECOND * (width + 1) + _AFTER_ARRAY


def _entry(layout: _Layout, first: _Record, second: _Record) -> Entry:
    width = _WIDTH[first.text[:2]]
    step = width + 1
    values = [first.number(_ARRAY + step * number, width) for number in range(_FIRST)]
    values += [second.number(_ARRAY + step * number, width) for number in range(_SECOND)]
    series = _series(first, (6, 26, 30, 39))
    delta = second.number(_ARRAY + step * _SECOND, 5) / 1e4
    scale = layout.scale.get((series[0], series[1]), 1.0)
    return Entry(tuple(-value * scale for value in values), delta * layout.delta.get(series, 1.0))
