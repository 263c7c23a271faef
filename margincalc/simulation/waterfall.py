"""Who pays when an account loses more than it has: trader, insurance fund, winners, the venue.

Accounts below maintenance are closed. What one of them loses beyond its own money is paid by the
fund, up to its balance and to what it may pay per period; then by auto-deleveraging, which takes
positions or profits of winners on the other side; then by all profits alike (socialised loss); and
what nobody pays stays with the venue. Every amount is a whole number of the currency's smallest
unit, so that what was lost and what was paid agree to the cent, however many accounts there are.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.simulation.minimax import Winners, least_worst
from margincalc.simulation.rankings import QUEUES, WEIGHTS, Holders, ranked
from margincalc.simulation.shares import in_turn, in_turn_units, in_units, levelled

Unit = Literal["positions", "profit"]
UNITS: tuple[Unit, ...] = ("positions", "profit")
SOCIALISED = "socialised"
MINIMAX = "min-max-haircut"
POLICIES = (*QUEUES, *WEIGHTS, MINIMAX, SOCIALISED)
LARGEST = float(2**53)  # units of money that a float still counts one by one


class Fund(NamedTuple):
    """An insurance fund.

    Attributes
    ----------
    balance : what it holds
    cap : the most that it pays in one period, None without limit
    keeps_surplus : it receives what is left of the accounts that are closed
    """

    balance: float = 0.0
    cap: float | None = None
    keeps_surplus: bool = False


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


class Closed(NamedTuple):
    """What becomes of accounts below maintenance, whole units of money, shape (A,).

    Attributes
    ----------
    loss : what closing them loses, of which slippage a part
    slippage : paid to whoever trades with them
    trader : part of the loss that is the account's own money
    deficit : the rest
    surplus : what is left of those with more than they lost
    """

    liquidated: IntArray
    loss: IntArray
    slippage: IntArray
    trader: IntArray
    deficit: IntArray
    surplus: IntArray


class Paid(NamedTuple):
    """Who paid, whole units of money; `taken`, `socialised` and `closed` of shape (A,).

    Attributes
    ----------
    fund : for each account's deficit, shape (A,)
    fund_after : balance of the fund
    taken : from winners by deleveraging
    socialised : from profits alike
    closed : quantity closed by deleveraging, unsigned
    unpaid : by nobody
    """

    fund: IntArray
    fund_after: int
    taken: IntArray
    socialised: IntArray
    closed: FloatArray
    unpaid: int


def close(holders: Holders, slippage: float, unit: float) -> Closed:
    """Close what is below maintenance.

    Parameters
    ----------
    slippage : share of notional that closing costs
    unit : smallest amount of the currency
    """
    liquidated = (holders.value < holders.maintenance) & (holders.quantity != 0.0)
    liquidated |= holders.value < 0.0
    cost = np.where(liquidated, slippage * holders.notional, 0.0)
    left = _units(np.where(liquidated, holders.value - cost, 0.0), unit)
    own = _units(np.where(liquidated, np.maximum(holders.balance, 0.0), 0.0), unit)
    loss = np.maximum(own - left, 0)
    deficit = np.maximum(-left, 0)
    return Closed(
        np.flatnonzero(liquidated),
        loss,
        _units(cost, unit),
        loss - deficit,
        deficit,
        np.maximum(left, 0),
    )


def run(market: Market, closed: Closed, fund: Fund, policy: Policy, unit: float) -> Paid:
    """Let each pay in turn for what closed accounts lost beyond their own money.

    Parameters
    ----------
    unit : smallest amount of the currency
    """
    by_fund, fund_after = _by_fund(market, closed, fund, unit)
    left = closed.deficit - by_fund
    means = _means(market.holders, unit)
    means[closed.liquidated] = 0
    taken, quantity = np.zeros_like(means), np.zeros(len(means))
    if policy.name != SOCIALISED:
        taken, quantity = _deleveraged(market, closed, left, policy, unit)
    rest = int(np.sum(left)) - int(np.sum(taken))
    able = np.maximum(means - taken, 0)
    socialised = in_units(rest, able.astype(np.float64), able)
    unpaid = rest - int(np.sum(socialised))
    return Paid(by_fund, fund_after, taken, socialised, quantity, unpaid)


def _by_fund(market: Market, closed: Closed, fund: Fund, unit: float) -> tuple[IntArray, int]:
    """Let the fund pay deficits in the order of their periods, then of the file."""
    balance = _whole(fund.balance, unit)
    cap = None if fund.cap is None else _whole(fund.cap, unit)
    paid = np.zeros_like(closed.deficit)
    spent, period = 0, -1
    order = closed.liquidated[np.argsort(market.period[closed.liquidated], kind="stable")]
    for row in order.tolist():
        if fund.keeps_surplus:
            balance += int(closed.surplus[row])
        if market.period[row] != period:
            spent, period = 0, int(market.period[row])
        amount = min(int(closed.deficit[row]), balance)
        if cap is not None:
            amount = min(amount, cap - spent)
        paid[row] = amount
        balance -= amount
        spent += amount
    return paid, balance


def _deleveraged(
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
    limit = _means(holders, unit).astype(np.float64)
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
        means = _means(winners, unit)
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
    return np.minimum(share, np.maximum(_units(winners.value, unit), 0)), size


def _in_turn(winners: Holders, money: int, name: str, means: IntArray) -> IntArray:
    """Cut profits in turn, each up to its means."""
    order = ranked(QUEUES[name](winners))
    taken = np.zeros_like(means)
    taken[order] = in_turn_units(money, means[order])
    return taken


def _means(holders: Holders, unit: float) -> IntArray:
    """Return what each can give of its profit, which a debt in its wallet has first call on."""
    return _units(np.clip(holders.profit, 0.0, np.maximum(holders.value, 0.0)), unit)


def _units(amount: FloatArray, unit: float) -> IntArray:
    """Round money to whole units."""
    return np.rint(amount / unit).astype(np.int64)


def _whole(amount: float, unit: float) -> int:
    return round(amount / unit)
