"""Accounts in the market of the last tick: only what a tick touches is computed again.

Values of instruments are kept, and those of which something moved are computed anew; of the pools,
only those are margined again that hold such an instrument. Every figure is the one that `margin`
gives of the whole book in that market, to the bit.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows
from margincalc.book import Book
from margincalc.feed.market import Listing, listing, ticked
from margincalc.feed.reach import Reach
from margincalc.feed.ticks import Refused, Tick
from margincalc.margin.base import MarginModel, MarginResult
from margincalc.margin.base import standing as status
from margincalc.pricer import NUMPY, Pricer, using
from margincalc.risk.aging import aged
from margincalc.risk.latest import Latest
from margincalc.times import SECONDS_PER_DAY, zulu

AHEAD = dt.timedelta(seconds=60)  # of the newest tick: others must be as late, or it is not used
BEHIND = 2  # times as far from the newest tick is stale: what was used ahead makes no other stale
FARTHEST = dt.timedelta(days=7)  # ahead of the newest tick, whoever says so
STEP = dt.timedelta(seconds=60)  # after which options are aged
MOST = 0.75  # of the pools: if more are touched, the whole book is margined, whose parts are kept
_NONE = np.zeros(0, np.int64)


class Ahead(Refused):
    """Ticks far ahead of the feed, which may be right if what comes next is as late."""


class Behind(Refused):
    """Ticks far behind the feed, which are right if the feed's time is wrong."""


class Figures(NamedTuple):
    """Where pools stand, shape (A,) each; an isolated pool has no less than nothing."""

    equity: FloatArray
    initial: FloatArray
    maintenance: FloatArray
    status: IntArray  # a row of `STATUSES`

    def copied(self) -> "Figures":
        """Return figures that stay as they are."""
        equity, initial, maintenance = (each.copy() for each in self[:3])
        return Figures(equity, initial, maintenance, self.status.copy())


class Memory(NamedTuple):
    """Where a desk stood, to which it can be taken back."""

    book: Book
    time: dt.datetime
    aged_to: dt.datetime
    figures: Figures
    seen: dict[str, dt.datetime]


@dataclass
class Desk:
    """A book under a model, which ticks move.

    Attributes
    ----------
    time : of the newest tick
    pricer : who computes; what it knows is kept from tick to tick
    step : after which time is let pass for the options
    ahead : how far ticks may be ahead of the newest one before others say the same
    reach : how far prices may move at once before others say the same
    aged_to : up to when it has
    figures : where every pool stands
    """

    book: Book
    model: MarginModel
    time: dt.datetime
    pricer: Pricer = NUMPY
    step: dt.timedelta = STEP
    ahead: dt.timedelta = AHEAD
    reach: Reach = field(default_factory=Reach)
    aged_to: dt.datetime = field(init=False)
    figures: Figures = field(init=False)
    _where: Listing = field(init=False)
    _holders: "Holders" = field(init=False)
    _seen: dict[str, dt.datetime] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Margin every pool in the market as it is."""
        self.aged_to = self.time
        self.pricer = replace(self.pricer, known=Latest())
        self.book = self.book.followed()
        self._index()
        pools = self.book.pools
        equity, initial, maintenance = np.zeros((3, pools))
        self.figures = Figures(equity, initial, maintenance, np.zeros(pools, np.int64))
        self._margin(np.arange(pools))

    def apply(self, ticks: Sequence[Tick], *, confirmed: bool = False) -> "Touched":
        """Apply ticks as one change, all or none, and return the pools that it touched.

        Parameters
        ----------
        confirmed : whether others are as late, so that they may be far ahead

        Raises
        ------
        Refused
            If one of them is stale or impossible; nothing is changed then.
        Behind
            If one is far behind the feed; likewise.
        Ahead
            If one is far ahead of the feed, and they are not confirmed; likewise.
        """
        book, newest, moved = self.book, self.time, [_NONE]
        ticks = [tick for tick in ticks if not (tick.aside and self._quoted_since(tick))]
        with using(self.pricer):
            for tick in ticks:
                newest = max(newest, self._timely(tick, newest, confirmed))
                book, rows = ticked(book, self._where, tick, self.reach)
                moved.append(rows)
        self.book, self.time = book, newest
        dated = [(tick, tick.time) for tick in ticks if tick.time is not None]
        self._seen |= {name: time for tick, time in dated for name in tick.quoted}
        late = newest - self.aged_to >= self.step
        pools = self._pass_time() if late else self._holders.of(np.concatenate(moved))
        touched = Touched(pools, self.figures.status[pools])
        self._margin(pools)
        return touched

    def memory(self) -> Memory:
        """Return where it stands."""
        figures, seen = self.figures.copied(), dict(self._seen)
        return Memory(self.book, self.time, self.aged_to, figures, seen)

    def go_back(self, to: Memory) -> "Touched":
        """Stand where it stood, as if no tick had come since, and return the pools that moved."""
        before, held = self.figures.status, self.book.instruments.kind
        self.book, self.time, self.aged_to, self.figures, self._seen = to
        self.reach.far.clear()
        if self.book.instruments.kind is not held:  # something had expired
            self._index()
        moved = np.flatnonzero(before != self.figures.status)
        return Touched(moved, before[moved])

    def _quoted_since(self, tick: Tick) -> dt.datetime | None:
        """Return the later time, if any, at which something that a tick quotes was quoted."""
        last = max((self._seen[each] for each in tick.quoted if each in self._seen), default=None)
        return last if last is not None and tick.time is not None and tick.time < last else None

    def _timely(self, tick: Tick, newest: dt.datetime, confirmed: bool) -> dt.datetime:
        """Return the time of a tick, unless it is stale or too far ahead."""
        if tick.time is None:
            return newest
        if newest - tick.time > BEHIND * self.ahead:
            of = "feed" if self._seen else "account's file; wanted later ticks, or another --as-of"
            raise Behind(f"stale: {tick.subject} is {_long(newest - tick.time)} behind the {of}")
        if later := self._quoted_since(tick):
            raise Refused(f"stale: {tick.subject} was quoted later, at {zulu(later)}")
        ahead = tick.time - self.time
        if ahead > max(FARTHEST, self.ahead):
            raise Refused(
                f"impossible: {tick.subject} is {_long(ahead)} ahead of the feed; "
                f"wanted at most {_long(FARTHEST)}, or another --as-of"
            )
        if ahead > self.ahead and not confirmed:
            raise Ahead(f"{tick.subject} is {_long(ahead)} ahead of the feed")
        return tick.time

    def _pass_time(self) -> IntArray:
        """Let time pass up to the newest tick; every pool is touched."""
        days = (self.time - self.aged_to).total_seconds() / SECONDS_PER_DAY
        held = self.book.instruments.kind
        self.book = aged(self.book, days, funding=False).followed()
        if self.book.instruments.kind is not held:  # something has expired
            self._index()
        self.aged_to = self.time
        return np.arange(self.book.pools)

    def _index(self) -> None:
        """Index what ticks speak of, and who holds it."""
        with using(self.pricer):
            self._where, self._holders = listing(self.book), holders(self.book)

    def _margin(self, pools: IntArray) -> None:
        """Margin pools again, and keep where they stand."""
        if not len(pools):
            return
        most = len(pools) > MOST * self.book.pools
        part = self.book if most else self.book.of_pools(pools)
        with using(self.pricer):
            result = self.model.margin(part)
        now, chosen = standing(part, result), slice(None) if most else pools
        for kept, new in zip(self.figures, now, strict=True):
            kept[chosen] = new


def _long(time: dt.timedelta) -> str:
    """Return a time as a message says it."""
    seconds = time.total_seconds()
    return f"{seconds / SECONDS_PER_DAY:,.1f} days" if time.days else f"{seconds:,.0f} s"


class Touched(NamedTuple):
    """The pools that a change touched, and their status before it, shape (T,) each."""

    pools: IntArray
    before: IntArray


class Holders(NamedTuple):
    """Which pools hold, or have ordered, each instrument.

    Attributes
    ----------
    start : where those of an instrument begin, and the end, shape (I + 1,)
    pools : in their order, once for each instrument
    total : number of all pools
    """

    start: IntArray
    pools: IntArray
    total: int

    def of(self, instruments: IntArray) -> IntArray:
        """Return the pools that have any of some instruments, in their order."""
        start, stop = self.start[instruments], self.start[instruments + 1]
        if len(instruments) == 1:
            return self.pools[start[0] : stop[0]]
        size = stop - start
        within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        found = np.zeros(self.total, bool)
        found[self.pools[np.repeat(start, size) + within]] = True
        return np.flatnonzero(found)


def holders(book: Book) -> Holders:
    """Index the pools of a book by what they hold or have ordered."""
    orders = book.orders
    instrument = np.concatenate([book.instrument, orders.instrument])
    pool = np.concatenate([book.pool, orders.pool])
    first, _ = group_rows(instrument, pool)
    ends = np.arange(len(book.instruments.kind) + 1)
    return Holders(np.searchsorted(instrument[first], ends), pool[first], book.pools)


def standing(book: Book, result: MarginResult) -> Figures:
    """Return where the pools of a margined book stand."""
    initial, maintenance = result.initial, result.maintenance
    equity = np.where(book.limited, np.maximum(result.equity, 0.0), result.equity)
    return Figures(equity, initial, maintenance, status(equity, initial, maintenance))
