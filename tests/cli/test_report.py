"""`report`: the page of the library, to standard output or a file that is written whole."""

from pathlib import Path

import margincalc as mc
from tests.cli import STRANGLE
from tests.cli.conftest import Run


def test_it_writes_what_the_library_returns(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    outcome = run("report", STRANGLE, "--spot", "-5%", "-o", str(file))
    assert outcome == (0, "", "")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text() == mc.report(mc.load(STRANGLE), changes=mc.what_if(spot=["-5%"]))


def test_faults_are_sentences_and_leave_no_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    outcome = run("report", STRANGLE, "--model", "nobody", "-o", str(file))
    assert outcome.status == 2
    assert "nobody" in outcome.err
    assert run("report", str(tmp_path / "none.yaml"), "-o", str(file)).status == 2
    assert run("report", STRANGLE, "-o", str(tmp_path / "no" / "folder.html")).status == 3
    assert list(tmp_path.iterdir()) == []


def test_what_was_read_is_not_written_over(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text(Path(STRANGLE).read_text())
    assert run("report", str(file), "-o", str(file)).status == 2
    assert file.read_text() == Path(STRANGLE).read_text()
