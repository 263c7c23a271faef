"""Cascades sold round by round, one account at a time: slow, plain, what the fast ones equal."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

Law = Callable[[float], float]


class Account(NamedTuple):
    """One account of a linear book."""

    price: float
    size: float


class End(NamedTuple):
    """Where a cascade stops."""

    accounts: int
    quantity: float
    price: float


def linear(accounts: Sequence[Account], shock: float, impact: Law, *, up: bool = False) -> End:
    """Sell out everybody whose price is reached, worst first, until a round reaches nobody new."""
    side = -1.0 if up else 1.0
    waiting = sorted(accounts, key=lambda account: -side * account.price)
    count, sold, price = 0, 0.0, shock
    while True:
        reached = 0
        for account in waiting[count:]:
            if side * price > side * account.price:
                break
            sold += account.size
            reached += 1
        if not reached:
            return End(count, sold, price)
        count += reached
        price = shock - side * impact(sold)


class Holder(NamedTuple):
    """One account of an option book: its excess, and what closing it sells, at each node."""

    excess: Sequence[float]
    flow: Sequence[float]


def path(
    nodes: Sequence[float],
    holders: Sequence[Holder],
    hedging: Sequence[float],
    shock: float,
    impact: Law,
) -> tuple[int, float, bool, float]:
    """Go from node to node, seizing whoever fails, until the market has no reason to go further.

    Returns
    -------
    The node, what was sold, whether the nodes ended first, and the price.
    """
    side = 1.0 if nodes[-1] < nodes[0] else -1.0
    seized: set[int] = set()
    sold = 0.0
    for step, node in enumerate(nodes):
        here = 0.0
        for number, holder in enumerate(holders):
            if number not in seized and holder.excess[step] < 0.0:
                seized.add(number)
                here += holder.flow[step]
        sold += here
        pressure = sold + hedging[step]
        push = impact(abs(pressure)) * (1.0 if pressure > 0.0 else -1.0 if pressure < 0.0 else 0.0)
        if side * node <= side * (shock - push):
            price = side * min(side * (shock - push), side * nodes[max(step - 1, 0)])
            return step, sold, False, price
    return len(nodes) - 1, sold, True, side * min(side * shock, side * nodes[-1])
