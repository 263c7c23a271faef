"""A cluster of workers gives what threads give; one that dies costs its own tasks only."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import margincalc as mc
from benchmarks import venue
from margincalc.batch import engines, parts
from margincalc.batch.engines import EngineError
from tests.batch.conftest import resumed
from tests.batch.test_resume import command
from tests.batch.venues import files

slow = pytest.mark.skipif(
    not os.environ.get("MARGINCALC_PROVE"), reason="starts a cluster of processes"
)


class Cluster(NamedTuple):
    """A scheduler and two workers, processes of their own."""

    address: str
    scheduler: Any
    workers: list[Any]


def free() -> str:
    """Return an address at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{found.getsockname()[1]}"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    address = free()

    def started(role: str, *arguments: str) -> Any:
        line = [sys.executable, "-m", f"distributed.cli.dask_{role}", *arguments, "--no-dashboard"]
        return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    scheduler = started("scheduler", "--port", address.rpartition(":")[2])
    workers = [started("worker", address, "--nthreads", "1", "--no-nanny") for _ in range(2)]
    yield Cluster(address, scheduler, workers)
    for process in (scheduler, *workers):
        process.kill()
        process.wait()


def killed_after_a_part(process: Any, output: Path) -> threading.Thread:
    """Kill a process as soon as a part is done."""

    def kill() -> None:
        while not list(output.glob("done/*.json")):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    return killer


@pytest.fixture
def local() -> Iterator[Any]:
    """Return a cluster inside this process."""
    from distributed import LocalCluster

    made: Any = LocalCluster
    with made(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as found:
        yield found


def test_a_cluster_gives_the_same_bytes(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path, local: Any
) -> None:
    mc.batch(inputs, output=tmp_path / "out", engine="dask", scheduler=local.scheduler_address)
    assert files(tmp_path / "out") == whole


def test_a_large_file_is_several_tasks(
    tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venue, "CHUNK", 100)
    monkeypatch.setattr(parts, "ROWS", 1)
    venue.write(tmp_path / "in", 300)
    output = tmp_path / "out"
    mc.batch(tmp_path / "in", output=output, engine="dask", scheduler=local.scheduler_address)
    assert len(list(output.glob("done/*.json"))) == 3
    assert local.scheduler.task_prefixes["run_part"].state_counts["memory"] == 3


@slow
def test_a_run_starts_a_cluster_beside_another(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    with socket.socket() as other:
        with suppress(OSError):  # it is taken already
            other.bind(("127.0.0.1", 8787))
            other.listen()
        mc.batch(inputs, output=tmp_path / "out", engine="dask", workers=2)
    assert files(tmp_path / "out") == whole


@slow
def test_a_worker_that_is_killed_costs_its_own_tasks(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path, cluster: Cluster
) -> None:
    output = tmp_path / "out"
    killer = killed_after_a_part(cluster.workers[0], output)
    mc.batch(inputs, output=output, engine="dask", scheduler=cluster.address)
    killer.join()
    assert files(output) == whole


@slow
def test_a_lost_scheduler_is_an_error_and_the_run_goes_on_without(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path, cluster: Cluster
) -> None:
    output = tmp_path / "out"
    killer = killed_after_a_part(cluster.scheduler, output)
    line = command(inputs, output, "--engine", "dask", "--scheduler", cluster.address)
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    killer.join()
    assert done.returncode == 3, done.stderr
    assert "scheduler was lost" in done.stderr
    assert "--resume" in done.stderr
    assert resumed(inputs, output) == whole


def test_no_scheduler_is_an_error(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PATIENCE", "1s")
    with pytest.raises(EngineError, match="no dask scheduler answers there"):
        mc.batch(inputs, output=tmp_path / "out", engine="dask", scheduler=free())
