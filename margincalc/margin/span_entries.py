"""The arrays of a risk parameter file, by contract, whatever the format it is written in."""

from typing import NamedTuple

from margincalc.errors import InputError, input_error

ROWS = 16


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


def damaged(name: str, line: int, found: str, wanted: str) -> InputError:
    """Return the error of a file that is damaged at a line."""
    return input_error(f"{name}:{line}", found, wanted, "download the file again")
