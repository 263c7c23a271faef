"""Types are published: a project under strict mypy, without stubs, checks against the package."""

import os
import subprocess
import sys
from pathlib import Path

import margincalc

CONSUMER = Path(__file__).parent / "consumer" / "desk.py"


# What is wrong inside an installed package is not its user's to mend, and mypy is silent on it.
SETTINGS = "[mypy]\nstrict = true\n[mypy-margincalc.*]\nfollow_imports = silent\n"


def checked(path: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run strict mypy on a file of another project."""
    settings = folder / "mypy.ini"
    settings.write_text(SETTINGS)
    home = Path(margincalc.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(settings), str(path)],
        cwd=folder,
        env={"MYPYPATH": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_strict_project_type_checks(tmp_path: Path) -> None:
    outcome = checked(CONSUMER, tmp_path)
    assert outcome.returncode == 0, outcome.stdout


def test_a_wrong_use_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import margincalc as mc\nmc.margin(3, mode='sideways').to_jsn()\n")
    outcome = checked(wrong, tmp_path)
    assert "3 errors" in outcome.stdout, outcome.stdout
