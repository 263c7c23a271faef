"""What `liquidation` answers: where, at which volatility, and when an account is liquidated.

Prices are in quote currency, multiples of the present spot or volatility; what does not exist is
None. An end of an interval is None where it goes on beyond what was searched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from margincalc.answers.results import Headed, Json, to_json


class Drifts(NamedTuple):
    """Change of a liquidation price, or multiple, by what moves it.

    Attributes
    ----------
    deposit : per unit of account currency paid in
    volatility : per 1.00 of every implied volatility
    day : per day that passes
    positions : per unit bought at its present value, by instrument
    """

    deposit: float
    volatility: float
    day: float
    positions: Mapping[str, float]


class Crossing(NamedTuple):
    """A market in which equity equals maintenance margin.

    Attributes
    ----------
    price : of the underlying; None where several move together
    multiple : of the present spot
    move : relative
    deviations : the move in standard deviations of a day; None without a volatility
    scenario : that binds there; None of models without scenarios, or where nothing is lost
    sensitivity : None on a corner, where the price moves by jumps
    """

    price: float | None
    multiple: float
    move: float
    deviations: float | None
    scenario: str | None
    sensitivity: Drifts | None


class Interval(NamedTuple):
    """Markets in which an account is liquidated, as multiples and as prices."""

    low: float | None
    high: float | None
    low_price: float | None
    high_price: float | None


class RegionLine(NamedTuple):
    """Where a pool is liquidated as one underlying moves, or all together.

    Attributes
    ----------
    underlying : None where all move together
    spot : None where all move together
    betas : relative move of each underlying per relative move
    domain : multiples between which was searched
    intervals : in order
    crossings : their ends, in order
    unresolved : intervals in which equity touches maintenance, or nearly
    certified : whether it is proved that no interval was missed
    uncertified_because : what is in the way of a proof, in words; None where it is proved
    largest_gap : widest stretch of spot not looked at, relative; 0 if certified
    beyond : whether the pool is liquidated as spot falls to nothing (`below`) and rises without
        bound (`above`)
    evaluations : of option values where certified, otherwise of margins
    """

    underlying: str | None
    spot: float | None
    betas: Mapping[str, float]
    domain: tuple[float, float]
    intervals: tuple[Interval, ...]
    crossings: tuple[Crossing, ...]
    unresolved: tuple[Interval, ...]
    certified: bool
    uncertified_because: str | None
    largest_gap: float
    beyond: Mapping[str, bool]
    evaluations: int


class FrontierLine(NamedTuple):
    """Intervals at one multiple of volatility; equal `parts` hang together in the plane."""

    volatility: float
    intervals: tuple[Interval, ...]
    parts: tuple[int, ...]
    certified: bool


class LikelyPoint(NamedTuple):
    """The most likely market that liquidates.

    Attributes
    ----------
    distance : of Mahalanobis, in standard deviations of a day
    """

    price: float | None
    move: float
    volatility: float
    distance: float


class FrontierReport(NamedTuple):
    """Where a pool is liquidated as spot and volatility move together."""

    underlying: str | None
    lines: tuple[FrontierLine, ...]
    most_likely: LikelyPoint | None


PLANE = tuple(0.4 + 0.05 * step for step in range(53))
"""Multiples of volatility at which a picture of the frontier is drawn."""


class Curve(NamedTuple):
    """What a picture is drawn from: equity and maintenance margin at multiples of spot.

    Attributes
    ----------
    plane : excess at `PLANE` multiples of volatility (rows) at the same multiples of spot; empty
        without a frontier
    """

    multiples: tuple[float, ...]
    equity: tuple[float, ...]
    maintenance: tuple[float, ...]
    plane: tuple[tuple[float, ...], ...] = ()


class PoolLiquidation(NamedTuple):
    """One pool.

    Attributes
    ----------
    volatility : nearest multiples of volatility, `down` and `up`, that liquidate at unchanged spot
    days : until time alone liquidates; None if it does not within the horizon
    curves : by underlying, "" together
    """

    pool: str
    venue: str | None
    status: str
    equity: float
    maintenance_margin: float
    excess: float
    regions: tuple[RegionLine, ...]
    volatility: Mapping[str, float | None]
    frontiers: tuple[FrontierReport, ...]
    days: float | None
    curves: Mapping[str, Curve] = {}

    def to_dict(self) -> dict[str, Json]:
        """Return the pool without what only pictures need."""
        whole: dict[str, Json] = to_json(self)
        del whole["curves"]
        return whole


class CliffLine(NamedTuple):
    """An expiry on the way, and what a pool's margin is just before and after it."""

    pool: str
    days: float
    expired: tuple[str, ...]
    excess_before: float
    excess_after: float
    maintenance_before: float
    maintenance_after: float


@dataclass(frozen=True, repr=False)
class LiquidationReport(Headed):
    """The answer of `liquidation`.

    Attributes
    ----------
    horizon_days : how far time was followed
    largest_gap_days : widest stretch of time not looked at
    daily : deviations of a day's move of spot and volatility, and their correlation
    """

    status: str
    pools: tuple[PoolLiquidation, ...]
    cliffs: tuple[CliffLine, ...]
    horizon_days: float
    largest_gap_days: float
    daily: Mapping[str, float]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `liquidation`."""
        whole = to_json(replace(self, pools=()))
        pools = [pool.to_dict() for pool in self.pools]
        return {"schema": "margincalc.liquidation/1", **whole, "pools": pools}
