"""Files are written whole or not at all."""

import os
from pathlib import Path

from margincalc.errors import OutputError


def write_whole(name: str, content: bytes) -> None:
    """Write a file in one step: whoever reads it finds the old content or the new.

    Raises
    ------
    OutputError
        If it cannot be written; what was there before stays.
    """
    path = Path(name)
    try:
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # a device or a named pipe cannot be replaced
        else:
            _replace(Path(os.path.realpath(path)), content)  # the file behind a link, not the link
    except BrokenPipeError:
        pass
    except OSError as error:
        raise unwritten(name, error.strerror) from None


def unwritten(name: str, reason: str | None) -> OutputError:
    """Return the error of what could not be written."""
    return OutputError(f"{name} could not be written: {reason or 'unknown reason'}")


def _replace(path: Path, content: bytes) -> None:
    """Put a complete file in the place of `path`, with the permissions that it had."""
    if not path.parent.is_dir():
        raise FileNotFoundError(0, f"there is no folder {path.parent}")
    draft = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        with open(draft, "xb") as file:
            file.write(content)
        if path.exists():
            draft.chmod(path.stat().st_mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
