"""What goes wrong becomes a sentence and an exit status, never a traceback."""

from pathlib import Path

import click
import pytest

from margincalc.api import account, reading
from margincalc.errors import MissingExtraError, OutputError, input_error
from tests.cli import STRANGLE
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("margni", STRANGLE), "margni"),
        (("margin",), "Missing argument 'FILE'"),
        (("margin", STRANGLE, "--mode", "crossed"), "'crossed'"),
        (("margin", STRANGLE, "--modle", "cross"), "--modle"),
        (("margin", STRANGLE, STRANGLE), "unexpected extra argument"),
        (("margin", "no such file.yaml"), "no such file.yaml"),
        (("margin", STRANGLE, "--model", "generic-portfolo"), "did you mean"),
        (("margin", STRANGLE, "--set", "factors"), "key=value"),
        (("margin", STRANGLE, "--as-of", "soon"), "soon"),
        (("scenarios", STRANGLE, "--mode", "cross"), "no scenarios"),
        (("compare", STRANGLE, "--mode", "cross", "--all"), "--all"),
        (("models", "show", "none"), "none"),
        (("liquidation", STRANGLE, "--daily", "0", "0.1", "0"), "--daily\n    found a deviation"),
        (("liquidation", STRANGLE, "--daily", "0.1", "0.1", "1"), "a correlation of 1; wanted"),
        (("liquidation", STRANGLE, "--horizon", "nan"), "--horizon\n    found nan; wanted"),
        (("liquidation", STRANGLE, "--at-volatility", "0"), "--at-volatility\n    found 0;"),
        (("liquidation", STRANGLE, "--dynamics", "merton"), "--dynamics is of --within"),
        (("liquidation", STRANGLE, "--within", "7d", "--together"), "--together is of the answer"),
        (("batch", STRANGLE, "-o", "out", "--partition", "--resume"), "--resume is of a run"),
        (("margin", ""), "an empty name"),
        (("margin", STRANGLE, "-o", ""), "an empty name"),
    ],
)
def test_bad_usage_and_bad_input(run: Run, arguments: tuple[str, ...], message: str) -> None:
    outcome = run(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert message in outcome.err


@pytest.mark.parametrize("word", ["margni", "scenario", "chek"])
def test_a_mistyped_command_is_recognised(run: Run, word: str) -> None:
    assert "Did you mean" in run(word).err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (input_error("spot", "-1", "more than 0"), 2, "error: spot\n    found -1; wanted"),
        (OutputError("the disk is full"), 3, "error: the disk is full\n"),
        (MissingExtraError("pip install ..."), 3, "error: pip install ...\n"),
        (KeyError("x"), 3, "error: internal error: KeyError: 'x' (please report)\n"),
        (OSError(28, "No space left"), 3, "error: output: No space left\n"),
        (KeyboardInterrupt(), 130, "\n"),
        (BrokenPipeError(), 0, ""),
        (click.Abort(), 130, ""),
    ],
)
def test_statuses(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, message: str
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(account, "margin", fail)
    monkeypatch.setattr("margincalc.cli.program.silence", lambda stream: None)
    monkeypatch.delenv("MARGINCALC_DEBUG", raising=False)
    outcome = run("margin", STRANGLE)
    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err.startswith(message)


def test_debug_keeps_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from margincalc.cli.commands import program

    monkeypatch.setenv("MARGINCALC_DEBUG", "1")
    monkeypatch.setattr(reading, "load", lambda *arguments, **options: int("none"))
    with pytest.raises(ValueError, match="none"):
        program(["margin", STRANGLE])


def test_a_folder_is_no_portfolio(run: Run, tmp_path: Path) -> None:
    assert run("margin", str(tmp_path)).status == 2
