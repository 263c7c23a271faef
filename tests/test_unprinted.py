"""What a solver's own code prints is left out of standard output, and nothing else."""

import os
import threading

import pytest

from margincalc.unprinted import unprinted

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
            left.wait(10.0)
            os.write(1, LINE + b"the last\n")

    other = threading.Thread(target=longer)
    other.start()
    assert begun.wait(10.0)
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


def test_a_closed_standard_output_stays_closed(capfd: Captured) -> None:
    kept = os.dup(1)
    os.close(1)
    try:
        with unprinted():
            pass
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(1)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
