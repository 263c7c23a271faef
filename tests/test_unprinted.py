"""What a solver's own code prints is left out of standard output, and nothing else."""

import os
import subprocess
import sys
import threading

import pytest

from margincalc.unprinted import unprinted
from tests.cli import ROOT

LINE = b"HighsMipSolverData::transformNewIntegerFeasibleSolution tmpSolver.run();\n"
Captured = pytest.CaptureFixture[str]


def test_a_solver_s_lines_are_left_out(capfd: Captured) -> None:
    os.write(1, b"before\n")
    with unprinted():
        os.write(1, b"a log\n" + LINE + b"another\n")
    os.write(1, LINE)
    assert capfd.readouterr().out == "before\na log\nanother\n" + LINE.decode()


def test_threads_inside_together_lose_nothing(capfd: Captured) -> None:
    begun, left = threading.Event(), threading.Event()

    def longer() -> None:
        with unprinted():
            begun.set()
            left.wait()
            os.write(1, LINE + b"the last\n")

    other = threading.Thread(target=longer, daemon=True)
    other.start()
    begun.wait()
    with unprinted():
        os.write(1, b"the first\n" + LINE)
    left.set()
    other.join()
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "the first\nthe last\nafter\n"


def test_an_error_inside_puts_standard_output_back(capfd: Captured) -> None:
    with pytest.raises(ValueError, match="no answer"), unprinted():
        raise ValueError("no answer")
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "after\n"


def test_a_closed_standard_output_stays_closed() -> None:
    """In a process of its own: here, another thread may open what then has its number."""
    program = (
        "import os\n"
        "from margincalc.unprinted import unprinted\n"
        "os.close(1)\n"
        "with unprinted(): pass\n"
        "os.fstat(1)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("OSError: [Errno 9] Bad file descriptor\n")
