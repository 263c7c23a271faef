"""Accounts in the market of the last tick: only what a tick touches is computed again.

Values of instruments are kept, and those of which something moved are computed anew; of the pools,
only those are margined again that hold such an instrument. Every figure is the one that `margin`
would give of the same market, to the bit.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import Book
from margincalc.feed.market import Listing, listing, ticked
from margincalc.feed.ticks import Refused, Tick
from margincalc.margin.base import STATUSES, MarginModel, MarginResult, status_of
from margincalc.pricer import NUMPY, Pricer, using
from margincalc.risk.aging import aged
from margincalc.risk.known import Latest
from margincalc.times import SECONDS_PER_DAY

OLDEST = dt.timedelta(seconds=60)  # behind the newest tick: older ones are stale
FARTHEST = dt.timedelta(days=7)  # ahead of the newest tick: farther ones are impossible
STEP = dt.timedelta(seconds=60)  # after which options are aged


class Figures(NamedTuple):
    """Where pools stand, shape (A,) each; an isolated pool has no less than nothing."""

    equity: FloatArray
    initial: FloatArray
    maintenance: FloatArray
    status: IntArray  # a row of `STATUSES`


@dataclass
class Desk:
    """A book under a model, which ticks move.

    Attributes
    ----------
    time : of the newest tick
    pricer : who computes; what it knows is kept from tick to tick
    step : after which time is let pass for the options
    aged_to : up to when it has
    figures : where every pool stands
    """

    book: Book
    model: MarginModel
    time: dt.datetime
    pricer: Pricer = NUMPY
    step: dt.timedelta = STEP
    aged_to: dt.datetime = field(init=False)
    figures: Figures = field(init=False)
    _where: Listing = field(init=False)
    _seen: dict[str, dt.datetime] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Margin every pool in the market as it is."""
        self.aged_to = self.time
        self._where = listing(self.book)
        self.pricer = replace(self.pricer, known=Latest())
        pools = self.book.pools
        equity, initial, maintenance = np.zeros((3, pools))
        self.figures = Figures(equity, initial, maintenance, np.zeros(pools, np.int64))
        self._margin(np.arange(pools))

    def apply(self, ticks: Sequence[Tick]) -> IntArray:
        """Apply ticks as one change, all or none, and return the pools that it touched.

        Raises
        ------
        Refused
            If one of them is stale or impossible; nothing is changed then.
        """
        book, newest = self.book, self.time
        touched = np.zeros(len(book.instruments.kind), bool)
        with using(self.pricer):
            for tick in ticks:
                newest = max(newest, self._timely(tick, newest))
                book, own = ticked(book, self._where, tick)
                touched |= own
        self.book, self.time = book, newest
        self._seen |= {tick.subject: tick.time for tick in ticks if tick.time is not None}
        pools = self._pass_time() if newest - self.aged_to >= self.step else self._holders(touched)
        self._margin(pools)
        return pools

    def _timely(self, tick: Tick, newest: dt.datetime) -> dt.datetime:
        """Return the time of a tick, unless it is stale or too far ahead."""
        if tick.time is None:
            return newest
        last = self._seen.get(tick.subject)
        if last is not None and tick.time < last:
            raise Refused(f"stale: {tick.subject} was quoted later, at {last.isoformat()}")
        if tick.time < newest - OLDEST:
            behind = (newest - tick.time).total_seconds()
            raise Refused(f"stale: {tick.subject} is {behind:,.0f} s behind the newest tick")
        if tick.time > newest + FARTHEST:
            ahead = (tick.time - newest).total_seconds() / SECONDS_PER_DAY
            raise Refused(f"impossible: {tick.subject} is {ahead:,.1f} days ahead of the feed")
        return tick.time

    def _pass_time(self) -> IntArray:
        """Let time pass up to the newest tick; every pool is touched."""
        days = (self.time - self.aged_to).total_seconds() / SECONDS_PER_DAY
        self.book = aged(self.book, days, funding=False)
        self.aged_to = self.time
        return np.arange(self.book.pools)

    def _holders(self, touched: BoolArray) -> IntArray:
        """Return the pools that hold, or have ordered, an instrument that was touched."""
        holds = np.zeros(self.book.pools, bool)
        holds[self.book.pool[touched[self.book.instrument]]] = True
        orders = self.book.orders
        holds[orders.pool[touched[orders.instrument]]] = True
        return np.flatnonzero(holds)

    def _margin(self, pools: IntArray) -> None:
        """Margin pools again, and keep where they stand."""
        if not len(pools):
            return
        part = self.book if len(pools) == self.book.pools else book_of(self.book, pools)
        with using(self.pricer):
            result = self.model.margin(part)
        now = standing(part, result)
        for kept, new in zip(self.figures, now, strict=True):
            kept[pools] = new


def standing(book: Book, result: MarginResult) -> Figures:
    """Return where the pools of a margined book stand."""
    initial, maintenance = result.initial, result.maintenance
    equity = np.where(book.limited, np.maximum(result.equity, 0.0), result.equity)
    status = [
        STATUSES.index(status_of(*each))
        for each in zip(equity.tolist(), initial.tolist(), maintenance.tolist(), strict=True)
    ]
    return Figures(equity, initial, maintenance, np.array(status, np.int64))


def book_of(book: Book, pools: IntArray) -> Book:
    """Return the book of some of its pools only, numbered from 0."""
    chosen = np.zeros(book.pools, bool)
    chosen[pools] = True
    number = np.cumsum(chosen) - 1
    rows = np.flatnonzero(chosen[book.pool])
    orders = np.flatnonzero(chosen[book.orders.pool])
    part, _ = book.restricted(rows, orders)
    return replace(
        part,
        names=part.names._replace(keys=tuple(book.names.keys[pool] for pool in pools)),
        pool=number[part.pool],
        limited=book.limited[pools],
        orders=part.orders._replace(pool=number[part.orders.pool]),
    )
