"""Which Parquet files a path means, and which of a venue's files a folder has."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from margincalc.errors import input_error, shown


def files_of(path: str, option: str) -> tuple[str, ...]:
    """Return a Parquet file, or those of a folder and its folders in the order of their names.

    What is hidden, its name beginning with a dot, is nobody's input: drafts are.

    Raises
    ------
    InputError
        Where there is none, and where something cannot be read: nothing is passed over in silence.
    """
    place = Path(path)
    if place.is_file():
        return (_named(str(place), option),)
    if not place.is_dir():
        raise input_error(option, _absent(place), "a Parquet file or folder")
    found = sorted(_within(place, option))
    if not found:
        raise input_error(option, f"{path} without a file *.parquet", "a folder of Parquet files")
    return tuple(found)


def _within(place: Path, option: str) -> Iterator[str]:
    """Yield the Parquet files of a folder and its folders."""
    for folder, inner, names in os.walk(place):
        inner[:] = [name for name in inner if not name.startswith(".")]
        links = [own for own in (Path(folder, name) for name in inner) if own.is_symlink()]
        if links:
            remedy = "name that folder itself, or link its files"
            raise input_error(option, f"{links[0]}, a link to a folder", "files, folders", remedy)
        for name in names:
            if name.endswith(".parquet") and not name.startswith("."):
                own = Path(folder, name)
                if not own.is_file():
                    raise input_error(option, _absent(own), "a Parquet file", "take it away")
                yield _named(str(own), option)


def _absent(path: Path) -> str:
    """Say why there is no file."""
    if path.is_symlink():
        return f"{shown(str(path), 300)}, a link that leads to no file"
    return f"{shown(str(path), 300)}, which is {'no file' if path.exists() else 'not there'}"


def _named(path: str, option: str) -> str:
    """Return a file's name, which results repeat.

    Raises
    ------
    InputError
        For one that is no text.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        found = f"the file {shown(path, 300)}, whose name is not UTF-8"
        raise input_error(option, found, "a name in UTF-8", "rename it") from None
    return path


class Found(NamedTuple):
    """What a folder has of a venue; `positions` is what was given where it is no such folder."""

    positions: str
    balances: str | None = None
    instruments: str | None = None
    market: str | None = None


def found_in(path: str) -> Found:
    """Return a venue's files in a folder: each a Parquet file or a folder, beside its market."""
    folder = Path(path)

    def named(*names: str) -> str | None:
        there = (folder / name for name in names if os.path.lexists(folder / name))
        return next(map(str, there), None)  # a link that leads nowhere is an error of its reader

    positions = named("positions", "positions.parquet")
    if positions is None:
        return Found(path)
    return Found(
        positions,
        named("balances", "balances.parquet"),
        named("instruments", "instruments.parquet"),
        named("market.yaml", "market.yml", "market.json"),
    )
