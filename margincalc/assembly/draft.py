"""A book while it is being put together: one row per instrument, and who holds how much of it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from margincalc.book import Kind, Pool
from margincalc.errors import Fault
from margincalc.portfolio import Collateral, Portfolio
from margincalc.portfolio.quotes import Mark, Market


class Row(NamedTuple):
    """One instrument before it becomes columns; the fields of `Instruments` and a name."""

    name: str
    kind: Kind
    underlying: int = -1
    time: float = 0.0
    strike: float = 0.0
    call: bool = False
    inverse: bool = False
    multiplier: float = 1.0
    fixed: float = 0.0
    variable: float = 1.0
    settled: float = 0.0
    rate: float = 0.0
    volatility: float = 0.0
    beta: float = 1.0
    offset: float = 0.0
    implied: bool = False
    haircut: float = 0.0
    initial_haircut: float = 0.0
    cap: float = np.inf
    american: bool = False
    listed: bool = False
    confidence: float = 1.0
    funding: float = 0.0
    dividend_time: tuple[float, ...] = ()
    dividend_share: tuple[float, ...] = ()
    tier_start: tuple[float, ...] = ()
    tier_step: tuple[float, ...] = ()
    initial_tier_step: tuple[float, ...] = ()


@dataclass
class Draft:
    """A book while it is being put together."""

    portfolio: Portfolio
    market: Market
    as_of: dt.datetime
    underlyings: tuple[str, ...]
    rows: dict[str, Row] = field(default_factory=dict)
    held: list[tuple[Pool, str, float, float]] = field(default_factory=list)
    """Pool, instrument, quantity and entry price, NaN where there is none."""
    ordered: list[tuple[Pool, str, float, float]] = field(default_factory=list)
    """Pool, instrument, quantity and limit price of orders."""
    deposits: dict[Collateral, str] = field(default_factory=dict)
    """By its terms for one unit, the row of the first deposit."""
    marks: dict[str, Mark] = field(default_factory=dict)  # of options
    unknown: list[str] = field(default_factory=list)  # options whose mark gives the volatility
    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: str, found: str, wanted: str, remedy: str) -> None:
        """Note a fault; they are raised together."""
        self.faults.append(Fault(self.portfolio.place(place), found, wanted, remedy))

    @property
    def coin(self) -> bool:
        """Whether the account is kept in an underlying's coin."""
        return self.portfolio.currency in self.underlyings


def confidence(stated: float | None) -> float:
    """A feed of which nothing is said is trusted."""
    return 1.0 if stated is None else stated
