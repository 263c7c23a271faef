"""Where parts are worked on: threads of this process, or workers of a dask cluster.

Kernels and Parquet run without the interpreter's lock, so threads use all cores, and the values of
instruments are there once. On a cluster a task is a part, and what all tasks share goes to every
worker once; files are read and written where the workers see them, under the same names.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol, get_args

from margincalc.batch.parts import Part
from margincalc.batch.piece import Job, run_part
from margincalc.errors import MargincalcError, MissingExtraError, input_error

EngineName = Literal["local", "dask"]
PATIENCE = "10s"  # with a scheduler that does not answer
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
Done = dict[str, Any]


class EngineError(MargincalcError):
    """An engine was lost; what is done stays."""


class Engine(Protocol):
    """What does the work."""

    def map(self, work: Callable[..., Any], *columns: Iterable[Any]) -> Iterable[Any]:
        """Do the work on each, and return the results in order."""

    def run(self, parts: Sequence[Part], job: Job) -> Iterator[Done]:
        """Do parts in any order, and yield what is done as it is."""


class Workers(NamedTuple):
    """How many, and where: threads, or processes of a local cluster, or those of a scheduler."""

    engine: EngineName = "local"
    number: int | None = None
    scheduler: str | None = None


@contextmanager
def engine(workers: Workers) -> Iterator[Engine]:
    """Start an engine, and end it.

    Raises
    ------
    MissingExtraError, EngineError
    InputError
        If a scheduler is named, and no cluster is wanted.
    """
    if workers.scheduler and workers.engine != "dask":
        remedy = "add --engine dask, or leave the scheduler out"
        raise input_error("--scheduler", "an address for threads of this process", "none", remedy)
    count = workers.number or len(os.sched_getaffinity(0))
    if workers.engine == "dask":
        with _dask(workers.scheduler, count) as client:
            yield _Dask(client)
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


class _Dask:
    def __init__(self, client: Any) -> None:
        self._client = client

    def map(self, work: Callable[..., Any], *columns: Iterable[Any]) -> Iterable[Any]:
        with _watched("looking at the files"):
            found: Iterable[Any] = self._client.gather(self._client.map(work, *columns, pure=False))
            return found

    def run(self, parts: Sequence[Part], job: Job) -> Iterator[Done]:
        distributed: Any = import_module("distributed")

        with _watched("running"), self._client.as_current():
            shared = self._client.scatter(job, broadcast=True, hash=False)
            futures = self._client.map(run_part, parts, job=shared, pure=False)
            for future in distributed.as_completed(futures):
                yield future.result()


@contextmanager
def _dask(scheduler: str | None, count: int) -> Iterator[Any]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        message = "--engine dask needs distributed: pip install 'margincalc[cluster]'"
        raise MissingExtraError(message) from None
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": PATIENCE}):
        try:
            # A port of its own for the dashboard: another run may have the usual one.
            cluster = (
                None
                if scheduler
                else distributed.LocalCluster(
                    n_workers=count, threads_per_worker=1, dashboard_address=":0"
                )
            )
            client = distributed.Client(scheduler or cluster, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise EngineError(
                f"--scheduler {scheduler}: no dask scheduler answers there ({error})"
            ) from None
        try:
            yield client
        finally:
            for each in (client, cluster):
                _closed(each)


def _closed(each: Any) -> None:
    """Close what may be gone already."""
    import contextlib

    if each is not None:
        with contextlib.suppress(Exception):
            each.close(timeout=5)


@contextmanager
def _watched(what: str) -> Iterator[None]:
    """Say that a scheduler was lost, where that is what happened."""
    from asyncio import CancelledError, TimeoutError
    from concurrent.futures import CancelledError as Cancelled

    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    lost = (CommClosedError, CancelledError, Cancelled, FutureCancelledError, TimeoutError)
    try:
        yield
    except KilledWorker as error:
        message = f"a part killed every worker that tried it, {what}: {error}"
        raise EngineError(message) from None
    except lost as error:
        raise EngineError(
            f"the dask scheduler was lost, {what} ({type(error).__name__}); what is done stays: "
            "run it again with --resume"
        ) from None
