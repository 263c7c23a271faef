"""What the tests of the command line share."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from margincalc.cli.commands import program


class Outcome(NamedTuple):
    """What a command did."""

    status: object
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command line in this process."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def command(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as end:
            program(list(arguments), prog_name="margincalc")
        return Outcome(end.value.code, *capsys.readouterr())

    return command
