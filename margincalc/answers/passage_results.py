"""What the probability of liquidation is answered with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from margincalc.answers.results import Headed, Json, to_json


class PassageLine(NamedTuple):
    """How probably one pool is liquidated before the horizon.

    Attributes
    ----------
    method : `closed form`, or `simulation`; equity at the breach is always simulated
    standard_error : of the probability, 0 of a closed form
    low, high : between which the probability is with 95 % confidence
    days : by when a tenth, half and nine tenths of the liquidations have happened
    equity_at_breach : mean equity at the first breach
    expected_shortfall : mean of the worst twentieth of it
    negative_equity : probability that equity is below zero at the first breach
    interpolation_error : largest excess missed where all underlyings move together
    """

    pool: str
    underlyings: tuple[str, ...]
    method: str
    probability: float
    standard_error: float
    low: float
    high: float
    days: Mapping[str, float | None]
    equity_at_breach: float | None
    expected_shortfall: float | None
    negative_equity: float
    interpolation_error: float


@dataclass(frozen=True, repr=False)
class PassageReport(Headed):
    """The probability of liquidation before a horizon.

    Attributes
    ----------
    low, high : of any pool: that of the likeliest alone, and the sum of all
    volatility : of each underlying that was simulated
    correlation : of every two underlyings; None of one alone, or where a history has its own
    poll_hours : between two looks of the engine, None where it always watches
    """

    horizon_days: float
    dynamics: str
    volatility: Mapping[str, float]
    drift: float
    correlation: float | None
    poll_hours: float | None
    steps: int
    paths: int
    seed: int
    low: float
    high: float
    pools: tuple[PassageLine, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of the report."""
        return {"schema": "margincalc.passage/1", **to_json(self)}
