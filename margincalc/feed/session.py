"""Ticks in, events out: what `watch` prints, one mapping each.

    start       where each pool stands before the first tick
    status      a pool went from one status to another
    state       where it stands, every so many ticks, where that was asked for
    held        a line is far ahead of the feed, and used if the next line is as late; or far behind
                a time that is not settled, and used if enough others are
    refused     a line was not used, or is taken back, and why; it moves no status
    heartbeat   the feed has been silent
    lost        it could not be reached or broke off, why, and when it is tried again
    end         the last state, and what was read

All but `latency_ms`, heartbeats and lost connections depend on the ticks alone.
"""

import datetime as dt
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from margincalc.feed.desk import AHEAD, BEHIND, Ahead, Behind, Desk, Touched
from margincalc.feed.jumps import MOST_JUMPS, Change, Jump, doubts
from margincalc.feed.reach import JUMP
from margincalc.feed.sources import Line, Lost
from margincalc.feed.states import LIQUIDATABLE, Event, said, state
from margincalc.feed.ticks import Refused, read_line
from margincalc.feed.websocket import channels, left_out, subscription
from margincalc.margin.base import STATUSES
from margincalc.times import zulu


class Wishes(NamedTuple):
    """What is printed beside changes of status, and which ticks are of the present.

    Attributes
    ----------
    every : ticks between states; 0 for none
    above : a margin ratio above which a pool counts as failed, beside liquidation
    latency : whether to say how long each change took to work out
    ahead : seconds that a tick may be ahead of the feed before another line is as late
    jump : share by which a price may fall at once, or rise as far, before another is near it
    """

    every: int = 0
    above: float | None = None
    latency: bool = True
    ahead: float = AHEAD.total_seconds()
    jump: float = JUMP

    @property
    def most_ahead(self) -> dt.timedelta:
        """`ahead`, as a desk takes it."""
        return dt.timedelta(seconds=self.ahead)


@dataclass
class Session:
    """A desk, what was asked of it, and what it has read.

    Attributes
    ----------
    account : name of the account, or of the venue whose accounts these are
    currency : of amounts
    lines, ticks, refused : how many
    """

    desk: Desk
    account: str
    currency: str
    wishes: Wishes = field(default_factory=Wishes)
    lines: int = 0
    ticks: int = 0
    refused: int = 0
    _held: Change | None = None
    _jumps: list[Jump] = field(default_factory=list)
    _wanted: list[str] = field(default_factory=list)

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
        yield from self._overruled()
        yield self.end()

    def end(self) -> Event:
        """Return the last state and what was read."""
        totals = {"lines": self.lines, "ticks": self.ticks, "refused": self.refused}
        return self._event("end", {**totals, **self.summary(), "failed": self.failed})

    def subscription(self) -> str:
        """Return the request with which Deribit is asked for the prices of what is held."""
        names = self.desk.book.names
        self._wanted = channels(names.instruments, names.underlyings)
        return subscription(self._wanted)

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
        if missing := left_out(line, self._wanted):
            yield self._refusal(self.lines, f"the venue has no {', '.join(missing)}")
        else:
            yield from self._judge(change)

    def _judge(self, change: Change) -> Iterator[Event]:
        """Use a change, hold it, or refuse it."""
        confirmed = yield from self._release(change)
        try:
            touched = yield from self._apply(change, confirmed=confirmed)
        except Ahead as reason:
            yield self._hold(change, str(reason))
        except Behind as reason:
            yield from self._doubt(change, str(reason))
        except Refused as reason:
            yield self._refusal(change.line, str(reason))
        else:
            yield from self._used(change, touched)

    def _hold(self, change: Change, reason: str) -> Event:
        """Keep a line that is far ahead until the next; one that repeats it says nothing new."""
        if self._held is not None:
            return self._refusal(change.line, f"{reason}: line {self._held.line} again")
        self._held = change
        return self._kept(change, f"{reason}; used if the next line is as late")

    def _kept(self, change: Change, reason: str) -> Event:
        return self._event("held", {"line": change.line, "reason": said(reason)})

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
            touched = yield from self._apply(held, confirmed=True)
        except Refused as reason:
            yield self._refusal(held.line, str(reason))
        else:
            yield from self._used(held._replace(began=following.began), touched)
        return latest - held.time <= self.desk.ahead

    def _apply(self, change: Change, *, confirmed: bool) -> Generator[Event, None, Touched]:
        """Apply a change; of one that moves the time far, keep in mind what was before."""
        desk, latest = self.desk, change.time if confirmed else None
        far = latest is not None and latest - desk.time > desk.ahead
        before = desk.memory() if far else None
        touched = desk.apply(change.ticks, confirmed=confirmed)
        if before is not None:
            yield from self._overruled()
            self._jumps = [*self._jumps[1 - MOST_JUMPS :], Jump(before)]
        return touched

    def _doubt(self, change: Change, reason: str) -> Iterator[Event]:
        """Keep a line that is far behind a time that is not settled: enough of them are right."""
        jumps = self._jumps
        if not doubts(change, jumps, self.desk.time, BEHIND * self.desk.ahead):
            yield self._refusal(change.line, reason)
            return
        jump = jumps[-1]
        if jump.against and jump.against[-1].ticks == change.ticks:
            yield self._refusal(change.line, f"{reason}: line {jump.against[-1].line} again")
            return
        if not jump.joins(change, self.desk.ahead):
            yield from self._overruled()
        jump.against.append(change)
        if jump.outvoted:
            yield from self._taken_back(jumps.pop())
        else:
            more = f"used if more in a row say so than the {len(jump.used)} that moved its time"
            yield self._kept(change, f"{reason}; {more}")

    def _overruled(self) -> Iterator[Event]:
        """Refuse what was said against the last time: nothing is said against earlier ones."""
        for jump in self._jumps[-1:]:
            against, jump.against = jump.against, []
            for change in against:
                yield self._refusal(change.line, "stale: far behind the feed, and others are not")

    def _taken_back(self, jump: Jump) -> Iterator[Event]:
        """Stand as before a time that was wrong, and use the lines that say so instead."""
        reason = f"{HELD}, and {len(jump.against)} lines in a row after it are not: taken back"
        self.ticks -= sum(ticks for _, ticks in jump.used)
        self.ticks -= sum(len(change.ticks) for change in jump.timeless)
        touched = self.desk.go_back(jump.before)
        for line, _ in jump.used:
            yield self._refusal(line, reason)
        yield from self._changes(touched, None)
        for change in sorted([*jump.timeless, *jump.against], key=attrgetter("line")):
            yield from self._judge(change._replace(began=time.perf_counter()))

    def _settle(self, change: Change) -> Iterator[Event]:
        """Count a line that was used for the time as it is; a line that names none says nothing."""
        if not self._jumps:
            return
        jump = self._jumps[-1]
        if change.time is None:
            jump.timeless.append(change)
        else:
            jump.used.append((change.line, len(change.ticks)))
            yield from self._overruled()
        if jump.settled:
            yield from self._overruled()
            self._jumps.clear()

    def _used(self, change: Change, touched: Touched) -> Iterator[Event]:
        """Yield what follows from a line that was used."""
        took = (time.perf_counter() - change.began) * 1000.0
        due = self._due(len(change.ticks))
        yield from self._changes(touched, took)
        if due:
            yield from self._states("state", touched.pools.tolist(), took)
        yield from self._settle(change)

    def _changes(self, touched: Touched, took: float | None) -> Iterator[Event]:
        """Yield the pools whose status is another than before."""
        pools, before = touched
        changed = before != self.desk.figures.status[pools]
        for pool, status in zip(pools[changed].tolist(), before[changed].tolist(), strict=True):
            now = self._state(pool)
            yield self._event("status", {"from": STATUSES[status]} | now, took)

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

    def _state(self, pool: int) -> Event:
        return {**state(self.desk, pool, self.account), "currency": self.currency}

    def _event(self, event: str, more: Event, took: float | None = None) -> Event:
        """Return an event of the present moment, which is that of the newest tick."""
        desk = self.desk
        head = {"event": event, "time": zulu(desk.time), "account": self.account}
        head["pricer"] = desk.pricer.name
        latency = {"latency_ms": took} if took is not None and self.wishes.latency else {}
        return {**head, **more, **latency}


MOST_STATES = 20  # pools shown one by one
HELD = "impossible: far ahead of the feed"
