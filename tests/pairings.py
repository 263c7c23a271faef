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
KEPT = {True: 0.25, False: 0.30}  # maintenance requirement of shares held, and sold


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


def covered(spot: float, leg: Leg, shares: int, rate: float = SHARE) -> float:
    if shares > 0:
        return (1.0 - rate) * UNITS * max(spot - leg.strike, 0.0)
    return UNITS * max(leg.strike - spot, 0.0)


def protected(spot: float, leg: Leg, shares: int) -> float:
    """What a protecting option saves of the shares' maintenance, as a negative requirement."""
    beyond = max(spot - leg.strike if shares > 0 else leg.strike - spot, 0.0)
    return UNITS * min(0.1 * leg.strike + beyond - KEPT[shares > 0] * spot, 0.0)


def collar(spot: float, bought: Leg, sold: Leg, shares: int) -> float:
    """Maintenance of shares between two options, beyond their own; conversions are collars too."""
    right = (bought.quantity > 0 > sold.quantity) and bought.days == sold.days
    right &= bought.call == (shares < 0) and sold.call == (shares > 0)
    same = bought.strike == sold.strike
    if not right or not (same or (shares > 0 and bought.strike < sold.strike)):
        return float("inf")
    need = 0.1 * bought.strike
    if not same:
        need = min(need + max(spot - bought.strike, 0.0), 0.25 * sold.strike)
    inside = max(spot - sold.strike if shares > 0 else sold.strike - spot, 0.0)
    return UNITS * (need + inside - KEPT[shares > 0] * spot)


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
    return _least(account, "acsxy", SHARE)


def cheapest_kept(account: Account) -> float:
    """Return the least published maintenance requirement of an account with shares."""
    return _least(account, "acsxypk", KEPT[account.shares > 0])


def _least(account: Account, labels: str, rate: float) -> float:
    whole = contracts(account)
    best = min(_assigned(account, whole, own, rate) for own in product(labels, repeat=len(whole)))
    return best + rate * account.spot * abs(account.shares)


def _assigned(account: Account, whole: list[Leg], labels: Sequence[str], rate: float) -> float:
    """Return what an assignment needs.

    A contract is alone, covered, in a strangle, in a spread x or y, protecting, or in a collar k.
    """
    by: dict[str, list[Leg]] = {label: [] for label in "acsxypk"}
    for leg, label in zip(whole, labels, strict=True):
        by[label].append(leg)
    used = len(by["c"]) + len(by["p"]) + len(by["k"]) / 2
    if used and used * UNITS > abs(account.shares):
        return float("inf")
    need = sum(alone(account.spot, leg) for leg in by["a"])
    for label in "xy":
        loss = spread(by[label]) if by[label] else 0.0
        if loss is None:
            return float("inf")
        need += loss
    need += _with_shares(account, by["c"], by["p"], rate)
    return need + _strangles(account.spot, by["s"]) + _collars(account, by["k"])


def _with_shares(account: Account, cover: list[Leg], protect: list[Leg], rate: float) -> float:
    owned = account.shares > 0
    if any(leg.quantity > 0 or leg.call != owned for leg in cover):
        return float("inf")
    if any(leg.quantity < 0 or leg.call == owned for leg in protect):
        return float("inf")
    need = sum(covered(account.spot, leg, account.shares, rate) for leg in cover)
    return need + sum(protected(account.spot, leg, account.shares) for leg in protect)


def _collars(account: Account, legs: list[Leg]) -> float:
    bought, sold = ([leg for leg in legs if (leg.quantity > 0) == long] for long in (True, False))
    if len(bought) != len(sold):
        return float("inf")
    return min(
        sum(collar(account.spot, *pair, account.shares) for pair in zip(bought, order, strict=True))
        for order in permutations(sold)
    )


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
