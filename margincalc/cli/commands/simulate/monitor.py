"""`simulate monitor`: the systemic risk of a population on one page."""

from typing import Any

import click

from margincalc.cli.options import Options, examples, shared
from margincalc.cli.output import draw, show
from margincalc.cli.sources import drawing, stressed, trading


@click.command(
    epilog=examples(
        "margincalc simulate monitor --accounts 2000 --fund 2e6",
        "margincalc simulate monitor --accounts 2000 --depth-left 0.1 --format json",
    )
)
@click.argument("file", required=False)
@click.option(
    "--shocks",
    default="-0.4:0.4:81",
    show_default=True,
    metavar="MOVES",
    help="Relative moves against which the fund is held.",
)
@trading
@drawing
@shared("mode", "model", "market", "settings", "effective", "format", "output", "plot")
def monitor(options: Options, file: str | None, drawn: dict[str, Any], **terms: Any) -> None:
    """Bunched liquidation prices, shelves, overlap and fund cover.

    FILE is as of `simulate cascade`. A shelf is a price from which liquidation feeds itself.
    """
    from margincalc.api import studies

    source, stress = stressed(options, file, drawn, terms)
    report = studies.monitor(source, **stress)
    draw(report, options)
    show(report, options)
