"""Auto-deleveraging: winners on the other side give positions or profits for what losers lack."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.simulation.closing import Closed, means_of, whole_units
from margincalc.simulation.minimax import Winners, least_worst
from margincalc.simulation.rankings import QUEUES, WEIGHTS, Holders, ranked
from margincalc.simulation.shares import in_turn, in_turn_units, in_units, levelled

Unit = Literal["positions", "profit"]
UNITS: tuple[Unit, ...] = ("positions", "profit")
SOCIALISED = "socialised"
MINIMAX = "min-max-haircut"
POLICIES = (*QUEUES, *WEIGHTS, MINIMAX, SOCIALISED)


class Policy(NamedTuple):
    """How winners pay.

    Attributes
    ----------
    name : of `POLICIES`
    unit : positions are closed at the price at which the loser is at zero, or profits are cut
    """

    name: str
    unit: Unit

    @classmethod
    def named(cls, name: str, unit: Unit | None = None) -> "Policy":
        """Return a policy with the unit it is known in: venues' queues close positions."""
        return cls(name, unit or ("positions" if name in QUEUES else "profit"))


class Market(NamedTuple):
    """Who holds what, shape (A,).

    Attributes
    ----------
    holders : the accounts
    instrument : number of what each holds; deleveraging stays within one
    period : number of the period in which it is closed, if it is
    owner : number of the account that holds it; each row is one of its own by default
    """

    holders: Holders
    instrument: IntArray
    period: IntArray
    owner: IntArray | None = None

    @property
    def owners(self) -> IntArray:
        """Number of the account of each row."""
        return np.arange(len(self.instrument)) if self.owner is None else self.owner


def deleveraged(
    market: Market, closed: Closed, left: IntArray, policy: Policy, unit: float
) -> tuple[IntArray, FloatArray]:
    """Take from the other side of every position whose deficit is left.

    Returns
    -------
    taken : whole units of money, shape (A,)
    quantity : closed, unsigned, shape (A,)
    """
    taken, quantity = np.zeros_like(left), np.zeros(len(left))
    needs = list(_needs(market, closed, left))
    weights = None
    if policy.name == MINIMAX:
        weights = _least_worst(market, closed, needs, (policy.unit, unit))
    for need in needs:
        winners = market.holders.take(need.winners)
        weight = None if weights is None else weights[need.winners]
        money, size = _allotted(winners, need, policy, unit, weight)
        taken[need.winners] += money
        quantity[need.winners] += size
    return taken, quantity


class _Need(NamedTuple):
    """What one side of an instrument has to give: whole units of money, a quantity, and by whom."""

    money: int
    quantity: float
    winners: IntArray


def _needs(market: Market, closed: Closed, left: IntArray) -> Iterator[_Need]:
    """Yield what is left of the deficits of each side of each instrument."""
    holders = market.holders
    standing = np.ones(len(left), bool)
    standing[closed.liquidated] = False
    side = np.sign(holders.quantity)
    owing = np.flatnonzero(left > 0)
    for instrument, losing in sorted({(int(market.instrument[r]), side[r]) for r in owing}):
        mine = owing[(market.instrument[owing] == instrument) & (side[owing] == losing)]
        other = standing & (market.instrument == instrument) & (side == -losing)
        share = left[mine] / closed.deficit[mine]
        size = float(np.sum(np.abs(holders.quantity[mine]) * share))
        yield _Need(int(np.sum(left[mine])), size, np.flatnonzero(other))


def _least_worst(
    market: Market, closed: Closed, needs: list[_Need], units: tuple[Unit, float]
) -> FloatArray:
    """Return what each row gives for the least largest haircut, shape (A,).

    Parameters
    ----------
    units : in which winners give, and the smallest of money, in which the answer is
    """
    what, unit = units
    holders, owner = market.holders, market.owners
    gain = np.maximum(holders.profit, 0.0)
    gain[closed.liquidated] = 0.0
    profit = np.bincount(owner, weights=gain)
    limit = means_of(holders, unit).astype(np.float64)
    number = np.full(len(limit), -1)
    for place, need in enumerate(needs):
        number[need.winners] = place
        if what == "positions":
            each = need.money / need.quantity if need.quantity else 0.0
            limit[need.winners] = each * np.abs(holders.quantity[need.winners])
    rows = np.flatnonzero((number >= 0) & (gain > 0.0))
    deficit = np.array([need.money for need in needs], np.float64)
    given = np.zeros(len(limit))
    able = Winners(number[rows], owner[rows], limit[rows])
    given[rows] = least_worst(deficit, able, profit / unit)
    return given


def _allotted(
    winners: Holders, need: _Need, policy: Policy, unit: float, weight: FloatArray | None
) -> tuple[IntArray, FloatArray]:
    """Divide a need among winners: money, whole units, and the quantity each closes.

    Parameters
    ----------
    weight : what each is to give, where that was found for all needs together
    """
    if policy.name in WEIGHTS:
        weight = WEIGHTS[policy.name](winners)
    if policy.unit == "profit":
        means = means_of(winners, unit)
        if weight is not None:
            return in_units(need.money, weight, means), np.zeros(len(means))
        return _in_turn(winners, need.money, policy.name, means), np.zeros(len(means))
    held = np.abs(winners.quantity)
    if weight is not None:
        size = levelled(need.quantity, weight, held)
    else:
        order = ranked(QUEUES[policy.name](winners))
        size = np.zeros(len(held))
        size[order] = in_turn(need.quantity, held[order])
    together = min(float(np.sum(size)) / need.quantity, 1.0) if need.quantity else 0.0
    covered = min(round(need.money * together), need.money)
    share = in_units(covered, size, np.full(len(size), covered, np.int64))
    # Nobody pays more than it has: what a venue would then lose again goes down the waterfall.
    return np.minimum(share, np.maximum(whole_units(winners.value, unit), 0)), size


def _in_turn(winners: Holders, money: int, name: str, means: IntArray) -> IntArray:
    """Cut profits in turn, each up to its means."""
    order = ranked(QUEUES[name](winners))
    taken = np.zeros_like(means)
    taken[order] = in_turn_units(money, means[order])
    return taken
