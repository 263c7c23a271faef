"""Where text goes: standard output, or a file that is written whole or not at all.

A reader that closes its pipe has what it wanted: that is quiet, and no failure.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from margincalc.cli.options import Options

if TYPE_CHECKING:
    from margincalc.report import Report, Screen
    from margincalc.errors import OutputError


def show(report: "Report", options: Options, notes: Iterable[str] = ()) -> None:
    """Write a report as the options say, then its notes to standard error."""
    from margincalc.report import render

    write(render(report, options.format, _screen(options)), options)
    for note in notes:
        _put(sys.stderr, f"note: {note}\n")


def write(text: str, options: Options) -> None:
    """Write text to the file of `-o`, or to standard output."""
    if options.output is None or options.output == "-":
        put(sys.stdout, text)
    else:
        _write_file(Path(options.output), text, options)


def put(stream: TextIO | None, text: str) -> None:
    """Write and flush; a closed pipe is quiet, a full disk is an error."""
    if stream is None:  # closed before the program began
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
    except OSError as error:
        _silence(stream)
        raise _output_error("standard output", error) from None


def _silence(stream: TextIO) -> None:
    """Point a stream nowhere, so that the interpreter's last flush does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _screen(options: Options) -> "Screen":
    """Return what a table is read on."""
    from margincalc.report import Screen

    terminal = options.output is None and sys.stdout is not None and sys.stdout.isatty()
    if terminal:
        import shutil

        return Screen(shutil.get_terminal_size().columns, not os.environ.get("NO_COLOR"))
    stated = os.environ.get("COLUMNS", "")
    return Screen(int(stated) if stated.isdecimal() and int(stated) else 80)
