"""Pair what each account holds on each underlying so that it needs as little as the rules allow.

The pairing is a linear programme, solved exactly: minimise the requirement of all strategies,
subject to no leg being used more than it is held; what is left over stands alone. Whole contracts
are paired whole. A block's pairing is its own, whatever stands beside it.

Costs are requirements as the rulebooks state them (`published`): before the proceeds of what is
sold count, and without what long options cost.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray, group_sum
from margincalc.margin.pairing_rows import losses, programmes
from margincalc.margin.programmes import least
from margincalc.margin.strategies import Columns, Legs, Strategy, columns

COMPONENTS = ("naked_options", "strangles", "spreads", "long_options", "stock")
_STOCK, _LONG, _SPREADS = 4, 3, 2
_COMPONENT = np.array([0, 1, _SPREADS, _SPREADS, _SPREADS, _STOCK, _STOCK, _STOCK])  # by Strategy
_PAIRS = 250_000  # of legs of one block, about, that are looked at together


class Prices(NamedTuple):
    """What the legs are worth and need, account currency.

    Attributes
    ----------
    spot : per share, shape (B,)
    share : requirement of a share held or sold, shape (B,)
    value : of a long contract, shape (L,)
    alone : published requirement of a leg by itself, per contract, shape (L,): of an option bought,
        less what may be borrowed on it
    """

    spot: FloatArray
    share: FloatArray
    value: FloatArray
    alone: FloatArray

    def of(self, blocks: BoolArray, legs: BoolArray) -> "Prices":
        """Return those of some blocks and their legs."""
        return Prices(self.spot[blocks], self.share[blocks], self.value[legs], self.alone[legs])


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
    """Requirements by component and block, shape (5, B), account currency.

    Attributes
    ----------
    published : before proceeds and without the cost of long options
    margin : what equity at market must be: the published figure, plus long, less short options
    """

    published: FloatArray
    margin: FloatArray


def pair(legs: Legs, prices: Prices, terms: Terms, *, hedged: bool) -> Pairing:
    """Return the cheapest lawful pairing of every block.

    Parameters
    ----------
    hedged : with the maintenance rules for shares that options protect
    """
    found = [
        _paired(_Table(part, at, terms), columns(part, hedged=hedged))
        for part, at in _parts(legs, prices)
    ]
    nothing = np.zeros((len(COMPONENTS), 0))
    return Pairing(
        np.concatenate([nothing, *(each.published for each in found)], axis=1),
        np.concatenate([nothing, *(each.margin for each in found)], axis=1),
    )


def _parts(legs: Legs, prices: Prices) -> Iterator[tuple[Legs, Prices]]:
    """Yield blocks that together have not too many pairs of legs."""
    count = np.bincount(legs.block, minlength=len(legs.shares))
    part = np.cumsum(count * count) // _PAIRS
    for each in np.unique(part):
        some, rows = legs.of(part == each)
        yield some, prices.of(part == each, rows)


class _Table(NamedTuple):
    """Legs, prices and rates."""

    legs: Legs
    prices: Prices
    terms: Terms

    def owned(self, leg: IntArray) -> BoolArray:
        """Whether shares are held, not sold, beside some legs."""
        owned: BoolArray = self.legs.shares[self.legs.block[leg]] > 0.0
        return owned

    def spot(self, leg: IntArray) -> FloatArray:
        """Return the price of the shares beside some legs."""
        return self.prices.spot[self.legs.block[leg]]

    def share(self, leg: IntArray) -> FloatArray:
        """Return what a share beside some legs requires."""
        return self.prices.share[self.legs.block[leg]]


def _paired(table: _Table, ways: Columns) -> Pairing:
    legs, blocks = table.legs, len(table.legs.shares)
    cost = _costs(table, ways)
    count, lost = _counts(table, ways, cost)
    component = _COMPONENT[ways.kind]
    component[: len(legs.block)][~legs.short] = _LONG
    label = legs.block[ways.legs[:, 0]] * len(COMPONENTS) + component

    def summed(amount: FloatArray) -> FloatArray:
        return group_sum(count * amount, label, blocks * len(COMPONENTS)).reshape(blocks, -1).T

    published = summed(cost)
    published[_STOCK] += np.abs(legs.shares) * table.prices.share
    published[_SPREADS] += table.terms.spread * lost
    carried = _over_legs(np.sign(legs.quantity) * table.prices.value, ways)
    return Pairing(published, published + summed(carried))


def _counts(table: _Table, ways: Columns, cost: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how often each column is used, shape (C,), and the blocks' largest losses of spreads.

    A combination that costs no less than its legs alone is left out: it would save nothing.
    """
    legs, terms = table.legs, table.terms
    saving = cost - _over_legs(table.prices.alone, ways)
    useful = (saving < 0.0) & (ways.kind != Strategy.ALONE) | (ways.kind == Strategy.MEMBER)
    chosen = np.flatnonzero(useful)
    some = ways.take(chosen)
    lost = losses(legs, some)
    saved = saving[chosen] / lost.unit[legs.block[some.legs[:, 0]]]
    saved = np.append(saved, np.full(len(lost.block), terms.spread))
    count = np.zeros(len(cost))
    count[chosen] = least(programmes(legs, some, saved, lost, whole=terms.whole))[: len(chosen)]
    column, place = np.nonzero(some.legs >= 0)
    used = group_sum(count[chosen][column], some.legs[column, place], len(legs.block))
    count[: len(used)] = np.maximum(np.abs(legs.quantity) - used, 0.0)
    return count, lost.largest(count[chosen])


def _over_legs(values: FloatArray, ways: Columns) -> FloatArray:
    """Sum what legs have over the legs of each column."""
    values = np.append(values, 0.0)  # of no leg
    total = values[ways.legs[:, 0]]
    for rows in ways.legs.T[1:]:
        total = total + values[rows]
    return total


def _costs(table: _Table, ways: Columns) -> FloatArray:
    """Published requirement of one contract of each column, shape (C,).

    Combinations with shares are what they need beyond what the shares need by themselves. Members
    of a bucket cost nothing; its largest loss is a variable of its own.
    """
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
        chosen = np.flatnonzero(ways.kind == kind)
        found[chosen] = cost(table, ways.legs[chosen])
    return found


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
    held = table.legs
    sold = np.where(held.short[legs[:, 0]], legs[:, 0], legs[:, 1])
    bought = legs[:, 0] + legs[:, 1] - sold
    width = np.where(held.call[sold], 1.0, -1.0) * (held.strike[bought] - held.strike[sold])
    loss: FloatArray = table.terms.spread * np.maximum(width, 0.0) * held.units[sold]
    return loss


def _box(table: _Table, legs: IntArray) -> FloatArray:
    """Half the width, instead of the whole cost, which is long less short value."""
    held, value = table.legs, table.prices.value
    low, high, upper, lower = legs.T
    width = (held.strike[high] - held.strike[low]) * held.units[low]
    paid = value[low] - value[high] + value[upper] - value[lower]
    lent: FloatArray = np.minimum(table.terms.box * width - paid, 0.0)
    return lent


def _covered(table: _Table, legs: IntArray) -> FloatArray:
    """The call needs nothing, but shares count no more than its strike; a put its intrinsic."""
    leg = legs[:, 0]
    owned, spot, strike = table.owned(leg), table.spot(leg), table.legs.strike[leg]
    lent = np.where(owned, 1.0 - table.share(leg) / spot, 1.0)
    intrinsic: FloatArray = np.maximum(np.where(owned, spot - strike, strike - spot), 0.0)
    return lent * intrinsic * table.legs.units[leg]


def _protected(table: _Table, legs: IntArray) -> FloatArray:
    """A share of strike and what the option is out of the money, if that is less."""
    leg = legs[:, 0]
    spot, strike = table.spot(leg), table.legs.strike[leg]
    beyond = np.maximum(np.where(table.owned(leg), spot - strike, strike - spot), 0.0)
    need = table.terms.strike * strike + beyond
    saved: FloatArray = np.minimum(need - table.share(leg), 0.0)
    return saved * table.legs.units[leg]


def _collar(table: _Table, legs: IntArray) -> FloatArray:
    """A share of strike; shares count no more than the call's strike, or no less than the put's.

    Where put and call have one strike, it is a conversion or its reverse. The rule's other bound,
    25 % of the call's strike, is what shares covered by the call need without the put.
    """
    leg = legs[:, 0]
    bought, sold = table.legs.strike[leg], table.legs.strike[legs[:, 1]]
    spot = table.spot(leg)
    beyond = np.where(bought == sold, 0.0, np.maximum(spot - bought, 0.0))
    need = table.terms.strike * bought + beyond
    intrinsic = np.maximum(np.where(table.owned(leg), spot - sold, sold - spot), 0.0)
    cost: FloatArray = (need + intrinsic - table.share(leg)) * table.legs.units[leg]
    return cost
