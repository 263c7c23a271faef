"""A contract, its terms complete; and the list in which faults are collected."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from margincalc.errors import Fault, InputError, did_you_mean
from margincalc.portfolio.names import Kind
from margincalc.portfolio.portfolio import Portfolio

SUGGESTED = 100  # faults of one portfolio for which a near word is looked for


@dataclass(frozen=True)
class Contract:
    """The complete terms of one instrument.

    Attributes
    ----------
    name : the same for equal terms, so that positions net
    underlying : its key in `market`
    expiry : None for a perpetual and for spot
    strike, call : 0 and false when not an option
    inverse : margined and settled in the underlying's coin
    multiplier : units of the underlying per contract
    american : whether it may be exercised before it expires
    listed : an exchange's equity option, or the stock that its underlying is
    lot : smallest tradable quantity
    fee : of the underlying's value, per trade
    """

    name: str
    kind: Kind
    underlying: str
    expiry: dt.datetime | None = None
    strike: float = 0.0
    call: bool = False
    inverse: bool = False
    multiplier: float = 1.0
    american: bool = False
    listed: bool = False
    lot: float | None = None
    fee: float | None = None


class Faults:
    """The faults of one portfolio, each placed in the file it was read from."""

    def __init__(self, portfolio: Portfolio) -> None:
        self._place = portfolio.place
        self._found: list[Fault] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, path: str, found: str, wanted: str, remedy: str = "") -> None:
        """Note a fault at a path of the written form."""
        self._found.append(Fault(self._place(path), found, wanted, remedy))

    def near(self, word: str, known: Iterable[str]) -> str:
        """Return the question with the nearest known word; of the first faults alone.

        A word is compared with all that are known: a venue's thousands of foreign names, each with
        thousands, would take minutes.
        """
        return did_you_mean(word, known) if len(self._found) < SUGGESTED else ""

    def raise_any(self) -> None:
        """Raise all faults together, if there are any."""
        if self._found:
            raise InputError(list(dict.fromkeys(self._found)))
