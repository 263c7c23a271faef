"""`margin` and `check`: an account's figures, and an exit status for scripts."""

import click

from margincalc.cli.inputs import notes, read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import show
from margincalc.cli.units import above


@click.command(
    epilog=examples(
        f"margincalc margin {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc margin {SAMPLES}/btc_short_strangle.yaml --mode isolated",
    )
)
@shared(*EVERY, "pricer")
def margin(options: Options) -> None:
    """Equity, margins, liquidation prices, worst scenario, Greeks."""
    from margincalc.api import account

    report = account.margin(read(options), **rules(options), pricer=options.pricer)
    show(report, options, notes(report))


@click.command(
    epilog=examples(
        f"margincalc check {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc check {SAMPLES}/btc_short_strangle.yaml --above 0.8",
    )
)
@above
@shared(*EVERY)
def check(options: Options, above: float | None) -> int:
    """Exit with 1 under maintenance, or above a margin ratio.

    The margin ratio is maintenance margin / equity: 0.8 is 80 %, above 1 is liquidated.
    """
    from margincalc.api import account

    report = account.check(read(options), above=above, **rules(options))
    show(report, options, notes(report))
    return 1 if report.failed else 0
