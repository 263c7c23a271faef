"""Every help ends with two real examples, and they work."""

import re
import shlex
from pathlib import Path

import click
import pytest

from margincalc.cli.commands import program
from tests.cli import ROOT
from tests.cli.conftest import Run

CONTEXT = click.Context(program)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List the paths of a group and of all commands in it."""
    found = [path]
    for name in group.list_commands(CONTEXT):
        inside, command = (*path, name), of(group, name)
        found += commands(command, inside) if isinstance(command, click.Group) else [inside]
    return found


def of(group: click.Command, name: str) -> click.Command:
    """Return the command of a name."""
    assert isinstance(group, click.Group)
    command = group.get_command(CONTEXT, name)
    assert command is not None
    return command


def unfolded(text: str) -> list[str]:
    """Return lines, those that end with a backslash joined with the next."""
    return re.sub(r" \\\n +", " ", text).splitlines()


def examples(path: tuple[str, ...]) -> list[str]:
    """Return the examples of a command's help."""
    command: click.Command = program
    for name in path:
        command = of(command, name)
    lines = unfolded(command.epilog or "")
    return [line.strip() for line in lines if line.strip().startswith("margincalc ")]


def expanded(word: str) -> list[str]:
    """Return the files that a shell would put for a pattern."""
    return sorted(map(str, Path("/").glob(word[1:]))) if "*" in word else [word]


CONVERTED = [  # what the example account's conversion says, beside how each file was read
    "note: the account is margined as segregated_pm: --model deribit-pm is the venue's",
    "note: left out: BTC-FS-25DEC26_PERP: no option, future or perpetual",
]
PATHS = commands(program)
EXAMPLES = sorted({line for path in PATHS for line in examples(path)})


def test_every_command_of_the_contract_is_there() -> None:
    names = {" ".join(path) for path in PATHS}
    assert {
        "margin",
        "compare",
        "greeks",
        "scenarios",
        "check",
        "models",
        "models list",
        "models show",
        "models verify",
        "schema",
    } <= names


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_ends_with_two_examples(run: Run, path: tuple[str, ...]) -> None:
    outcome = run(*path, "--help")
    assert (outcome.status, outcome.err) == (0, "")
    *_, heading, first, second = unfolded(outcome.out)
    assert heading.strip() == "Examples:"
    assert [first.strip(), second.strip()] == examples(path)
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert run(*path, "-h") == outcome


@pytest.mark.parametrize("path", [path for path in PATHS if path], ids=" ".join)
def test_help_says_what_a_command_does(run: Run, path: tuple[str, ...]) -> None:
    summary = run(*path, "--help").out.splitlines()[2]
    assert summary.strip().endswith(".")


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_work(
    run: Run, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(line.replace("sample_portfolios", str(ROOT / "sample_portfolios")))
    outcome = run(*(word for argument in arguments[1:] for word in expanded(argument)))
    # A run that takes its time says how far it is.
    own = re.compile(r"exports/|accounts, \d+ %")
    said = [said for said in outcome.err.splitlines() if not own.search(said)]
    assert (outcome.status, said) == (0, [] if "exports/" not in line else CONVERTED)
    assert bool(outcome.out) is ("--output" not in arguments)
