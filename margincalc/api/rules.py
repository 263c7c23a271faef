"""How an account is margined: the keyword arguments that most functions share.

`mode` says who shares collateral and `model` by which rules (a name, or the path of a TOML file);
each implies the other. `settings` are changes of parameters, `key=value`; `effective` is a day
whose parameters are used instead of those of the valuation day; `pricer` is `numpy`, or `compiled`
for the kernels with which `batch` computes; `changes` is what is tried out first,
``mc.what_if(spot=["+5%"])``.
"""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from margincalc.answers.margining import Rules
from margincalc.assembly.pools import Mode
from margincalc.assembly.what_if import Changes
from margincalc.pricer import PricerName

__all__ = ["Chosen", "Tried", "Unpack", "rules_of"]


class Chosen(TypedDict, total=False):
    """By which rules, over a market as it is."""

    mode: Mode | None
    model: str | None
    settings: Sequence[str]
    effective: str | None
    pricer: PricerName | None


class Tried(Chosen, total=False):
    """By which rules, after what is tried out."""

    changes: Changes


def rules_of(chosen: Chosen | Tried) -> Rules:
    """Return the rules that keyword arguments choose, with the defaults where they do not."""
    rules = Rules(**chosen)
    return rules._replace(settings=tuple(rules.settings))
