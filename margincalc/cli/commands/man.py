"""`man`: the manual page, written from the same text as `--help`."""

import click

from margincalc._version import __version__
from margincalc.cli.options import Options, examples, shared
from margincalc.cli.output import write
from margincalc.cli.program import root

STATUSES = (
    ("0", "computed; an infeasible hedge is computed too, and a closed pipe is no failure"),
    ("1", "check, or the last state of watch, is below maintenance"),
    ("2", "bad usage or bad input"),
    ("3", "an output could not be written, an extra is missing, or a figure does not match"),
    ("130", "interrupted"),
)


@click.command(epilog=examples("margincalc man", "margincalc man --output margincalc.1"))
@shared("output")
def man(options: Options) -> None:
    """Print the manual page; `margincalc man | man -l -` reads it.

    It is in the format of man pages (roff), and has the text of every command's help.
    """
    write(page(root()), options)


def page(program: click.Group) -> str:
    """Return the manual page of a program and of all its commands."""
    context = click.Context(program, info_name="margincalc", **program.context_settings)
    lines = [
        f'.TH MARGINCALC 1 "" "margincalc {__version__}" "User Commands"',
        ".SH NAME",
        rf"margincalc \- {_first(program)}",
        ".SH SYNOPSIS",
        r"\fBmargincalc\fR \fICOMMAND\fR [\fIOPTIONS\fR] \fIFILE\fR",
        ".SH DESCRIPTION",
        *_text(program.help or ""),
        ".SH COMMANDS",
        *_commands(context, program),
        ".SH EXIT STATUS",
    ]
    for status, meaning in STATUSES:
        lines += [".TP", rf"\fB{status}\fR", _escaped(meaning)]
    return "\n".join(lines) + "\n"


def _commands(context: click.Context, group: click.Group) -> list[str]:
    """Return the pages of a group's commands, one after the other."""
    lines: list[str] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        own = click.Context(command, info_name=name, parent=context)
        lines += [f'.SS "{_escaped(own.command_path)}"', *_text(command.help or "")]
        for parameter in command.get_params(own):
            record = parameter.get_help_record(own)
            if record is not None:
                option, meaning = record
                lines += [".TP", rf"\fB{_escaped(option)}\fR", _escaped(meaning)]
        lines += _examples(command.epilog or "")
        if isinstance(command, click.Group):
            lines += _commands(own, command)
    return lines


def _examples(epilog: str) -> list[str]:
    """Return the examples of a command as they are typed."""
    typed = [line for line in epilog.splitlines() if line.startswith("  ")]
    return [".PP", "Examples:", ".EX", *(_escaped(line) for line in typed), ".EE"]


def _text(help: str) -> list[str]:
    """Return the paragraphs of a help text."""
    lines: list[str] = []
    for paragraph in help.split("\n\n"):
        lines += [".PP", _escaped(" ".join(paragraph.split()))]
    return lines


def _first(command: click.Command) -> str:
    return _escaped((command.help or "").partition("\n")[0].rstrip("."))


def _escaped(text: str) -> str:
    """Return a text that roff prints as it is."""
    plain = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain
