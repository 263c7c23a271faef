"""`models`: list, show, compare and verify margin models."""

import click

from margincalc.cli import complete
from margincalc.cli.options import Options, examples, shared
from margincalc.cli.output import show


@click.group(
    invoke_without_command=True,
    epilog=examples("margincalc models list", "margincalc models show generic-portfolio"),
)
@click.pass_context
def models(context: click.Context) -> None:
    """List margin models, and show their parameters and sources."""
    if context.invoked_subcommand is None:
        context.invoke(list_models)


@models.command(
    "list", epilog=examples("margincalc models list", "margincalc models list --format json")
)
@shared("format", "output")
def list_models(options: Options) -> None:
    """List the models: family, mode, effective date, proof."""
    from margincalc.answers.model_results import ModelsReport
    from margincalc.api import models

    show(ModelsReport(models.models()), options)


@models.command(
    "show",
    epilog=examples(
        "margincalc models show generic-portfolio",
        "margincalc models show generic-standard --effective 2026-12-01 --format json",
    ),
)
@click.argument("name", metavar="NAME|PATH.toml", shell_complete=complete.models)
@shared("effective", "settings", "format", "output")
def show_model(options: Options, name: str) -> None:
    """Show a model's file: parameters with their units, sources, proof.

    What it prints is a model file: change a copy and pass it to --model.
    """
    from margincalc.api import models

    show(models.show_model(name, effective=options.effective, settings=options.settings), options)


@models.command(
    "diff",
    epilog=examples(
        "margincalc models diff deribit-pm@2024-06-17 deribit-pm",
        "margincalc models diff paradex-pm@2026-08-20 paradex-pm --format csv",
    ),
)
@click.argument("first", shell_complete=complete.models)
@click.argument("second", shell_complete=complete.models)
@shared("format", "output")
def diff_models(options: Options, first: str, second: str) -> None:
    """Show the parameters that differ between two models.

    FIRST and SECOND are names, NAME@DAY for the parameters of a day, or paths of TOML files.
    """
    from margincalc.api import models

    show(models.diff_models(first, second), options)


@models.command(
    "verify",
    epilog=examples("margincalc models verify", "margincalc models verify generic-portfolio"),
)
@click.argument("name", required=False, shell_complete=complete.models)
@shared("format", "output")
def verify_models(options: Options, name: str | None) -> int:
    """Rerun the worked examples that prove a model, or all of them.

    The exit status is 3 if a figure does not match.
    """
    from margincalc.api import models

    report = models.verify_models(name)
    show(report, options)
    return 3 if report.mismatches else 0
