"""`simulate`: what happens after the call, a file and a line in the table for each question."""

import click

from margincalc.cli.options import SAMPLES, examples
from margincalc.cli.output import say
from margincalc.cli.program import Program

FILES = {
    "liquidation": "liquidation",
    "waterfall": "waterfall",
    "cascade": "cascade",
    "monitor": "monitor",
    "oracle": "oracle",
    "dynamic": "dynamic",
    "transfer": "venues",
    "collateral": "venues",
}
"""The file of each command of the group, in the order in which help lists them."""


@click.group(
    cls=Program,
    files=FILES,
    package=__name__,
    invoke_without_command=True,
    epilog=examples(
        f"margincalc simulate waterfall {SAMPLES}/venue_gap.yaml",
        f"margincalc simulate waterfall {SAMPLES}/venue_gap.yaml --fund 2000",
    ),
)
@click.pass_context
def simulate(context: click.Context) -> None:
    """Simulate what follows a margin call: who closes, who pays, what spreads."""
    if context.invoked_subcommand is None:
        say(context.get_help())
        context.exit(2)
