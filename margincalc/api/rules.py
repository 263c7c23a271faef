"""How an account is margined: the keyword arguments that most functions share."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from margincalc.answers.margining import Rules
from margincalc.assembly.pools import Mode
from margincalc.assembly.what_if import Changes

__all__ = ["Chosen", "Tried", "Unpack", "rules_of"]


class Chosen(TypedDict, total=False):
    """By which rules: `mode` and `model` each imply the other.

    Attributes
    ----------
    mode : who shares collateral; default: `portfolio`, or the model's own
    model : a name that `models()` lists, or the path of a TOML file
    settings : changes of the model's parameters, such as `factors.initial=1.3`
    effective : day whose parameters are used, such as `2025-01-01`; default: the valuation day
    """

    mode: Mode | None
    model: str | None
    settings: Sequence[str]
    effective: str | None


class Tried(Chosen, total=False):
    """By which rules, and what is tried out first.

    Attributes
    ----------
    changes : of market, time and positions, `mc.what_if(spot=["+5%"])`
    """

    changes: Changes


def rules_of(chosen: Chosen | Tried) -> Rules:
    """Return the rules that keyword arguments choose, with the defaults where they do not.

    Raises
    ------
    TypeError
        For an argument that is none of them.
    """
    unknown = chosen.keys() - Tried.__annotations__.keys()
    if unknown:
        known = ", ".join(sorted(Tried.__annotations__))
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}; those of rules are {known}")
    rules = Rules(**chosen)
    return rules._replace(settings=tuple(rules.settings))
