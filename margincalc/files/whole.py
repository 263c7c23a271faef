"""Files are written whole or not at all, also where the power goes."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from margincalc.errors import OutputError

_NO_SUCH_CALL = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)


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
    with drafted(path) as draft:
        draft.write_bytes(content)
        if path.exists():
            draft.chmod(path.stat().st_mode)


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Give a name to write to, which becomes the file when all is written and on the disk."""
    # Its own name, as a worker that is given up may write the same file yet.
    draft = path.with_name(f".{path.name[:200]}.{os.urandom(8).hex()}.draft")
    try:
        yield draft
        on_disk(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def on_disk(path: Path) -> None:
    """See that a file's content, or a folder's names, are on the disk.

    Names of a folder are where its system has no way to see to that.
    """
    windows, folder = os.name == "nt", path.is_dir()
    if windows and folder:
        return  # it opens no folders
    place = os.open(path, os.O_RDWR if windows else os.O_RDONLY)  # and syncs what can be written
    try:
        os.fsync(place)
    except OSError as error:
        if not folder or error.errno not in _NO_SUCH_CALL:
            raise
    finally:
        os.close(place)
