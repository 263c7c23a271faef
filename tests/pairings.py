"""Slow scalar twins of the pairing of legs: by trying everything, and greedily.

A holding is a plain mapping of one contract of 100 shares; a quantity is a list of such. Only what
the rules say is used here: no programme, no bucket of the largest size, no array.
"""

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from random import Random
from typing import NamedTuple

RATE, LEAST, UNITS, LOAN = 0.2, 0.1, 100.0, 0.25
SHARE = 0.5  # initial requirement of shares


class Leg(NamedTuple):
    """One contract, or several alike."""

    call: bool
    strike: float
    days: int
    value: float  # of a contract
    quantity: int


class Account(NamedTuple):
    """Legs on one underlying, and shares."""

    spot: float
    legs: tuple[Leg, ...]
    shares: int = 0


def contracts(account: Account) -> list[Leg]:
    """Return every contract by itself."""
    return [
        leg._replace(quantity=1 if leg.quantity > 0 else -1)
        for leg in account.legs
        for _ in range(abs(leg.quantity))
    ]


def payoff(leg: Leg, price: float) -> float:
    return UNITS * max(price - leg.strike if leg.call else leg.strike - price, 0.0)


def naked(spot: float, leg: Leg) -> float:
    beyond = max(leg.strike - spot if leg.call else spot - leg.strike, 0.0)
    least = LEAST * (spot if leg.call else leg.strike)
    return leg.value + UNITS * max(RATE * spot - beyond, least)


def alone(spot: float, leg: Leg) -> float:
    if leg.quantity < 0:
        return naked(spot, leg)
    return -LOAN * leg.value if leg.days / 365.0 > 0.75 else 0.0


def strangle(spot: float, one: Leg, other: Leg) -> float:
    sides = sorted((naked(spot, leg), -leg.value) for leg in (one, other))
    return sides[1][0] - sides[0][1]


def covered(spot: float, leg: Leg, shares: int) -> float:
    if shares > 0:
        return (1.0 - SHARE) * UNITS * max(spot - leg.strike, 0.0)
    return UNITS * max(leg.strike - spot, 0.0)


def spread(members: Sequence[Leg]) -> float | None:
    """Return the largest loss at expiry; None where the members are no spread."""
    for call in (True, False):
        if sum(leg.quantity for leg in members if leg.call == call):
            return None
    short = [leg.days for leg in members if leg.quantity < 0]
    long = [leg.days for leg in members if leg.quantity > 0]
    if not members or max(short) > min(long):
        return None
    prices = [leg.strike for leg in members]
    return max(0.0, *(-sum(leg.quantity * payoff(leg, at) for leg in members) for at in prices))


def cheapest(account: Account) -> float:
    """Return the least published initial requirement, by trying every assignment."""
    whole = contracts(account)
    best = min(_assigned(account, whole, labels) for labels in product("acsxy", repeat=len(whole)))
    return best + SHARE * account.spot * abs(account.shares)


def _assigned(account: Account, whole: list[Leg], labels: Sequence[str]) -> float:
    """Return what an assignment needs: alone, covered, strangle, or a spread x or y."""
    by = {label: [leg for leg, own in zip(whole, labels, strict=True) if own == label]
          for label in "acsxy"}  # fmt: skip
    need = sum(alone(account.spot, leg) for leg in by["a"])
    for label in "xy":
        loss = spread(by[label]) if by[label] else 0.0
        if loss is None:
            return float("inf")
        need += loss
    return need + _covers(account, by["c"]) + _strangles(account.spot, by["s"])


def _covers(account: Account, legs: list[Leg]) -> float:
    fits = all(leg.quantity < 0 and leg.call == (account.shares > 0) for leg in legs)
    if not fits or len(legs) * UNITS > abs(account.shares):
        return 0.0 if not legs else float("inf")
    return sum(covered(account.spot, leg, account.shares) for leg in legs)


def _strangles(spot: float, legs: list[Leg]) -> float:
    calls, puts = ([leg for leg in legs if leg.call == call] for call in (True, False))
    if len(calls) != len(puts) or any(leg.quantity > 0 for leg in legs):
        return float("inf")
    return min(
        sum(strangle(spot, call, put) for call, put in zip(calls, order, strict=True))
        for order in permutations(puts)
    )


def greedy(account: Account, rng: Random) -> float:
    """Return what a pairing one by one needs: spreads of two, covers, strangles, the rest naked."""
    left = contracts(account)
    rng.shuffle(left)
    shares, need = abs(account.shares), SHARE * account.spot * abs(account.shares)
    for leg in list(left):
        if leg not in left or leg.quantity > 0:
            continue
        found = next(_partners(account, leg, left, shares), None)
        if found is None:
            continue
        need += found[0]
        left.remove(leg)
        if found[1] is None:
            shares -= int(UNITS)
        else:
            left.remove(found[1])
    return need + sum(alone(account.spot, leg) for leg in left)


def _partners(
    account: Account, leg: Leg, left: list[Leg], shares: int
) -> Iterator[tuple[float, Leg | None]]:
    if leg.call == (account.shares > 0) and shares >= UNITS:
        yield covered(account.spot, leg, account.shares), None
    for other in left:
        if other.quantity > 0 and other.call == leg.call:
            loss = spread([leg, other])
            if loss is not None:
                yield loss, other
    for other in left:
        if other.quantity < 0 and other.call != leg.call:
            yield strangle(account.spot, leg, other), other
