"""Where parts are worked on: threads of this process, or workers of a dask cluster.

Kernels and Parquet run without the interpreter's lock, so threads use all cores, and the values of
instruments are there once. On a cluster a task is a part, and what all tasks share goes to every
worker once; files are read and written where the workers see them, under the same names.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, Protocol, get_args

from margincalc.batch.cluster import cluster
from margincalc.batch.parts import Part
from margincalc.batch.piece import Job, run_part
from margincalc.errors import input_error

EngineName = Literal["local", "dask"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
Done = dict[str, Any]


class Engine(Protocol):
    """What does the work."""

    def map(self, work: Callable[..., Any], *columns: Iterable[Any]) -> Iterable[Any]:
        """Do the work on each file and what is beside it, and return the results in order."""

    def run(self, parts: Sequence[Part], job: Job) -> Iterator[Done]:
        """Do parts in any order, and yield what is done as it is."""


class Workers(NamedTuple):
    """How many, and where: threads, or processes of a local cluster, or those of a scheduler."""

    engine: EngineName = "local"
    number: int | None = None
    scheduler: str | None = None


def cores() -> int:
    """Return how many processors this process may use; those of the machine where nobody says."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def engine(workers: Workers) -> Iterator[Engine]:
    """Start an engine, and end it.

    Raises
    ------
    MissingExtraError, EngineError
    InputError
        If a scheduler is named, and no cluster is wanted.
    """
    if workers.scheduler is not None and workers.engine != "dask":
        remedy = "add --engine dask, or leave the scheduler out"
        raise input_error("--scheduler", "an address for threads of this process", "none", remedy)
    count = workers.number or cores()
    if workers.engine == "dask":
        with cluster(workers.scheduler, count) as started:
            yield started
    else:
        yield _Threads(count)


class _Threads:
    def __init__(self, count: int) -> None:
        self._count = count

    def map(self, work: Callable[..., Any], *columns: Iterable[Any]) -> Iterable[Any]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self._count) as pool:
            return list(pool.map(work, *columns))

    def run(self, parts: Sequence[Part], job: Job) -> Iterator[Done]:
        from concurrent.futures import ThreadPoolExecutor, as_completed

        with ThreadPoolExecutor(self._count) as pool:
            futures = [pool.submit(run_part, part, job) for part in parts]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
