"""The arrays of a risk parameter file, by contract, whatever the format it is written in."""

from typing import NamedTuple

from margincalc.errors import InputError, input_error, shown

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


LARGEST = 1e12  # of a gain, a delta and a strike: far beyond any contract

Entries = dict[Key, Entry | None]
"""Arrays by contract; None where a file has several that differ."""


def add(entries: Entries, key: Key, entry: Entry) -> None:
    """Add an array; of two that differ, neither holds.

    Raises
    ------
    ValueError
        If one of its numbers is too large to be meant.
    """
    if max(map(abs, (*entry.gains, entry.delta, key.strike))) > LARGEST:
        raise ValueError(f"numbers of at most {LARGEST:g}")
    entries[key] = entry if entries.get(key, entry) == entry else None


def expiry_of(digits: str) -> str:
    """Write `20261218` as `2026-12-18`, and `202612` as `2026-12`.

    Raises
    ------
    ValueError
        If the text is neither.
    """
    plain = digits.isascii() and digits.isdecimal() and len(digits) in (6, 8)
    if not plain or not 1 <= int(digits[4:6]) <= 12:
        raise ValueError("a day as CCYYMMDD or a month as CCYYMM")
    return "-".join(part for part in (digits[:4], digits[4:6], digits[6:]) if part)


def right_of(text: str | None, place: str) -> str:
    """Return the right of an option.

    Raises
    ------
    ValueError
        If it is neither of the two.
    """
    if text not in ("C", "P"):
        raise ValueError(f"C or P in {place}, not {shown(text)}")
    return text


def damaged(name: str, line: int, found: str, wanted: str) -> InputError:
    """Return the error of a file that is damaged at a line."""
    return input_error(f"{name}:{line}", found, wanted, "download the file again")
