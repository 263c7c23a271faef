"""Times far ahead that were believed, and who says that they are wrong.

Two lines that agree move the time. What was before them is kept until they are settled: when more
lines in a row agree on an earlier time than have been used since, these are believed instead. Of
either, no more ticks are kept in mind than one line may have.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from margincalc.feed.desk import Memory
from margincalc.feed.ticks import MOST_TICKS, Tick

SETTLED = 1_000  # lines used since: no fault is as long
MOST_JUMPS = 8  # not settled, one after the other: of bars each is one


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
class Jump:
    """A time far ahead that is not settled yet.

    Attributes
    ----------
    before : where the desk stood
    used : number of each line since that names a time, and how many ticks it has
    timeless : lines since that name none: they are right whatever the time is
    against : lines in a row that agree on an earlier time
    """

    before: Memory
    used: list[tuple[int, int]] = field(default_factory=list)
    timeless: list[Change] = field(default_factory=list)
    against: list[Change] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        """Whether it is believed for good: by enough lines, or as no more are kept in mind."""
        if len(self.used) + len(self.timeless) >= SETTLED:
            return True
        return sum(len(change.ticks) for change in self.timeless) > MOST_TICKS

    @property
    def outvoted(self) -> bool:
        """Whether more lines in a row say that it is wrong than were used since."""
        return len(self.against) > len(self.used)

    def joins(self, change: Change, within: dt.timedelta) -> bool:
        """Whether a line agrees with those in a row that are against, and is kept beside them."""
        if sum(len(each.ticks) for each in (*self.against, change)) > MOST_TICKS:
            return False
        last = self.against[-1] if self.against else None
        if last is None or last.time is None or change.time is None:
            return True
        return abs(change.time - last.time) <= within


def doubts(change: Change, jumps: Sequence[Jump], now: dt.datetime, far: dt.timedelta) -> bool:
    """Whether all of a line is far behind now, but not behind what was before the first jump."""
    latest = change.time
    if not jumps or latest is None:
        return False
    return now - latest > far >= jumps[0].before.time - latest
