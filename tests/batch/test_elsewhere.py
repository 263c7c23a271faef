"""A venue is margined also by systems that lack what Linux has."""

import os
import signal
import sys
from pathlib import Path

import pytest

import margincalc as mc
from margincalc.batch.engines import cores
from tests.batch.conftest import PARTS
from tests.batch.venues import files


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be macOS or Windows, as far as calls of the system are missing there."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(signal, "pthread_sigmask", raising=False)
    monkeypatch.setitem(sys.modules, "fcntl", None)


@pytest.mark.usefixtures("elsewhere")
def test_all_processors_are_used_where_nobody_says_how_many_may_be() -> None:
    assert cores() == os.cpu_count()


@pytest.mark.usefixtures("elsewhere")
def test_a_venue_is_grouped_and_margined(inputs: Path, tmp_path: Path) -> None:
    mc.partition(inputs, output=tmp_path / "in")
    report = mc.batch(tmp_path / "in", market=inputs / "market.json", output=tmp_path / "out")
    assert report.accounts > PARTS
    assert all("draft" not in name for name in files(tmp_path))
