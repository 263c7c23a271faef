"""Ticks in, events out: what `watch` prints, one mapping each.

    start       where each pool stands before the first tick
    status      a pool went from one status to another
    state       where it stands, every so many ticks, where that was asked for
    held        a line is far ahead of the feed: it is used if the next line is as late
    refused     a line was not used, and why; no status moves
    heartbeat   the feed has been silent
    lost        it could not be reached or broke off, why, and when it is tried again
    end         the last state, and what was read

All but `latency_ms`, heartbeats and lost connections depend on the ticks alone.
"""

import datetime as dt
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from margincalc.errors import printable
from margincalc.feed.desk import AHEAD, Ahead, Desk, Touched
from margincalc.feed.sources import Line, Lost
from margincalc.feed.ticks import Refused, Tick, read_line
from margincalc.feed.websocket import subscriptions
from margincalc.liquidation.nearest import Nearest, nearest
from margincalc.margin.base import STATUSES, MarginModel, MarginResult
from margincalc.portfolio.names import parse
from margincalc.pricer import using
from margincalc.times import zulu

Event = dict[str, Any]
LIQUIDATABLE = len(STATUSES) - 1


class Wishes(NamedTuple):
    """What is printed beside changes of status, and which ticks are of the present.

    Attributes
    ----------
    every : ticks between states; 0 for none
    above : a margin ratio above which a pool counts as failed, beside liquidation
    latency : whether to say how long each change took to work out
    ahead : seconds that a tick may be ahead of the feed before another line is as late
    """

    every: int = 0
    above: float | None = None
    latency: bool = True
    ahead: float = AHEAD.total_seconds()

    @property
    def most_ahead(self) -> dt.timedelta:
        """`ahead`, as a desk takes it."""
        return dt.timedelta(seconds=self.ahead)


class Change(NamedTuple):
    """What a line of the feed says.

    Attributes
    ----------
    line : its number, from 1
    ticks : of one moment, used together or not at all
    began : when it began to be read, seconds of `time.perf_counter`
    """

    line: int
    ticks: tuple[Tick, ...]
    began: float

    @property
    def time(self) -> dt.datetime | None:
        """The latest time that it names."""
        return max((tick.time for tick in self.ticks if tick.time is not None), default=None)


@dataclass
class Session:
    """A desk, what was asked of it, and what it has read.

    Attributes
    ----------
    account : name of the account, or of the venue whose accounts these are
    lines, ticks, refused : how many
    """

    desk: Desk
    account: str
    wishes: Wishes = field(default_factory=Wishes)
    lines: int = 0
    ticks: int = 0
    refused: int = 0
    _held: Change | None = None

    def events(self, source: Iterable[Line]) -> Iterator[Event]:
        """Yield the first state, what follows from each line, and the last state."""
        yield from self._states("start", range(self.desk.book.pools))
        for line in source:
            if line is None:
                yield self._event("heartbeat", {"ticks": self.ticks, "refused": self.refused})
            elif isinstance(line, Lost):
                yield self._event("lost", {"reason": said(line.reason), "again_s": line.wait})
            else:
                yield from self._line(line)
        if self._held is not None:
            yield self._refusal(self._held.line, f"{HELD}, and it ended")
        yield self.end()

    def end(self) -> Event:
        """Return the last state and what was read."""
        totals = {"lines": self.lines, "ticks": self.ticks, "refused": self.refused}
        return self._event("end", {**totals, **self.summary(), "failed": self.failed})

    def subscription(self) -> str:
        """Return the request with which Deribit is asked for the prices of what is held."""
        names = self.desk.book.names
        held = [name for name in names.instruments if parse(name)]
        indices = []
        for name in names.underlyings:
            base, _, quote = name.lower().partition("_")
            indices.append(f"{base}_{quote or 'usd'}")
        return subscriptions(held, indices)

    @property
    def failed(self) -> bool:
        """Whether a pool is under maintenance, or its margin ratio above what was asked."""
        figures, above = self.desk.figures, self.wishes.above
        if np.any(figures.status == LIQUIDATABLE):
            return True
        if above is None:
            return False
        known = figures.equity > 0.0
        return bool(np.any(figures.maintenance[known] > above * figures.equity[known]))

    def summary(self) -> Event:
        """Return how many pools stand where, and the worst of their statuses."""
        status = self.desk.figures.status
        counts = np.bincount(status, minlength=len(STATUSES)).tolist()
        worst = STATUSES[int(np.max(status))] if len(status) else STATUSES[0]
        return {"status": worst, "pools": dict(zip(STATUSES, counts, strict=True))}

    def _line(self, line: bytes) -> Iterator[Event]:
        """Read a line, and use it after the one that was held, if that was right."""
        began = time.perf_counter()
        self.lines += 1
        try:
            change = Change(self.lines, read_line(line), began)
        except Refused as reason:
            yield self._refusal(self.lines, str(reason))
            return
        confirmed = yield from self._release(change)
        try:
            touched = self.desk.apply(change.ticks, confirmed=confirmed)
        except Ahead as reason:
            yield self._hold(change, str(reason))
        except Refused as reason:
            yield self._refusal(change.line, str(reason))
        else:
            yield from self._used(change, touched)

    def _hold(self, change: Change, reason: str) -> Event:
        """Keep a line that is far ahead until the next; one that repeats it says nothing new."""
        if self._held is not None:
            return self._refusal(change.line, f"{reason}: line {self._held.line} again")
        self._held = change
        more = {"line": change.line, "reason": said(f"{reason}; used if the next line is as late")}
        return self._event("held", more)

    def _release(self, following: Change) -> Generator[Event, None, bool]:
        """Use the line that is held if the one that follows is as late; refuse it if not.

        Returns
        -------
        whether that one is no later, so that they confirm each other
        """
        held, latest = self._held, following.time
        if held is None or held.time is None or latest is None or held.ticks == following.ticks:
            return False
        self._held = None
        if held.time - latest > self.desk.ahead:
            yield self._refusal(held.line, f"{HELD}, and line {following.line} is not")
            return False
        try:
            touched = self.desk.apply(held.ticks, confirmed=True)
        except Refused as reason:
            yield self._refusal(held.line, str(reason))
        else:
            yield from self._used(held._replace(began=following.began), touched)
        return latest - held.time <= self.desk.ahead

    def _used(self, change: Change, touched: Touched) -> Iterator[Event]:
        """Yield what follows from a line that was used."""
        took = (time.perf_counter() - change.began) * 1000.0
        pools, before = touched
        due = self._due(len(change.ticks))
        changed = before != self.desk.figures.status[pools]
        for pool, status in zip(pools[changed].tolist(), before[changed].tolist(), strict=True):
            yield self._event("status", {"from": STATUSES[status]} | self._state(pool), took)
        if due:
            yield from self._states("state", pools.tolist(), took)

    def _refusal(self, line: int, reason: str) -> Event:
        """Count a line that is not used, and say why."""
        self.refused += 1
        return self._event("refused", {"line": line, "reason": said(reason)})

    def _due(self, ticks: int) -> bool:
        """Count ticks, and say whether a state is due after them."""
        every, seen = self.wishes.every, self.ticks
        self.ticks += ticks
        return bool(every) and self.ticks // every > seen // every

    def _states(
        self, event: str, pools: Iterable[int], took: float | None = None
    ) -> Iterator[Event]:
        """Yield the state of each pool; of more than a screen of them, their summary."""
        pools = list(pools)
        if len(pools) > MOST_STATES:
            yield self._event(event, self.summary(), took)
            return
        for pool in pools:
            yield self._event(event, self._state(pool), took)

    def _event(self, event: str, more: Event, took: float | None = None) -> Event:
        """Return an event of the present moment, which is that of the newest tick."""
        desk = self.desk
        head = {"event": event, "time": zulu(desk.time), "account": self.account}
        head["pricer"] = desk.pricer.name
        latency = {"latency_ms": took} if took is not None and self.wishes.latency else {}
        return {**head, **more, **latency}

    def _state(self, pool: int) -> Event:
        """Return where a pool stands, how far it is from liquidation, and what binds."""
        desk, figures = self.desk, self.desk.figures
        book = desk.book.of_pools(np.array([pool]))
        with using(replace(desk.pricer, known=None)):  # what is known is of the market as it is
            near, margined = nearest(book, desk.model), desk.model.margin(book)
        equity, maintenance = float(figures.equity[pool]), float(figures.maintenance[pool])
        return {
            "account": book.names.keys[0].owner or self.account,
            "pool": book.names.pools[0],
            "status": STATUSES[int(figures.status[pool])],
            "equity": equity,
            "initial_margin": float(figures.initial[pool]),
            "maintenance_margin": maintenance,
            "margin_ratio": maintenance / equity if equity > 0.0 else None,
            "liquidation": {
                name: {**each, "recovery": bool(figures.status[pool] == LIQUIDATABLE)}
                for name, each in _distances(near, book.names.underlyings, book.spot).items()
            },
            "worst_scenario": _binding(desk.model, margined, book.names.underlyings),
        }


MOST_STATES = 20  # pools shown one by one
HELD = "impossible: far ahead of the feed"


def said(reason: str) -> str:
    """Return a reason as an event says it: what a feed sent is escaped, and cut if it is long."""
    return printable(reason, 500)


def _distances(
    found: Nearest, names: tuple[str, ...], spot: np.ndarray[Any, np.dtype[np.float64]]
) -> Event:
    """Return the nearest liquidation prices by underlying, with the moves that lead there."""
    said = {}
    for row, below, above in zip(
        found.underlying.tolist(), found.below.tolist(), found.above.tolist(), strict=True
    ):
        own = float(spot[row])
        said[names[row]] = {
            "spot": own,
            "below": None if np.isnan(below) else below,
            "below_move": None if np.isnan(below) else below / own - 1.0,
            "above": None if np.isnan(above) else above,
            "above_move": None if np.isnan(above) else above / own - 1.0,
        }
    return said


def _binding(model: MarginModel, result: MarginResult, names: tuple[str, ...]) -> Event | None:
    """Return the scenarios that bind, and what they cost."""
    worst = result.worst
    if worst is None or not len(worst.pool):
        return None
    labels = [
        f"{names[underlying]} {model.grids[grid].label(scenario)}"
        for underlying, grid, scenario in zip(
            worst.underlying.tolist(), worst.grid.tolist(), worst.scenario.tolist(), strict=True
        )
    ]
    return {"label": "; ".join(labels), "pnl": float(np.sum(worst.pnl))}
