"""Completion at TAB, the manual page, and the demonstration."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from margincalc.cli.commands import demo, program
from margincalc.margin.load import model_names
from tests.cli import ROOT, SAMPLES
from tests.cli.conftest import Run


def offered(typed: str, shell: str = "bash") -> list[str]:
    """Return what a shell is offered for the last word of what was typed."""
    words = typed.split(" ")
    script = "import sys; sys.argv = ['margincalc']; from margincalc.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            "PATH": "",
            "COMP_WORDS": typed,
            "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
            "_MARGINCALC_COMPLETE": f"{shell}_complete",
        },
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return done.stdout.splitlines()


def test_commands_are_completed() -> None:
    assert "plain,margin" in offered("margincalc marg")


def test_models_are_completed() -> None:
    found = offered("margincalc margin --model ")
    assert found == ["file,", *(f"plain,{name}" for name in model_names())]
    assert offered("margincalc models show nse")[-1] == "plain,nse-span"


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("margincalc margin --model der", "deribit-pm deribit-sm derive-pm1 derive-pm2 derive-sm"),
        ("margincalc report spx", "sample_portfolios/spx_iron_condor.yaml"),
        ("margincalc simulate mon", "monitor"),
        ("margincalc simulate liquidation --engine dy", "dydx-v4"),
        ("margincalc margin book.y", ""),  # bash completes files itself
    ],
)
def test_bash_completes(run: Run, typed: str, wanted: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    lines = (
        run("completion", "bash").out,
        "compopt() { :; }",  # there is no line that it could complete
        f"COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))",
        'COMPREPLY=(); _margincalc_completion margincalc; echo "${COMPREPLY[*]}"',
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "-c", "\n".join(lines)],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout.strip() == wanted


def test_descriptions_in_fish_are_whole(run: Run) -> None:
    assert 'string split ","' not in run("completion", "fish").out  # which ends at any comma


def test_samples_are_completed_by_their_own_names() -> None:
    assert offered("margincalc margin spx") == [
        "file,spx",
        "plain,sample_portfolios/spx_iron_condor.yaml",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(run: Run, shell: str) -> None:
    outcome = run("completion", shell)
    assert outcome.status == 0
    assert f"_MARGINCALC_COMPLETE={shell}_complete" in outcome.out


def test_the_manual_has_every_command_and_its_options(run: Run) -> None:
    page = run("man").out.replace(r"\-", "-")
    context = click.Context(program)
    for name in program.list_commands(context):
        assert f'.SS "margincalc {name}"' in page
    assert '.SS "margincalc models verify"' in page
    assert r"\fB--mode [isolated|cross|portfolio]\fR" in page
    assert page.count(r"\fB-h, --help\fR") == page.count('.SS "')
    assert page.startswith(".TH MARGINCALC 1")


def test_a_line_of_the_manual_is_never_taken_for_a_request(run: Run) -> None:
    requests = (".TH", ".SH", ".SS", ".PP", ".TP", ".EX", ".EE")
    for line in run("man").out.splitlines():
        assert not line.startswith((".", "'")) or line.startswith(requests)


def test_the_demonstration_runs_its_commands(run: Run) -> None:
    text = run("demo").out
    for _, arguments in demo.TOUR:
        assert f"    $ margincalc {arguments[0]} demo.yaml" in text
    assert text.count("HEALTHY") > 3
    assert "error" not in text


def test_the_demonstration_is_a_sample() -> None:
    sample = (SAMPLES / "btc_short_strangle.yaml").read_text("utf-8")
    assert Path(demo.SAMPLE).read_text("utf-8") == sample
