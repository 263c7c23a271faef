"""`simulate dynamic`: margins that follow volatility, against margins that do not."""

from typing import Any

import click

from margincalc.cli.options import SAMPLES, Options, examples, shared
from margincalc.cli.output import draw, show, write_file

_SAMPLE = f"{SAMPLES}/daily_prices.csv"
RULES = ("static", "ewma", "floor", "stress", "buffer", "fhs")  # repeated from `answers.dynamic`


@click.command(
    epilog=examples(
        f"margincalc simulate dynamic {_SAMPLE}",
        f"margincalc simulate dynamic {_SAMPLE} --decay 0.99",
    )
)
@click.argument("prices")
@click.option("--symbol", metavar="NAME", help="Of the history; otherwise every one.")
@click.option("--decay", default=0.97, show_default=True, help="Of the weights, a day.")
@click.option("--confidence", default=0.99, show_default=True, help="Of a range.")
@click.option("--horizon", default=1.0, show_default=True, metavar="DAYS", help="To close out.")
@click.option("--static", type=float, metavar="RANGE", help="A range that never moves.")
@click.option("--floor", type=float, metavar="RANGE", help="Least range.  [default: long run]")
@click.option("--stress", type=float, metavar="RANGE", help="Of a stressed time, weighted 25 %.")
@click.option("--window", default=250, show_default=True, metavar="DAYS", help="Of history.")
@click.option("--implied", type=float, metavar="VOL", help="Implied volatility now, per year.")
@click.option("--weight", default=1.0, show_default=True, help="Share of it that counts.")
@click.option("--depth", default=1.0, show_default=True, metavar="DAYS", help="To unwind.")
@click.option("--write-model", metavar="FILE.toml", help="Write the ranges as a model.")
@click.option(
    "--rule",
    type=click.Choice(RULES),
    default="buffer",
    show_default=True,
    help="Whose ranges --write-model writes.",
)
@shared("format", "output", "plot")
def dynamic(
    options: Options,
    prices: str,
    symbol: str | None,
    write_model: str | None,
    rule: str,
    **ranges: Any,
) -> None:
    """Scan ranges by rule: breaches, procyclicality and cost, side by side.

    PRICES, CSV (perhaps gzipped) or Parquet, has a date and a price (`close`) in each row, perhaps
    `symbol`. A model that is written is used by `margin --model FILE.toml`.
    """
    from margincalc.answers.dynamic import DynamicTerms
    from margincalc.api import studies

    terms = DynamicTerms(**ranges)
    report = studies.dynamic(prices, terms, symbol=symbol)
    if write_model is not None:
        from pathlib import Path

        name = Path(write_model).stem or "dynamic"
        text = studies.dynamic_model(prices, terms, rule=rule, name=name, symbol=symbol)
        write_file("--write-model", write_model, text)
    draw(report, options)
    show(report, options)
