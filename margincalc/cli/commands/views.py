"""`greeks` and `scenarios`: what the figures of `margin` are made of."""

import click

from margincalc.cli.inputs import notes, read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import draw, show


@click.command(
    epilog=examples(
        f"margincalc greeks {SAMPLES}/eth_calendar_spread.yaml",
        f"margincalc greeks {SAMPLES}/eth_calendar_spread.yaml --format csv",
    )
)
@shared(*EVERY)
def greeks(options: Options) -> None:
    """Greeks by underlying, expiry and position."""
    from margincalc.api import account

    report = account.greeks(read(options), **rules(options))
    show(report, options, report.notes)


@click.command(
    epilog=examples(
        f"margincalc scenarios {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc scenarios {SAMPLES}/btc_short_strangle.yaml --format csv",
    )
)
@shared(*EVERY, "plot")
def scenarios(options: Options) -> None:
    """Profit and loss by move of spot and volatility."""
    from margincalc.api import account

    report = account.scenarios(read(options), **rules(options))
    draw(report, options)
    show(report, options, notes(report))
