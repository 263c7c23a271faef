"""`simulate transfer` and `simulate collateral`: deposits, and where they are."""

from typing import TYPE_CHECKING

import click

from margincalc.cli.inputs import read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import show
from margincalc.cli.units import refusal, seconds, share

if TYPE_CHECKING:
    from margincalc.simulation.transfers import Route


@click.command(
    epilog=examples(
        f"margincalc simulate transfer {SAMPLES}/two_venues.yaml",
        f"margincalc simulate transfer {SAMPLES}/two_venues.yaml --route okx:derive=2h,0.1%",
    )
)
@click.option("--latency", default="30min", show_default=True, help="Until money arrives.")
@click.option("--cost", default="0", show_default=True, help="Share that a transfer loses.")
@click.option(
    "--route",
    "stated",
    multiple=True,
    metavar="FROM:TO=TIME[,COST[,MOST]]",
    help="One pair's own latency (or `none`), cost and most at once; repeatable.",
)
@click.option(
    "--routes",
    metavar="FILE",
    help="A table of them: from, to, seconds, perhaps cost, most and halt.",
)
@click.option(
    "--halt",
    "halts",
    multiple=True,
    metavar="VENUE[:TO]=TIME",
    help="Lets nothing out, or nothing to one other; repeatable.",
)
@click.option("--probability", default=0.01, show_default=True, help="Of failing that is borne.")
@click.option("--volatility", type=float, help="Per year.  [default: the market's]")
@click.option("--horizon", default="1d", show_default=True, help="That buffers must survive.")
@shared(*EVERY)
def transfer(
    options: Options,
    stated: tuple[str, ...],
    halts: tuple[str, ...],
    probability: float,
    volatility: float | None,
    **texts: str,
) -> None:
    """What can move between venues, when it must, and how long each lasts."""
    from margincalc.answers.margining import Rules
    from margincalc.answers.routes import Routes, read_routes
    from margincalc.answers.venues import TransferTerms
    from margincalc.api import studies

    read_in = read_routes(texts["routes"]) if texts["routes"] else Routes()
    terms = TransferTerms(
        latency=seconds(texts["latency"], "--latency"),
        cost=share(texts["cost"], "--cost"),
        probability=probability,
        volatility=volatility,
        horizon=seconds(texts["horizon"], "--horizon"),
        routes=Routes(
            (*read_in.stated, *map(_route, stated)), (*read_in.halts, *map(_halt, halts))
        ),
    )
    report = studies.transfer(read(options), terms, rules=Rules(**rules(options)))
    show(report, options)


def _route(text: str) -> "Route":
    """Read `FROM:TO=TIME[,COST[,MOST]]`."""
    from margincalc.simulation.transfers import Route

    pair, _, figures = text.rpartition("=")
    sender, colon, receiver = pair.partition(":")
    time, *more = figures.split(",")
    if not colon or len(more) > 2:
        raise refusal(text, "a pair and its figures such as okx:derive=2h,0.1%", "--route")
    late = float("inf") if time == "none" else seconds(time, "--route")
    # A cost as in `0.1%` and an amount as in `1e6` are both numbers.
    return Route(sender, receiver, late, *(share(part, "--route") for part in more))


def _halt(text: str) -> tuple[tuple[str, str], float]:
    """Read `VENUE=TIME` or `FROM:TO=TIME`."""
    venue, _, time = text.rpartition("=")
    sender, _, receiver = venue.partition(":")
    return (sender, receiver), seconds(time, "--halt")


@click.command(
    epilog=examples(
        f"margincalc simulate collateral {SAMPLES}/eth_gamma_hedged_perp.yaml",
        f"margincalc simulate collateral {SAMPLES}/long_only.yaml --loop 3",
    )
)
@click.option(
    "--queue",
    multiple=True,
    metavar="ASSET=SHARE",
    help="An asset that redeems late, at that discount.",
)
@click.option("--pool", multiple=True, metavar="ASSET", help="An asset that is a pool's share.")
@click.option("--loop", "turns", type=float, metavar="TURNS", help="Leverage of a borrowing loop.")
@click.option("--threshold", default=0.83, show_default=True, help="At which it is liquidated.")
@shared(*EVERY)
def collateral(
    options: Options,
    queue: tuple[str, ...],
    pool: tuple[str, ...],
    turns: float | None,
    threshold: float,
) -> None:
    """How far each deposit may fall, alone and together with the spots."""
    from margincalc.answers.collateral import CollateralTerms
    from margincalc.answers.margining import Rules
    from margincalc.api import studies

    terms = CollateralTerms(tuple(map(_queue, queue)), pool, turns, threshold)
    report = studies.collateral(read(options), terms, rules=Rules(**rules(options)))
    show(report, options)


def _queue(text: str) -> tuple[str, float]:
    """Read `ASSET=SHARE`."""
    asset, _, discount = text.rpartition("=")
    if not asset:
        raise refusal(text, "an asset and its discount such as stETH=1%", "--queue")
    return asset, share(discount, "--queue")
