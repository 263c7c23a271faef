"""Who is margined together by Derive's managers: groups of one underlying, their options by expiry.

A manager margins one underlying, so a pool is divided into groups of one underlying each; options
are taken together by expiry. Charges of doubtful feeds are of groups too.

The rules and words are those of https://github.com/derivexyz/v2-core (7736900d), PMRM and PMRM_2.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Parameters, Share
from margincalc.margin.charges import doubt, peg_growth
from margincalc.margin.derive_shocks import UpTo10, UpTo20, UpTo100
from margincalc.margin.scope import Scope


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


def by_pool(groups: Groups, amount: FloatArray, book: Book) -> FloatArray:
    """Sum amounts of groups, shape (G,), by pool."""
    return group_sum(amount, groups.pool, book.pools)
