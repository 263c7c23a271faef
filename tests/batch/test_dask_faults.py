"""What keeps a cluster from working is said in words, and nothing is left running."""

import os
import pickle
import re
import signal
import socket
import subprocess
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

import margincalc as mc
from margincalc.batch import cluster as clusters
from margincalc.batch import connection
from margincalc.batch import versions as made_of
from margincalc.batch.piece import Job, run_part
from margincalc.batch.versions import versions
from margincalc.errors import EngineError, Fault, InputError, ModelRefusal, OutputError
from tests.batch.test_resume import command
from tests.batch.venues import files

slow = pytest.mark.skipif(
    not os.environ.get("MARGINCALC_PROVE"), reason="starts a cluster of processes: make prove"
)


def test_no_scheduler_is_an_error(
    inputs: Path, tmp_path: Path, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.SETTINGS, "distributed.comm.timeouts.connect", "1s")
    with pytest.raises(EngineError, match="no dask scheduler answers there"):
        mc.batch(inputs, output=tmp_path / "out", engine="dask", scheduler=nobody)


def test_what_answers_and_is_no_scheduler_is_an_error(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 1.0)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        there = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(EngineError, match=r"answers there .nothing within 2 seconds"):
            mc.batch(inputs, output=tmp_path / "out", engine="dask", scheduler=there)


def test_what_dask_says_of_an_address_is_no_internal_error(inputs: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no dask scheduler answers there .TLS expects"):
        mc.batch(inputs, output=tmp_path / "o", engine="dask", scheduler="tls://127.0.0.1:1")
    with pytest.raises(InputError, match="found nothing; wanted an address"):
        mc.batch(inputs, output=tmp_path / "o", engine="dask", scheduler="")


def test_no_address_is_an_error(inputs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wanted an address of a dask scheduler"):
        mc.batch(inputs, output=tmp_path / "out", engine="dask", scheduler="the cluster")


def test_a_scheduler_without_workers_is_an_error(
    inputs: Path, tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.scale(0)
    monkeypatch.setattr(clusters, "ALONE", 0.2)
    with pytest.raises(EngineError, match=f"start one with dask worker {local.scheduler_address}"):
        mc.batch(inputs, output=tmp_path / "o", engine="dask", scheduler=local.scheduler_address)


def test_names_that_workers_would_look_for_elsewhere_are_refused(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(inputs.parent)
    with pytest.raises(InputError) as caught:
        mc.batch(inputs.name, output="out", engine="dask", scheduler="tcp://127.0.0.1:9")
    assert f"write {inputs / 'positions'}" in str(caught.value)
    assert f"write {inputs.parent / 'out'}" in str(caught.value)


def test_what_a_worker_does_not_see_is_said(
    inputs: Path, tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, output = local.scheduler_address, tmp_path / "out"
    monkeypatch.setattr(clusters, "run_of", lambda output: "another run")
    with pytest.raises(EngineError, match=f"does not see {output}/manifest.json: workers read"):
        mc.batch(inputs, output=output, engine="dask", scheduler=there)
    monkeypatch.setattr(os.path, "exists", lambda file: False)
    with pytest.raises(EngineError, match=r"the dask worker \w+://\S+ does not see \S+.parquet"):
        mc.batch(inputs, output=tmp_path / "other", engine="dask", scheduler=there)


def test_a_worker_that_would_give_other_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_me", lambda: "tcp://host:1")
    other = tuple((name, "0.1" if name == "numpy" else own) for name, own in versions())
    error = clusters.worked(__file__, work=len, wanted=other)
    assert isinstance(error, EngineError)
    assert re.search(r"worker tcp://host:1 has numpy \S+, where this run has 0\.1", str(error))
    assert clusters.worked(__file__, work=len, wanted=versions()) == len(__file__)


def test_a_cluster_without_margincalc_gets_no_task(
    inputs: Path, tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client

    there = local.scheduler_address
    plain: Any = Client.get_versions
    lacking = set[str]()

    def said(client: Any, packages: list[str]) -> Any:
        found = plain(client, packages=packages)
        for each in (*found["workers"].values(), {"packages": found["scheduler"]["packages"]}):
            each["packages"] = each["packages"] | dict.fromkeys(lacking)
        found["scheduler"] = {"packages": {"margincalc": None if lacking else mc.__version__}}
        return found

    monkeypatch.setattr(Client, "get_versions", said)
    mc.batch(inputs, output=tmp_path / "able", engine="dask", scheduler=there)
    tasks = len(local.scheduler.transition_log)
    lacking |= {"margincalc"}  # it is on a path, though nobody installed it
    mc.batch(inputs, output=tmp_path / "sources", engine="dask", scheduler=there)
    assert len(local.scheduler.transition_log) > tasks
    monkeypatch.setattr(made_of, "find_spec", nowhere)
    tasks = len(local.scheduler.transition_log)
    with pytest.raises(EngineError, match=r"dask workers \S+, \S+ have no margincalc, where this"):
        mc.batch(inputs, output=tmp_path / "o", engine="dask", scheduler=there)
    monkeypatch.setattr(made_of, "_is_there", lambda client, worker: True)
    with pytest.raises(EngineError, match=rf"scheduler {there} has no margincalc, where this run"):
        mc.batch(inputs, output=tmp_path / "o", engine="dask", scheduler=there)
    assert len(local.scheduler.transition_log) == tasks


def nowhere(name: str) -> None:
    """Find a module as where it is not installed."""


class Clock:
    """A time in which each wait is a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the seconds so far."""
        return self.now

    def sleep(self, _: float) -> None:
        """Wait for a moment, and call it a second."""
        self.now += 1.0
        time.sleep(0.01)


def test_workers_that_are_gone_for_a_moment_are_no_error(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path, local: Any, monkeypatch: Any
) -> None:
    clock, looks, waited = Clock(), cycle([False, True]), []

    def slow(part: Any, job: Job) -> Any:
        begun = clock.now
        while part.number == 0 and clock.now < begun + 3.0 * clusters.ALONE:
            time.sleep(0.01)
        waited.append(clock.now - begun)
        return run_part(part, job)

    monkeypatch.setattr(clusters, "time", clock)
    monkeypatch.setattr(clusters, "run_part", slow)
    monkeypatch.setattr(clusters.Dask, "_attended", lambda self: next(looks))
    mc.batch(inputs, output=tmp_path / "out", engine="dask", scheduler=local.scheduler_address)
    assert max(waited) > clusters.ALONE
    assert files(tmp_path / "out") == whole


@slow
def test_ctrl_c_ends_what_was_started_in_silence(inputs: Path, tmp_path: Path) -> None:
    for wait in (0.0, 0.3, 2.0):  # while it starts, and when it has
        line = command(inputs, tmp_path / str(wait), "--engine", "dask", "--workers", "2")
        running = subprocess.Popen(
            line, start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        while running.poll() is None and not processes_of(running.pid):
            time.sleep(0.01)
        time.sleep(wait)
        started = processes_of(running.pid)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does it
        _, said = running.communicate()
        # Interrupted in the midst of an `exec`, as of a named tuple, Python ends by the signal.
        assert running.returncode in (130, -signal.SIGINT, 0)
        assert not said.strip(), said
        for process in started:
            while lives(process):
                time.sleep(0.01)


def lives(process: int) -> bool:
    """Say whether a process has not ended; one that has may be listed yet."""
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False


def processes_of(parent: int) -> list[int]:
    """List the processes that a process started."""
    listed = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(child) for each in listed for child in each.read_text().split()]


def test_what_fails_in_a_worker_is_no_traceback(
    inputs: Path, tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(part: object, job: object) -> None:
        raise MemoryError("nothing left")

    monkeypatch.setattr(clusters, "run_part", full)
    with pytest.raises(EngineError, match="a dask worker failed, running: MemoryError: nothing"):
        mc.batch(inputs, output=tmp_path / "o", engine="dask", scheduler=local.scheduler_address)


def test_an_error_of_a_worker_arrives_as_it_was(
    inputs: Path, tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [Fault(f"{number}.parquet row 1", "x" * 500, "a row", "mend it") for number in "12345"]

    def strict(part: object, job: object) -> None:
        raise InputError(faults * 10)

    monkeypatch.setattr(clusters, "run_part", strict)
    with pytest.raises(InputError) as caught:
        mc.batch(inputs, output=tmp_path / "o", engine="dask", scheduler=local.scheduler_address)
    assert str(caught.value) == str(InputError(faults * 10))


def test_who_could_not_write_is_said(
    inputs: Path, tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(part: object, job: object) -> None:
        raise OutputError("part-000000.parquet could not be written")

    monkeypatch.setattr(clusters, "run_part", full)
    with pytest.raises(OutputError, match=r"^the dask worker inproc://\S+: part-000000.parquet"):
        mc.batch(inputs, output=tmp_path / "o", engine="dask", scheduler=local.scheduler_address)


def test_a_refusal_of_another_process_is_said_once() -> None:
    refused = pickle.loads(pickle.dumps(ModelRefusal("no rules for spot", "okx-pm")))
    assert str(refused) == "okx-pm: no rules for spot"
