"""Where text goes: standard output, or a file that is written whole or not at all.

A reader that closes its pipe has what it wanted: that is quiet, and no failure.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from margincalc.cli.options import Options

if TYPE_CHECKING:
    from margincalc.errors import MargincalcError
    from margincalc.report import Report, Screen

WRITTEN = ("output", "plot", "target", "write_model")  # parameters that name what is written


def show(report: "Report", options: Options, notes: Iterable[str] = ()) -> None:
    """Write a report as the options say, then its notes to standard error."""
    from margincalc.errors import printable
    from margincalc.report import render

    write(render(report, options.format, _screen(options)), options)
    for note in notes:
        say(f"note: {printable(note, 1000)}")


def write(text: str, options: Options) -> bool:
    """Write text to the file of `-o`, or to standard output; whether anyone reads on.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if options.output is not None and options.output != "-":
        write_file("--output", options.output, text)
    elif sys.stdout is None:
        raise _unwritten("standard output", "it is closed")
    else:
        try:
            return _put(sys.stdout, text)
        except OSError as error:
            raise _unwritten("standard output", error.strerror) from None
    return True


def say(message: str) -> None:
    """Write to standard error, if anyone listens; a terminal's lines are broken between words."""
    try:
        if sys.stderr is not None:
            _put(sys.stderr, f"{_broken(message) if sys.stderr.isatty() else message}\n")
    except OSError:
        pass  # there is nowhere left to say so


def _broken(message: str) -> str:
    """Break lines to the terminal's width, indented as they were; words stay whole for copying."""
    import shutil
    import textwrap

    lines = []
    for line in message.splitlines():
        margin = line[: len(line) - len(line.lstrip())]
        fitted = textwrap.wrap(
            line,
            max(shutil.get_terminal_size().columns, 40),
            subsequent_indent=f"{margin}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += fitted or [""]
    return "\n".join(lines)


def _put(stream: TextIO, text: str) -> bool:
    """Write and flush what the encoding can carry, the rest escaped; whether anyone reads on."""
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        silence(stream)
        return False
    except OSError:
        silence(stream)
        raise
    return True


def silence(stream: TextIO) -> None:
    """Point a stream nowhere, so that the interpreter's last flush does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def draw(report: Any, options: Options) -> None:
    """Draw a report's picture into the file of `--plot`, if there is to be one.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the file cannot be written.
    """
    if options.plot is None:
        return
    _refuse_inputs("--plot", options.plot)
    from margincalc.report import plots

    plots.save(plots.figure(report), options.plot)


def write_file(option: str, name: str, text: str) -> None:
    """Write text to the file that an option names, unless it is one that was read.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    from margincalc.files.whole import write_whole

    if not name:
        from margincalc.errors import input_error

        raise input_error(option, "an empty name", "a file, or - for standard output")
    _refuse_inputs(option, name)
    write_whole(name, text.encode("utf-8", "backslashreplace"))


def _refuse_inputs(option: str, name: str) -> None:
    """Refuse to write over a file that the command line names otherwise: nearly all are read."""
    context = click.get_current_context(silent=True)
    given = {} if context is None else context.params
    for parameter, value in given.items():
        named = value if isinstance(value, tuple) else (value,)
        if parameter not in WRITTEN and any(_same(Path(name), each) for each in named):
            from margincalc.errors import input_error

            raise input_error(option, name, "another file than those that are read")


def _same(path: Path, source: object) -> bool:
    """Whether both are one regular file."""
    return (
        isinstance(source, str)
        and path.is_file()
        and os.path.isfile(source)
        and path.samefile(source)
    )


def _unwritten(name: str, reason: str | None) -> "MargincalcError":
    from margincalc.files.whole import unwritten

    return unwritten(name, reason)


def _screen(options: Options) -> "Screen":
    """Return what a table is read on: the terminal, else 80 columns or what COLUMNS says."""
    from margincalc.report import Screen

    if options.output is None and sys.stdout is not None and sys.stdout.isatty():
        import shutil

        return Screen(shutil.get_terminal_size().columns, not os.environ.get("NO_COLOR"))
    stated = os.environ.get("COLUMNS", "")[:9]  # more digits are as wide
    return Screen(int(stated)) if stated.isdecimal() and int(stated) else Screen()
