"""What starting the program costs: nothing is imported before it is needed."""

import subprocess
import sys

import pytest

from tests.cli import ROOT, STRANGLE

SHOW = "import sys; print(*sys.modules)"
HEAVY = {"numpy", "pydantic", "yaml", "tabulate", "scipy", "vollib", "matplotlib"}


def modules(code: str) -> set[str]:
    """Return the modules that a program has imported at its end, beside what Python itself has."""
    return _at_the_end(code) - _at_the_end("")


def _at_the_end(code: str) -> set[str]:
    command = [sys.executable, "-c", f"{code}\n{SHOW}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split())


def test_the_command_line_alone_imports_nothing_heavy() -> None:
    loaded = modules("import margincalc.cli.commands")
    assert not loaded & (HEAVY | {"dataclasses", "json", "csv", "tempfile", "shutil"})
    own = {name for name in loaded if name.startswith("margincalc")}
    assert own == {
        "margincalc",
        "margincalc._version",
        "margincalc.cli",
        "margincalc.cli.commands",
        "margincalc.cli.complete",
        "margincalc.cli.options",
        "margincalc.cli.output",
        "margincalc.cli.program",
    }


@pytest.mark.parametrize("command", ["margin", "check", "greeks", "scenarios", "compare"])
def test_a_script_waits_for_nothing_that_it_does_not_use(command: str) -> None:
    arguments = [command, STRANGLE, "--format", "json"]
    loaded = modules(
        "from margincalc.cli.commands import program\n"
        f"try: program({arguments!r})\n"
        "except SystemExit as end: assert end.code == 0"
    )
    assert not loaded & {"scipy", "vollib", "tabulate", "matplotlib"}


def test_a_native_file_waits_for_no_reader_of_exports() -> None:
    loaded = modules(
        "from margincalc.cli.commands import program\n"
        f"try: program(['margin', {STRANGLE!r}])\n"
        "except SystemExit: pass"
    )
    assert not {name for name in loaded if name.startswith(("margincalc.files.exports", "xml"))}


def test_a_table_imports_what_draws_it() -> None:
    loaded = modules(
        "from margincalc.cli.commands import program\n"
        f"try: program(['margin', {STRANGLE!r}])\n"
        "except SystemExit: pass"
    )
    assert "tabulate" in loaded
    assert not loaded & {"scipy", "vollib", "matplotlib", "pandas"}
