"""Time several works in turns: A B A B, so that what disturbs one disturbs the others."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

Work = Callable[[], object]


class Cost(NamedTuple):
    """What one run took, in seconds; `cpu` is user and system time of all threads."""

    wall: float
    cpu: float


class Ratio(NamedTuple):
    """Ours over the peer's: the ratio of medians, and the range of each turn's own ratio."""

    median: float
    low: float
    high: float


Costed = Callable[[], Cost]


def in_process(work: Work) -> Costed:
    """Return the work as one that says what it cost."""

    def costed() -> Cost:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        return Cost(time.perf_counter() - wall, time.process_time() - cpu)

    return costed


def in_turns(works: Sequence[Costed], turns: int) -> list[tuple[Cost, ...]]:
    """Run every work once unmeasured, then each in turn; the costs of each, by turn."""
    for work in works:
        work()
    runs = [[work() for work in works] for _ in range(turns)]
    return list(zip(*runs, strict=True))


def walls(costs: Sequence[Cost]) -> list[float]:
    """Return the wall times."""
    return [cost.wall for cost in costs]


def cpus(costs: Sequence[Cost]) -> list[float]:
    """Return the cpu times."""
    return [cost.cpu for cost in costs]


def ratio(ours: Sequence[float], peer: Sequence[float]) -> Ratio:
    """Compare times that were taken in turns."""
    pairs = [mine / other for mine, other in zip(ours, peer, strict=True)]
    return Ratio(median(ours) / median(peer), min(pairs), max(pairs))
