"""What is asked of a hedge: the ratio to reach, over which markets, at what costs and limits."""

import math
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import Fault, InputError

TARGET = 0.9
MOST_NODES = 2001
MOST_COST = 1e12  # infinite ones are no coefficients of a programme


class Aim(NamedTuple):
    """The state to restore.

    Attributes
    ----------
    target : largest maintenance margin as a share of equity, now and over the ranges
    initial : the same of initial margin, now; None asks nothing of it
    spot, volatility : relative moves between which the target must hold
    nodes : moves of each range to start from
    between : parts into which the moves of spot between neighbouring nodes are divided, to try the
        answer there too; 1 tries it at the nodes alone
    """

    target: float = TARGET
    initial: float | None = None
    spot: tuple[float, float] = (0.0, 0.0)
    volatility: tuple[float, float] = (0.0, 0.0)
    nodes: int = 7
    between: int = 4

    def moves(self, refined: bool = False) -> FloatArray:
        """Return multiples of spot and of volatility, shape (J, 2); the present comes first."""
        parts = self.between if refined else 1
        spot = _steps(self.spot, self.nodes, parts)
        volatility = _steps(self.volatility, min(self.nodes, 5), 1)
        every = [(1.0 + move, 1.0 + shock) for shock in volatility for move in spot]
        now = (1.0, 1.0)
        return np.array([now, *(one for one in dict.fromkeys(every) if one != now)])

    def faults(self) -> list[Fault]:
        """Return what is wrong with it."""
        found = [_outside("--target", self.target, 0.0, 10.0)]
        if self.initial is not None:
            found.append(_outside("--initial-target", self.initial, 0.0, 10.0))
        for place, (low, high), least in (
            ("--spot-range", self.spot, -0.99),
            ("--vol-range", self.volatility, -0.99),
        ):
            if not least <= low <= 0.0 <= high <= 100.0:
                wanted = "a fall of less than 100 % and a rise, such as -15%,15%"
                found.append(Fault(place, f"{low:g},{high:g}", wanted))
        found.append(_outside("--nodes", self.nodes, 1, MOST_NODES))
        found.append(_outside("--between", self.between, 0, 100))
        return [fault for fault in found if fault is not None]


def _steps(bounds: tuple[float, float], nodes: int, parts: int) -> list[float]:
    low, high = bounds
    if low == high:
        return [low]
    count = max(nodes - 1, 1) * parts + 1
    # Rounded, so that a node is the same move in every refinement.
    return [round(float(move), 12) for move in np.linspace(low, high, count)]


class Costs(NamedTuple):
    """What trades and money cost, where the file does not quote it.

    Attributes
    ----------
    spread_vol : half the spread of an option, in volatility (0.02 is two points)
    spread_premium : the same as a share of its premium; the larger counts
    spread_spot : the same of anything, as a share of the underlying's value; the least
    fee : of the underlying's value, per trade
    ticket : of each instrument traded, whatever the size
    deposit : of each unit of money deposited
    """

    spread_vol: float = 0.02
    spread_premium: float = 0.05
    spread_spot: float = 0.0003
    fee: float = 0.0
    ticket: float = 0.0
    deposit: float = 0.002

    def faults(self) -> list[Fault]:
        """Return what is wrong with them."""
        names = {
            "spread_vol": "--spread-vol",
            "spread_premium": "--spread-premium",
            "spread_spot": "--spread-spot",
            "fee": "--fee",
            "ticket": "--ticket",
            "deposit": "--deposit-cost",
        }
        return [
            Fault(place, f"{value:g}", f"a number from 0 to {MOST_COST:g}")
            for name, place in names.items()
            if not 0.0 <= (value := getattr(self, name)) <= MOST_COST
        ]


class Limits(NamedTuple):
    """What an answer must keep to; infinite where there is no limit.

    Attributes
    ----------
    deposit : most that is deposited
    budget : most that is paid in all: deposit, premiums paid less received, and costs
    size : most that is traded of an instrument, in contracts
    delta, vega : largest absolute sensitivity afterwards, of each underlying, as in reports
    new_shorts : whether options may be sold that are not held
    lot : smallest quantity traded where the file states none; 0 trades any
    """

    deposit: float = math.inf
    budget: float = math.inf
    size: float = math.inf
    delta: float = math.inf
    vega: float = math.inf
    new_shorts: bool = True
    lot: float = 0.0

    def faults(self) -> list[Fault]:
        """Return what is wrong with them."""
        found = [_negative(place, getattr(self, name)) for name, place in OPTIONS.items()]
        if self.lot == math.inf:
            found.append(Fault("--lot", "infinity", "a quantity such as 0.1"))
        return [fault for fault in found if fault is not None]


OPTIONS = {
    **{name: f"--max-{name}" for name in ("deposit", "size", "delta", "vega")},
    "budget": "--budget",
    "lot": "--lot",
}
"""What the command line calls the limits that are amounts."""


class Request(NamedTuple):
    """All that is asked.

    Attributes
    ----------
    candidates : instruments that may be traded; none stands for what the market lists
    strikes : strikes to add to those that the market lists
    """

    aim: Aim = Aim()
    costs: Costs = Costs()
    limits: Limits = Limits()
    candidates: tuple[str, ...] = ()
    strikes: tuple[float, ...] = ()

    def refuse_faults(self) -> None:
        """Refuse numbers that mean nothing.

        Raises
        ------
        InputError
        """
        faults = [*self.aim.faults(), *self.costs.faults(), *self.limits.faults()]
        if any(not 0.0 < strike < math.inf for strike in self.strikes):
            faults.append(Fault("--strike", "a strike that is not positive", "a price"))
        if faults:
            raise InputError(faults)


def _outside(place: str, value: float, low: float, high: float) -> Fault | None:
    if low < value <= high:
        return None
    return Fault(place, f"{value:g}", f"more than {low:g} and at most {high:g}")


def _negative(place: str, value: float) -> Fault | None:
    return None if value >= 0.0 else Fault(place, f"{value:g}", "0 or more")
