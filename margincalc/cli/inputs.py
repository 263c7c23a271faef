"""What commands read: the portfolio, and the rules by which it is margined."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from margincalc.cli.options import Options
from margincalc.cli.output import say

if TYPE_CHECKING:
    from margincalc.assembly.what_if import Changes
    from margincalc.portfolio import Portfolio


def read(options: Options) -> "Portfolio":
    """Read the portfolio that the options name."""
    from margincalc.api import reading

    for place, name in (("FILE", options.file), ("--market", options.market)):
        if name == "":
            raise click.UsageError(f"{place} is an empty name; wanted that of a file")
    portfolio = reading.load(
        options.file,
        market=options.market,
        as_of=options.as_of,
        format=options.source,
        columns=options.columns,
        join=options.join,
    )
    tell(portfolio.remarks)
    return portfolio


def tell(remarks: Iterable[str]) -> None:
    """Say what was decided, or left out, when a file was read."""
    from margincalc.errors import printable

    for remark in remarks:
        say(f"note: {printable(remark, 1000)}")


def rules(options: Options) -> dict[str, Any]:
    """Return the options that say how to margin, as the functions name them."""
    names = ("mode", "model", "settings", "effective")
    return {name: getattr(options, name) for name in names} | {"changes": changes(options)}


def changes(options: Options) -> "Changes":
    """Return what is tried out before an account is margined."""
    from margincalc.assembly.what_if import what_if

    names = ("close", "add", "spot", "vol", "days")
    return what_if(**{name: getattr(options, name) for name in names})


def notes(report: Any) -> list[str]:
    """Return what was found on the way, and where a model says what is not known of it."""
    return [*report.notes, *report.model.pointer]
