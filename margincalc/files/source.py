"""From a path, or standard input, to text: bounded, decoded, its format known."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from margincalc.errors import InputError, did_you_mean, input_error, printable

Format = Literal["yaml", "json", "csv", "xml"]

LARGEST = 64 * 2**20  # bytes; an account of a hundred thousand positions is a tenth of it
STDIN = "-"
_FORMATS: dict[str, Format] = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".csv": "csv"}
_FOREIGN = {
    b"PK\x03\x04": ("a zip archive or spreadsheet", "save the sheet as CSV"),
    b"\x1f\x8b": ("a gzip archive", "unpack it first"),
    b"PAR1": ("a Parquet file", "write one account as YAML, JSON or CSV"),
    b"%PDF": ("a PDF document", "write the account as YAML, JSON or CSV"),
    b"\xff\xfe": ("UTF-16 text", "save it as UTF-8"),
    b"\xfe\xff": ("UTF-16 text", "save it as UTF-8"),
}
_HEADER = frozenset(("instrument", "quantity"))  # without which CSV has no positions
_PAGES = ("<!doctype html", "<html", "<?xml")
_STATEMENT = re.compile("<Flex(Query|Statement)Response")  # XML that is read: a broker's answer


@dataclass(frozen=True)
class Source:
    """The text of one file.

    Attributes
    ----------
    name : as messages give it
    stem : the file's name without folder and extension
    """

    name: str
    stem: str
    text: str
    format: Format


def read_source(source: str | Path, stdin: IO[bytes] | None = None) -> Source:
    """Read a file, or standard input when `source` is `-`.

    Raises
    ------
    InputError
        If there is no such file, or it is not text of a bearable size.
    """
    if str(source) == STDIN:
        name, stem, suffix, data = "standard input", "account", "", _read_stdin(stdin)
    else:
        path = Path(source)
        name, stem, suffix, data = printable(str(source)), path.stem, path.suffix, _read(path)
    text = _decoded(data, name)
    known: Format | None = "xml" if _STATEMENT.search(text[:4096]) else _FORMATS.get(suffix.lower())
    return Source(name, stem, text, known or _guessed(text))


def _read(path: Path) -> bytes:
    place = printable(str(path))
    try:
        size = path.stat().st_size
        if path.is_dir():
            remedy = "name a file in it"
            raise input_error(place, "a folder", "a portfolio file", remedy)
        if size > LARGEST:
            raise _too_large(place, _mebibytes(size))
        with path.open("rb") as file:
            return _bounded(file, place)
    except FileNotFoundError:
        raise _missing(path) from None
    except PermissionError:
        remedy = f"give yourself the right to read it: chmod u+r {place}"
        raise input_error(place, "a file that may not be read", "a readable file", remedy) from None
    except (OSError, ValueError) as error:  # a bad disk; a path that no system has
        found = getattr(error, "strerror", None) or str(error)
        raise input_error(place, found.lower(), "a readable file") from None


def _read_stdin(stdin: IO[bytes] | None) -> bytes:
    stream = stdin if stdin is not None else getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise input_error("standard input", "nothing to read", "a portfolio file piped in")
    return _bounded(stream, "standard input")


def _bounded(stream: IO[bytes], place: str) -> bytes:
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _too_large(place, f"more than {_mebibytes(LARGEST)}")
    return data


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _too_large(place: str, found: str) -> InputError:
    remedy = "a file holds one account: split a file of several into one each"
    return input_error(place, found, f"at most {_mebibytes(LARGEST)}", remedy)


def _missing(path: Path) -> InputError:
    place = printable(str(path))
    if not path.parent.is_dir():
        remedy = f"there is no folder {printable(str(path.parent))} either"
        return input_error(place, "no such file", "a portfolio file", remedy)
    try:
        beside = os.listdir(path.parent)
    except OSError:
        beside = []
    return input_error(place, "no such file", "a portfolio file", did_you_mean(path.name, beside))


def _decoded(data: bytes, place: str) -> str:
    """Return the text of UTF-8 bytes; a byte order mark and Windows line ends are forgiven."""
    for magic, (found, remedy) in _FOREIGN.items():
        if data.startswith(magic):
            raise input_error(place, found, "UTF-8 text", remedy)
    if (zero := data.find(b"\0")) >= 0:
        found = f"binary data (a zero byte at position {zero})"
        raise input_error(place, found, "UTF-8 text", "name a YAML, JSON or CSV file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"the byte 0x{data[error.start]:02x} at position {error.start}, which is not UTF-8"
        raise input_error(place, found, "UTF-8 text", "save the file as UTF-8") from None
    _refuse_pages(text, place)
    return text.replace("\r\n", "\n")


def _refuse_pages(text: str, place: str) -> None:
    """Refuse emptiness, and the page that shows a file instead of the file."""
    start = text[:4096].lstrip()
    if not start and not text.strip():
        remedy = "write a portfolio into it, or name another"
        raise input_error(place, "an empty file", "a portfolio", remedy)
    if start.lower().startswith(_PAGES) and not _STATEMENT.search(start):
        remedy = "download the file itself, not the page that shows it"
        raise input_error(place, "a web page", "a portfolio in YAML, JSON or CSV", remedy)


def _guessed(text: str) -> Format:
    start = text.lstrip()
    if start[:1] in ("{", "["):
        return "json"
    header = {cell.strip(' "').casefold() for cell in start.partition("\n")[0].split(",")}
    return "csv" if header >= _HEADER else "yaml"
