"""`simulate monitor`: the systemic risk of a population on one page."""

from typing import Any

import click

from margincalc.cli.options import Options, examples, shared
from margincalc.cli.output import draw, show
from margincalc.cli.sources import check_fund, drawing, margins_of, progress, source_of, trading


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
def monitor(
    options: Options, file: str | None, drawn: dict[str, Any], fund: float, **terms: Any
) -> None:
    """Bunched liquidation prices, shelves, overlap and fund cover.

    FILE is as of `simulate cascade`. A shelf is a price from which liquidation feeds itself.
    """
    from margincalc.api import studies

    check_fund(fund)
    rules = margins_of(options)
    source = source_of(file, options.market, drawn)
    report = studies.monitor(source, fund=fund, rules=rules, progress=progress(), **terms)
    draw(report, options)
    show(report, options)
