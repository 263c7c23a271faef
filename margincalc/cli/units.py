"""Shares and times as people type them."""

import math
from typing import Any

import click

_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}


def seconds(text: str, option: str) -> float:
    """Read a time such as `30min`, `2h` or `90` (seconds)."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    try:
        found = float(number) * _SECONDS[text[len(number) :].strip()]
    except (ValueError, KeyError):
        raise refusal(text, "a time such as 90s, 30min, 2h or 1d", option) from None
    if not 0.0 <= found < 1e12:
        raise refusal(text, "a time from 0 and below 1e12 seconds", option)
    return found


def share(text: str, option: str) -> float:
    """Read a share such as `0.5%`, `+20%` or `0.005`."""
    try:
        return _share(text)
    except ValueError:
        raise refusal(text, "a share such as 0.5% or 0.005", option) from None


def refusal(found: str, wanted: str, option: str) -> click.BadParameter:
    """Return the error of an option whose text is not what it takes."""
    return click.BadParameter(f"found {found!r}; wanted {wanted}", param_hint=f"'{option}'")


def _share(text: str) -> float:
    text = text.strip()
    number = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    if not math.isfinite(number):
        raise ValueError
    return number


class Share(click.ParamType):  # type: ignore[type-arg]  # generic to the checker alone
    """A share such as `5%` or `0.05`; `-15%,15%` where two are wanted."""

    def __init__(self, pair: bool = False) -> None:
        self.name, self.pair = ("range" if pair else "share"), pair

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read one share, or two."""
        if not isinstance(value, str):
            return value
        parts = value.split(",")
        try:
            numbers = tuple(_share(part) for part in parts)
        except ValueError:
            numbers = ()
        if len(numbers) != 1 + self.pair:
            wanted = "two shares such as -15%,15%" if self.pair else "a share such as 5% or 0.05"
            self.fail(f"found {value!r}; wanted {wanted}", param, ctx)
        return numbers if self.pair else numbers[0]


def _ratio(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and value < 0.0:
        raise refusal(f"{value:g}", "a ratio such as 80% or 0.8", option.opts[-1])
    return value


above = click.option(
    "--above",
    type=Share(),
    callback=_ratio,
    metavar="RATIO",
    help="Also fail above this margin ratio, such as 0.8 or 80%.",
)
