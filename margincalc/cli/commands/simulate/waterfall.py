"""`simulate waterfall`: who pays for what bankrupt accounts lose."""

from typing import Any

import click

from margincalc.cli.options import SAMPLES, Options, examples, shared
from margincalc.cli.output import show

# Repeated from `simulation.deleveraging`, which imports too much for --help.
POLICIES = (
    "bitmex",
    "binance",
    "hyperliquid",
    "pro-rata",
    "risk-aware",
    "min-max-haircut",
    "socialised",
)
UNITS = ("positions", "profit")
_SAMPLE = f"{SAMPLES}/venue_gap.yaml"


@click.command(
    epilog=examples(
        f"margincalc simulate waterfall {_SAMPLE}",
        f"margincalc simulate waterfall {_SAMPLE} --fund 2000",
    )
)
@shared("file", "format", "output")
@click.option(
    "--policy",
    type=click.Choice(POLICIES),
    default="pro-rata",
    show_default=True,
    metavar="POLICY",
    help="How winners pay: bitmex, binance or hyperliquid (a venue's queue), pro-rata (all by "
    "profit), risk-aware (all by profit times leverage), min-max-haircut (so that the largest "
    "haircut of an account's profit is the least), or socialised (among all profits).",
)
@click.option(
    "--unit",
    type=click.Choice(UNITS),
    help="What is taken: positions, closed at the price at which the loser is at zero, or "
    "profits.  [default: positions in queues, else profit]",
)
@click.option("--fund", type=float, metavar="AMOUNT", help="Insurance fund; replaces the file's.")
@click.option("--cap", type=float, metavar="AMOUNT", help="The most that it pays in one period.")
@click.option("--surplus-to-fund", is_flag=True, help="The fund keeps what closed accounts had.")
@click.option(
    "--slippage",
    type=float,
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Share of notional that closing an account costs.",
)
@click.option("--mark", type=float, metavar="PRICE", help="Price now; replaces the file's.")
def waterfall(options: Options, mark: float | None, **terms: Any) -> None:
    """Losses through traders, insurance fund, auto-deleveraging and profits.

    FILE lists accounts: `account`, `quantity`, `entry_price`, `balance` and `maintenance` of each,
    perhaps `instrument`, `mark` and `period`. YAML and JSON hold them under `accounts`, beside
    `currency`, `mark` and `fund: {balance, cap}`; CSV and Parquet hold the rows alone.
    """
    from margincalc.api import studies

    report = studies.waterfall(options.file, mark=mark, **terms)
    show(report, options, report.notes)
