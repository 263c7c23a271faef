"""`simulate transfer` and `simulate collateral`: deposits, and where they are."""

import click

from margincalc.cli.inputs import read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import show
from margincalc.cli.sources import seconds, share


@click.command(
    epilog=examples(
        f"margincalc simulate transfer {SAMPLES}/two_venues.yaml",
        f"margincalc simulate transfer {SAMPLES}/two_venues.yaml --latency 2h",
    )
)
@click.option("--latency", default="30min", show_default=True, help="Until money arrives.")
@click.option("--halt", "halts", multiple=True, metavar="VENUE=TIME", help="Lets nothing out.")
@click.option("--cost", default="0", show_default=True, help="Share that a transfer loses.")
@click.option("--probability", default=0.01, show_default=True, help="Of failing that is borne.")
@click.option("--volatility", type=float, help="Per year.  [default: the market's]")
@click.option("--horizon", default="1d", show_default=True, help="That buffers must survive.")
@shared(*EVERY)
def transfer(
    options: Options,
    halts: tuple[str, ...],
    probability: float,
    volatility: float | None,
    **times: str,
) -> None:
    """What can move between venues, when it must, and how long each lasts."""
    from margincalc.answers.margining import Rules
    from margincalc.answers.venues import TransferTerms
    from margincalc.api import studies

    parted = [halt.rpartition("=") for halt in halts]
    terms = TransferTerms(
        latency=seconds(times["latency"], "--latency"),
        halts=tuple((venue, seconds(time, "--halt")) for venue, _, time in parted),
        cost=share(times["cost"], "--cost"),
        probability=probability,
        volatility=volatility,
        horizon=seconds(times["horizon"], "--horizon"),
    )
    report = studies.transfer(read(options), terms, rules=Rules(**rules(options)))
    show(report, options)


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

    parted = [entry.rpartition("=") for entry in queue]
    late = tuple((asset, share(text, "--queue")) for asset, _, text in parted)
    terms = CollateralTerms(late, pool, turns, threshold)
    report = studies.collateral(read(options), terms, rules=Rules(**rules(options)))
    show(report, options)
