"""`liquidation`: every market in which an account is liquidated."""

import click

from margincalc.cli.inputs import notes, read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import draw, show


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
@shared(*EVERY, "plot")
def liquidation(  # noqa: PLR0913 - an argument for each option
    options: Options,
    together: bool,
    frontier: bool | None,
    horizon: float | None,
    daily: tuple[float, float, float],
    multiples: tuple[float, ...],
) -> None:
    """Every interval of spot that liquidates, and volatility and time that do.

    Prices are certified where the model says how its requirement depends on spot: then no interval
    was missed. Otherwise the widest stretch of spot not looked at is stated.
    """
    from margincalc import api

    report = api.liquidation(
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
