"""Who pays when an account loses more than it has: trader, insurance fund, winners, the venue.

Accounts below maintenance are closed. What one of them loses beyond its own money is paid by the
fund, up to its balance and to what it may pay per period; then by auto-deleveraging, which takes
positions or profits of winners on the other side; then by all profits alike (socialised loss); and
what nobody pays stays with the venue. Every amount is a whole number of the currency's smallest
unit, so that what was lost and what was paid agree to the cent, however many accounts there are.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.simulation.closing import Closed, means_of
from margincalc.simulation.deleveraging import SOCIALISED, Market, Policy, deleveraged
from margincalc.simulation.shares import in_units

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


def run(market: Market, closed: Closed, fund: Fund, policy: Policy, unit: float) -> Paid:
    """Let each pay in turn for what closed accounts lost beyond their own money.

    Parameters
    ----------
    unit : smallest amount of the currency
    """
    by_fund, fund_after = _by_fund(market, closed, fund, unit)
    left = closed.deficit - by_fund
    means = means_of(market.holders, unit)
    means[closed.liquidated] = 0
    taken, quantity = np.zeros_like(means), np.zeros(len(means))
    if policy.name != SOCIALISED:
        taken, quantity = deleveraged(market, closed, left, policy, unit)
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


def _whole(amount: float, unit: float) -> int:
    return round(amount / unit)
