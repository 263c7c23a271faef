"""What `compare`, `greeks` and `scenarios` answer: several rules side by side, and finer views."""

from dataclasses import dataclass
from typing import NamedTuple

from margincalc.answers.results import Headed, Json, MarginReport, to_json
from margincalc.answers.shown import Shown


class FirstToGo(NamedTuple):
    """A pool or position that would be liquidated first.

    Attributes
    ----------
    name : pool (isolated) or instrument (shared collateral)
    distance : smallest relative move that liquidates an isolated pool; None where there is none
    relief : maintenance margin freed by closing it; of a pool, its whole requirement
    """

    name: str
    distance: float | None
    relief: float


class Comparison(NamedTuple):
    """One column of `compare`, called by its mode or model.

    Attributes
    ----------
    saving : initial margin less than the base column's
    saving_share : the same, as a share of the base's; None where that is zero
    """

    name: str
    report: MarginReport
    saving: float
    saving_share: float | None
    first: tuple[FirstToGo, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the column without positions and pools."""
        whole = self.report.to_dict()
        kept = {key: whole[key] for key in whole if key not in _LEFT_OUT}
        return {
            "name": self.name,
            **kept,
            "saving": self.saving,
            "saving_share": self.saving_share,
            "liquidated_first": to_json(self.first),
        }


_LEFT_OUT = {"schema", "account", "as_of", "currency", "positions", "pools", "greeks_by_expiry"}


class Refusal(NamedTuple):
    """A model that cannot express a book, and why."""

    model: str
    reason: str


@dataclass(frozen=True, repr=False)
class CompareReport(Shown):
    """The answer of `compare`: the same book under several modes or models.

    Attributes
    ----------
    base : the column that savings are measured from
    cheapest : the column of least initial margin
    refused : models that cannot express the book
    notes : what is true of every column; what is true of one, its own report says
    """

    account: str
    as_of: str
    currency: str
    base: str
    cheapest: str | None
    columns: tuple[Comparison, ...]
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `compare`."""
        return {
            "schema": "margincalc.compare/1",
            "account": self.account,
            "as_of": self.as_of,
            "currency": self.currency,
            "base": self.base,
            "cheapest": self.cheapest,
            "columns": [column.to_dict() for column in self.columns],
            "refused": to_json(self.refused),
            "notes": list(self.notes),
        }


class GreekLine(NamedTuple):
    """Greeks of one group: `level` is underlying, expiry or position."""

    level: str
    name: str
    underlying: str
    quantity: float | None
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


@dataclass(frozen=True, repr=False)
class GreeksReport(Headed):
    """The answer of `greeks`."""

    lines: tuple[GreekLine, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `greeks`."""
        return {"schema": "margincalc.greeks/1", **to_json(self)}


@dataclass(frozen=True)
class ScenarioLine:
    """One scenario of one underlying.

    Attributes
    ----------
    pnl : profit and loss in full
    weighted_pnl : as it counts
    """

    underlying: str
    index: int
    label: str
    spot: float
    volatility: float
    weight: float
    days_forward: float
    pnl: float
    weighted_pnl: float
    worst: bool


@dataclass(frozen=True, repr=False)
class ScenariosReport(Headed):
    """The answer of `scenarios`; `volatility_rule` is relative or absolute."""

    volatility_rule: str
    lines: tuple[ScenarioLine, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `scenarios`."""
        return {"schema": "margincalc.scenarios/1", **to_json(self)}
