"""A connection to the scheduler of a dask cluster, or to a cluster of processes of this machine."""

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from margincalc.errors import EngineError, MissingExtraError, input_error

Result = TypeVar("Result")
PATIENCE = 10.0  # seconds, with a scheduler that does not answer
SETTINGS = {
    "distributed.comm.timeouts.connect": f"{PATIENCE}s",
    # What tasks share is large where many values are known, and is sent once.
    "distributed.admin.large-graph-warning-threshold": "1GB",
    # Dask's own has workers give back memory after each array, and fault it in for the next one.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 1 << 30,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 1 << 25,
}


@contextmanager
def connected(scheduler: str | None, count: int) -> Iterator[Any]:
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
            if scheduler is None:
                with _undisturbed():
                    cluster = _started(count)
                client = distributed.Client(cluster, set_as_default=False)
            else:
                client = _client(scheduler)
            yield client
        finally:
            for each in (client, cluster):
                _closed(each)


def _started(count: int) -> Any:
    local: Any = import_module("distributed").LocalCluster
    # A port of its own for the dashboard: another run may have the usual one.
    options = {"threads_per_worker": 1, "silence_logs": logging.CRITICAL}
    return local(n_workers=count, dashboard_address=":0", **options)


def _client(scheduler: str) -> Any:
    """Connect to a scheduler that is there already."""
    made: Any = import_module("distributed").Client
    wanted = "an address of a dask scheduler, such as tcp://host:8786"
    if not scheduler:
        raise input_error("--scheduler", "nothing", wanted)
    try:
        return within(1.5 * PATIENCE, lambda: made(scheduler, set_as_default=False))
    except ValueError as error:
        raise input_error("--scheduler", f"{scheduler!r} ({error})", wanted) from None
    except Exception as error:  # whatever dask makes of what answers there
        reason = str(error) or f"nothing within {1.5 * PATIENCE:.0f} seconds"
        raise EngineError(
            f"--scheduler {scheduler}: no dask scheduler answers there ({reason})"
        ) from None


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Do what may have no end where nobody answers, and wait for it no longer than that.

    Raises
    ------
    TimeoutError
    """
    found: Future[Result] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return found.result(seconds)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep Ctrl-C from processes that are started here, and until they are: then it comes.

    They are ended when this one is; interrupted themselves, they would show tracebacks.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "pthread_sigmask"):  # as on Windows
        yield
        return
    resource_tracker.ensure_running()  # started later, it would let the signal through
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which processes inherit
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, before)
    if came:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let errors alone speak of what is lost, or differs: dask would, too, at length."""
    from distributed.versions import VersionMismatchWarning

    handlers = logging.getLogger("distributed").handlers
    before = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)
            yield
    finally:
        for handler, level in zip(handlers, before, strict=True):
            handler.setLevel(level)


def _closed(each: Any) -> None:
    """Close what may be gone already."""
    if each is not None:
        with suppress(Exception):
            each.close(timeout=5)
