"""`convert`: a venue's or broker's export as a portfolio file."""

import click

from margincalc.cli.inputs import read, tell
from margincalc.cli.options import SAMPLES, Options, examples, shared
from margincalc.cli.output import write


@click.command(
    epilog=examples(
        f"margincalc convert {SAMPLES}/exports/deribit_*.json",
        f"margincalc convert {SAMPLES}/btc_short_strangle.yaml --to json",
    )
)
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--to",
    type=click.Choice(("yaml", "json")),
    help="What to write.  [default: as the name after --output says, else yaml]",
)
@shared("source", "columns", "market", "as_of", "output")
def convert(options: Options, files: tuple[str, ...], to: str | None) -> None:
    """Write what exports say as a portfolio file.

    FILES are those of one account: positions, balances, open orders, market. As what each was read,
    and what no portfolio file can express, is said on standard error and on top of the file.
    """
    from margincalc.files import written
    from margincalc.files.writer import without_empty

    first, *join = files
    portfolio, left_out = without_empty(read(options._replace(file=first, join=tuple(join))))
    tell(left_out)
    json = (options.output or "").endswith(".json")
    write(written(portfolio, to or ("json" if json else "yaml")), options)
