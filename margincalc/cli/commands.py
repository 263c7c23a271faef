"""The commands: each parses its options, calls the function of its name, and shows the result."""

from typing import TYPE_CHECKING, Any

import click

from margincalc._version import __version__
from margincalc.cli.options import EVERY, MODES, Mode, Options, examples, shared
from margincalc.cli.output import say, show, write
from margincalc.cli.program import Program

if TYPE_CHECKING:
    from margincalc.portfolio import Portfolio

SAMPLES = "sample_portfolios"
_CONTEXT = {"help_option_names": ["-h", "--help"], "terminal_width": 80}


@click.group(
    cls=Program,
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


@program.command(
    epilog=examples(
        f"margincalc margin {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc margin {SAMPLES}/btc_short_strangle.yaml --mode isolated",
    )
)
@shared(*EVERY)
def margin(options: Options) -> None:
    """Equity, margins, liquidation prices, worst scenario, Greeks."""
    from margincalc import api

    report = api.margin(_portfolio(options), **_rules(options))
    show(report, options, _notes(report))


@program.command(
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
    multiple=True,
    help="A model to show, in place of modes; repeatable.",
)
@click.option("--all", "every", is_flag=True, help="Show every model that can express the book.")
@shared(*(name for name in EVERY if name not in ("mode", "model")))
def compare(
    options: Options, modes: tuple[Mode, ...], models: tuple[str, ...], every: bool
) -> None:
    """Isolated, cross and portfolio margin side by side, or several models."""
    from margincalc import api

    if modes and (models or every):
        raise click.UsageError("--mode goes neither with --model nor with --all")
    report = api.compare(
        _portfolio(options),
        modes=modes or MODES,
        models=models,
        every=every,
        settings=options.settings,
        effective=options.effective,
    )
    # What is true of one model only, `margin` and `models show` say.
    first, *others = (column.report.notes for column in report.columns)
    show(report, options, [note for note in first if all(note in notes for notes in others)])


@program.command(
    epilog=examples(
        f"margincalc greeks {SAMPLES}/eth_calendar_spread.yaml",
        f"margincalc greeks {SAMPLES}/eth_calendar_spread.yaml --format csv",
    )
)
@shared(*EVERY)
def greeks(options: Options) -> None:
    """Greeks by underlying, expiry and position."""
    from margincalc import api

    report = api.greeks(_portfolio(options), **_rules(options))
    show(report, options, report.notes)


@program.command(
    epilog=examples(
        f"margincalc scenarios {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc scenarios {SAMPLES}/btc_short_strangle.yaml --format csv",
    )
)
@shared(*EVERY)
def scenarios(options: Options) -> None:
    """Profit and loss by move of spot and volatility."""
    from margincalc import api

    report = api.scenarios(_portfolio(options), **_rules(options))
    show(report, options, _notes(report))


@program.command(
    epilog=examples(
        f"margincalc check {SAMPLES}/btc_short_strangle.yaml",
        f"margincalc check {SAMPLES}/btc_short_strangle.yaml --above 0.8",
    )
)
@click.option("--above", type=float, metavar="RATIO", help="Also fail above this margin ratio.")
@shared(*EVERY)
def check(options: Options, above: float | None) -> int:
    """Exit with 1 under maintenance, or above a margin ratio.

    The margin ratio is maintenance margin / equity: 0.8 is 80 %, above 1 is liquidated.
    """
    from margincalc import api

    if above is not None and not 0.0 <= above < float("inf"):
        raise click.BadParameter("a ratio such as 0.8 is wanted", param_hint="'--above'")
    report = api.check(_portfolio(options), above=above, **_rules(options))
    show(report, options, _notes(report))
    return 1 if report.failed else 0


@program.group(
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
    from margincalc import api
    from margincalc.answers.model_results import ModelsReport

    show(ModelsReport(api.models()), options)


@models.command(
    "show",
    epilog=examples(
        "margincalc models show generic-portfolio",
        "margincalc models show generic-standard --effective 2026-12-01 --format json",
    ),
)
@click.argument("name", metavar="NAME|PATH.toml")
@shared("effective", "settings", "format", "output")
def show_model(options: Options, name: str) -> None:
    """Show a model's file: parameters with their units, sources, proof.

    What it prints is a model file: change a copy and pass it to --model.
    """
    from margincalc import api

    show(api.show_model(name, effective=options.effective, settings=options.settings), options)


@models.command(
    "diff",
    epilog=examples(
        "margincalc models diff deribit-pm@2024-06-17 deribit-pm",
        "margincalc models diff paradex-pm@2026-08-20 paradex-pm --format csv",
    ),
)
@click.argument("first")
@click.argument("second")
@shared("format", "output")
def diff_models(options: Options, first: str, second: str) -> None:
    """Show the parameters that differ between two models.

    FIRST and SECOND are names, NAME@DAY for the parameters of a day, or paths of TOML files.
    """
    from margincalc import api

    show(api.diff_models(first, second), options)


@models.command(
    "verify",
    epilog=examples("margincalc models verify", "margincalc models verify generic-portfolio"),
)
@click.argument("name", required=False)
@shared("format", "output")
def verify_models(options: Options, name: str | None) -> int:
    """Rerun the worked examples that prove a model, or all of them.

    The exit status is 3 if a figure does not match.
    """
    from margincalc import api

    report = api.verify_models(name)
    show(report, options)
    return 3 if report.mismatches else 0


@program.command(
    epilog=examples("margincalc schema", "margincalc schema --output portfolio.schema.json")
)
@shared("output")
def schema(options: Options) -> None:
    """Print the JSON Schema of portfolio files."""
    from margincalc import api
    from margincalc.report.as_json import json_text

    write(json_text(api.schema()), options)


def _notes(report: Any) -> list[str]:
    """Return what was found on the way, and where a model says what is not known of it."""
    model = report.model
    if not model.notes:
        return list(report.notes)
    where = "`margincalc models show` prints them"
    return [*report.notes, f"{model.name} has {len(model.notes)} notes on its numbers; {where}"]


def _portfolio(options: Options) -> "Portfolio":
    from margincalc import api

    for place, name in (("FILE", options.file), ("--market", options.market)):
        if name == "":
            raise click.UsageError(f"{place} is an empty name; wanted that of a file")
    return api.load(options.file, market=options.market, as_of=options.as_of)


def _rules(options: Options) -> dict[str, Any]:
    """Return the options that say how to margin, as the functions name them."""
    names = ("mode", "model", "settings", "effective")
    return {name: getattr(options, name) for name in names}
