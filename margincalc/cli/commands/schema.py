"""`schema`: what a portfolio file may say."""

import click

from margincalc.cli.options import Options, examples, shared
from margincalc.cli.output import write


@click.command(
    epilog=examples("margincalc schema", "margincalc schema --output portfolio.schema.json")
)
@shared("output")
def schema(options: Options) -> None:
    """Print the JSON Schema of portfolio files."""
    from margincalc.api import reading
    from margincalc.report.as_json import json_text

    write(json_text(reading.schema()), options)
