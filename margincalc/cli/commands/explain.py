"""`explain`: where a requirement comes from, and what changed it."""

import click

from margincalc.cli.inputs import notes, read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import draw, show


@click.command(
    epilog=examples(
        f"margincalc explain {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc explain {SAMPLES}/eth_calendar_spread.yaml --plot waterfall.png",
    )
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=1,
    show_default=True,
    metavar="N",
    help="Of the orders in which Shapley's values are sampled, beyond 12 positions.",
)
@shared(*EVERY, "plot")
@click.argument("new", required=False)
def explain(options: Options, new: str | None, seed: int) -> None:
    """Margin by position and Greek, or what changed from FILE to NEW."""
    from margincalc.api import account

    if new is None:
        report = account.explain(read(options), seed=seed, **rules(options))
        draw(report, options)
        show(report, options, notes(report))
        return
    named = rules(options)
    tried = named.pop("changes")
    if tried.trades or tried.moves or options.market or options.as_of:
        raise click.UsageError("two files go neither with --market, --as-of nor with a what-if")
    change = account.explain_change(read(options), read(options._replace(file=new)), **named)
    draw(change, options)
    show(change, options, notes(change))
