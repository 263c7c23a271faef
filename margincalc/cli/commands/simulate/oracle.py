"""`simulate oracle`: what errors of price feeds do to accounts."""

from typing import Any

import click

from margincalc.cli.options import SAMPLES, Options, examples, shared
from margincalc.cli.output import draw, show
from margincalc.cli.sources import drawing, margins_of, source_of
from margincalc.cli.units import refusal, seconds, share

_SAMPLE = f"{SAMPLES}/minute_prices.csv"


@click.command(
    epilog=examples(
        f"margincalc simulate oracle {_SAMPLE} --lag 2min",
        f"margincalc simulate oracle {_SAMPLE} --attack +20%",
    )
)
@click.argument("prices")
@click.option("--population", metavar="FILE", help="Accounts, as of `simulate cascade`.")
@click.option("--symbol", metavar="NAME", help="Of the history, where it has several.")
@click.option("--lag", default="60s", show_default=True, help="Age of a price when it is used.")
@click.option("--deviation", default="0.5%", show_default=True, help="By which a feed steps.")
@click.option("--heartbeat", default="1h", show_default=True, help="After which it steps anyway.")
@click.option("--twap", default="30min", show_default=True, help="Window of an average.")
@click.option("--attack", default="0", help="Move that an attacker gives the average, as +20%.")
@click.option("--attacked", default="10%", show_default=True, help="Share of the window held.")
@click.option("--interval", default="0", help="Confidence interval that a price states, as 0.1%.")
@click.option("--reject", default="2%", show_default=True, help="Widest interval that is used.")
@click.option("--max-age", help="Of a price that is used, as 30min.  [default: no limit]")
@click.option("--confidence", default=0.95, show_default=True, help="With which it is used.")
@click.option("--bound", default="0.01%", show_default=True, help="Expected loss a buffer allows.")
@click.option(
    "--jumps",
    metavar="RATE,MEAN,DEV",
    help="Falls beside the normal moves, in `by model`: so many a year, of this size, as 10,6%,6%.",
)
@drawing
@shared("mode", "model", "market", "settings", "effective", "format", "output", "plot")
def oracle(
    options: Options,
    prices: str,
    population: str | None,
    drawn: dict[str, Any],
    confidence: float,
    **feeds: Any,
) -> None:
    """Lags, steps, averages and attacks: false and missed liquidations.

    PRICES, CSV (perhaps gzipped) or Parquet, has a time and a price (`mark`, `close`) in each row,
    perhaps `symbol`, `venue_price` where a venue prices its collateral itself, and `interval`
    where each price states one. Who has no price that it may use closes nobody.
    """
    from margincalc.answers.oracle import OracleTerms
    from margincalc.api import studies
    from margincalc.simulation.feeds import NO_JUMPS, Jumps

    terms = OracleTerms(
        lag=seconds(feeds["lag"], "--lag"),
        threshold=share(feeds["deviation"], "--deviation"),
        heartbeat=seconds(feeds["heartbeat"], "--heartbeat"),
        window=seconds(feeds["twap"], "--twap"),
        attack=share(feeds["attack"], "--attack"),
        attacked=share(feeds["attacked"], "--attacked"),
        interval=share(feeds["interval"], "--interval"),
        confidence=confidence,
        bound=share(feeds["bound"], "--bound"),
        reject=share(feeds["reject"], "--reject"),
        oldest=None if feeds["max_age"] is None else seconds(feeds["max_age"], "--max-age"),
        jumps=NO_JUMPS if feeds["jumps"] is None else Jumps(*_jumps(feeds["jumps"])),
    )
    rules = margins_of(options)
    source = source_of(population, options.market, drawn)
    report = studies.oracle(prices, source, terms, symbol=feeds["symbol"], rules=rules)
    draw(report, options)
    show(report, options)


def _jumps(text: str) -> list[float]:
    """Read a rate and two shares."""
    parts = [share(part.strip(), "--jumps") for part in text.split(",")]
    if len(parts) != 3:
        raise refusal(text, "a rate, a mean and a deviation such as 10,6%,6%", "--jumps")
    return parts
