"""`simulate liquidation`: one account through a liquidation engine."""

from typing import Any

import click

from margincalc.cli import complete
from margincalc.cli.inputs import notes, read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import show

# Repeated from `answers.slippage`, which imports too much for --help.
LAWS = ("none", "square-root", "linear", "depth", "book")


@click.command(
    epilog=examples(
        f"margincalc simulate liquidation {SAMPLES}/just_under_maintenance.yaml",
        f"margincalc simulate liquidation {SAMPLES}/loan.yaml --engine aave-v3",
    )
)
@shared(*EVERY)
@click.option(
    "--engine",
    default="incremental",
    show_default=True,
    metavar="NAME|PATH.toml",
    shell_complete=complete.engines,
    help="Whose: incremental, derive-auction, dydx-v4, hyperliquid, bybit, okx, paradex, aave-v3 "
    "or euler-v1. Each brings its own margin model unless --model names another.",
)
@click.option(
    "--engine-set",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a parameter of the engine, such as clip=0.05; repeatable.",
)
@click.option(
    "--slippage",
    type=click.Choice(LAWS),
    default="square-root",
    show_default=True,
    help="How trading moves prices.",
)
@click.option(
    "--volume", type=float, default=1e9, metavar="AMOUNT", help="Traded a day.  [default: 1e9]"
)
@click.option(
    "--daily-vol",
    type=float,
    default=0.04,
    metavar="SHARE",
    help="Volatility of a day, of slippage and latency.  [default: 0.04]",
)
@click.option(
    "--depth",
    multiple=True,
    metavar="DIST=AMOUNT",
    help="What the book holds within a distance; two, for --slippage depth.",
)
@click.option(
    "--level",
    multiple=True,
    metavar="PRICE:SIZE",
    help="A level of the book, best first, for --slippage book; repeatable.",
)
@click.option(
    "--underlying",
    default="",
    metavar="NAME",
    help="Whose book the levels are, where positions are in several; those of the others are as "
    "deep, by distance.",
)
@click.option(
    "--fund", type=float, default=1e6, metavar="AMOUNT", help="Insurance fund.  [default: 1e6]"
)
@click.option("--gas", type=float, default=0.0, metavar="AMOUNT", help="A liquidator's, per act.")
@click.option(
    "--flash-fee", type=float, default=0.0, metavar="SHARE", help="Of capital that it borrows."
)
@click.option(
    "--latency", type=float, default=0.0, metavar="SECONDS", help="In which the price may move."
)
def liquidation(options: Options, **given: Any) -> None:
    """Liquidate an account step by step: trades, prices, who pays, how it ends.

    An engine acts on pools below maintenance margin; --spot -10% makes a healthy account fall.
    """
    from margincalc.answers.engines import Market
    from margincalc.answers.slippage import Slippage
    from margincalc.api import studies
    from margincalc.simulation.costs import Liquidator

    slippage = Slippage(
        given["slippage"],
        given["volume"],
        given["daily_vol"],
        given["depth"],
        given["level"],
        given["underlying"],
    )
    acting = Liquidator(given["gas"], given["flash_fee"], given["latency"], given["daily_vol"])
    report = studies.simulate_liquidation(
        read(options),
        engine=given["engine"],
        engine_settings=given["engine_set"],
        conditions=Market(slippage, acting, given["fund"]),
        **rules(options),
    )
    show(report, options, notes(report))
