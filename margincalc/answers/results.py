"""What the library answers: frozen results, the same words as the JSON and the tables.

Amounts are in the account currency, ratios and moves decimals, Greeks per unit of spot, per 1.00 of
volatility and per year. What does not exist is None. Records are named tuples where their fields
allow it: one costs a tenth of a data class to define, and every start of the program pays for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from margincalc.answers.shown import Shown

Json = Any
"""Whatever `json.dumps` takes."""


def to_json(value: object) -> Json:
    """Turn a result into plain dicts, lists and numbers, in the order of its fields."""
    names = getattr(value, "_fields", None) or getattr(value, "__dataclass_fields__", None)
    if names is not None:
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


class ModelInfo(NamedTuple):
    """By which rules, from when, and how far they are proven.

    Attributes
    ----------
    notes : what the model's file says is not known, or was decided
    """

    name: str
    effective: str
    proof: str
    parameters_sha256: str
    notes: tuple[str, ...] = ()

    @property
    def pointer(self) -> tuple[str, ...]:
        """Where its notes are printed, if it has any."""
        if not self.notes:
            return ()
        said = f"{len(self.notes)} notes on the numbers of {self.name}"
        return (f"{said}: `margincalc models show` prints them",)


@dataclass(frozen=True, repr=False)
class Headed(Shown):
    """What every answer about an account says first.

    Attributes
    ----------
    as_of : the valuation time, UTC
    currency : of the amounts
    model : by which rules
    mode : who shares collateral: isolated, cross or portfolio
    pricer : which one made the figures: numpy or compiled
    """

    account: str
    as_of: str
    currency: str
    model: ModelInfo
    mode: str
    pricer: str

    def heading(self) -> dict[str, Json]:
        """Return the heading's own keys, in order."""
        return {own.name: to_json(getattr(self, own.name)) for own in fields(Headed)}


@dataclass(frozen=True)
class WorstScenario:
    """The scenario that binds; with several underlyings, what they have in common.

    Attributes
    ----------
    spot : relative move; None where underlyings differ
    volatility : stated move of volatility; None where underlyings differ
    pnl : profit and loss in it, weighted as the model says
    """

    index: int | None
    label: str
    spot: float | None
    volatility: float | None
    pnl: float


class Liquidation(NamedTuple):
    """Nearest spots at which equity equals maintenance margin, other underlyings unchanged.

    Attributes
    ----------
    recovery : whether all of it is liquidatable now, so that it is whole again beyond these spots
    """

    spot: float
    below: float | None
    above: float | None
    recovery: bool = False


class Sensitivity(NamedTuple):
    """Greeks in account currency."""

    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


class PositionLine(NamedTuple):
    """One instrument held by one pool.

    Attributes
    ----------
    mark_price : in the instrument's own unit; an inverse option's is in coin
    value : what it adds to equity at its mark; None of futures and perpetuals
    unrealised : profit since entry; None without an entry price
    worst_pnl : profit and loss in its pool's worst scenario; None without scenarios
    """

    instrument: str
    pool: str
    kind: str
    underlying: str
    expiry: str | None
    strike: float | None
    type: str | None
    settlement: str
    quantity: float
    entry_price: float | None
    mark_price: float
    volatility: float | None
    value: float | None
    unrealised: float | None
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float
    worst_pnl: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """The figures that a pool and an account share; nothing is only a Figures.

    Attributes
    ----------
    equity : collateral_value + option_value + spot_value + unrealised; an isolated pool's is never
        below zero, because it loses no more than its collateral
    shortfall : what such a pool lost beyond its collateral, borne by others
    margin_ratio : maintenance / equity; above 1 is liquidated; None when equity is not positive
    available_funds : equity - initial_margin
    excess : equity - maintenance_margin
    details : figures that a venue reports by its own names
    """

    equity: float
    collateral_value: float
    option_value: float
    spot_value: float
    unrealised: float
    shortfall: float
    initial_margin: float
    maintenance_margin: float
    margin_ratio: float | None
    available_funds: float
    excess: float
    status: str
    components: Mapping[str, float]
    initial_components: Mapping[str, float]
    worst_scenario: WorstScenario | None
    liquidation: Mapping[str, Liquidation]
    greeks: Mapping[str, Sensitivity]
    details: Mapping[str, float]

    def figures(self) -> dict[str, Json]:
        """Return the shared figures alone."""
        return {field.name: to_json(getattr(self, field.name)) for field in fields(Figures)}


class StatedFigure(NamedTuple):
    """A figure of the venue beside ours; `difference` is ours less the venue's."""

    stated: float
    computed: float
    difference: float


class StatedFigures(NamedTuple):
    """What a venue states of the account; None where it says nothing."""

    source: str
    equity: StatedFigure | None
    initial_margin: StatedFigure | None
    maintenance_margin: StatedFigure | None


@dataclass(frozen=True, kw_only=True, eq=False)
class PoolMargin(Figures):
    """One margin pool, where it is and by which model it is margined."""

    pool: str
    venue: str | None
    model: ModelInfo

    def to_dict(self) -> dict[str, Json]:
        """Return the pool's name and figures."""
        head = {"pool": self.pool, "venue": self.venue, "model": to_json(self.model)}
        return {**head, **self.figures()}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MarginReport(Figures, Headed):
    """The answer of `margin`: an account's figures, its positions and its pools.

    Attributes
    ----------
    trapped_equity : available funds of venues while another venue is short of its initial margin
    stated : what the venue's own export says, beside ours
    """

    trapped_equity: float
    greeks_by_expiry: Mapping[str, Mapping[str, Sensitivity]]
    positions: tuple[PositionLine, ...]
    pools: tuple[PoolMargin, ...]
    notes: tuple[str, ...]
    stated: StatedFigures | None = None

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `margin`; keys are added, never renamed."""
        return {
            "schema": "margincalc.margin/1",
            **self.heading(),
            **self.figures(),
            "trapped_equity": self.trapped_equity,
            "greeks_by_expiry": to_json(self.greeks_by_expiry),
            "positions": to_json(self.positions),
            "pools": [pool.to_dict() for pool in self.pools],
            "stated": to_json(self.stated),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, repr=False)
class CheckReport(Headed):
    """The answer of `check`: `failed` is the exit status 1."""

    status: str
    margin_ratio: float | None
    excess: float
    above: float | None
    failed: bool
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `check`."""
        return {"schema": "margincalc.check/1", **to_json(self)}
