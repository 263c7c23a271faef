"""Types are published: a project under strict mypy, without stubs, checks against the package."""

import os
import subprocess
import sys
from pathlib import Path

import margincalc

CONSUMER = Path(__file__).parent / "consumer" / "desk.py"


# What is wrong inside an installed package is not its user's to mend, and mypy is silent on it.
SETTINGS = "[mypy]\nstrict = true\n[mypy-margincalc.*]\nfollow_imports = silent\n"


def checked(folder: Path, *paths: Path) -> str:
    """Return what strict mypy says of files of another project."""
    settings = folder / "mypy.ini"
    settings.write_text(SETTINGS)
    home = Path(margincalc.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(settings), *map(str, paths)],
        cwd=folder,
        env={"MYPYPATH": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_a_strict_project_type_checks_and_a_wrong_use_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import margincalc as mc\nmc.margin(3, mode='sideways').to_jsn()\n")
    *faults, whole = checked(tmp_path, CONSUMER, wrong).splitlines()  # both at once: mypy is slow
    assert whole == "Found 3 errors in 1 file (checked 2 source files)", faults
    assert all(fault.startswith("wrong.py:2: ") for fault in faults)
