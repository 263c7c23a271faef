"""Instrument names: what they say, and how the same terms are always named alike.

    BTC-25DEC26-110000-C          option        XRP_USDC-30JUN26-0d625-C   decimal strike
    BTC-25DEC26                   future        BTC_USDC-25DEC26-110000-C  quoted in USDC: linear
    BTC-PERPETUAL                 perpetual     SPY   261218P00500000      OCC symbol

A name does not carry settlement, unless it names its quote currency. Anything else is no name of
a contract; an underlying's own name is its spot instrument, which is for the caller to know.
"""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["option", "future", "perpetual", "spot"]

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
NAMES = 1 << 15  # that are kept in mind once read: more than a venue lists
EXAMPLE = "a name such as BTC-25DEC26-110000-C, BTC-25DEC26, BTC-PERPETUAL or SPY261218P00500000"

_DASHED = re.compile(
    r"(?P<base>[A-Za-z0-9.]{1,30})(?:_(?P<quote>[A-Z]{2,6}))?-"
    r"(?:(?P<perpetual>PERPETUAL)"
    r"|(?P<day>\d{1,2}(?:" + "|".join(MONTHS) + r")\d{2})"
    r"(?:-(?P<strike>\d{1,15}(?:[d.]\d{1,12})?)-(?P<side>[CP]))?)",
    re.ASCII,
)
_OCC = re.compile(r"(?P<root>[A-Z0-9.]{1,6}) {0,5}(\d\d)(\d\d)(\d\d)([CP])(\d{8})", re.ASCII)


@dataclass(frozen=True)
class Terms:
    """What a name says.

    Attributes
    ----------
    base : the underlying, or the option root of a listed option
    quote : the quote currency, where the name has one; such contracts are linear
    expiry : the day
    strike : 0 when not an option
    listed : named by an OCC symbol
    """

    kind: Kind
    base: str
    quote: str | None = None
    expiry: dt.date | None = None
    strike: float = 0.0
    call: bool = False
    listed: bool = False


@lru_cache(NAMES)
def parse(name: str) -> Terms | None:
    """Read a name; None when it has no known shape.

    Raises
    ------
    ValueError
        If the shape is known but a part is impossible, such as the day in `BTC-31FEB26`.
    """
    if match := _DASHED.fullmatch(name):
        return _dashed(match)
    if match := _OCC.fullmatch(name):
        return _occ(match)
    return None


def name_of(terms: Terms) -> str:
    """Return the one name of these terms."""
    if terms.listed and (symbol := _symbol(terms)):
        return symbol
    head = terms.base if terms.quote is None else f"{terms.base}_{terms.quote}"
    if terms.kind == "spot":
        return terms.base
    if terms.expiry is None:
        return f"{head}-PERPETUAL"
    head = f"{head}-{day_text(terms.expiry)}"
    if terms.kind == "future":
        return head
    return f"{head}-{strike_text(terms.strike)}-{'C' if terms.call else 'P'}"


def day_text(day: dt.date) -> str:
    """Write a day as contract names do: `6FEB26`; outside this century with the whole year."""
    year = day.year - 2000 if _this_century(day) else day.year
    return f"{day.day}{MONTHS[day.month - 1]}{year:02d}"


def strike_text(strike: float) -> str:
    """Write a strike as contract names do: `110000`, `0d625`."""
    text = repr(strike)
    if "e" in text:
        from decimal import Decimal  # only for strikes that Python writes with an exponent

        text = f"{Decimal(text):f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}d{decimals}" if decimals.strip("0") else whole


def _dashed(match: re.Match[str]) -> Terms:
    base, quote = match["base"], match["quote"]
    if match["perpetual"]:
        return Terms("perpetual", base, quote)
    expiry = _day(match["day"])
    if match["strike"] is None:
        return Terms("future", base, quote, expiry)
    strike = _positive(float(match["strike"].replace("d", ".")))
    return Terms("option", base, quote, expiry, strike, match["side"] == "C")


def _occ(match: re.Match[str]) -> Terms:
    root, year, month, day, side, thousandths = match.groups()
    expiry = _date(f"{year}{month}{day}", 2000 + int(year), int(month), int(day))
    strike = _positive(int(thousandths) / 1000)
    return Terms("option", root, None, expiry, strike, side == "C", listed=True)


def _symbol(terms: Terms) -> str | None:
    """Return the 21-character OCC symbol, where these terms have one."""
    thousandths = round(terms.strike * 1000)
    exact = thousandths / 1000 == terms.strike and thousandths < 10**8
    if terms.kind != "option" or terms.expiry is None or not exact:
        return None
    if len(terms.base) > 6 or not _this_century(terms.expiry):
        return None
    return f"{terms.base:<6}{terms.expiry:%y%m%d}{'C' if terms.call else 'P'}{thousandths:08d}"


def _this_century(day: dt.date) -> bool:
    return 2000 <= day.year < 2100


def _day(text: str) -> dt.date:
    return _date(text, 2000 + int(text[-2:]), MONTHS.index(text[-5:-2]) + 1, int(text[:-5]))


def _date(text: str, year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise ValueError(f"{text} is no day of the calendar") from None


def _positive(strike: float) -> float:
    if strike <= 0:
        raise ValueError("a strike is greater than 0")
    return strike
