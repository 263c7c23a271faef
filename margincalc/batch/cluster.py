"""Workers of a dask cluster: a task is a part, and what all tasks share goes to each worker once.

What is shared is the result of a task, not data that is scattered: workers fetch it from each
other, and where all that had it are gone, the scheduler has it made again. Each task first sees
whether its worker is one that would write the same bytes to the same place.
"""

import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from threading import Lock
from typing import Any

from margincalc._version import __version__
from margincalc.batch.connection import connected
from margincalc.batch.manifest import MANIFEST, run_of
from margincalc.batch.parts import Part
from margincalc.batch.piece import Job, run_part
from margincalc.batch.versions import Versions, refuse_cluster, refuse_unlike, versions
from margincalc.errors import EngineError, MargincalcError, OutputError
from margincalc.risk.known import owned

ALONE = 30.0  # seconds without a worker that runs; one that is started again is there by then
GLANCE = 0.02  # seconds between looks at what is done


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


def worked(*given: Any, work: Callable[..., Any], wanted: Versions) -> Any:
    """Do what a task is to do with a file and more, on a worker that sees it.

    Returns
    -------
    what the work returns; or an error of margincalc, as dask would cut what one says that is raised
    """
    try:
        _able(wanted, [given[0]])
        return work(*given)
    except MargincalcError as error:
        return error


def margined(part: Part, sent: Sent, wanted: Versions) -> Any:
    """Margin a part on a worker that sees its files and the folder of results.

    Returns
    -------
    what is `done`, or an error
    """
    try:
        _able(wanted, part.files)
        job = sent.job
        if run_of(job.output) != job.run:
            raise EngineError(_unseen(os.path.join(job.output, MANIFEST)))
        return run_part(part, job)
    except OutputError as error:  # perhaps of this worker's machine alone
        return OutputError(f"the dask worker {_me()}: {error}")
    except MargincalcError as error:
        return error


def _able(wanted: Versions, files: Iterable[str]) -> None:
    refuse_unlike([_me()], versions(), wanted)
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
        seen = looked = time.monotonic()
        while not waiting.is_empty():
            ready = waiting.next_batch(block=False)
            for future, result in ready:
                if future.status in ("error", "cancelled"):
                    future.result()
                future.release()  # or it were done again when the worker that holds it dies
                if isinstance(result, MargincalcError):
                    raise result
                yield future.key, result
            now = time.monotonic()
            if ready:
                seen = now
                continue
            time.sleep(GLANCE)
            if now - looked > ALONE / 10:
                looked = now
                seen = now if self._attended() else seen
            if now - seen > ALONE:
                self._refuse_alone()

    def _attended(self) -> bool:
        """Say whether a worker runs; where nobody can say, futures tell what has been lost."""
        try:
            return bool(self._client.sync(self._client.scheduler.ncores_running))
        except (OSError, TimeoutError):
            return True

    def _refuse_alone(self) -> None:
        address = self._client.scheduler.address
        raise EngineError(
            f"no worker of the dask scheduler {address} has been running for {ALONE:.0f} "
            "seconds: none is there, all are out of memory, or they ended for want of "
            f"margincalc, as their log says; start one with dask worker {address}, and run it "
            "again, with --resume where a part was done"
        )


@contextmanager
def cluster(scheduler: str | None, count: int) -> Iterator[Dask]:
    """Connect to a scheduler, or to so many workers that are started here, and end it.

    Raises
    ------
    MissingExtraError, EngineError
    InputError
        If the scheduler has no address.
    """
    with connected(scheduler, count) as client:
        if scheduler is not None:
            with _watched("connecting"):
                refuse_cluster(client)
        yield Dask(client)


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
