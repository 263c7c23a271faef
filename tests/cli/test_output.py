"""Files are written whole or not at all, and a closed pipe is quiet."""

import fcntl
import io
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import IO

import pytest

from margincalc.cli.output import say
from tests.cli import ROOT, SAMPLES, STRANGLE, UNDER, process
from tests.cli.conftest import Run

FULL = Path("/dev/full")


def shell(line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash whose $MARGINCALC is the program; its status is the program's."""
    program = f"{sys.executable} -m margincalc"
    return subprocess.run(
        ["bash", "-c", f"MARGINCALC='{program}'; {line}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


def test_file_holds_what_would_be_printed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "margin.json"
    written = run("margin", STRANGLE, "--format", "json", "-o", str(file))
    assert (written.status, written.out) == (0, "")
    assert file.read_text("utf-8") == run("margin", STRANGLE, "--format", "json").out
    assert list(tmp_path.iterdir()) == [file]


def test_a_dash_is_standard_output(run: Run) -> None:
    assert run("margin", STRANGLE, "-o", "-") == run("margin", STRANGLE)


def test_an_old_file_keeps_its_permissions(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "margin.txt"
    file.write_text("old")
    file.chmod(0o640)
    assert run("margin", STRANGLE, "-o", str(file)).status == 0
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text("utf-8").startswith("btc-short-strangle")


def test_the_file_behind_a_link_is_written(run: Run, tmp_path: Path) -> None:
    file, link = tmp_path / "margin.txt", tmp_path / "latest.txt"
    file.write_text("old")
    link.symlink_to(file)
    assert run("margin", STRANGLE, "-o", str(link)).status == 0
    assert link.is_symlink()
    assert file.read_text("utf-8").startswith("btc-short-strangle")


def test_an_old_file_survives_a_failure(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "margin.txt"
    file.write_text("old")
    monkeypatch.setattr(Path, "replace", fail)
    outcome = run("margin", STRANGLE, "-o", str(file))
    assert outcome.status == 3
    assert outcome.err == f"error: {file} could not be written: No space left on device\n"
    assert file.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_cannot_be_written(run: Run, tmp_path: Path) -> None:
    outcome = run("margin", STRANGLE, "-o", str(tmp_path))
    assert (outcome.status, outcome.err[-15:]) == (3, "it is a folder\n")


def test_a_missing_folder_is_named(run: Run, tmp_path: Path) -> None:
    outcome = run("margin", STRANGLE, "-o", str(tmp_path / "new" / "x.json"))
    assert outcome.status == 3
    assert f"there is no folder {tmp_path / 'new'}" in outcome.err


PRICES = SAMPLES / "daily_prices.csv"
EXPORTS = sorted((SAMPLES / "exports").glob("deribit_*.json"))


@pytest.mark.parametrize(
    ("command", "read"),
    [
        (("margin", "{}", "-o"), STRANGLE),
        (("explain", UNDER, "{}", "-o"), STRANGLE),
        (
            ("compare", STRANGLE, "--model", "{}", "-o"),
            ROOT / "margincalc" / "venues" / "generic-standard.2026-11-01.toml",
        ),
        (("convert", str(EXPORTS[0]), "{}", "-o"), EXPORTS[1]),
        (("margin", str(EXPORTS[0]), "--join", "{}", "-o"), EXPORTS[1]),
        (("chain", "{}", "--write"), SAMPLES / "btc_chain.yaml"),
        (("simulate", "dynamic", "{}", "--write-model"), PRICES),
        (("simulate", "oracle", "{}", "-o"), SAMPLES / "minute_prices.csv"),
        (("report", "{}", "-o"), UNDER),
    ],
)
def test_no_file_that_is_read_is_overwritten(
    run: Run, tmp_path: Path, command: tuple[str, ...], read: str | Path
) -> None:
    file = tmp_path / Path(read).name
    file.write_bytes(Path(read).read_bytes())
    arguments = [word.format(file) for word in command]
    outcome = run(*arguments, str(tmp_path / "." / file.name))
    assert outcome.status == 2
    assert f"error: {'--output' if command[-1] == '-o' else command[-1]}\n" in outcome.err
    assert file.read_bytes() == Path(read).read_bytes()


def test_a_check_that_fails_still_writes(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "check.txt"
    assert run("check", UNDER, "-o", str(file)).status == 1
    assert file.read_text("utf-8").startswith("LIQUIDATABLE")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"$MARGINCALC margin {STRANGLE} | true", 0),
        (f"$MARGINCALC margin {STRANGLE} | head -1", 0),
        (f"$MARGINCALC margin {STRANGLE} --format json 2>&1 | head -c 1", 0),
        ("$MARGINCALC --help | true", 0),
        ("$MARGINCALC nonsense 2>&1 | true", 2),
        (f"$MARGINCALC check {UNDER} | true", 1),
    ],
)
def test_a_closed_pipe_is_quiet(line: str, status: int) -> None:
    outcome = shell(line)
    assert (outcome.returncode, outcome.stderr) == (status, "")


def test_a_closed_standard_output_is_an_error() -> None:
    outcome = shell(f"$MARGINCALC margin {STRANGLE} >&-")
    assert outcome.returncode == 3
    assert outcome.stderr == "error: standard output could not be written: it is closed\n"


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_an_error() -> None:
    outcome = shell(f"$MARGINCALC margin {STRANGLE} >{FULL}")
    assert outcome.returncode == 3
    assert "could not be written: No space left" in outcome.stderr
    outcome = process("margin", STRANGLE, "-o", str(FULL))
    assert outcome.returncode == 3


def test_a_terminal_gets_whole_words_and_a_pipe_whole_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = f"error: --model\n    found {'one of many models, ' * 8}\n    wanted {'x' * 90}"
    monkeypatch.setenv("COLUMNS", "60")
    said = []
    for terminal in (True, False):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda terminal=terminal: terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        say(message)
        said.append(stream.getvalue())
    broken, whole = said
    assert whole == f"{message}\n"
    assert broken.split() == message.split()
    lines = broken.splitlines()
    assert all(len(line) <= 60 for line in lines if "x" * 90 not in line)
    assert lines[2].startswith("      many")


def test_what_an_encoding_lacks_is_escaped(tmp_path: Path) -> None:
    book = tmp_path / "book.yaml"
    text = Path(STRANGLE).read_text("utf-8").replace("btc-short-strangle", "compte-été")
    book.write_text(text, "utf-8")
    outcome = process("margin", str(book), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert outcome.returncode == 0
    assert outcome.stdout.startswith("compte-\\xe9t\\xe9 ")


def wait_until_read(pid: int, pipe: IO[bytes]) -> None:
    """Wait until a process has read what a pipe holds and waits for more of it, or has ended."""
    left = bytearray(4)
    while True:
        fcntl.ioctl(pipe, termios.FIONREAD, left)
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        if state == "Z" or (state == "S" and not any(left)):
            return
        time.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
def test_an_interrupt_is_quiet() -> None:
    command = [sys.executable, "-m", "margincalc", "margin", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdin.write(b"# a comment\n")
        running.stdin.flush()
        wait_until_read(running.pid, running.stdin)
        running.send_signal(signal.SIGINT)  # and standard input stays open
        out, err = running.stdout.read(), running.stderr.read()
    assert (running.returncode, out, err) == (130, b"", b"\n")
