"""The expanded positional format of risk parameter files (`.pa2`).

Columns are counted from 1, as its layouts do. Of types 2, 8 and B they are CME's, as its pages
print them (81 and 82;
https://cmegroupclientsite.atlassian.net/wiki/spaces/pubspan/pages/ 46104629, 46235915, 46170208);
of type P, and of the wide arrays 83 and 84, which those pages do not show, they are the widths of
rpolton/span-for-margin, which follows http://www.cme-ch.com/span/spanl300.htm; a reader of CME's
file of 2025-06-20 has the same but for 83 and 84. Strikes that are to be aligned (type P, column
41: a last digit that stands for a fraction) are read as plain decimals, and so found under no
strike of a book: such a book is refused.
"""

from itertools import zip_longest
from typing import NamedTuple

from margincalc.errors import shown
from margincalc.margin.span_entries import Entries, Entry, Key, add, damaged, expiry_of

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


def read_positional(name: str, data: bytes) -> Entries:
    """Read a file of records.

    Raises
    ------
    InputError
        If it is damaged, or of another format; with the line.
    """
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
        raise damaged(name, record.line, "a damaged record", str(error)) from None
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
