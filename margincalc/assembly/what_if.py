"""What if: trades made at the present marks, then a market that moved, then days that passed.

Trades change what is written; the moves change the book that is computed from it, with the moves
of the market that scenarios use.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.assembly.assemble import Assembly
from margincalc.book import Book, Kind
from margincalc.errors import did_you_mean, input_error, printable, shown
from margincalc.risk.aging import aged
from margincalc.times import zulu

MOST_DAYS = 36_500.0
LEAST_VOLATILITY, MOST_VOLATILITY = 1e-4, 1e3
MOST_FACTOR = 1e6  # of a spot
_NAME = r"(?P<name>[A-Za-z][A-Za-z0-9_.]*?)"
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_MOVE = re.compile(rf"{_NAME}?\s*(?P<size>[+-]{_NUMBER})\s*(?P<unit>%?)", re.ASCII)
_LEVEL = re.compile(rf"(?:{_NAME}\s*=\s*)?(?P<size>{_NUMBER})\s*(?P<unit>%?)", re.ASCII)
SPOT = "a move such as +5%, BTC-10% or BTC=105000"
VOLATILITY = "a move in points such as +10 or BTC-5, or a relative one such as +20%"


class Changes(NamedTuple):
    """What is changed before an account is margined, in the order in which it is done.

    Attributes
    ----------
    close : names of instruments whose positions are closed at their mark
    add : trades at the mark, `NAME QUANTITY`, a venue after it where there are several
    spot : moves of spots, `+5%`, `BTC+5%`, `BTC=105000`
    vol : moves of implied volatilities in points, `+10`, `BTC-5`, or relative, `+20%`
    days : that pass
    """

    close: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    spot: tuple[str, ...] = ()
    vol: tuple[str, ...] = ()
    days: float = 0.0

    @property
    def trades(self) -> bool:
        """Whether positions change."""
        return bool(self.close or self.add)

    @property
    def moves(self) -> bool:
        """Whether the market changes."""
        return bool(self.spot or self.vol or self.days)


UNCHANGED = Changes()


def what_if(
    *,
    close: Sequence[str] = (),
    add: Sequence[str] = (),
    spot: Sequence[str] = (),
    vol: Sequence[str] = (),
    days: float = 0.0,
) -> Changes:
    """Say what is changed before an account is margined; see `Changes`."""
    return Changes(tuple(close), tuple(add), tuple(spot), tuple(vol), days)


def moved(assembly: Assembly, book: Book, changes: Changes) -> tuple[Assembly, Book]:
    """Return a book in the changed market, and the assembly with its time and what was assumed.

    A spot takes its forwards with it; volatility stays by strike; marks keep their distance from
    model values.

    Raises
    ------
    InputError
        If a move cannot be read, or names an underlying that there is not.
    """
    if not changes.moves:
        return assembly, book
    with np.errstate(over="ignore", invalid="ignore"):  # what is no number is refused
        factor, points = _spots(book, changes.spot), _volatility(book, changes.vol)
    names = book.names.underlyings
    notes = [
        f"what if: {name} at {book.spot[n] * factor[n]:,.6g} ({(factor[n] - 1.0) * 100.0:+.4g} %), "
        "its forwards with it, volatility sticky by strike"
        for n, name in enumerate(names)
        if factor[n] != 1.0
    ]
    notes += [f"what if: implied volatility {_said(text)}" for text in changes.vol]
    changed = _with_volatility(book.shifted(factor), points)
    days = _days(changes.days)
    as_of, later = assembly.as_of + dt.timedelta(days=days), aged(changed, days)
    if days:
        gone = _living(changed) - _living(later)
        settled = f"; {gone} of what is held or ordered is settled" if gone else ""
        notes.append(f"what if: {days:g} days on, at {zulu(as_of)}, forwards roll down{settled}")
    return assembly._replace(as_of=as_of, notes=(*assembly.notes, *notes)), later


def _said(text: str) -> str:
    """Return a move of volatility with its unit."""
    return printable(text.strip(), 60) + ("" if text.strip().endswith("%") else " points")


def _living(book: Book) -> int:
    """Count the instruments that expire some day."""
    return int(np.sum(book.instruments.is_kind(Kind.OPTION, Kind.FUTURE)))


def _days(days: float) -> float:
    if not 0.0 <= days <= MOST_DAYS:
        raise input_error("--days", shown(days), f"a number from 0 to {MOST_DAYS:,.0f}")
    return days


def _spots(book: Book, texts: Sequence[str]) -> FloatArray:
    """Return the factor on each spot, shape (U,)."""
    factor = np.ones(len(book.spot))
    for text in texts:
        level = _LEVEL.fullmatch(text.strip())
        if level and not level["unit"]:
            chosen = _chosen(book, "--spot", text, level["name"])
            if len(chosen) != 1:
                names = ", ".join(book.names.underlyings)
                raise input_error(
                    "--spot", shown(text), f"the level of one underlying: NAME=LEVEL of {names}"
                )
            factor[chosen] = float(level["size"]) / book.spot[chosen]
        else:
            move = _read(_MOVE, "--spot", text, SPOT)
            if not move["unit"]:
                raise input_error("--spot", shown(text), SPOT, f"did you mean `{text.strip()}%`?")
            factor[_chosen(book, "--spot", text, move["name"])] *= 1.0 + float(move["size"]) / 100.0
    if not np.all((factor > 0.0) & (factor <= MOST_FACTOR)):
        wanted = "spots that stay above 0, and at most a million times what they are"
        raise input_error("--spot", ", ".join(map(shown, texts)), wanted)
    return factor


def _volatility(book: Book, texts: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return the factor on volatilities and what is then added to them, shape (U,) each."""
    factor, points = np.ones(len(book.spot)), np.zeros(len(book.spot))
    for text in texts:
        move = _read(_MOVE, "--vol", text, VOLATILITY)
        chosen = _chosen(book, "--vol", text, move["name"])
        if move["unit"]:
            scale = 1.0 + float(move["size"]) / 100.0
            factor[chosen] *= scale
            points[chosen] *= scale
        else:
            points[chosen] += float(move["size"]) / 100.0
    return factor, points


def _with_volatility(book: Book, change: tuple[FloatArray, FloatArray]) -> Book:
    factor, points = change
    if np.all(factor == 1.0) and not np.any(points):
        return book
    columns = book.instruments
    option = columns.is_kind(Kind.OPTION)
    moved_by = columns.underlying[option]
    volatility = columns.volatility.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        volatility[option] = volatility[option] * factor[moved_by] + points[moved_by]
        stated = book.volatility * factor + points
    _refuse_volatility(np.append(volatility[option], stated[~np.isnan(book.volatility)]))
    instruments = replace(columns, volatility=volatility)
    return replace(book, instruments=instruments, volatility=stated)


def _refuse_volatility(moved_to: FloatArray) -> None:
    """Refuse volatilities that no option can have after a move."""
    beyond = moved_to[~((moved_to >= LEAST_VOLATILITY) & (moved_to <= MOST_VOLATILITY))]
    if len(beyond):
        found = f"moves that leave a volatility of {float(beyond[0]):.4g}"
        wanted = f"volatilities that stay above 0, and at most {MOST_VOLATILITY:,.0f}"
        raise input_error("--vol", found, wanted, "use a smaller move")


def _read(pattern: re.Pattern[str], option: str, text: str, wanted: str) -> re.Match[str]:
    match = pattern.fullmatch(text.strip())
    if match is None:
        raise input_error(option, shown(text), wanted, *_with_a_sign(pattern, text.strip()))
    return match


def _with_a_sign(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    """Return the remedy for a move whose direction was left out: `2%`, `BTC 10`."""
    level = _LEVEL.fullmatch(text) or re.fullmatch(rf"{_NAME}\s*(?P<size>{_NUMBER})%?", text)
    if level is None:
        return ()
    at = level.start("size")
    meant = text[:at].rstrip(" =") + "+" + text[at:]
    return (f"did you mean `{meant}`?",) if pattern.fullmatch(meant) else ()


def _chosen(book: Book, option: str, text: str, name: str | None) -> list[int]:
    """Return the underlyings that a move names; all of them where it names none."""
    names = book.names.underlyings
    if name is None:
        return list(range(len(names)))
    if name not in names:
        wanted = f"an underlying of the file: {', '.join(names) or 'it has none'}"
        raise input_error(option, shown(text), wanted, did_you_mean(name, names))
    return [names.index(name)]
