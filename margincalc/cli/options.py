"""What commands share: their options, handed over as one frozen object."""

import functools
from collections.abc import Callable, Collection
from typing import Any, Literal, NamedTuple, get_args

import click
from click.core import ParameterSource

from margincalc.cli import complete
from margincalc.cli.complete import SAMPLES as SAMPLES  # named by every command

Command = Callable[..., Any]
Mode = Literal["isolated", "cross", "portfolio"]
MODES: tuple[Mode, ...] = get_args(Mode)  # repeated from `pools`, which imports too much for --help
Format = Literal["table", "json", "csv"]
Pricer = Literal["numpy", "compiled"]


class Options(NamedTuple):
    """The shared options of one call; a command that does not take one has its default."""

    file: str = "-"
    mode: Mode | None = None
    model: str | None = None
    market: str | None = None
    as_of: str | None = None
    settings: tuple[str, ...] = ()
    effective: str | None = None
    pricer: Pricer | None = None
    format: Format = "table"
    output: str | None = None
    plot: str | None = None
    add: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    spot: tuple[str, ...] = ()
    vol: tuple[str, ...] = ()
    days: float = 0.0
    source: str | None = None
    columns: str | None = None
    join: tuple[str, ...] = ()


def _picture(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no picture's name, before anything is computed."""
    if value is not None and not value.lower().endswith((".png", ".svg")):
        raise click.BadParameter(f"found {value!r}; wanted a file whose name ends in .png or .svg")
    return value


_OPTIONS: dict[str, Callable[[Command], Command]] = {
    "file": click.argument("file", shell_complete=complete.portfolios),
    "mode": click.option(
        "--mode",
        type=click.Choice(MODES),
        help="Who shares collateral: each position alone, or the whole account.  "
        "[default: portfolio, or the model's own]",
    ),
    "model": click.option(
        "--model",
        metavar="NAME|PATH.toml",
        shell_complete=complete.models,
        help="By which rules: a name that `margincalc models` lists, or a file of your own.",
    ),
    "market": click.option(
        "--market",
        metavar="FILE",
        help="Prices and volatilities from another file; needed with CSV positions.",
    ),
    "as_of": click.option(
        "--as-of",
        metavar="TIME",
        help="Valuation time, such as 2026-11-20T08:00:00Z; replaces the file's.",
    ),
    "settings": click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change a parameter of the model, such as factors.initial=1.3; repeatable.",
    ),
    "effective": click.option(
        "--effective",
        metavar="DAY",
        help="Use the model's parameters of this day, such as 2025-01-01, not the valuation day's.",
    ),
    "pricer": click.option(
        "--pricer",
        type=click.Choice(get_args(Pricer)),
        help="Who computes: NumPy, or the compiled kernels of `batch`.  [default: compiled "
        "where accounts are Parquet and numba is installed, else numpy]",
    ),
    "format": click.option(
        "--format",
        type=click.Choice(get_args(Format)),
        default="table",
        show_default=True,
        help="A table to read, JSON at full precision, or CSV.",
    ),
    "source": click.option(
        "--from",
        "source",
        metavar="FORMAT",
        help="Read a venue's own files: deribit, okx, bybit, derive, ccxt, ibkr, or csv.  "
        "[default: recognised]",
    ),
    "columns": click.option(
        "--columns",
        metavar="THEIRS=OURS,...",
        help="Columns of foreign CSV, such as Symbol=instrument,Qty=quantity.",
    ),
    "join": click.option(
        "--join",
        multiple=True,
        metavar="FILE",
        help="Another export of the same account, such as its balances; repeatable.",
    ),
    "output": click.option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write to a file, whole or not at all, instead of standard output.",
    ),
    "plot": click.option(
        "--plot",
        metavar="FILE.png|svg",
        callback=_picture,
        help="Also draw a picture, whole or not at all; needs margincalc[plot].",
    ),
    "add": click.option(
        "--add",
        multiple=True,
        metavar='"NAME QTY"',
        help="What if this were traded at its mark, such as `BTC-25DEC26-110000-C 2`, perhaps "
        "with a venue after it; repeatable.",
    ),
    "close": click.option(
        "--close",
        multiple=True,
        metavar="NAME",
        help="What if this position were closed at its mark; repeatable.",
    ),
    "spot": click.option(
        "--spot",
        multiple=True,
        metavar="MOVE",
        help="What if spots moved: +5%, BTC-10% or BTC=105000; repeatable.",
    ),
    "vol": click.option(
        "--vol",
        multiple=True,
        metavar="MOVE",
        help="What if volatility moved: +10 (points), BTC-5 or +20%; repeatable.",
    ),
    "days": click.option(
        "--days",
        type=float,
        default=0.0,
        metavar="N",
        help="What if N days passed and nothing moved: what expires is settled, funding is paid.",
    ),
}
LONGEST_EXAMPLE = 76  # help indents it by four
EVERY = tuple(name for name in _OPTIONS if name not in ("plot", "pricer"))
"""What every command takes; some take a `pricer`, and those with a picture `plot`."""


def shared(*names: str) -> Callable[[Command], Command]:
    """Give a command the options of these names, as its first argument.

    Options of its own follow as keywords.
    """

    def decorated(command: Command) -> Command:
        @functools.wraps(command)
        def gathered(**values: Any) -> Any:
            return command(Options(**{name: values.pop(name) for name in names}), **values)

        result: Command = gathered
        for name in reversed(names):
            result = _OPTIONS[name](result)
        return result

    return decorated


def refuse_given(names: Collection[str], why: str) -> None:
    """Refuse options of the running command that would change nothing, by their parameters."""
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT
        if parameter.name in names and given:
            raise click.UsageError(f"{parameter.opts[-1]} is {why}", context)


def examples(*lines: str) -> str:
    """Return the end of a command's help: examples that work from the project's folder.

    One that is too long for 80 columns is continued on a second line, as in a shell.
    """
    return "\b\nExamples:\n" + "\n".join(f"  {_folded(line)}" for line in lines)


def _folded(line: str) -> str:
    if len(line) <= LONGEST_EXAMPLE:
        return line
    break_at = line.rindex(" ", 0, LONGEST_EXAMPLE - 1)
    return f"{line[:break_at]} \\\n      {line[break_at + 1 :]}"
