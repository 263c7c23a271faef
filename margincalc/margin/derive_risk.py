"""What Derive's managers share: groups and expiries, scenario gains, confidences, the result.

A manager margins one underlying, so a pool is divided into groups of one underlying each; options
are taken together by expiry, whose shocked *net* value is discounted.

The rules and words are those of https://github.com/derivexyz/v2-core (7736900d), PMRM and PMRM_2.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Components, MarginResult, Parameters, Share, Worst, placed, total
from margincalc.margin.charges import doubt, peg_growth, without_deposits
from margincalc.margin.derive_shocks import BasisContingency, UpTo10, UpTo20, UpTo100
from margincalc.margin.scope import Scope
from margincalc.risk import equity, now


class Contingency(Parameters):
    """What both managers say of the settlement money and of doubtful feeds."""

    peg_loss_threshold: UpTo100
    peg_loss_factor: UpTo10
    confidence_threshold: Share
    confidence_margin: UpTo20

    def peg_loss(self, stable: float) -> float:
        """Return what a fallen settlement money adds to the initial margin's factor."""
        return peg_growth(stable, self.peg_loss_threshold, self.peg_loss_factor)

    def doubt(self, confidence: FloatArray) -> FloatArray:
        """Return the share of a notional that is charged."""
        return doubt(confidence, self.confidence_threshold, self.confidence_margin)


class Groups(NamedTuple):
    """What one manager margins: a pool's rows of one underlying (G groups, R rows).

    Attributes
    ----------
    rows : position rows, shape (R,)
    label : group of each, shape (R,)
    pool, underlying : rows of the book, shape (G,)
    """

    rows: IntArray
    label: IntArray
    pool: IntArray
    underlying: IntArray

    def sum(self, amount: FloatArray) -> FloatArray:
        """Sum amounts of all position rows, shape (P,) or (P, S), by group."""
        return group_sum(amount[self.rows], self.label, len(self.pool))


class Expiries(NamedTuple):
    """The options of a group by expiry (E expiries, R rows).

    Attributes
    ----------
    rows, label : position rows and the expiry of each, shape (R,)
    group : shape (E,)
    time : years
    rate : of discount, never negative
    confidence : least of the feeds that price the options alone
    units : units of the underlying held, long and short alike
    """

    rows: IntArray
    label: IntArray
    group: IntArray
    time: FloatArray
    rate: FloatArray
    confidence: FloatArray
    units: FloatArray

    def sum(self, amount: FloatArray) -> FloatArray:
        """Sum amounts of option rows, shape (R,) or (R, S), by expiry."""
        return group_sum(amount, self.label, len(self.group))


def refuse_beyond(book: Book, scope: Scope) -> None:
    """Refuse a book that holds what Derive does not list, or a deposit that is owed.

    Raises
    ------
    ModelRefusal
    """
    scope.refuse_beyond(book)
    coins = (book.underlying >= 0) & book.instruments.is_kind(Kind.COLLATERAL, Kind.SPOT)[
        book.instrument
    ]
    if np.any(book.quantity[coins] < 0.0):
        raise ModelRefusal("it lends no coin, and the book owes some")


def groups_of(book: Book) -> Groups:
    """Divide the pools by underlying; money that nothing moves is in no group."""
    rows = np.flatnonzero(book.underlying >= 0)
    first, label = group_rows(book.pool[rows], book.underlying[rows])
    return Groups(rows, label, book.pool[rows][first], book.underlying[rows][first])


def expiries_of(book: Book, groups: Groups) -> Expiries:
    """Divide the options of groups by expiry."""
    option = book.kind[groups.rows] == Kind.OPTION
    rows, owner = groups.rows[option], groups.label[option]
    columns = book.instruments.take(book.instrument[rows])
    first, label = group_rows(owner, columns.time)
    confidence = np.ones(len(first))
    np.minimum.at(confidence, label, columns.confidence)
    units = group_sum(np.abs(book.quantity[rows]) * columns.multiplier, label, len(first))
    rate = np.maximum(columns.rate[first], 0.0)
    return Expiries(rows, label, owner[first], columns.time[first], rate, confidence, units)


def at_rate(book: Book, rate: FloatArray) -> Book:
    """Return the book with other discount rates, as a venue marks it; shape (I,)."""
    return replace(book, instruments=replace(book.instruments, rate=rate))


def spot_notional(book: Book) -> FloatArray:
    """Notional of perpetuals at spot, 0 of other position rows, shape (P,)."""
    rows = book.rows(Kind.PERPETUAL)
    units = np.abs(book.quantity[rows]) * book.instruments.multiplier[book.instrument[rows]]
    notional = np.zeros(len(book.quantity))
    notional[rows] = units * book.spot[book.underlying[rows]]
    return notional


def asset_value(book: Book) -> FloatArray:
    """Value of coins and deposits, 0 of other position rows, shape (P,)."""
    rows = book.rows(Kind.COLLATERAL, Kind.SPOT)
    value = np.zeros(len(book.quantity))
    value[rows] = book.quantity[rows] * book.instruments.forward[book.instrument[rows]]
    return value


def feed_confidence(book: Book, groups: Groups) -> FloatArray:
    """Confidence of a group's spot, and of its perpetual where it holds one, shape (G,)."""
    confidence = book.confidence[groups.underlying]
    perpetual = book.kind[groups.rows] == Kind.PERPETUAL
    perpetual &= book.quantity[groups.rows] != 0.0
    held = book.instruments.confidence[book.instrument[groups.rows]]
    np.minimum.at(confidence, groups.label[perpetual], held[perpetual])
    return confidence


def doubted_options(
    book: Book, groups: Groups, expiries: Expiries, doubt: Contingency
) -> FloatArray:
    """Charge the notional of options that doubtful feeds price, shape (G,)."""
    confidence = np.minimum(expiries.confidence, feed_confidence(book, groups)[expiries.group])
    spot = book.spot[groups.underlying][expiries.group]
    charge = doubt.doubt(confidence) * expiries.units * spot
    return group_sum(charge, expiries.group, len(groups.pool))


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


def by_pool(groups: Groups, amount: FloatArray, book: Book) -> FloatArray:
    """Sum amounts of groups, shape (G,), by pool."""
    return group_sum(amount, groups.pool, book.pools)


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
