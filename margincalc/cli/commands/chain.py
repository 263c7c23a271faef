"""`chain`: smiles from a chain, and the volatilities that they fill in."""

import click

from margincalc.cli.inputs import read
from margincalc.cli.options import SAMPLES, Options, examples, shared
from margincalc.cli.output import show, write, write_file


@click.command(
    epilog=examples(
        f"margincalc chain {SAMPLES}/btc_chain.yaml",
        f"margincalc chain {SAMPLES}/btc_chain.yaml --write -",
    )
)
@click.option(
    "--write",
    "target",
    metavar="FILE",
    help="Write the portfolio with its smiles and volatilities filled in; `-` writes it to "
    "standard output, in place of the report.",
)
@shared("file", "market", "as_of", "source", "columns", "join", "format", "output")
def chain(options: Options, target: str | None) -> None:
    """Fit a smile to each expiry, and fill in missing volatilities.

    The options among the quotes of FILE give raw SVI smiles without butterfly or calendar
    arbitrage, shown with their errors in points of volatility.
    """
    from margincalc.api import reading
    from margincalc.files import written

    report = reading.chain(read(options))
    if target == "-":
        write(written(report.portfolio), options)
        return
    if target is not None:
        kind = "json" if target.endswith(".json") else "yaml"
        write_file("--write", target, written(report.portfolio, kind))
    show(report, options, report.notes)
