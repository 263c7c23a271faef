"""`hedge`: the cheapest trades and deposit that restore a target ratio."""

from typing import Any

import click

from margincalc.cli.inputs import notes, read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import draw, show
from margincalc.cli.units import Share


def _amount(name: str, into: str, what: str, default: str = "no limit") -> Any:
    return click.option(
        name, into, type=float, metavar="AMOUNT", help=f"{what}  [default: {default}]"
    )


_OPTIONS = (
    click.option(
        "--target",
        type=Share(),
        metavar="RATIO",
        help="Largest maintenance margin as a share of equity.  [default: 90%]",
    ),
    click.option(
        "--initial-target",
        "initial",
        type=Share(),
        metavar="RATIO",
        help="Largest initial margin as a share of equity, now; 100% leaves it unrestricted.",
    ),
    click.option(
        "--spot-range",
        type=Share(pair=True),
        metavar="LOW,HIGH",
        help="Hold the target over these moves of all spots, such as -15%,15%.",
    ),
    click.option(
        "--vol-range",
        type=Share(pair=True),
        metavar="LOW,HIGH",
        help="Hold it over these relative moves of volatility too, such as -20%,50%.",
    ),
    click.option("--nodes", type=int, help="Moves of a range to start from.  [default: 7]"),
    click.option(
        "--between",
        type=int,
        help="Parts between two nodes, at which the answer is tried too.  [default: 4]",
    ),
    click.option(
        "--candidate",
        "candidates",
        multiple=True,
        metavar="NAME",
        help="Trade this alone; repeatable.  [default: what is held, quoted or listed]",
    ),
    click.option(
        "--strike",
        "strikes",
        type=float,
        multiple=True,
        metavar="PRICE",
        help="Add this strike at every listed expiry; repeatable.",
    ),
    _amount("--max-deposit", "max_deposit", "Most to deposit; 0 for trades alone."),
    _amount("--budget", "budget", "Most to pay in all: deposit, premiums, costs."),
    _amount("--max-size", "size", "Most contracts to trade of an instrument."),
    _amount("--max-delta", "delta", "Largest delta left of an underlying."),
    _amount("--max-vega", "vega", "Largest vega left of an underlying, per point."),
    click.option("--no-new-shorts", is_flag=True, help="Sell no options that are not held."),
    _amount("--lot", "lot", "Trade whole lots of this size where the file states none.", "any"),
    click.option(
        "--spread-vol",
        type=float,
        metavar="POINTS",
        help="Half the spread of an option that is not quoted, in volatility.  [default: 2]",
    ),
    click.option(
        "--spread-premium",
        type=Share(),
        metavar="SHARE",
        help="The same of its premium; the larger counts.  [default: 5%]",
    ),
    click.option(
        "--spread-spot",
        type=Share(),
        metavar="SHARE",
        help="Half the spread of anything, of the underlying's value.  [default: 0.03%]",
    ),
    click.option(
        "--fee", type=Share(), metavar="SHARE", help="Of the underlying's value.  [default: 0%]"
    ),
    _amount("--ticket", "ticket", "Cost of each instrument traded, whatever the size.", "0"),
    click.option(
        "--deposit-cost",
        type=Share(),
        metavar="SHARE",
        help="What a deposit costs, of its amount.  [default: 0.2%]",
    ),
)


# The fields of `Aim`, `Costs` and `Limits` that options fill.
_AIM = {
    "target": "target",
    "initial": "initial",
    "spot_range": "spot",
    "vol_range": "volatility",
    "nodes": "nodes",
    "between": "between",
}
_COSTS = {
    "spread_vol": "spread_vol",
    "spread_premium": "spread_premium",
    "spread_spot": "spread_spot",
    "fee": "fee",
    "ticket": "ticket",
    "deposit_cost": "deposit",
}
_LIMITS = {
    "max_deposit": "deposit",
    "budget": "budget",
    "size": "size",
    "delta": "delta",
    "vega": "vega",
    "lot": "lot",
}


def _with_options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        f"margincalc hedge {SAMPLES}/just_under_maintenance.yaml",
        f"margincalc hedge {SAMPLES}/btc_short_strangle.yaml --target 60%",
    )
)
@_with_options
@shared(*EVERY, "plot")
def hedge(options: Options, **given: Any) -> None:
    """Find the cheapest trades and deposit that restore a target ratio.

    The answer is margined anew in full before it is shown. The smallest deposit and the smallest
    reduction that would do alone stand beside it.
    """
    from margincalc.api import account
    from margincalc.hedge.aims import Aim, Costs, Limits

    stated = {key: value for key, value in given.items() if value is not None}
    if "spread_vol" in stated:
        stated["spread_vol"] /= 100.0
    if "vega" in stated:
        stated["vega"] *= 100.0
    limits = {_LIMITS[key]: stated[key] for key in _LIMITS if key in stated}
    limits["new_shorts"] = not given["no_new_shorts"]
    costs = {_COSTS[key]: stated[key] for key in _COSTS if key in stated}
    report = account.hedge(
        read(options),
        aim=Aim(**{_AIM[key]: stated[key] for key in _AIM if key in stated}),
        costs=Costs(**costs),
        limits=Limits(**limits),
        candidates=given["candidates"],
        strikes=given["strikes"],
        **rules(options),
    )
    draw(report, options)
    show(report, options, notes(report))
