"""`batch`: every account of a venue, Parquet in and out."""

from typing import Any

import click

from margincalc.cli.options import SAMPLES, Options, examples, refuse_given, shared
from margincalc.cli.output import show, write
from margincalc.cli.progress import Progress

_OF_A_RUN = (
    *("instruments", "liquidation", "strict", "resume", "engine", "scheduler", "workers"),
    *("market", "as_of", "mode", "model", "settings", "effective", "pricer", "format"),
)


@click.command(
    epilog=examples(
        f"margincalc batch {SAMPLES}/venue -o margins",
        f"margincalc batch {SAMPLES}/venue --partition -o grouped",
    )
)
@click.argument("positions")
@click.option("--balances", metavar="PATH", help="Parquet of account, asset and amount.")
@click.option("--instruments", metavar="PATH", help="Parquet of instruments: terms and quotes.")
@click.option(
    "--liquidation",
    multiple=True,
    metavar="UNDERLYING",
    help="Also find liquidation prices along this underlying, such as BTC; repeatable.",
)
@click.option("--strict", is_flag=True, help="Stop at a bad row instead of setting it aside.")
@click.option("--resume", is_flag=True, help="Go on with a run that was interrupted.")
@click.option("--partition", is_flag=True, help="Only group a folder by account, out of core.")
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Threads here, or a dask cluster.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Of a dask cluster, such as tcp://host:8786.")
@click.option("--workers", type=click.IntRange(1), help="Threads or workers.  [default: all cores]")
@click.option(
    "-o", "--output", "folder", required=True, metavar="FOLDER", help="Where the results go."
)
@shared("market", "as_of", "mode", "model", "settings", "effective", "pricer", "format")
def batch(options: Options, positions: str, folder: str, partition: bool, **wishes: Any) -> None:
    """Margin every account of a venue, from Parquet to Parquet.

    POSITIONS is a Parquet file or a folder of them, the rows of each account together, with columns
    account, instrument and quantity, and perhaps venue, pool and entry_price; or a folder in which
    these are `positions`, beside `balances`, `instruments` and `market.yaml`. FOLDER receives a row
    for each account in `accounts/`, the rows that were set aside in `quarantine/`, and a manifest.
    """
    from margincalc.api import venue

    if partition:
        refuse_given(_OF_A_RUN, "of a run, and --partition only groups")
        rows = venue.partition(positions, output=folder, balances=wishes["balances"])
        write(f"{rows:,} rows are grouped by account in {folder}\n", options)
        return
    report = venue.batch(
        positions,
        market=options.market,
        output=folder,
        as_of=options.as_of,
        mode=options.mode,
        model=options.model,
        settings=options.settings,
        effective=options.effective,
        pricer=options.pricer,
        progress=Progress(),
        **wishes,
    )
    show(report, options, report.notes)
