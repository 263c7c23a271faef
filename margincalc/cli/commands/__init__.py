"""The commands: each parses its options, calls the function of its name, and shows the result.

A command's file is imported when the command runs, or when help lists it.
"""

import click

from margincalc._version import __version__
from margincalc.cli.options import SAMPLES, examples
from margincalc.cli.output import say
from margincalc.cli.program import Program

FILES = {
    "margin": "margin",
    "compare": "compare",
    "greeks": "views",
    "scenarios": "views",
    "liquidation": "liquidation",
    "hedge": "hedge",
    "report": "report",
    "check": "margin",
    "watch": "watch",
    "explain": "explain",
    "simulate": "simulate",
    "batch": "batch",
    "models": "models",
    "schema": "schema",
    "convert": "convert",
    "demo": "demo",
    "completion": "completion",
    "man": "man",
    "chain": "chain",
}
"""The file of each command, in the order in which help lists them."""

_CONTEXT = {"help_option_names": ["-h", "--help"], "terminal_width": 80}


@click.group(
    cls=Program,
    files=FILES,
    package=__name__,
    context_settings=_CONTEXT,
    invoke_without_command=True,
    epilog=examples(
        f"margincalc margin {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc compare {SAMPLES}/btc_short_strangle.yaml",
    ),
)
@click.version_option(__version__, prog_name="margincalc", message="%(prog)s %(version)s")
@click.pass_context
def program(context: click.Context) -> None:
    """Margin, liquidation prices and Greeks of a portfolio file.

    FILE is a portfolio in YAML, JSON or CSV; `-` is standard input. Data goes to standard output,
    everything else to standard error.
    """
    if context.invoked_subcommand is None:
        say(context.get_help())
        context.exit(2)
