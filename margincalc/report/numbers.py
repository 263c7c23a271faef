"""Numbers as people read them: digits, separators, units and signs.

Rounding happens here and nowhere else. Greeks are scaled here too: vega to a point of volatility,
theta to a day, rho to a point of rate.
"""

import datetime as dt
import math

from margincalc.answers.results import Sensitivity
from margincalc.portfolio.contracts.checks import MONEY
from margincalc.times import DAYS_PER_YEAR

NONE = "none"
BLANK = "-"
_POINT = 0.01


def decimals(currency: str) -> int:
    """Return how many decimals an amount has: 2 in money, 8 in coin."""
    return 2 if currency in MONEY else 8


def amount(value: float | None, currency: str, *, sign: bool = False) -> str:
    """Return an amount in the account currency: `250,000.00`."""
    return BLANK if value is None else _fixed(value, decimals(currency), sign)


def coarse(value: float, largest: float) -> str:
    """Return one amount among many, with its sign and the digits that the largest deserves."""
    return _fixed(value, max(0, 4 - _magnitude(largest)), True)


def compact(value: float) -> str:
    """Return an amount with three digits, as a label has room for: `-94.7k`, `1.8M`."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * limit:
            return f"{value / limit:.3g}{unit}" if abs(value) < 999.5 * limit else f"{value:.2e}"
    return f"{value:.3g}" if abs(value) >= 1e-9 else "0"


def price(value: float | None) -> str:
    """Return a price with two decimals, a small one with five digits: `2,900.00`, `0.062500`."""
    if value is None:
        return NONE
    return _fixed(value, max(2, 4 - _magnitude(value)), False)


def level(value: float | None, spot: float) -> str:
    """Return a price of an underlying, with the digits that its spot deserves: `78,528`."""
    if value is None:
        return NONE
    size = _magnitude(spot)
    return _fixed(value, 0 if size >= 4 else max(2, 4 - size), False)


def quantity(value: float | None) -> str:
    """Return a quantity with the decimals that it has, at most eight."""
    if value is None:
        return BLANK
    whole = _fixed(value, 8, False)
    return whole.rstrip("0").rstrip(".")


def percent(value: float | None, limit: float = 1.0) -> str:
    """Return a share: `41.1 %`; near a limit or the whole, with the digits that tell which side."""
    if value is None:
        return NONE
    near = any(value != each and abs(value - each) < 0.001 for each in (limit, 1.0))
    return f"{_fixed(value * 100.0, 4 if near else 1, False)} %"


def move(value: float | None) -> str:
    """Return a relative move: `-21.5 %`."""
    if value is None:
        return NONE
    return f"{_fixed(value * 100.0, 2 if abs(value) < 0.01 else 1, True)} %"


def distance(spot: float, target: float | None) -> str:
    """Return how far a price is from the spot: `-21.5 %`."""
    return "" if target is None else move(target / spot - 1.0)


def volatility(value: float | None) -> str:
    """Return an implied volatility: `62.5 %`."""
    return BLANK if value is None else f"{_fixed(value * 100.0, 1, False)} %"


def points(value: float | None) -> str:
    """Return a difference of volatilities in points: `0.042`."""
    return BLANK if value is None else _fixed(value * 100.0, 3, False)


def greek(value: float) -> str:
    """Return a sensitivity with four digits and its sign: `-0.0003180`, `-1,904.2`."""
    if value == 0.0:
        return "0"
    if abs(value) < 1e-6:
        return f"{value:+.3e}"
    return _fixed(value, max(1, 3 - _magnitude(value)), True)


def greeks(line: Sensitivity) -> list[str]:
    """Return delta, gamma, vega a point, theta a day and rho a point, as `GREEKS` names them."""
    scaled = (
        line.delta,
        line.gamma,
        line.vega * _POINT,
        line.theta / DAYS_PER_YEAR,
        line.rho * _POINT,
    )
    return [greek(value) for value in scaled]


GREEKS = ("delta", "gamma", "vega/pt", "theta/day", "rho/pt")


def words(key: str) -> str:
    """Return a name of the JSON as a label: `short_options` is `short options`."""
    return key.replace("_", " ")


def moment(text: str) -> str:
    """Return a time as a heading shows it: `2026-11-20 08:00 UTC`."""
    time = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    return f"{time:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + " UTC"


def expiry(key: str) -> str:
    """Return an expiry as a line shows it: `2026-12-25 08:00`; other groups are words."""
    return moment(key).removesuffix(" UTC") if key[:1].isdigit() else words(key)


def _fixed(value: float, digits: int, sign: bool) -> str:
    rounded = round(value, digits) + 0.0  # the sum makes a zero of minus zero
    return f"{rounded:{'+' if sign and rounded else ''},.{digits}f}"


def _magnitude(value: float) -> int:
    """Return the power of ten of the first digit, held to what a table has room for."""
    return max(math.floor(math.log10(abs(value))), -8) if value else 0
