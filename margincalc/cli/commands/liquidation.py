"""`liquidation`: every market in which an account is liquidated."""

from typing import Any, Literal, get_args

import click

from margincalc.cli.inputs import notes, read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, refuse_given, shared
from margincalc.cli.output import draw, show

Law = Literal["gbm", "merton", "history"]  # repeated from `dynamics`, which imports numpy
_OF_ODDS = ("dynamics", "prices", "paths", "seed", "drift", "correlation", "poll")
_OF_REGIONS = ("together", "frontier", "horizon", "daily", "multiples", "plot")


@click.command(
    epilog=examples(
        f"margincalc liquidation {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc liquidation {SAMPLES}/eth_gamma_hedged_perp.yaml --horizon 7",
    )
)
@click.option(
    "--together", is_flag=True, help="Also move all underlyings together, by their betas."
)
@click.option(
    "--frontier/--no-frontier",
    default=None,
    help="Spot and volatility together.  [default: where there are few]",
)
@click.option(
    "--horizon", type=float, metavar="DAYS", help="Follow time this far, not to the last expiry."
)
@click.option(
    "--daily",
    type=float,
    nargs=3,
    default=(0.04, 0.06, -0.4),
    metavar="SPOT VOL RHO",
    show_default=True,
    help="Deviations of a day's move of spot and of volatility, and their correlation.",
)
@click.option(
    "--at-volatility",
    "multiples",
    type=float,
    multiple=True,
    metavar="X",
    help="A multiple of volatility for the frontier, instead of 0.4 to 3; repeatable.",
)
@click.option(
    "--within",
    metavar="TIME",
    help="Instead, how probably it is liquidated within 7d, 12h or 2w.",
)
@click.option(
    "--dynamics",
    type=click.Choice(get_args(Law)),
    default="gbm",
    show_default=True,
    help="With --within: diffusion, with jumps, or blocks of the history in --prices.",
)
@click.option("--prices", metavar="FILE", help="CSV such as time,BTC,ETH or date,symbol,close.")
@click.option("--paths", type=int, default=50_000, show_default=True, metavar="N")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N")
@click.option("--drift", type=float, default=0.0, metavar="X", help="Of every spot, per year.")
@click.option(
    "--correlation",
    type=float,
    default=0.8,
    show_default=True,
    metavar="RHO",
    help="With --within: of every two underlyings, 0 to 1; history has its own.",
)
@click.option("--poll", metavar="TIME", help="Between two looks of the engine, such as 1h.")
@shared(*EVERY, "plot")
def liquidation(
    options: Options,
    together: bool,
    frontier: bool | None,
    horizon: float | None,
    daily: tuple[float, float, float],
    multiples: tuple[float, ...],
    within: str | None,
    dynamics: Law,
    **simulated: Any,
) -> None:
    """Every interval of spot that liquidates, and volatility and time that do.

    Prices are certified where the model says how its requirement depends on spot: then no interval
    was missed. Otherwise the widest stretch of spot not looked at is stated.
    """
    from margincalc.api import account

    if within is not None:
        refuse_given(_OF_REGIONS, "of the answer without --within: leave one of the two out")
        from margincalc.answers.passing import Odds

        odds = Odds(within, dynamics, **simulated)
        chance = account.passage(read(options), odds=odds, **rules(options))
        show(chance, options, notes(chance))
        return
    refuse_given(_OF_ODDS, "of --within, such as --within 7d")
    report = account.liquidation(
        read(options),
        **rules(options),
        together=together,
        frontier=frontier,
        horizon=horizon,
        daily=daily,
        multiples=sorted(set(multiples)),
        curves=options.plot is not None,
    )
    draw(report, options)
    show(report, options, notes(report))
