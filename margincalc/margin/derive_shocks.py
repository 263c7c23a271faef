"""Derive's shocks: what its portfolio managers move, by how much, and what they charge beside.

Parameters have the venue's own names and the bounds that its contracts check. The basis contingency
is a loss that competes with the scenarios, and stands as the last of them.

The rules and words are those of https://github.com/derivexyz/v2-core (7736900d), PMRM and PMRM_2.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import IntArray
from margincalc.margin.base import Parameters
from margincalc.scenarios import ScenarioGrid, VolatilityRule

UpTo2 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=2)]
UpTo3 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=3)]
UpTo4 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=4)]
UpTo10 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=10)]
UpTo20 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=20)]
UpTo100 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=100)]
ImFactor = Annotated[float, Field(allow_inf_nan=False, ge=0.5, le=10)]

BASIS = "basis contingency"
_LEAST_MOVE = 5e-324  # an upward move of nothing still meets the least volatility
_SKEWS = {"skew_linear": "skew, linear", "skew_abs": "skew, absolute"}


class VolShock(Parameters):
    """Relative volatility moves at 30 days; they grow as ``(30 / days) ** power`` below."""

    range_up: UpTo10
    range_down: UpTo10
    short_term_power: UpTo10
    long_term_power: UpTo10
    dte_floor_days: Annotated[float, Field(allow_inf_nan=False, gt=0, le=400)]

    def rule(self) -> VolatilityRule:
        """Return the rule that scales the moves by time to expiry."""
        return VolatilityRule(
            True,
            self.short_term_power,
            self.long_term_power,
            self.dte_floor_days,
        )


class FlooredVolShock(VolShock):
    """Moves of which an upward one leaves no less than a least volatility."""

    min_vol_in_up_shock: UpTo20

    def rule(self) -> VolatilityRule:
        """Return the rule that scales the moves by time to expiry, with the least volatility."""
        return super().rule()._replace(minimum_up=self.min_vol_in_up_shock)


class BasisContingency(Parameters):
    """Two moves of the forwards, of whose worse loss ``add + mult * years`` counts."""

    spot_up: Annotated[float, Field(allow_inf_nan=False, gt=1, le=3)]
    spot_down: Annotated[float, Field(allow_inf_nan=False, ge=0, lt=1)]
    add_factor: UpTo20
    mult_factor: UpTo20


class Scenario(Parameters):
    """One scenario: a multiple of spot, a kind of volatility move, the share that counts."""

    spot_shock: UpTo100
    vol_shock: Literal["none", "up", "down", "skew_linear", "skew_abs"]
    dampening: UpTo10 = 1.0


Scenarios = Annotated[tuple[Scenario, ...], Field(min_length=1, max_length=40)]


class Shocks(NamedTuple):
    """The scenarios as they are reported and as they are priced.

    Attributes
    ----------
    grid : the scenarios, then the basis contingency
    priced : the scenarios, then the basis moves up and down, then the present market
    linear, absolute : which scenarios are rotations of the skew
    """

    grid: ScenarioGrid
    priced: ScenarioGrid
    linear: IntArray
    absolute: IntArray

    @property
    def size(self) -> int:
        """The number of scenarios, without the basis contingency."""
        return self.grid.size - 1


def shocks(scenarios: Sequence[Scenario], vol: VolShock, basis: BasisContingency) -> Shocks:
    """Arrange the scenarios of a parameter set."""
    moves = {"up": max(vol.range_up, _LEAST_MOVE), "down": -vol.range_down}
    kinds = [row.vol_shock for row in scenarios]
    spot = [row.spot_shock - 1.0 if row.vol_shock not in _SKEWS else 0.0 for row in scenarios]
    volatility = [moves.get(kind, 0.0) for kind in kinds]
    names = (*(_SKEWS.get(kind, "") for kind in kinds), BASIS)
    weight = [row.dampening for row in scenarios]
    moved = [*spot, basis.spot_up - 1.0, basis.spot_down - 1.0, 0.0]
    plain = np.zeros(3)
    priced = ScenarioGrid(
        np.array(moved),
        np.append(volatility, plain),
        np.append(weight, plain),
        np.zeros(len(moved)),
        vol.rule(),
    )
    grid = ScenarioGrid(
        np.array([*spot, 0.0]),
        np.array([*volatility, 0.0]),
        np.array([*weight, 1.0]),
        np.zeros(len(names)),
        vol.rule(),
        names,
    )
    linear, absolute = (
        np.flatnonzero([kind == skew for kind in kinds]) for skew in ("skew_linear", "skew_abs")
    )
    return Shocks(grid, priced, linear, absolute)
