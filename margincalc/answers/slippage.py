"""The laws of slippage that may be asked for, from their words to what costs are computed with."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from margincalc.errors import InputError, did_you_mean, input_error, shown
from margincalc.pricing.impact import DepthCurve, Impact, Levels, Linear, SquareRoot
from margincalc.simulation.costs import Costs

LAWS = ("none", "square-root", "linear", "depth", "book")
_DEPTH = ("0.5%=15500000", "5%=40000000")


class Slippage(NamedTuple):
    """How trading moves prices.

    Attributes
    ----------
    law : of `LAWS`
    volume : of a day, account currency
    volatility : of a day
    depth : two texts `DISTANCE=AMOUNT`, what the book holds within a distance
    levels : texts `PRICE:SIZE` of one side of a book, best first, size in units
    underlying : whose book the levels are; by default the only one that is held
    """

    law: str = "square-root"
    volume: float = 1e9
    volatility: float = 0.04
    depth: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    underlying: str = ""


def costs_of(slippage: Slippage, spots: Mapping[str, float]) -> Costs:
    """Return the costs of trading.

    Parameters
    ----------
    spots : of the underlyings that are traded, from one of which a book's levels are measured

    Raises
    ------
    InputError
        If a law is unknown, or a figure of it is none or of another law.
    """
    if slippage.law not in LAWS:
        raise input_error("--slippage", shown(slippage.law), f"one of {', '.join(LAWS)}")
    for place, value in (("--volume", slippage.volume), ("--daily-vol", slippage.volatility)):
        if not 1e-9 <= value <= 1e15:
            raise input_error(place, f"{value:g}", "a number greater than 0")
    for place, given, law in (
        ("--depth", slippage.depth, "depth"),
        ("--level", slippage.levels, "book"),
        ("--underlying", slippage.underlying, "book"),
    ):
        if given and slippage.law != law:
            raise input_error("--slippage", slippage.law, f"{law}, as {place} is given")
    if slippage.law == "none":
        return Costs(None, 0.0, 0.0)
    return Costs(_law(slippage, spots))


def described(slippage: Slippage) -> str:
    """Return the law in words, with its figures."""
    if slippage.law == "none":
        return "trades at the mark"
    if slippage.law == "depth":
        return f"depth curve through {' and '.join(slippage.depth or _DEPTH)}"
    if slippage.law == "book":
        whose = f" of {slippage.underlying}" if slippage.underlying else ""
        return f"a book of {len(slippage.levels)} levels{whose}"
    law = slippage.law.replace("-", " ")
    return f"{law}, volume {slippage.volume:,.0f} and {slippage.volatility:.2%} a day"


def _law(slippage: Slippage, spots: Mapping[str, float]) -> Impact:
    if slippage.law == "linear":
        return Linear(slippage.volatility, slippage.volume)
    if slippage.law == "depth":
        return _depth(slippage.depth or _DEPTH)
    if slippage.law == "book":
        return _levels(slippage.levels, _measured_from(slippage.underlying, spots))
    return SquareRoot(slippage.volatility, slippage.volume)


def _depth(texts: tuple[str, ...]) -> DepthCurve:
    points = sorted(_pair("--depth", text, "=", "0.5%=15500000") for text in texts)
    if len(points) != 2 or points[0][0] == points[1][0] or points[0][1] >= points[1][1]:
        wanted = "two, the deeper one farther away"
        raise input_error("--depth", f"{len(points)} points", wanted, "--depth 0.5%=15500000")
    return DepthCurve.through(points[0], points[1])


def _measured_from(underlying: str, spots: Mapping[str, float]) -> float:
    """Return the spot that the levels of a book are around; of several, somebody says whose."""
    if underlying in spots:
        return spots[underlying]
    if underlying:
        near = did_you_mean(underlying, spots)
        raise input_error("--underlying", shown(underlying), f"one of {', '.join(spots)}", near)
    if len(spots) > 1:
        found = f"levels, and the account trades {', '.join(spots)}"
        remedy = f"--underlying {next(iter(spots))}: the others' books are as deep, by distance"
        raise input_error("--level", found, "whose book they are", remedy)
    return next(iter(spots.values()), 1.0)


def _levels(texts: tuple[str, ...], spot: float) -> Levels:
    pairs = [_pair("--level", text, ":", "99900:5") for text in texts]
    if not pairs:
        raise input_error("--level", "none", "the levels of a book, such as --level 99900:5")
    price, units = np.array(pairs).T
    distance = np.abs(1.0 - price / spot)
    if np.any(np.diff(distance) < 0.0):
        raise input_error("--level", shown(texts[0]), "the best level first")
    return Levels(distance, units * spot)


def _pair(place: str, text: str, sign: str, example: str) -> tuple[float, float]:
    """Read two positive numbers; the first may be a percentage."""
    first, _, second = text.partition(sign)
    try:
        share = 0.01 if first.strip().endswith("%") else 1.0
        pair = float(first.strip().removesuffix("%")) * share, float(second)
    except ValueError:
        raise _no_pair(place, text, example) from None
    if not all(1e-12 <= number <= 1e15 for number in pair):
        raise _no_pair(place, text, example)
    return pair


def _no_pair(place: str, text: str, example: str) -> InputError:
    return input_error(place, shown(text), f"two numbers greater than 0, such as {example}")
