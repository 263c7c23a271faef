"""What `chain` answers: the smile of each expiry, its errors, and the volatilities it fills in."""

from dataclasses import dataclass
from typing import NamedTuple

from margincalc.answers.results import Json, to_json
from margincalc.answers.shown import Shown
from margincalc.portfolio import Portfolio


class SmileLine(NamedTuple):
    """The raw SVI smile of one expiry.

    Attributes
    ----------
    quotes, strikes : options with a usable price, and their different strikes
    forward, time : of the fit; years
    at_the_money : volatility at the forward
    error, largest_error : of volatility, weighted by vega and at its worst; decimals
    least_density : the smallest of Gatheral & Jacquier's g on the fit's grid; positive
    problem : why there is no smile; None where there is one
    """

    underlying: str
    expiry: str
    quotes: int
    strikes: int
    forward: float
    time: float
    a: float | None
    b: float | None
    rho: float | None
    m: float | None
    sigma: float | None
    at_the_money: float | None
    error: float | None
    largest_error: float | None
    least_density: float | None
    problem: str | None


class FilledLine(NamedTuple):
    """An option that had neither volatility nor mark; `source` says how it was found."""

    instrument: str
    volatility: float
    source: str


@dataclass(frozen=True, repr=False)
class ChainReport(Shown):
    """The answer of `chain`.

    Attributes
    ----------
    portfolio : with the smiles and volatilities filled in
    """

    account: str
    as_of: str
    smiles: tuple[SmileLine, ...]
    filled: tuple[FilledLine, ...]
    notes: tuple[str, ...]
    portfolio: Portfolio

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `chain`, without the portfolio."""
        kept = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name != "portfolio"
        }
        return {"schema": "margincalc.chain/1", **to_json(kept)}
