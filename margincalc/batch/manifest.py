"""What a folder of results is of, and which of its parts are done."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from margincalc.batch.parts import Part
from margincalc.batch.piece import content_of, name_of, write
from margincalc.batch.survey import Map
from margincalc.errors import input_error
from margincalc.files.whole import on_disk, unwritten

MANIFEST = "manifest.json"
_DRAFTS = "*/.*.draft"
SCHEMA = "margincalc.batch.manifest/1"
PIECE = 1 << 25  # bytes that are digested at once, by one of the workers


def fingerprint(files: Sequence[str], said: dict[str, Any], each: Map = map) -> str:
    """Digest the files that are read, every byte of them, and all that was asked for.

    Size and time of change would not do: a quantity may change in its place, and a file that is
    copied is as it was. To read it all takes a hundredth of the processor time of a run.
    """
    digest = hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16)
    pieces = [
        (path, first) for path in files for first in range(0, os.path.getsize(path) or 1, PIECE)
    ]
    own = each(_digest, *zip(*pieces, strict=True)) if pieces else ()
    for (path, first), found in zip(pieces, own, strict=True):
        digest.update(f"{Path(path).name} {first} {found}".encode())
    return digest.hexdigest()


def _digest(path: str, first: int) -> str:
    with open(path, "rb") as file:
        file.seek(first)
        return hashlib.sha256(file.read(PIECE)).hexdigest()  # in the processor, of most of them


def begun(output: str, run: str, parts: Sequence[Part], *, resume: bool) -> list[dict[str, Any]]:
    """Begin a folder of results, or go on with it; return what is done.

    Raises
    ------
    InputError
        If the folder has something else, or is of another run.
    OutputError
        If it cannot be written.
    """
    folder, path = Path(output), Path(output, MANIFEST)
    if folder.exists() and not folder.is_dir():
        raise input_error("--output", f"{output}, which is a file", "a folder for the results")
    if resume:  # a run may have been killed before it had written its first manifest
        _swept(folder, f".{MANIFEST}.*.draft")
    if folder.exists() and any(folder.iterdir()):
        _refuse_other(path, run, resume=resume)
        _swept(folder, _DRAFTS)
    head = {"schema": SCHEMA, "run": run, "parts": len(parts), "complete": False}
    write(path, json.dumps(head, indent=1).encode())
    return [done for part in parts if (done := _done(folder, part)) is not None]


def _swept(folder: Path, drafts: str) -> None:
    """Remove what a process that was killed had begun to write."""
    for draft in folder.glob(drafts):
        draft.unlink(missing_ok=True)


def _refuse_other(path: Path, run: str, *, resume: bool) -> None:
    if not resume:
        remedy = "name another, or pass --resume to go on with the run that it is of"
        raise input_error("--output", f"{path.parent}, which is not empty", "a new folder", remedy)
    if run_of(str(path.parent)) != run:
        raise input_error(
            "--resume",
            f"{path.parent}, the results of other files, rules or market",
            "what the run that was interrupted was given",
            "pass the same files and options, or name another folder",
        )


def run_of(output: str) -> str | None:
    """Return what run a folder of results is of; None where none has begun."""
    try:
        return str(json.loads(Path(output, MANIFEST).read_bytes())["run"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _done(folder: Path, part: Part) -> dict[str, Any] | None:
    """Return what a part says of itself, if all that it wrote is there, byte for byte."""
    try:
        done: dict[str, Any] = json.loads((folder / "done" / f"{name_of(part)}.json").read_bytes())
        whole = all(
            wrote == {"file": wrote["file"], **content_of(folder / wrote["file"])}
            for wrote in done["wrote"].values()
        )
    except (OSError, ValueError, KeyError):
        return None
    return done if whole else None


def completed(output: str, run: str, done: Sequence[dict[str, Any]], found: dict[str, Any]) -> None:
    """Say that a folder is complete, and what is in it.

    Raises
    ------
    OutputError
    """
    _swept(Path(output), _DRAFTS)  # of workers that died, whose parts others did
    folders = {
        Path(output, wrote["file"]).parent for part in done for wrote in part["wrote"].values()
    }
    for folder in sorted(folders):
        try:
            on_disk(folder)  # of the files the names; their content is
        except OSError as error:
            raise unwritten(str(folder), error.strerror) from None
    files = [wrote for part in done for wrote in part["wrote"].values()]
    head = {"schema": SCHEMA, "run": run, "parts": len(done), "complete": True}
    text = json.dumps({**head, "summary": found, "files": files}, indent=1)
    write(Path(output, MANIFEST), text.encode())
