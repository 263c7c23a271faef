"""Workers of a dask cluster: a task is a part, and what all tasks share goes to each worker once.

What is shared is the result of a task, not data that is scattered: workers fetch it from each
other, and where all that had it are gone, the scheduler has it made again. Each task first sees
whether its worker is one that would write the same bytes to the same place.
"""

import importlib.metadata
import logging
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any, TypeAlias

from margincalc._version import __version__
from margincalc.batch.manifest import MANIFEST, run_of
from margincalc.batch.parts import Part
from margincalc.batch.piece import Job, run_part
from margincalc.errors import EngineError, MargincalcError, MissingExtraError, input_error
from margincalc.risk.known import owned

PATIENCE = "10s"  # with a scheduler that does not answer
SETTINGS = {
    "distributed.comm.timeouts.connect": PATIENCE,
    # What tasks share is large where many values are known, and is sent once.
    "distributed.admin.large-graph-warning-threshold": "1GB",
    # Dask's own has workers give back memory after each array, and fault it in for the next one.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 1 << 30,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 1 << 25,
}
ALONE = 30.0  # seconds without a worker that runs; one that is started again is there by then
GLANCE = 0.02  # seconds between looks at what is done
MAKERS = ("numpy", "scipy", "numba", "pyarrow")  # packages that bytes of results depend on
Versions: TypeAlias = tuple[tuple[str, str], ...]


class Sent:
    """A job on its way: packed until a task wants it, and opened once in each process."""

    def __init__(self, packed: bytes) -> None:
        self._packed, self._lock = packed, Lock()
        self._job: Job | None = None

    def __reduce__(self) -> Any:
        return Sent, (self._packed,)

    @property
    def job(self) -> Job:
        """The job, its arrays owning their numbers: kernels screen no others."""
        with self._lock:
            if self._job is None:
                job: Job = pickle.loads(self._packed)
                self._job = job._replace(values=owned(job.values))
            return self._job


@cache
def versions() -> Versions:
    """Return what this process computes and writes with."""
    own = [("Python", "{}.{}".format(*sys.version_info)), ("margincalc", __version__)]
    for name in MAKERS:
        try:
            own.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            own.append((name, "none"))
    return tuple(own)


def worked(*given: Any, work: Callable[..., Any], wanted: Versions) -> Any:
    """Do what a task is to do with a file and more, on a worker that sees it.

    Raises
    ------
    EngineError
        Where the worker has other versions, or does not see the file.
    """
    _able(wanted, [given[0]])
    return work(*given)


def margined(part: Part, sent: Sent, wanted: Versions) -> dict[str, Any]:
    """Margin a part on a worker.

    Raises
    ------
    EngineError
        Where the worker has other versions, or does not see the files or the folder of results.
    """
    _able(wanted, part.files)
    job = sent.job
    if run_of(job.output) != job.run:
        raise EngineError(_unseen(os.path.join(job.output, MANIFEST)))
    return run_part(part, job)


def _able(wanted: Versions, files: Iterable[str]) -> None:
    other = [
        f"{name} {own}, where this run has {here}"
        for (name, own), (_, here) in zip(versions(), wanted, strict=True)
        if own != here
    ]
    if other:
        raise EngineError(
            f"the dask worker {_me()} has {'; '.join(other)}: results would differ with who makes "
            "them; install the same versions on every worker"
        )
    for file in files:
        if not os.path.exists(file):
            raise EngineError(_unseen(file))


def _unseen(file: str) -> str:
    return (
        f"the dask worker {_me()} does not see {file}: workers read and write the same files as "
        "this process, under the same names; put them where all see them"
    )


def _me() -> str:
    distributed: Any = import_module("distributed")
    return str(distributed.get_worker().address)


class Dask:
    """An engine of workers."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def map(self, work: Callable[..., Any], *columns: Iterable[Any]) -> Iterable[Any]:
        """Do the work on each file and what is beside it, and return the results in order."""
        with _watched("looking at the files"):
            futures = self._client.map(worked, *columns, work=work, wanted=versions(), pure=False)
            found = dict(self._finished(futures))
            return [found[future.key] for future in futures]

    def run(self, parts: Sequence[Part], job: Job) -> Iterator[dict[str, Any]]:
        """Do parts in any order, and yield what is done as it is."""
        with _watched("running"):
            sent = self._client.submit(Sent, pickle.dumps(job), pure=False)
            futures = self._client.map(margined, parts, sent=sent, wanted=versions(), pure=False)
            for _, done in self._finished(futures):
                yield done

    def _finished(self, futures: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        """Yield keys and results as they come; do not wait for ever where nobody works on them."""
        distributed: Any = import_module("distributed")
        # Results are fetched meanwhile: to wait for one, of a worker that dies, has no end.
        waiting = distributed.as_completed(futures, loop=self._client.loop, with_results=True)
        seen = time.monotonic()
        while not waiting.is_empty():
            ready = waiting.next_batch(block=False)
            for future, result in ready:
                if future.status in ("error", "cancelled"):
                    future.result()
                future.release()  # or it were done again when the worker that holds it dies
                yield future.key, result
            if ready:
                seen = time.monotonic()
                continue
            time.sleep(GLANCE)
            if time.monotonic() - seen > ALONE:
                self._refuse_alone()
                seen = time.monotonic()

    def _refuse_alone(self) -> None:
        running = self._client.sync(self._client.scheduler.ncores_running)
        if not running:
            address = self._client.scheduler.address
            raise EngineError(
                f"no worker of the dask scheduler {address} has been running for {ALONE:.0f} "
                "seconds: none is there, all are out of memory, or they ended for want of "
                "margincalc, as their log says; start one with dask worker "
                f"{address}, and run it again, "
                "with --resume where a part was done"
            )


@contextmanager
def connected(scheduler: str | None, count: int) -> Iterator[Dask]:
    """Connect to a scheduler, or to so many workers that are started here, and end it.

    Raises
    ------
    MissingExtraError, EngineError
    InputError
        If the scheduler has no address.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        message = "--engine dask needs distributed: pip install 'margincalc[cluster]'"
        raise MissingExtraError(message) from None
    import dask

    with dask.config.set(SETTINGS), _quiet():
        cluster = client = None
        try:
            # A port of its own for the dashboard: another run may have the usual one.
            if scheduler is None:
                options = {"threads_per_worker": 1, "silence_logs": logging.CRITICAL}
                cluster = distributed.LocalCluster(
                    n_workers=count, dashboard_address=":0", **options
                )
            try:
                client = distributed.Client(scheduler or cluster, set_as_default=False)
            except ValueError as error:
                wanted = "an address of a dask scheduler, such as tcp://host:8786"
                raise input_error("--scheduler", f"{scheduler!r} ({error})", wanted) from None
            except (OSError, TimeoutError) as error:
                raise EngineError(
                    f"--scheduler {scheduler}: no dask scheduler answers there ({error})"
                ) from None
            yield Dask(client)
        finally:
            for each in (client, cluster):
                _closed(each)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let errors alone speak of what is lost: dask's log would, too, with tracebacks."""
    handlers = logging.getLogger("distributed").handlers
    before = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(handlers, before, strict=True):
            handler.setLevel(level)


def _closed(each: Any) -> None:
    """Close what may be gone already."""
    if each is not None:
        with suppress(Exception):
            each.close(timeout=5)


@contextmanager
def _watched(what: str) -> Iterator[None]:
    """Say what became of an engine, where that is what happened."""
    from asyncio import CancelledError, TimeoutError
    from concurrent.futures import CancelledError as Cancelled

    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    lost = (CommClosedError, CancelledError, Cancelled, FutureCancelledError, TimeoutError)
    try:
        yield
    except MargincalcError:
        raise
    except KilledWorker as error:
        raise EngineError(
            f"each of {error.allowed_failures + 1} dask workers died over the same part, {what}, "
            "perhaps for want of memory: give workers more of it, or fewer threads; or of "
            "margincalc: install it there; what is done stays: run it again with --resume"
        ) from None
    except lost as error:
        raise EngineError(
            f"the dask scheduler was lost, {what} ({type(error).__name__}); what is done stays: "
            "run it again with --resume"
        ) from None
    except Exception as error:  # of a worker; whatever it is, no traceback
        raise EngineError(
            f"a dask worker failed, {what}: {type(error).__name__}: {error}; every worker needs "
            f"margincalc {__version__}; what is done stays: run it again with --resume"
        ) from None
