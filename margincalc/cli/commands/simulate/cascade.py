"""`simulate cascade`: a shock, forced selling, impact, and where it stops."""

from typing import Any

import click

from margincalc.cli.options import Options, examples, shared
from margincalc.cli.output import draw, show
from margincalc.cli.sources import drawing, stressed, trading


@click.command(
    epilog=examples(
        "margincalc simulate cascade --accounts 2000 --depth-left 0.1 --fund 1e6",
        "margincalc simulate cascade --accounts 100 --kind options --shocks -0.2,0.2",
    )
)
@click.argument("file", required=False)
@click.option(
    "--shocks",
    default="-0.3:0.3:61",
    show_default=True,
    metavar="MOVES",
    help="Relative moves of the price: FROM:TO:COUNT, or some separated by commas.",
)
@click.option(
    "--volatility-response",
    type=float,
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Relative rise of implied volatility per million of vega that is bought back.",
)
@click.option(
    "--margin-response",
    type=float,
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Relative rise of linear accounts' maintenance per relative move: at 10, double at -10 %.",
)
@click.option(
    "--dealers",
    metavar="GAMMA",
    help="Net gamma of dealers who hedge, money per move of 1 % (negative: they sell a fall); "
    "or a CSV or Parquet file of `spot` and `gamma`.",
)
@click.option(
    "--deleverage",
    type=float,
    metavar="LEVERAGE",
    help="Also with holders who sell down to that leverage.",
)
@click.option("--against-isolated", is_flag=True, help="Also with a pool for each position.")
@trading
@drawing
@shared("mode", "model", "market", "settings", "effective", "format", "output", "plot")
def cascade(options: Options, file: str | None, drawn: dict[str, Any], **terms: Any) -> None:
    """Where forced selling stops, for every shock, and what it costs.

    FILE, CSV or Parquet, lists liquidation prices (`price`, `size`, perhaps `account`, `side` and
    `bankrupt`; with --spot), or positions and deposits (`account`, `instrument` or `asset`,
    `quantity`, perhaps `entry_price` and `venue`; with --market, whose `venues` name their models);
    or is a venue's folder, as `batch` reads it.
    An account is one on each of its venues. Without a file accounts are drawn.
    """
    from margincalc.api import studies

    source, stress = stressed(options, file, drawn, terms)
    report = studies.cascade(source, **stress)
    draw(report, options)
    show(report, options)
