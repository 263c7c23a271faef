"""A venue of many small files, and what a run over it leaves: once for all that compare with it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import margincalc as mc
from benchmarks import venue
from tests.batch.venues import files

PARTS = 12


def resumed(inputs: Path, output: Path) -> dict[str, bytes]:
    """Finish a run here, and return what it leaves."""
    mc.batch(inputs, output=output, resume=True)
    return files(output)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a venue of many small files."""
    folder = tmp_path_factory.mktemp("venue")
    size, venue.CHUNK = venue.CHUNK, 300
    try:
        venue.write(folder, 300 * PARTS, files=PARTS)
    finally:
        venue.CHUNK = size
    return folder


@pytest.fixture(scope="session")
def whole(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return what a run leaves that nobody interrupts."""
    output = tmp_path_factory.mktemp("whole") / "out"
    return resumed(inputs, output)


@pytest.fixture
def local() -> Iterator[Any]:
    """Return a cluster inside this process."""
    from distributed import LocalCluster

    made: Any = LocalCluster
    with made(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as found:
        yield found


@pytest.fixture
def nobody() -> Iterator[str]:
    """Yield an address at which nobody listens, nor can begin to meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"tcp://127.0.0.1:{taken.getsockname()[1]}"
