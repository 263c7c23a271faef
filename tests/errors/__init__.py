"""The catalogue of faults: a bad file to each, and beside it the message that it must give.

`NAME.yaml`, `.json`, `.csv` or `.xml` is the file, `NAME.expected` the exit status and the message.
A CSV file reads its market from `market.yaml`, unless its name says otherwise. To write the
expected messages anew, and see what changes: `python -m tests.errors`.
"""

from pathlib import Path

from click.testing import CliRunner

from margincalc.cli.commands import program

FOLDER = Path(__file__).parent
MARKET = FOLDER / "market.yaml"


def cases() -> list[Path]:
    """Return the files of the catalogue, the good ones among them too."""
    suffixes = (".yaml", ".json", ".csv", ".xml")
    return sorted(path for path in FOLDER.iterdir() if path.suffix in suffixes and path != MARKET)


def expected(path: Path) -> Path:
    """Return where the message of a case is kept."""
    return path.with_suffix(".expected")


def outcome(path: Path) -> tuple[int, str]:
    """Return the exit status and the message of a case, the folder left out of it."""
    needs_market = path.suffix == ".csv" and "without_market" not in path.stem
    mode = ["--mode", "isolated"] if "isolated" in path.stem else []
    market = ["--market", str(MARKET)] if needs_market else []
    done = CliRunner().invoke(program, ["margin", str(path), *market, *mode])
    return done.exit_code, done.stderr.replace(f"{FOLDER}/", "")


def text(path: Path) -> str:
    """Return what the expected file of a case should hold."""
    status, message = outcome(path)
    return f"exit status {status}\n{message}" if message else f"exit status {status}\n"
