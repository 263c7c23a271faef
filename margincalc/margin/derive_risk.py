"""What Derive's managers share of losses: scenario gains, the worst of them, the result.

The *net* value of an expiry's options, shocked, is discounted.

The rules and words are those of https://github.com/derivexyz/v2-core (7736900d), PMRM and PMRM_2.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book
from margincalc.margin.base import Components, MarginResult, Worst, placed, total
from margincalc.margin.deposits import without_deposits
from margincalc.margin.derive_groups import Expiries, Groups
from margincalc.margin.derive_shocks import BasisContingency
from margincalc.risk import equity, now


class Discounts(NamedTuple):
    """Static discounts on an expiry's shocked net value, shape (E,) each."""

    long: FloatArray
    short: FloatArray


def scenario_gains(
    book: Book, expiries: Expiries, value: FloatArray, discounts: Discounts, skewed: IntArray
) -> FloatArray:
    """Gain of every position row per scenario, unweighted, shape (P, S).

    An expiry's shocked value is discounted and compared with its undiscounted mark; of a rotation
    of the skew the worse direction counts, each expiry by itself.

    Parameters
    ----------
    value : of one long unit per scenario, then in the present market, shape (I, S + 1)
    skewed : the scenarios that are rotations of the skew
    """
    held = value[book.instrument]
    held *= book.quantity[:, None]
    option, mark = held[expiries.rows, :-1], held[expiries.rows, -1:]
    gain = held[:, :-1]
    gain -= held[:, -1:]
    share = np.where(expiries.sum(option) >= 0.0, discounts.long[:, None], discounts.short[:, None])
    option *= share[expiries.label]
    option -= mark
    change = expiries.sum(option[:, skewed])
    option[:, skewed] *= -np.sign(change)[expiries.label]
    gain[expiries.rows] = option
    return gain


def basis_gains(
    book: Book, expiries: Expiries, value: FloatArray, basis: BasisContingency
) -> FloatArray:
    """Gain of every position row in the worse basis move of its expiry, shape (P,).

    Parameters
    ----------
    value : of one long unit after the move up, after the one down, and now, shape (I, 3)
    """
    held = book.quantity[expiries.rows, None] * value[book.instrument[expiries.rows]]
    up, down = held[:, 0] - held[:, 2], held[:, 1] - held[:, 2]
    risen, fallen = expiries.sum(up), expiries.sum(down)
    factor = basis.add_factor + basis.mult_factor * expiries.time
    lost = np.where(np.minimum(risen, fallen) < 0.0, factor, 0.0)
    gain = np.zeros(len(book.quantity))
    worse = np.where((risen <= fallen)[expiries.label], up, down)
    gain[expiries.rows] = worse * lost[expiries.label]
    return gain


def worst_of(groups: Groups, gain: FloatArray, weight: FloatArray) -> Worst:
    """Find each group's worst scenario; the basis contingency, the last, wins a tie.

    Parameters
    ----------
    gain : by position row and scenario, unweighted, shape (P, S)
    weight : shape (S,)
    """
    every = groups.sum(gain)
    pnl = every * weight
    group = np.arange(len(groups.pool))
    scenario = np.argmin(pnl[:, :-1], axis=1)
    basis = pnl[:, -1] <= pnl[group, scenario]
    scenario = np.where(basis, len(weight) - 1, scenario)
    rows, bound = groups.rows, scenario[groups.label]
    by_position = placed(len(gain), (rows, lambda: gain[rows, bound] * weight[bound]))
    grid = np.zeros(len(group), np.int64)
    chosen = pnl[group, scenario]
    return Worst(groups.pool, groups.underlying, grid, scenario, chosen, by_position, every)


class Losses(NamedTuple):
    """What the worst cases lose, shape (A,) each.

    Attributes
    ----------
    scenario, basis : of the positions alone: the scenarios and the basis contingencies that bind
    wrong_way : what deposits add to both
    """

    scenario: FloatArray
    basis: FloatArray
    wrong_way: FloatArray

    def components(self, factor: float) -> Components:
        """Return the parts of a requirement that takes them times a factor."""
        return {
            "scenario_loss": factor * self.scenario,
            "wrong_way": factor * self.wrong_way,
            "basis_contingency": factor * self.basis,
        }


def split(book: Book, groups: Groups, gain: FloatArray, weight: FloatArray) -> tuple[Worst, Losses]:
    """Find the worst scenarios, and divide what they lose into the positions' and the deposits'.

    Parameters
    ----------
    gain, weight : as of `worst_of`
    """
    worst, basis = worst_of(groups, gain, weight), len(weight) - 1
    scenario, contingency = losses(worst, basis, book.pools)
    bare = without_deposits(book)
    if bare is None:
        return worst, Losses(scenario, contingency, np.zeros(book.pools))
    held = np.where((bare.quantity != 0.0)[:, None], gain, 0.0)
    alone = losses(worst_of(groups, held, weight), basis, book.pools)
    return worst, Losses(*alone, (scenario + contingency) - (alone[0] + alone[1]))


def losses(worst: Worst, basis: int, pools: int) -> tuple[FloatArray, FloatArray]:
    """Return the scenario losses and the basis contingencies that bind, shape (A,) each.

    Parameters
    ----------
    basis : which scenario the basis contingency is
    """
    loss = np.maximum(-worst.pnl, 0.0)
    bound = worst.scenario == basis
    return (
        group_sum(np.where(bound, 0.0, loss), worst.pool, pools),
        group_sum(np.where(bound, loss, 0.0), worst.pool, pools),
    )


def valuation(book: Book, marked: Book) -> FloatArray:
    """Equity at market less the venue's own mark-to-market, shape (A,).

    It is nothing where the two are the same: values of one model cancel before a mark is added, and
    a mark that gives the volatility is the model's value.

    Parameters
    ----------
    marked : the book as the venue marks it
    """
    beyond = np.where(book.instruments.implied, 0.0, book.instruments.offset)
    excess = (now(book) - now(marked)) + beyond
    return group_sum(book.quantity * excess[book.instrument], book.pool, book.pools)


def result(
    book: Book, marked: Book, parts: tuple[Components, Components], worst: Worst | None = None
) -> MarginResult:
    """Return the result, with the venue's own figures beside it.

    What the market says the book is worth beyond the venue's mark is a component, `valuation`, so
    that equity less requirement is the venue's net margin.
    """
    worth = equity(book, now(book))
    beyond = valuation(book, marked)
    maintenance, initial = ({**part, "valuation": beyond} for part in parts)
    details = {
        "mark_to_market": worth - beyond,
        "net_initial_margin": worth - total(initial, book.pools),
        "net_maintenance_margin": worth - total(maintenance, book.pools),
    }
    return MarginResult(worth, maintenance, initial, worst, details)
