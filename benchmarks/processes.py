"""Run whole commands, as a shell would, and say what they cost."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.clock import Cost, Costed, in_process

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_portfolios"
FORBIDS_BYTECODE = "PYTHONDONTWRITEBYTECODE"


def python(code: str) -> list[str]:
    """Return the command that runs a line of Python."""
    return [sys.executable, "-c", code]


def margincalc(*arguments: str) -> list[str]:
    """Return the command of the installed console script.

    Raises
    ------
    FileNotFoundError
        If it is not installed beside this Python.
    """
    script = shutil.which("margincalc", path=str(Path(sys.executable).parent))
    if script is None:
        raise FileNotFoundError("margincalc is not installed beside this Python: `make venv`")
    return [script, *arguments]


def process(command: Sequence[str]) -> Costed:
    """Return a command as a work; each run is a process of its own, its output thrown away.

    It is run once here, which also leaves its modules byte-compiled.

    Raises
    ------
    RuntimeError
        If the command fails.
    """
    output(command)

    def costed() -> Cost:
        cpu = 0.0

        def run() -> None:
            nonlocal cpu
            cpu = _cpu(command)

        wall = in_process(run)().wall
        return Cost(wall, cpu)

    return costed


_PEAK = (
    "import resource, subprocess, sys; "
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def peak(command: Sequence[str]) -> int:
    """Return the most memory that a command had at one time, in bytes.

    It is started by a small process: what a child counts begins with its parent's memory.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    return int(output([*python(_PEAK), *command])) * 1024


def output(command: Sequence[str]) -> str:
    """Return what a command prints.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
    return done.stdout


def _cpu(command: Sequence[str]) -> float:
    """Run a command and return its cpu time."""
    usage = _usage(command)
    return usage.ru_utime + usage.ru_stime


def _usage(command: Sequence[str]) -> resource.struct_rusage:
    """Run a command, its output thrown away, and return what it used."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(
        command, cwd=ROOT, env=_environment(), stdin=quiet, stdout=quiet, stderr=quiet
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed with status {child.returncode}")
    return usage


def _environment() -> Mapping[str, str]:
    """Return this environment, in which Python may keep its byte code."""
    return {name: value for name, value in os.environ.items() if name != FORBIDS_BYTECODE}
