"""What size costs: an add-on for positions that the market cannot take in a day, or not at once.

Both rules are zero for nothing held and grow faster than the position, so that two accounts of half
the size need less than one.
"""

from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Factor, Parameters, Share
from margincalc.pricing.impact import SquareRoot, horizon
from margincalc.risk import greeks

Volume = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=1e15)]


class Liquidity(Parameters):
    """The market of an underlying, and the rule that measures a position against it.

    Attributes
    ----------
    rule : `impact` adds what closing at once costs, ``2/3 Y sigma sqrt(Q / V)`` of the exposure,
        which is homogeneous of degree 3/2; `horizon` multiplies the scenario loss by the root of
        the days that closing takes, where that is more than one
    volume : of a day, in units of the underlying, V
    volatility : of a day, sigma; of `impact`
    factor : Y; of `impact`
    participation : share of the volume that closing may be; of `horizon`
    size : what Q is: the net delta, or the delta of every position without its sign
    """

    rule: Literal["impact", "horizon"]
    volume: Volume
    volatility: Share = 0.04
    factor: Factor = 1.0
    participation: Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=1)] = 0.1
    size: Literal["net", "gross"] = "net"


class Worsts(NamedTuple):
    """What a scan found of each pool and underlying.

    Attributes
    ----------
    first : a position row of each group, shape (G,)
    labels : group of each position row, shape (P,)
    loss : of the worst scenario, shape (G,)
    """

    first: IntArray
    labels: IntArray
    loss: FloatArray


def liquidity_charge(book: Book, rules: Liquidity, scanned: Worsts) -> FloatArray:
    """Return the add-on, shape (A,), account currency."""
    units = _units(book, rules, scanned)
    if rules.rule == "impact":
        law = SquareRoot(rules.volatility, rules.volume, rules.factor)
        spot = book.spot[book.underlying[scanned.first]]
        exposure = units * book.money(spot, scanned.first)
        added = law.average(units) * exposure
    else:
        days = horizon(units, rules.volume, rules.participation)
        added = scanned.loss * (np.sqrt(np.maximum(days, 1.0)) - 1.0)
    return group_sum(added, book.pool[scanned.first], book.pools)


def _units(book: Book, rules: Liquidity, scanned: Worsts) -> FloatArray:
    """Return the size of each group, in units of the underlying, shape (G,)."""
    # Only what is traded counts: a deposit is no position.
    own = np.isin(book.kind, [int(kind) for kind in _POSITIONS])
    delta = greeks(replace(book, coin=False)).delta[book.instrument]
    held = np.where(own, book.quantity * delta, 0.0)
    held = np.abs(held) if rules.size == "gross" else held
    return np.abs(group_sum(held, scanned.labels, len(scanned.first)))


_POSITIONS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL, Kind.SPOT)
