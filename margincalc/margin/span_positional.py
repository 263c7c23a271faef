"""The expanded positional format of risk parameter files (`.pa2`).

Columns are counted from 1, as its layouts do. Of types 2, 8 and B they are CME's, as its pages
print them (81 and 82;
https://cmegroupclientsite.atlassian.net/wiki/spaces/pubspan/pages/ 46104629, 46235915, 46170208);
of type P, and of the wide arrays 83 and 84, which those pages do not show, they are the widths of
rpolton/span-for-margin, which follows http://www.cme-ch.com/span/spanl300.htm; a reader of CME's
file of 2025-06-20 has the same but for 83 and 84. Strikes that are to be aligned (type P, column
41: a last digit that stands for a fraction) are read as plain decimals, and so found under no
strike of a book: such a book is refused. A product's scale and decimals are its records' of types
2 and P, and without them it is refused; a series that has no record of type B is known by its
month, and its delta is taken as written.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple, TypeVar

from margincalc.errors import shown
from margincalc.margin.span_entries import (
    Entries,
    Entry,
    Key,
    add,
    damaged,
    expiry_of,
    right_of,
)

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
_NOTED = ("0 ", "2 ", "P ", "B ")
_MOST_DECIMALS = 12  # of a strike
_Told = TypeVar("_Told", float, int, str)


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
    """What other records say of products, by exchange, code and type; of series also by month."""

    scale: dict[tuple[str, ...], float]
    strike: dict[tuple[str, ...], int]
    delta: dict[tuple[str, ...], float]
    expiry: dict[tuple[str, ...], str]


def read_positional(name: str, data: bytes) -> Entries:
    """Read a file of records.

    Raises
    ------
    InputError
        If it is damaged, or of another format; with the line.
    """
    layout, entries = _Layout({}, {}, {}, {}), Entries()
    record = _Record(0, "")
    try:
        for record in _records(data, _NOTED):
            _note(layout, record)
        arrays = _records(data, tuple(_WIDTH))
        for record in arrays:
            first, second = record, _second(record, next(arrays, None))
            key, scale, values = _key(layout, first), _scale(layout, first), _values(first, _FIRST)
            record = second  # which is where a fault would be from here on
            if second.at((column := _strike_sign(second), column)) == "-":
                key = key._replace(strike=-key.strike)
            values += _values(second, _SECOND)
            delta = _delta(layout, first, second)
            add(entries, key, Entry(tuple(-value * scale for value in values), delta))
    except ValueError as error:
        raise damaged(name, record.line, "a damaged record", str(error)) from None
    return entries


def _records(data: bytes, kinds: tuple[str, ...]) -> Iterator[_Record]:
    """Yield the records of some types, one at a time: a file may have a hundred million lines."""
    starts = tuple(kind.encode() for kind in kinds)
    for number, line in enumerate(BytesIO(data), start=1):
        if line.startswith(starts):
            yield _Record(number, line.decode("latin-1").rstrip("\r\n"))


def _note(layout: _Layout, record: _Record) -> None:
    """Take what records of types 2, B and P say of products."""
    kind = record.text[:2]
    if kind == "0 ":
        _refuse_other_format(record)
    elif kind == "2 ":
        _note_scales(layout, record)
    elif kind == "P ":
        places = record.whole((37, 39))
        if abs(places) > _MOST_DECIMALS:
            raise ValueError(f"at most {_MOST_DECIMALS} decimals in columns 37 to 39, not {places}")
        _told(layout.strike, _product(record, 6, 16), places)
    elif kind == "B ":
        key = _series(record, (6, 16, 19, 28))
        factor = record.whole((86, 91)) / 1e4 if record.at((86, 91)) else 1.0
        _told(layout.delta, key, factor)
        if record.at((92, 99)).strip("0"):
            _told(layout.expiry, key, expiry_of(record.at((92, 99))))


def _note_scales(layout: _Layout, record: _Record) -> None:
    exponent = record.whole((13, 13))
    for start in range(23, 23 + 16 * _CODES, 16):
        if record.at((start, start + 9)):
            places = record.whole((start + 13, start + 13))
            sign = -1 if record.at((start + 14, start + 14)) == "-" else 1
            scale = 10.0**exponent / 10.0 ** (sign * places)
            _told(layout.scale, _product(record, start, start + 10), scale)


def _told(known: dict[tuple[str, ...], _Told], key: tuple[str, ...], value: _Told) -> None:
    """Keep what is said of a product; of two that differ, none is known to hold."""
    if known.setdefault(key, value) != value:
        wanted = f"the same as in the record before of {_named(key)}"
        raise ValueError(f"{wanted}, {shown(known[key])}, not {shown(value)}")


def _named(key: tuple[str, ...]) -> str:
    return ", ".join(part for part in key if part)


def _refuse_other_format(record: _Record) -> None:
    """Refuse a file that says it is of another format: its columns would be read as these."""
    stated = record.at((36, 37))
    if stated not in ("", EXPANDED):
        raise ValueError(
            f"the expanded format, {EXPANDED} in columns 36 to 37, not {shown(stated)}"
        )


def _product(record: _Record, code: int, type_: int) -> tuple[str, ...]:
    """Return exchange, product and type; codes are of one exchange."""
    columns = ((3, 5), (code, code + 9), (type_, type_ + 2))
    return tuple(record.at(each) for each in columns)


def _series(record: _Record, starts: tuple[int, int, int, int]) -> tuple[str, ...]:
    """Return a product, and the months of future and option, each with its day or week."""
    code, type_, future, option = starts
    months = (record.at((start, start + 7)) for start in (future, option))
    return (*_product(record, code, type_), *(text if text.strip("0") else "" for text in months))


def _second(first: _Record, second: _Record | None) -> _Record:
    """Return an array's second record, which follows the first."""
    wanted = {"81": "82", "83": "84"}.get(first.text[:2])
    if second is None or second.text[:2] != wanted or first.text[2:54] != second.text[2:54]:
        raise ValueError("a first and a second record of the same contract, one after the other")
    return second


def _key(layout: _Layout, record: _Record) -> Key:
    terms = {name: record.at(columns) for name, columns in _HEADER.items()}
    series = _series(record, (6, 26, 30, 39))
    option = terms["type"] not in _FUTURES
    month = terms["option"] if option and terms["option"].strip("0") else terms["future"]
    expiry = layout.expiry.get(series) or (expiry_of(month) if month.strip("0") else "")
    if not option:
        return Key(terms["product"], "", 0.0, expiry)
    places = layout.strike.get(series[:3])
    if places is None:
        raise ValueError(f"a record of type P of {_named(series[:3])}, for a strike's decimals")
    under, right = terms["underlying"] or terms["product"], right_of(terms["right"], "column 29")
    return Key(under, right, record.whole((48, 54)) / 10.0**places, expiry)


def _strike_sign(second: _Record) -> int:
    """Return the column of a strike's sign, which follows delta, volatility and price."""
    width = _WIDTH[second.text[:2]]
    return _ARRAY + _SECOND * (width + 1) + _AFTER_ARRAY


def _values(record: _Record, number: int) -> list[int]:
    width = _WIDTH[record.text[:2]]
    return [record.number(_ARRAY + (width + 1) * place, width) for place in range(number)]


def _scale(layout: _Layout, record: _Record) -> float:
    """Return what an array's whole numbers are to be multiplied by."""
    product = _product(record, 6, 26)
    if product not in layout.scale:
        raise ValueError(f"a record of type 2 of {_named(product)}, for an array's scale")
    return layout.scale[product]


def _delta(layout: _Layout, first: _Record, second: _Record) -> float:
    column = _ARRAY + _SECOND * (_WIDTH[second.text[:2]] + 1)
    scale = layout.delta.get(_series(first, (6, 26, 30, 39)), 1.0)
    return second.number(column, 5) / 1e4 * scale
