"""A venue is margined also by systems that lack what Linux has."""

import errno
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

import margincalc as mc
from margincalc.batch.connection import _undisturbed
from margincalc.batch.engines import cores
from margincalc.errors import OutputError
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


@pytest.mark.usefixtures("elsewhere")
def test_workers_start_where_signals_cannot_be_blocked() -> None:
    before = signal.getsignal(signal.SIGINT)
    with _undisturbed():
        assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO])
def test_a_folder_that_cannot_be_synchronised(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Where there is no way to, as on some shares, it is left; where it fails, it is said."""

    def synchronised(place: int) -> None:
        if stat.S_ISDIR(os.fstat(place).st_mode):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", synchronised)
    if number == errno.EINVAL:
        mc.partition(inputs, output=tmp_path / "in")
        assert mc.batch(inputs, output=tmp_path / "out").accounts > PARTS
        return
    with pytest.raises(OutputError, match="could not be written"):
        mc.partition(inputs, output=tmp_path / "in")
    assert not (tmp_path / "in").exists()
    with pytest.raises(OutputError, match="accounts could not be written"):
        mc.batch(inputs, output=tmp_path / "out")
