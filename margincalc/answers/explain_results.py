"""What `explain` answers: a requirement by position, by Greek, and what changed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from margincalc.answers.results import Headed, Json, WorstScenario, to_json


class GreekTerms(NamedTuple):
    """The worst scenario's profit and loss by Greek, and what they leave unexplained."""

    delta: float
    gamma: float
    vega: float
    theta: float
    vanna: float
    volga: float
    residual: float


class ExplainLine(NamedTuple):
    """What one position, or balance that matters, does to its pool's maintenance margin.

    Attributes
    ----------
    share : what it needs in the whole; shares sum to the maintenance margin
    share_low, share_high : between which the share lies where it is not unique
    shapley, shapley_error : Shapley value and its standard error, 0 where exact
    leave_one_out : what the requirement falls by without it; does not sum
    standalone : what it needs alone
    worst_pnl : profit and loss in its pool's worst scenario, None without scenarios
    terms : that by Greek
    """

    pool: str
    instrument: str
    quantity: float
    share: float
    share_low: float
    share_high: float
    shapley: float
    shapley_error: float
    leave_one_out: float
    standalone: float
    worst_pnl: float | None
    terms: GreekTerms | None


class ExplainPool(NamedTuple):
    """One pool's maintenance margin against the sum of its parts.

    Attributes
    ----------
    method : `euler` where the requirement is homogeneous of degree one, else `aumann-shapley`
    standalone : sum of what the positions need alone
    hedge_benefit : that less the maintenance margin
    numerical : shares that are differences over small steps of a requirement that bends; the
        others are its derivatives, but for rounding
    orders : of arrival that were sampled for Shapley's values; 0 where they are exact
    worst_scenario : as in `margin`, None without scenarios
    """

    pool: str
    maintenance_margin: float
    standalone: float
    hedge_benefit: float
    method: str
    numerical: int
    orders: int
    worst_scenario: WorstScenario | None
    worst_pnl: float | None
    terms: GreekTerms | None


@dataclass(frozen=True, repr=False)
class ExplainReport(Headed):
    """The answer of `explain FILE`; `seed` is that of sampled Shapley values."""

    maintenance_margin: float
    standalone: float
    hedge_benefit: float
    worst_pnl: float | None
    terms: GreekTerms | None
    seed: int
    positions: tuple[ExplainLine, ...]
    pools: tuple[ExplainPool, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `explain`."""
        return {"schema": "margincalc.explain/1", **to_json(self)}


class ChangeLine(NamedTuple):
    """What one thing did, all before it changed already.

    Attributes
    ----------
    kind : `time`, `spot`, `forward`, `volatility`, `cash`, `trade`, `orders` or `rules`
    name : of the underlying or instrument
    """

    kind: str
    name: str
    equity: float
    initial_margin: float
    maintenance_margin: float
    excess: float


@dataclass(frozen=True, repr=False)
class ChangeReport(Headed):
    """The answer of `explain OLD NEW`: lines in the order of the changes, which sum exactly.

    Attributes
    ----------
    old, new : equity, initial_margin, maintenance_margin and excess of each file
    """

    old_as_of: str
    old: Mapping[str, float]
    new: Mapping[str, float]
    lines: tuple[ChangeLine, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `explain` of two files."""
        return {"schema": "margincalc.change/1", **to_json(self)}
