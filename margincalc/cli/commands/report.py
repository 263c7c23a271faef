"""`report`: all answers about an account on one page."""

import click

from margincalc.cli.inputs import read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import write


@click.command(
    epilog=examples(
        f"margincalc report {SAMPLES}/btc_short_strangle.yaml --output report.html",
        f"margincalc report {SAMPLES}/just_under_maintenance.yaml --spot -5% --output moved.html",
    )
)
@shared(*(name for name in EVERY if name != "format"))
def report(options: Options) -> None:
    """Write one self-contained page: safe or not, what kills, what to do.

    The page needs no network. It reads well on a phone, printed and in the dark, and has sliders
    that move spot, volatility and time.
    """
    from margincalc.api import account

    write(account.report(read(options), **rules(options)), options)
