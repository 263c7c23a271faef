"""Pair one account's legs on one underlying so that they need as little as the rules allow.

The pairing is a linear programme, solved exactly: minimise the requirement of all strategies,
subject to each leg being used up. Whole contracts are paired whole, by branch and bound; its linear
relaxation comes first, and mostly gives whole numbers at once.

Costs are requirements as the rulebooks state them (`published`): before the proceeds of what is
sold count, and without what long options cost.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_sum
from margincalc.errors import MargincalcError
from margincalc.margin.strategies import Columns, Legs, Strategy, columns

COMPONENTS = ("naked_options", "strangles", "spreads", "long_options", "stock")
_STOCK, _LONG, _SPREADS = 4, 3, 2
_COMPONENT = np.array([0, 1, _SPREADS, _SPREADS, _SPREADS, _STOCK, _STOCK, _STOCK])  # by Strategy
_SCALE = 1e4  # of costs to the solver, whose tolerances are absolute: 1e-7


class Prices(NamedTuple):
    """What the legs are worth and need, account currency.

    Attributes
    ----------
    spot : per share
    share : requirement of a share held or sold
    value : of a long contract, shape (n,)
    alone : published requirement of a leg by itself, per contract, shape (n,): of an option bought,
        less what may be borrowed on it
    """

    spot: float
    share: float
    value: FloatArray
    alone: FloatArray


class Terms(NamedTuple):
    """The rates of combinations.

    Attributes
    ----------
    spread : multiple of a spread's largest loss
    box : share of a long box's width
    strike : share of strike that protected shares need, beside what the option is out of the money
    whole : whole contracts are paired whole
    """

    spread: float
    box: float
    strike: float
    whole: bool


class Pairing(NamedTuple):
    """Requirements by component, shape (5,), account currency.

    Attributes
    ----------
    published : before proceeds and without the cost of long options
    margin : what equity at market must be: the published figure, plus long, less short options
    """

    published: FloatArray
    margin: FloatArray


def pair(legs: Legs, prices: Prices, terms: Terms, *, hedged: bool) -> Pairing:
    """Return the cheapest lawful pairing.

    Parameters
    ----------
    hedged : with the maintenance rules for shares that options protect
    """
    stock = np.zeros(len(COMPONENTS))
    stock[_STOCK] = abs(legs.shares) * prices.share
    if not legs.quantity:
        return Pairing(stock, stock)
    ways = columns(legs, hedged=hedged)
    cost = _costs(legs, ways, prices, terms)
    count = _solve(ways, cost, np.abs(np.array(legs.quantity)), terms)
    component = _COMPONENT[ways.kind]
    long = np.array(legs.quantity)[ways.legs[:, 0]] > 0.0
    component[(ways.kind == Strategy.ALONE) & long] = _LONG
    published = group_sum(count * cost, component, len(COMPONENTS)) + stock
    published[_SPREADS] += terms.spread * _largest_losses(ways, count)
    carried = np.append(np.sign(legs.quantity) * prices.value, 0.0)[ways.legs].sum(axis=1)
    margin = published + group_sum(count * carried, component, len(COMPONENTS))
    return Pairing(published, margin)


def _solve(ways: Columns, cost: FloatArray, held: FloatArray, terms: Terms) -> FloatArray:
    """Return how often each column is used, shape (C,)."""
    size = len(cost)
    alone = np.concatenate([held, np.zeros(size - len(held))])
    if size == len(held):
        return alone
    if size == len(held) + 1 and not ways.buckets:
        return _one_joint(ways, cost, alone, whole=terms.whole)
    if len(ways.together) and (found := _one_spread(ways, cost, held, terms.spread)) is not None:
        return found
    objective = np.append(cost / ways.unit, np.full(ways.buckets, terms.spread)) * _SCALE
    count = _minimum(ways, objective, np.zeros(len(objective), bool))
    whole = ways.whole & terms.whole
    if np.any(np.abs(count - np.rint(count))[whole] > 1e-6):
        count = _minimum(ways, objective, whole)
    return np.maximum(np.where(whole, np.rint(count), count), 0.0)[:size]


def _one_spread(
    ways: Columns, cost: FloatArray, held: FloatArray, factor: float
) -> FloatArray | None:
    """Return the pairing of all legs into one spread, where that is seen to be the cheapest.

    The proof is by duality: price each leg at what it loses where the whole loses most. If no other
    column costs less than its legs are priced at, no pairing costs less than the whole's loss.
    """
    size, rows = len(cost), np.flatnonzero(ways.uses[:, -1])
    losses = ways.uses[rows][:, ways.together]
    total = (losses * held).sum(axis=1)
    worst = int(np.argmax(total))
    price = losses[worst] * ways.unit * factor if total[worst] > 0.0 else np.zeros(len(held))
    priced = (price[:, None] * ways.uses[: len(held), :size]).sum(axis=0)
    other = np.ones(size, bool)
    other[ways.together] = False
    if np.any((priced > cost)[other]):
        return None
    count = np.zeros(size)
    count[ways.together] = held
    return count


def _minimum(ways: Columns, objective: FloatArray, whole: BoolArray) -> FloatArray:
    from scipy.optimize import LinearConstraint, milp  # most accounts need no solver

    found = milp(
        objective,
        integrality=whole,
        constraints=LinearConstraint(ways.uses, ways.low, ways.high),
        options={"mip_rel_gap": 0.0, "presolve": False},  # small enough to go without
    )
    if found.x is None:
        raise MargincalcError(f"the legs could not be paired: {found.message}")
    return np.asarray(found.x, np.float64)


def _one_joint(ways: Columns, cost: FloatArray, alone: FloatArray, *, whole: bool) -> FloatArray:
    """Pair as much as possible the one way there is, where it is cheaper."""
    uses = ways.uses[:, -1]
    taken = uses > 0.0
    most = float(np.min(ways.high[taken] / uses[taken]))
    if whole and ways.whole[-1]:
        most = float(np.floor(most + 1e-9))
    rows = len(alone) - 1
    if cost[-1] >= float(np.sum(cost[:rows] * uses[:rows])):
        return alone
    count = alone.copy()
    count[:rows] -= most * uses[:rows]
    count[rows] = most
    return np.maximum(count, 0.0)


def _largest_losses(ways: Columns, count: FloatArray) -> float:
    """Sum the largest loss of every bucket, account currency."""
    total = 0.0
    for bucket in range(ways.buckets):
        rows = np.flatnonzero(ways.uses[:, len(count) + bucket])
        losses = (ways.uses[rows, : len(count)] * count).sum(axis=1)
        total += max(float(np.max(losses)), 0.0) * ways.unit
    return total


def _costs(legs: Legs, ways: Columns, prices: Prices, terms: Terms) -> FloatArray:
    """Published requirement of one contract of each column, shape (C,).

    Combinations with shares are what they need beyond what the shares need by themselves. Members
    of a bucket cost nothing; its largest loss is a variable of its own.
    """
    table = _Table(
        np.array(legs.quantity),
        np.array(legs.units),
        np.array(legs.call),
        np.array(legs.strike),
        legs.shares > 0.0,
        prices,
        terms,
    )
    found = np.zeros(len(ways.kind))
    for kind, cost in (
        (Strategy.ALONE, _alone),
        (Strategy.STRANGLE, _strangle),
        (Strategy.VERTICAL, _vertical),
        (Strategy.BOX, _box),
        (Strategy.COVERED, _covered),
        (Strategy.PROTECTED, _protected),
        (Strategy.COLLAR, _collar),
    ):
        chosen = ways.kind == kind
        if np.any(chosen):
            found[chosen] = cost(table, ways.legs[chosen])
    return found


class _Table(NamedTuple):
    """Columns of the legs, shape (n,), and whether shares are held, not sold."""

    quantity: FloatArray
    units: FloatArray
    call: BoolArray
    strike: FloatArray
    owned: bool
    prices: Prices
    terms: Terms


def _alone(table: _Table, legs: IntArray) -> FloatArray:
    return table.prices.alone[legs[:, 0]]


def _strangle(table: _Table, legs: IntArray) -> FloatArray:
    """The greater side, and the value of the other."""
    one, other = legs[:, 0], legs[:, 1]
    alone, value = table.prices.alone, table.prices.value
    first = alone[one] >= alone[other]
    return np.where(first, alone[one] + value[other], alone[other] + value[one])


def _vertical(table: _Table, legs: IntArray) -> FloatArray:
    """What the spread loses where it loses most."""
    sold = np.where(table.quantity[legs[:, 0]] < 0.0, legs[:, 0], legs[:, 1])
    bought = legs[:, 0] + legs[:, 1] - sold
    width = np.where(table.call[sold], 1.0, -1.0) * (table.strike[bought] - table.strike[sold])
    loss: FloatArray = table.terms.spread * np.maximum(width, 0.0) * table.units[sold]
    return loss


def _box(table: _Table, legs: IntArray) -> FloatArray:
    """Half the width, instead of the whole cost, which is long less short value."""
    width = (table.strike[legs[:, 1]] - table.strike[legs[:, 0]]) * table.units[legs[:, 0]]
    paid = (np.sign(table.quantity) * table.prices.value)[legs].sum(axis=1)
    lent: FloatArray = np.minimum(table.terms.box * width - paid, 0.0)
    return lent


def _covered(table: _Table, legs: IntArray) -> FloatArray:
    """The call needs nothing, but shares count no more than its strike; a put its intrinsic."""
    strike, spot = table.strike[legs[:, 0]], table.prices.spot
    lent = 1.0 - table.prices.share / spot if table.owned else 1.0
    intrinsic: FloatArray = np.maximum(spot - strike if table.owned else strike - spot, 0.0)
    return lent * intrinsic * table.units[legs[:, 0]]


def _protected(table: _Table, legs: IntArray) -> FloatArray:
    """A share of strike and what the option is out of the money, if that is less."""
    strike, spot = table.strike[legs[:, 0]], table.prices.spot
    beyond = np.maximum(spot - strike if table.owned else strike - spot, 0.0)
    need = table.terms.strike * strike + beyond
    saved: FloatArray = np.minimum(need - table.prices.share, 0.0)
    return saved * table.units[legs[:, 0]]


def _collar(table: _Table, legs: IntArray) -> FloatArray:
    """A share of strike; shares count no more than the call's strike, or no less than the put's.

    Where put and call have one strike, it is a conversion or its reverse. The rule's other bound,
    25 % of the call's strike, is what shares covered by the call need without the put.
    """
    bought, sold = table.strike[legs[:, 0]], table.strike[legs[:, 1]]
    spot = table.prices.spot
    beyond = np.where(bought == sold, 0.0, np.maximum(spot - bought, 0.0))
    need = table.terms.strike * bought + beyond
    intrinsic: FloatArray = np.maximum(spot - sold if table.owned else sold - spot, 0.0)
    return (need + intrinsic - table.prices.share) * table.units[legs[:, 0]]
