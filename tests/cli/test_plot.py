"""`--plot` draws beside the table, by the rules of every file that is written."""

import subprocess
import sys
from pathlib import Path

from tests.cli import ROOT, STRANGLE
from tests.cli.conftest import Run


def test_another_ending_is_refused_before_anything_is_computed(run: Run, tmp_path: Path) -> None:
    outcome = run("scenarios", "no such file", "--plot", str(tmp_path / "picture.pdf"))
    assert outcome.status == 2
    assert ".png or .svg" in outcome.err
    assert "no such file" not in outcome.err


def test_a_picture_is_written_beside_the_table(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "scenarios.PNG"
    outcome = run("scenarios", STRANGLE, "--plot", str(file))
    assert outcome == run("scenarios", STRANGLE)
    assert list(tmp_path.iterdir()) == [file]


def test_what_was_read_is_not_drawn_over(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "book.svg"
    file.write_text(Path(STRANGLE).read_text("utf-8"))
    outcome = run("scenarios", str(file), "--plot", str(file))
    assert outcome.status == 2
    assert file.read_text("utf-8") == Path(STRANGLE).read_text("utf-8")


def test_without_matplotlib_the_message_gives_the_pip_line(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None\nfrom margincalc.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "scenarios", STRANGLE]
    outcome = subprocess.run(
        [*command, "--plot", str(tmp_path / "a.png")], capture_output=True, text=True, cwd=ROOT
    )
    assert outcome.returncode == 3
    assert "pip install 'margincalc[plot]'" in outcome.stderr
    assert not list(tmp_path.iterdir())
