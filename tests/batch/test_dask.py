"""A cluster of workers gives what threads give; one that dies costs its own tasks only."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pytest

import margincalc as mc
from benchmarks import venue
from margincalc.batch import cluster as clusters
from margincalc.batch import connection, parts
from margincalc.batch.piece import Job
from margincalc.errors import EngineError
from margincalc.kernels import screen, sums
from margincalc.kernels.shared import is_shared
from tests.batch.conftest import PARTS, resumed
from tests.batch.test_resume import command
from tests.batch.venues import files

slow = pytest.mark.skipif(
    not os.environ.get("MARGINCALC_PROVE"), reason="starts a cluster of processes: make prove"
)


class Cluster(NamedTuple):
    """A scheduler and two workers, processes of their own, and what starts another."""

    address: str
    scheduler: Any
    workers: list[Any]
    another: Callable[[], Any]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{found.getsockname()[1]}"

    def started(role: str, *arguments: str) -> Any:
        line = [sys.executable, "-m", f"distributed.cli.dask_{role}", *arguments, "--no-dashboard"]
        return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    scheduler = started("scheduler", "--port", address.rpartition(":")[2])
    workers: list[Any] = []

    def another() -> None:
        workers.append(started("worker", address, "--nthreads", "1", "--no-nanny"))

    another()
    another()
    yield Cluster(address, scheduler, workers, another)
    for process in (scheduler, *workers):
        process.kill()
        process.wait()


def killed_after_a_part(output: Path, *processes: Any) -> threading.Thread:
    """Kill processes as soon as a part is done."""

    def kill() -> None:
        while not list(output.glob("done/*.json")):
            time.sleep(0.002)
        for process in processes:
            process.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    return killer


def transitions(dask_scheduler: Any) -> list[tuple[str, str, str]]:
    """Return the states that parts went through, on a scheduler."""
    steps = [(str(step[0]), step[1], step[2]) for step in dask_scheduler.transition_log]
    return [step for step in steps if step[0].startswith("margined")]


DONE = "processing", "memory"


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
    assert local.scheduler.task_prefixes["margined"].state_counts["memory"] == 3


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
    from distributed import Client

    output, reported = tmp_path / "out", []

    def kill(accounts: int, rows: int, all_rows: int) -> None:
        reported.append(accounts)
        if len(reported) == PARTS - 1:  # nothing is done at first, so two are left
            cluster.workers[0].kill()

    made: Any = Client
    with made(cluster.address, set_as_default=False) as client:
        address = cluster.address
        mc.batch(inputs, output=output, engine="dask", scheduler=address, progress=kill)
        steps = client.run_on_scheduler(transitions)
    assert files(output) == whole
    done = Counter(key for key, before, after in steps if (before, after) == DONE)
    assert len(done) == PARTS
    # Of what had been reported, nothing is done again: only what was about to be, if it is lost.
    assert done.total() <= PARTS + 2


@slow
def test_a_run_outlives_all_its_workers(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path, cluster: Cluster
) -> None:
    output = tmp_path / "out"
    killer = killed_after_a_part(output, *cluster.workers)

    def start() -> None:
        killer.join()
        cluster.another()

    starter = threading.Thread(target=start)
    starter.start()
    mc.batch(inputs, output=output, engine="dask", scheduler=cluster.address)
    starter.join()
    assert files(output) == whole


def kept_memory() -> tuple[str | None, str | None]:
    """Return from how many bytes on this process gives memory back."""
    return os.environ.get("MALLOC_TRIM_THRESHOLD_"), os.environ.get("MALLOC_MMAP_THRESHOLD_")


@slow
def test_workers_that_are_started_here_are_as_many_as_wanted_and_keep_their_memory() -> None:
    with connection.connected(None, 1) as client:
        found = client.run(kept_memory)
    assert list(found.values()) == [(str(1 << 30), str(1 << 25))]


@slow
def test_a_run_whose_workers_all_died_ends(
    inputs: Path, tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(accounts: int, rows: int, all_rows: int) -> None:
        if accounts:
            for worker in cluster.workers:
                worker.kill()

    monkeypatch.setattr(clusters, "ALONE", 2.0)
    output, there = tmp_path / "out", cluster.address
    with pytest.raises(EngineError, match="with --resume where a part was done"):
        mc.batch(inputs, output=output, engine="dask", scheduler=there, progress=kill)


@slow
def test_a_lost_scheduler_is_an_error_and_the_run_goes_on_without(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path, cluster: Cluster
) -> None:
    output = tmp_path / "out"
    killer = killed_after_a_part(output, cluster.scheduler)
    line = command(inputs, output, "--engine", "dask", "--scheduler", cluster.address)
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    killer.join()
    assert done.returncode == 3, done.stderr
    assert "scheduler was lost" in done.stderr
    assert "--resume" in done.stderr
    assert "Traceback" not in done.stderr  # of dask's own log
    assert resumed(inputs, output) == whole


def test_workers_screen_accounts_as_threads_do(
    tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ten positions of each account on each coin: enough for the screen to be less work.
    monkeypatch.setattr(venue, "SPOTS", {"BTC": 100_000.0, "ETH": 4_000.0})
    venue.write(tmp_path / "in", 2000)
    screens: list[int] = []
    plain = screen.screened

    def counted(held: Any, few: Any, start: Any, out: Any) -> None:
        screens.append(len(start))
        plain(held, few, start, out)

    monkeypatch.setattr(sums, "screened", counted)
    mc.batch(tmp_path / "in", output=tmp_path / "threads")
    here = screens.copy()
    screens.clear()
    address = local.scheduler_address
    mc.batch(tmp_path / "in", output=tmp_path / "out", engine="dask", scheduler=address)
    assert max(here) > 2000  # of accounts, not only of one that holds everything
    assert screens == here
    assert files(tmp_path / "out") == files(tmp_path / "threads")


def test_what_is_sent_arrives_as_arrays_that_kernels_take_to_be_shared() -> None:
    known = {b"prices": np.arange(6.0).reshape(2, 3)}
    job = cast(Any, Job)._make([None] * len(Job._fields))._replace(values=known)
    sent = pickle.loads(pickle.dumps(clusters.Sent(pickle.dumps(job))))
    (arrived,) = sent.job.values.values()
    assert is_shared(arrived)
    assert np.array_equal(arrived, known[b"prices"])
    assert sent.job is sent.job
