"""What a process computes and writes with: workers that have other versions write other bytes."""

import importlib.metadata
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeAlias

from margincalc._version import __version__
from margincalc.batch.connection import PATIENCE, within
from margincalc.errors import EngineError, few

OWN = "margincalc"
MAKERS = ("numpy", "scipy", "numba", "pyarrow")  # packages that bytes of results depend on
Versions: TypeAlias = tuple[tuple[str, str | None], ...]


@cache
def versions() -> Versions:
    """Return what this process computes and writes with; None of what it has not."""
    return _named("{}.{}".format(*sys.version_info), __version__, *map(_version, MAKERS))


def _named(*found: str | None) -> Versions:
    return tuple(zip(("Python", OWN, *MAKERS), found, strict=True))


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def refuse_unlike(workers: Sequence[str], theirs: Versions, ours: Versions) -> None:
    """Refuse workers that have not what the run has.

    Raises
    ------
    EngineError
    """
    other = [
        f"{_called(name, own)}, where this run has {here or 'none'}"
        for (name, own), (_, here) in zip(theirs, ours, strict=True)
        if own != here
    ]
    if other:
        many = len(workers) > 1
        raise EngineError(
            f"the dask worker{'s' * many} {few(workers)} {'have' if many else 'has'} "
            f"{'; '.join(other)}: results would differ with who makes them; install the same "
            "versions on every worker"
        )


def _called(name: str, version: str | None) -> str:
    return f"no {name}" if version is None else f"{name} {version}"


def refuse_cluster(client: Any) -> None:
    """Refuse a cluster that lacks what this process has, before it gets a task: it ends workers.

    Raises
    ------
    EngineError
    """
    try:
        said = within(PATIENCE, lambda: client.get_versions(packages=[OWN, *MAKERS]))
    except TimeoutError:  # one hangs; others work, and each looks for itself, too
        return
    alike = defaultdict(list)
    for address, each in said["workers"].items():
        packages = each["packages"]
        if packages[OWN] is None and _is_there(client, address):
            continue
        python = ".".join(packages["python"].split(".")[:2])
        found = _named(python, packages[OWN], *(packages[name] for name in MAKERS))
        alike[found].append(address)
    for theirs, workers in alike.items():
        refuse_unlike(workers, theirs, versions())
    own = said["scheduler"]["packages"][OWN]
    if own != __version__ and (own or not client.run_on_scheduler(find_spec, OWN)):
        raise EngineError(
            f"the dask scheduler {client.scheduler.address} has {_called(OWN, own)}, where this "
            f"run has {__version__}: tasks pass through it; install the same version there"
        )


def _is_there(client: Any, worker: str) -> bool:
    """Say whether a worker has margincalc though nobody installed it: from a folder of sources."""
    found = client.run(find_spec, OWN, workers=[worker], on_error="ignore")
    return bool(found.get(worker))
