"""How an account is margined: the keyword arguments that most functions share."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

from margincalc.answers.margining import Rules
from margincalc.assembly.pools import Mode
from margincalc.assembly.what_if import Changes

__all__ = ["Chosen", "Spiralling", "Stressed", "Tried", "Unpack", "refuse_unknown", "rules_of"]


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
    refuse_unknown(chosen, Tried, "rules")
    rules = Rules(**chosen)
    return rules._replace(settings=tuple(rules.settings))


class Stressed(TypedDict, total=False):
    """What a population of accounts is put through.

    Attributes
    ----------
    shocks : relative moves, `FROM:TO:COUNT` or separated by commas; default: 61 from -0.3 to 0.3 of
        a cascade, else 81 from -0.4 to 0.4
    depth : of the market, `1%=20e6` or two such points; or `sqrt:VOLATILITY,VOLUME` of a day;
        default: bitcoin's in early October 2025
    depth_left : share of that depth which is left; default: all
    fund : insurance fund, in the account currency; default: none
    progress : told how far a long run has come: how much is done, and of how much
    """

    shocks: str
    depth: str
    depth_left: float
    fund: float
    progress: Callable[[int, int], None] | None


class Spiralling(Stressed, total=False):
    """What a population is put through, and what answers its selling.

    Attributes
    ----------
    volatility_response : relative rise of implied volatility per million of vega bought back
    margin_response : relative rise of linear accounts' maintenance per relative move of the price
    dealers : net gamma of dealers who hedge, money per move of 1 %: a number, or a table of
        `spot` and `gamma`
    deleverage : also sell holders down to this leverage
    """

    volatility_response: float
    margin_response: float
    dealers: str | Path | None
    deleverage: float | None


def refuse_unknown(given: Mapping[str, object], known: type, what: str) -> None:
    """Refuse keyword arguments that a `TypedDict` has not.

    Raises
    ------
    TypeError
        For an argument that is none of them.
    """
    unknown = given.keys() - known.__annotations__.keys()
    if unknown:
        names = ", ".join(sorted(known.__annotations__))
        found = f"unexpected keyword argument {min(unknown)!r}"
        raise TypeError(f"{found}; those of {what} are {names}")
