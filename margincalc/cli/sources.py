"""What simulations read: accounts from a file or drawn, depth of the market, and progress."""

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from margincalc.cli.options import Command, Options

if TYPE_CHECKING:
    from margincalc.answers.accounts import Margins, Source

# Repeated from `answers.accounts` and `api`, which import too much for --help.
DRAWS = ("perpetuals", "options", "two-assets")
DRAWN = ("accounts", "seed", "kind")
DEPTH = "0.5%=15.5e6,5%=40e6"

_SOURCE: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--accounts",
        type=int,
        default=10_000,
        show_default=True,
        metavar="N",
        help="Draw so many accounts, where no file is named.",
    ),
    click.option("--seed", type=int, default=1, show_default=True, help="Of what is drawn."),
    click.option(
        "--kind",
        type=click.Choice(DRAWS),
        default="perpetuals",
        show_default=True,
        help="What drawn accounts hold.",
    ),
)
_SPOT = click.option(
    "--spot",
    type=float,
    metavar="PRICE",
    help="Present price, with a list of liquidation prices; of drawn accounts, bitcoin's.",
)
_MARKET: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--depth",
        default=DEPTH,
        show_default=True,
        metavar="LAW",
        help="Money that moves the price: 1%=20e6 is a straight line, two points a curve, "
        "sqrt:VOLATILITY,VOLUME the square-root law of a day.",
    ),
    click.option(
        "--depth-left",
        type=float,
        default=1.0,
        show_default=True,
        metavar="SHARE",
        help="How much of that depth is left; 0.1 in a crash.",
    ),
    click.option(
        "--fund", type=float, default=0.0, metavar="AMOUNT", help="Insurance fund.  [default: 0]"
    ),
)


def drawing(command: Command) -> Command:
    """Give a command the options of accounts, gathered as `source`."""

    @functools.wraps(command)
    def gathered(*arguments: Any, **values: Any) -> Any:
        source = {name: values.pop(name) for name in (*DRAWN, "spot")}
        return command(*arguments, drawn=source, **values)

    return drawn(_SPOT(gathered))


def drawn(command: Command) -> Command:
    """Give a command the options of accounts that are drawn, each as its own argument."""
    for option in reversed(_SOURCE):
        command = option(command)
    return command


def trading(command: Command) -> Command:
    """Give a command the options of a market's depth and of the fund."""
    for option in reversed(_MARKET):
        command = option(command)
    return command


def source_of(file: str | None, market: str | None, drawn: dict[str, Any]) -> "Source":
    """Return where accounts come from."""
    from margincalc.answers.accounts import Source

    return Source(file, market, **drawn)


def margins_of(options: Options) -> "Margins":
    """Return by which rules accounts are margined."""
    from margincalc.answers.accounts import Margins

    return Margins(options.mode, options.model, options.settings, options.effective)


def stressed(
    options: Options, file: str | None, drawn: dict[str, Any], terms: dict[str, Any]
) -> tuple["Source", dict[str, Any]]:
    """Return where accounts come from, and the rules and stress that they are run with."""
    stress = {"rules": margins_of(options), "progress": _progress(), **terms}
    return source_of(file, options.market, drawn), stress


def _progress() -> Callable[[int, int], None] | None:
    """Return what tells a terminal how far a run has come; nothing where there is none."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None

    def told(done: int, whole: int) -> None:
        end = "\n" if done == whole else ""
        sys.stderr.write(f"\r{done:,} of {whole:,}{end}")
        sys.stderr.flush()

    return told
