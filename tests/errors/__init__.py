"""The catalogue of faults: a bad file to each, and beside it the message that it must give.

`NAME.yaml`, `.json` or `.csv` is the file, `NAME.expected` the exit status and the message. A CSV
file reads its market from `market.yaml`, unless its name says otherwise. To write the expected
messages anew, and see what changes: `python -m tests.errors`.
"""

from pathlib import Path

from margincalc.contracts import resolve
from margincalc.errors import MargincalcError
from margincalc.files import load

FOLDER = Path(__file__).parent
MARKET = FOLDER / "market.yaml"


def cases() -> list[Path]:
    """Return the files of the catalogue, the good ones among them too."""
    suffixes = (".yaml", ".json", ".csv")
    return sorted(path for path in FOLDER.iterdir() if path.suffix in suffixes and path != MARKET)


def expected(path: Path) -> Path:
    """Return where the message of a case is kept."""
    return path.with_suffix(".expected")


def outcome(path: Path) -> tuple[int, str]:
    """Return the exit status and the message of a case, the folder left out of it."""
    needs_market = path.suffix == ".csv" and "without_market" not in path.stem
    try:
        resolve(load(path, market=MARKET if needs_market else None))
    except MargincalcError as error:
        return error.exit_status, str(error).replace(f"{FOLDER}/", "")
    return 0, ""


def text(path: Path) -> str:
    """Return what the expected file of a case should hold."""
    status, message = outcome(path)
    return f"exit status {status}\n{message}\n" if message else f"exit status {status}\n"
