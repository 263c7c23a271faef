"""A venue of many small files, and what a run over it leaves: once for all that compare with it."""

from pathlib import Path

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
