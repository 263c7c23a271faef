"""`compare`: one book under several modes or models."""

import click

from margincalc.cli import complete
from margincalc.cli.inputs import changes, read
from margincalc.cli.options import EVERY, MODES, SAMPLES, Mode, Options, examples, shared
from margincalc.cli.output import show


@click.command(
    epilog=examples(
        f"margincalc compare {SAMPLES}/two_underlyings_three_collaterals.yaml",
        f"margincalc compare {SAMPLES}/spx_iron_condor.yaml --all",
    )
)
@click.option(
    "--mode",
    "modes",
    type=click.Choice(MODES),
    multiple=True,
    help="A mode to show; repeatable.  [default: all three]",
)
@click.option(
    "--model",
    "models",
    metavar="NAME|PATH.toml",
    shell_complete=complete.models,
    multiple=True,
    help="A model to show, in place of modes; repeatable.",
)
@click.option("--all", "every", is_flag=True, help="Show every model that can express the book.")
@shared(*(name for name in EVERY if name not in ("mode", "model")))
def compare(
    options: Options, modes: tuple[Mode, ...], models: tuple[str, ...], every: bool
) -> None:
    """Isolated, cross and portfolio margin side by side, or several models."""
    from margincalc.api import account

    if modes and (models or every):
        raise click.UsageError("--mode goes neither with --model nor with --all")
    report = account.compare(
        read(options),
        modes=modes or MODES,
        models=models,
        every=every,
        settings=options.settings,
        effective=options.effective,
        changes=changes(options),
    )
    show(report, options, report.notes)
