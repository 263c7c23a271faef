"""The group: every exception becomes a message and an exit status here, and only here.

0    computed; a closed pipe too          2    bad usage or bad input
1    an alarm of `check` or `watch`       3    could not be written, or failed
130  interrupted
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NoReturn

import click

from margincalc.cli.output import say, silence

DEBUG = "MARGINCALC_DEBUG"  # set: failures keep their traceback


@contextlib.contextmanager
def _quiet_pipe() -> Iterator[None]:
    """End quietly when the reader has gone; click would say that as a failure."""
    try:
        yield
    except BrokenPipeError:
        silence(sys.stdout)
        raise click.exceptions.Exit(0) from None


class Program(click.Group):
    """A group of commands whose results, where they are numbers, are exit statuses.

    Parameters
    ----------
    files : of each command, in order: the module that has it under its name
    package : where the modules are; a group among the commands has a package of its own
    """

    def __init__(self, files: Mapping[str, str], package: str, **extra: Any) -> None:
        super().__init__(**extra)
        self.files = files
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of the table."""
        return list(self.files)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of a name."""
        if cmd_name not in self.files:
            return None
        module = import_module(f"{self.package}.{self.files[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command meant, or say which was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self.files, ctx=ctx
            ) from None

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse; this is where `--help` prints."""
        with _quiet_pipe():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _quiet_pipe():
            return super().invoke(ctx)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command line, and exit with its status."""
        extra["standalone_mode"] = False  # click raises, and what it raises is explained below
        try:
            result = super().main(*args, **extra)
        except Exception as error:
            sys.exit(_explained(error))
        sys.exit(result if isinstance(result, int) else 0)


def root() -> click.Group:
    """Return the program whose command is running."""
    program = click.get_current_context().find_root().command
    assert isinstance(program, click.Group)
    return program


def _explained(error: Exception) -> int:
    """Say what happened on standard error, and return the exit status."""
    from margincalc.errors import MargincalcError

    if isinstance(error, MargincalcError):
        say(f"error: {error}")
        return error.exit_status
    if isinstance(error, click.Abort):
        return 130
    if isinstance(error, click.ClickException):
        return _usage(error)
    if os.environ.get(DEBUG):
        raise error
    if isinstance(error, OSError):
        say(f"error: {error.filename or 'output'}: {error.strerror or error}")
        return 3
    say(f"error: internal error: {type(error).__name__}: {error} (please report)")
    return 3


def _usage(error: click.ClickException) -> int:
    """Say what is wrong with a command line, and where its help is."""
    message = f"error: {error.format_message()}"
    context = getattr(error, "ctx", None)
    if context is not None:
        message += f"\n    `{context.command_path} --help` shows how it is used"
    say(message)
    return error.exit_code
