"""`watch` ends cleanly whatever ends it: a signal, a reader that has gone, a writer that has."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from margincalc.cli.stopping import until_told
from tests.cli import ROOT, STRANGLE

CRASH = b'{"underlying": "BTC", "spot": 60000}\n'
STILL = b'{"underlying": "BTC", "spot": 100000}\n'
Process = subprocess.Popen[bytes]


@contextlib.contextmanager
def watching(*arguments: str, ignoring: bool = False) -> Iterator[Process]:
    """Start `watch` as a program of its own, which does not outlive a test that fails."""
    command = [sys.executable, "-m", "margincalc", "watch", STRANGLE, "--no-latency", *arguments]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if ignoring else None
    try:
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT)
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            process.kill()  # if it has not ended


def event(stream: IO[bytes] | None) -> dict[str, Any]:
    assert stream is not None
    said: dict[str, Any] = json.loads(stream.readline())
    return said


def write(process: Process, line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line)
    process.stdin.flush()


def ended(process: Process) -> tuple[int, dict[str, Any]]:
    """Return the exit status and the last event; nothing is said beside events.

    Not by `communicate`: it knows nothing of the lines that came with the last one read.
    """
    assert process.stdout is not None
    last = process.stdout.read().splitlines()[-1]
    assert process.stderr is not None
    assert process.stderr.read() == b""
    return process.wait(), json.loads(last)


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("line", "status"), [(CRASH, 1), (STILL, 0)])
def test_a_signal_ends_it_with_the_last_state(
    told: signal.Signals, line: bytes, status: int
) -> None:
    with watching("--every", "1") as process:
        assert event(process.stdout)["event"] == "start"
        write(process, line)
        event(process.stdout)
        process.send_signal(told)  # and standard input stays open, and silent
        found, last = ended(process)
    assert (found, last["event"], last["ticks"]) == (status, "end", 1)


def test_a_signal_that_is_to_be_ignored_is(tmp_path: Path) -> None:
    with watching("--every", "1", ignoring=True) as process:
        assert event(process.stdout)["event"] == "start"
        write(process, STILL)
        event(process.stdout)
        process.send_signal(signal.SIGINT)
        write(process, STILL)
        assert event(process.stdout)["event"] == "state"
        assert process.stdin is not None
        process.stdin.close()
        found, last = ended(process)
    assert (found, last["ticks"]) == (0, 2)


def test_it_ends_when_nobody_reads_on() -> None:
    with watching("--every", "1") as process:
        assert event(process.stdout)["event"] == "start"
        assert process.stdout is not None
        process.stdout.close()
        write(process, CRASH)
        assert process.wait() == 0  # and standard input is still open
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.parametrize("follow", [(), ("--follow",)])
def test_a_pipe_is_read_when_somebody_writes(follow: tuple[str, ...], tmp_path: Path) -> None:
    pipe = tmp_path / "ticks"
    os.mkfifo(pipe)
    with watching("--ticks", str(pipe), "--heartbeat", "0.05", *follow) as process:
        assert event(process.stdout)["event"] == "start"
        assert event(process.stdout)["event"] == "heartbeat"  # nobody has opened it yet
        pipe.write_bytes(CRASH)
        while (said := event(process.stdout))["event"] == "heartbeat":
            pass
        assert (said["event"], said["status"]) == ("status", "liquidatable")
        if follow:
            pipe.write_bytes(STILL)
            while (said := event(process.stdout))["event"] == "heartbeat":
                pass
            assert (said["event"], said["status"]) == ("status", "healthy")
            process.send_signal(signal.SIGTERM)
        found, last = ended(process)
    assert (found, last["ticks"]) == ((0, 2) if follow else (1, 1))


def test_what_is_made_of_the_last_is_finished_first() -> None:
    done = []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    for number in until_told(endless()):
        if number == 3:
            signal.raise_signal(signal.SIGTERM)
        done.append(number)
    assert done == [0, 1, 2, 3]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_second_signal_waits_for_nothing() -> None:
    def interrupt(_: int) -> None:
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        any(map(interrupt, until_told(iter([1, 2]))))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_waits_is_woken() -> None:
    never = threading.Event()

    def silent() -> Iterator[int]:
        yield 1
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        while not never.wait(0.1):  # again: Python sleeps through what comes just before it does
            pass
        raise AssertionError

    assert list(until_told(silent())) == [1]
