"""Scenarios: how far spot and implied volatility move, and how much of the loss counts.

A grid is written per scenario and applied per instrument: the spot move is common to an
underlying, the volatility move depends on each option's time to expiry.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.times import DAYS_PER_YEAR

MANY = 8  # options, of which it pays to find the moves that scenarios share
_COLUMNS = ("spot", "volatility", "weight", "days_forward")
PIVOT_DAYS = 30.0  # the expiry at which a volatility move has its stated size


class VolatilityRule(NamedTuple):
    """How a stated volatility move becomes an option's.

    The move is scaled by ``(30 / max(days, floor_days)) ** power``, with one power for options
    of at most 30 days and another for longer ones (Deribit and Derive portfolio margin).

    Attributes
    ----------
    relative : multiply the volatility by 1 + move; otherwise add the move to it
    short_power, long_power : the exponents below and above 30 days
    floor_days : shorter expiries move as this one does
    minimum_up : least volatility after an upward move, decimal per year
    """

    relative: bool = True
    short_power: float = 0.0
    long_power: float = 0.0
    floor_days: float = 1.0
    minimum_up: float = 0.0

    def scale(self, years: FloatArray) -> FloatArray:
        """Return the factor on a stated move, for times to expiry of any shape."""
        days = years * DAYS_PER_YEAR
        power = np.where(days <= PIVOT_DAYS, self.short_power, self.long_power)
        scale: FloatArray = np.power(PIVOT_DAYS / np.maximum(days, self.floor_days), power)
        return scale

    def shocked(self, volatility: FloatArray, years: FloatArray, move: FloatArray) -> FloatArray:
        """Return volatilities of shape (I, S) for options (I,) and stated moves (S,).

        Parameters
        ----------
        volatility : decimals per year
        years : to expiry
        move : as a grid states them, of a 30-day volatility
        """
        if len(volatility) < MANY:
            return self._shocked(volatility, years, move)
        # Many scenarios share a few moves: each is worked out once.
        distinct = {size: column for column, size in enumerate(dict.fromkeys(move.tolist()))}
        once = self._shocked(volatility, years, np.array(list(distinct)))
        return once[:, [distinct[size] for size in move.tolist()]]

    def _shocked(self, volatility: FloatArray, years: FloatArray, move: FloatArray) -> FloatArray:
        shock = self.scale(years)[:, None] * move
        base = volatility[:, None]
        moved = np.maximum(base * (1.0 + shock) if self.relative else base + shock, 0.0)
        return np.where(move > 0.0, np.maximum(moved, self.minimum_up), moved)


class ScenarioGrid(NamedTuple):
    """Rows of shocks, each array of shape (S,).

    Attributes
    ----------
    spot : relative move of the spot, -0.15 is a fall of 15 %
    volatility : stated move of implied volatility, relative or absolute as `rule` says
    weight : share of the profit or loss that counts
    days_forward : days that pass
    rule : how the stated volatility move becomes an option's
    names : of scenarios that their moves do not describe, empty for the others
    """

    spot: FloatArray
    volatility: FloatArray
    weight: FloatArray
    days_forward: FloatArray
    rule: VolatilityRule = VolatilityRule()
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of scenarios."""
        return len(self.spot)

    def beside(self, other: "ScenarioGrid") -> "ScenarioGrid | None":
        """Return both's scenarios, one after the other, without their names.

        None where volatility moves by different rules.
        """
        moves, others = bool(self.volatility.any()), bool(other.volatility.any())
        if moves and others and self.rule != other.rule:
            return None
        spot, volatility, weight, days = (
            np.concatenate([getattr(self, name), getattr(other, name)]) for name in _COLUMNS
        )
        rule = self.rule if moves else other.rule
        return ScenarioGrid(spot, volatility, weight, days, rule)

    def label(self, index: int) -> str:
        """Name a scenario: `spot -15 %, IV +50 %`."""
        if self.names and self.names[index]:
            return self.names[index]
        parts = [f"spot {_move(self.spot[index])}", f"IV {self._volatility_label(index)}"]
        if self.weight[index] != 1.0:
            parts.append(f"weight {self.weight[index] * 100:.4g} %")
        if self.days_forward[index] != 0.0:
            parts.append(f"{self.days_forward[index]:g} days on")
        return ", ".join(parts)

    def _volatility_label(self, index: int) -> str:
        move = self.volatility[index]
        return _move(move) if self.rule.relative or move == 0.0 else f"{move * 100:+.4g} points"


def _move(move: float) -> str:
    return "unchanged" if move == 0.0 else f"{move * 100:+.4g} %"


def grid(rows: FloatArray, rule: VolatilityRule) -> ScenarioGrid:
    """Build a grid from rows of (spot, volatility, weight, days forward), shape (S, 4)."""
    spot, volatility, weight, days = np.ascontiguousarray(np.asarray(rows, np.float64).T)
    return ScenarioGrid(spot, volatility, weight, days, rule)
