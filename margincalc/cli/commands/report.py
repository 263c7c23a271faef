"""`report`: all answers about an account, or about a population, on one page."""

import os
from typing import Any

import click

from margincalc.cli import complete
from margincalc.cli.inputs import read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, refuse_given, shared
from margincalc.cli.output import write
from margincalc.cli.sources import DRAWN, drawn, stressed, trading
from margincalc.cli.units import refusal

_TERMS = ("shocks", "depth", "depth_left", "fund")
_OF_AN_ACCOUNT = ("as_of", "source", "columns", "join", "add", "close", "vol", "days")


@click.command(
    epilog=examples(
        f"margincalc report {SAMPLES}/btc_short_strangle.yaml --output report.html",
        "margincalc report --population --accounts 2000 --fund 2e6 --output venue.html",
    )
)
@click.argument("file", required=False, shell_complete=complete.portfolios)
@click.option(
    "--population",
    is_flag=True,
    help="FILE lists a venue's accounts, as of `simulate cascade`; of a Parquet file or a folder "
    "that is known. Without FILE accounts are drawn.",
)
@click.option(
    "--shocks",
    default="-0.4:0.4:81",
    show_default=True,
    metavar="MOVES",
    help="Relative moves of a population's price.",
)
@trading
@drawn
@click.option(
    "--spot",
    multiple=True,
    metavar="MOVE",
    help="What if spots moved: +5%, BTC-10% or BTC=105000; repeatable. Of a population its "
    "present price.",
)
@shared(*(name for name in EVERY if name not in ("file", "format", "spot")))
def report(options: Options, file: str | None, population: bool, **terms: Any) -> None:
    """Write one self-contained page: safe or not, what kills, what to do.

    The page needs no network. It reads well on a phone, printed and in the dark, and has sliders
    that move spot, volatility and time. A population's page has its monitor and its cascade.
    """
    options = options._replace(spot=terms.pop("spot"))
    if population or (file is not None and _is_population(file)):
        refuse_given(_OF_AN_ACCOUNT, "of one account, and this is a population")
        _write_population(options, file, terms)
        return
    refuse_given((*DRAWN, *_TERMS), "of a population: say --population")
    if file is None:
        context = click.get_current_context()
        raise click.MissingParameter(ctx=context, param_hint="'FILE'", param_type="argument")
    from margincalc.api import account

    options = options._replace(file=file)
    write(account.report(read(options), **rules(options)), options)


def _is_population(file: str) -> bool:
    """Whether a name is that of no portfolio file, but of what lists a venue's accounts."""
    return file.lower().endswith(".parquet") or os.path.isdir(file)


def _write_population(options: Options, file: str | None, terms: dict[str, Any]) -> None:
    from margincalc.api import studies

    accounts = {name: terms[name] for name in DRAWN} | {"spot": _price(options.spot)}
    source, stress = stressed(options, file, accounts, {name: terms[name] for name in _TERMS})
    write(studies.report_population(source, **stress), options)


def _price(spots: tuple[str, ...]) -> float | None:
    """Read the present price, which is what --spot is of a population."""
    if not spots:
        return None
    try:
        (text,) = spots
        return float(text)
    except ValueError:
        wanted = "one price with a population, such as 100000"
        raise refusal(", ".join(spots), wanted, "--spot") from None
