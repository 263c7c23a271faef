"""SPAN's spreads: charges between months of a commodity, credits between commodities.

Scanning takes all months of a combined commodity to move as one, and commodities to have nothing
to do with each other. Both are corrected on composite deltas: matched long and short deltas of
different months are charged, of different commodities credited, in the order of priority.
"""

from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book
from margincalc.margin.base import Parameters, Share

Ratio = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=1e6)]
Charge = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=1e12)]


class IntraSpread(Parameters):
    """Two legs of one commodity.

    Attributes
    ----------
    tiers : of the legs; the same twice is between months of a tier
    ratio : deltas of each leg per spread
    charge : account currency per spread
    """

    tiers: tuple[Annotated[int, Field(ge=1, le=50)], Annotated[int, Field(ge=1, le=50)]]
    ratio: tuple[Ratio, Ratio] = (1.0, 1.0)
    charge: Charge


class Leg(Parameters):
    """One side of a spread between commodities: `A` is long where `B` is short."""

    commodity: str
    ratio: Ratio
    side: Annotated[str, Field(pattern="^[AB]$")]


class InterSpread(Parameters):
    """Commodities of which opposite deltas offset; `credit` is a share of each leg's price risk."""

    legs: Annotated[tuple[Leg, ...], Field(min_length=2)]
    credit: Share


class Deltas(NamedTuple):
    """Net composite delta of each month of a pool's commodity (M months), in order of expiry.

    Attributes
    ----------
    pool, unit : whose, and which combined commodity, shape (M,)
    tier : from 0
    row : a position row of it
    delta : signed
    """

    pool: IntArray
    unit: IntArray
    tier: IntArray
    row: IntArray
    delta: FloatArray


def deltas(book: Book, delta: FloatArray, keys: tuple[IntArray, IntArray]) -> Deltas:
    """Net the deltas of contracts of one expiry.

    Parameters
    ----------
    delta : of one long contract, shape (I,)
    keys : combined commodity and tier of each position row, shape (P,)
    """
    unit, tier = keys
    time = book.instruments.time[book.instrument]
    first, labels = group_rows(book.pool, unit, time)
    net = group_sum(book.quantity * delta[book.instrument], labels, len(first))
    return Deltas(book.pool[first], unit[first], tier[first], first, net)


def net_deltas(months: Deltas, shape: tuple[int, int]) -> FloatArray:
    """Return the net delta of every pool's commodities, shape (A, C)."""
    label = months.pool * shape[1] + months.unit
    return group_sum(months.delta, label, shape[0] * shape[1]).reshape(shape)


def tier_charge(
    months: Deltas, unit: int, spreads: tuple[IntraSpread, ...], pools: int
) -> FloatArray:
    """Charge of one commodity for spreads between its tiers, shape (A,)."""
    charge = np.zeros(pools)
    tiers = max((max(spread.tiers) for spread in spreads), default=0)
    mine = np.flatnonzero((months.unit == unit) & (months.tier < tiers))
    label = months.pool[mine] * tiers + months.tier[mine]
    sides = [
        group_sum(np.maximum(sign * months.delta[mine], 0.0), label, pools * tiers).reshape(
            pools, tiers
        )
        for sign in (1.0, -1.0)
    ]
    for spread in spreads:
        one, other = (tier - 1 for tier in spread.tiers)
        for near, far in ((0, 1), (1, 0)):
            made = np.minimum(
                sides[near][:, one] / spread.ratio[0], sides[far][:, other] / spread.ratio[1]
            )
            sides[near][:, one] -= made * spread.ratio[0]
            sides[far][:, other] -= made * spread.ratio[1]
            charge = charge + spread.charge * made
    return charge


def calendar_charge(months: Deltas, rate: FloatArray) -> FloatArray:
    """Charge for every delta that offsets nearer months, by pool and commodity, shape (G,).

    Nearer months net first; what they leave is matched with the next, at its rate.

    Parameters
    ----------
    rate : of one delta matched with each month, account currency, shape (M,)
    """
    first, labels = group_rows(months.pool, months.unit)
    charge, carried = np.zeros(len(first)), np.zeros(len(first))
    rank = np.arange(len(labels)) - first[labels]
    for step in range(int(rank.max(initial=-1)) + 1):
        month = np.flatnonzero(rank == step)
        group, delta = labels[month], months.delta[month]
        before = carried[group]
        opposite = np.sign(before) * np.sign(delta) < 0.0
        matched = np.where(opposite, np.minimum(np.abs(before), np.abs(delta)), 0.0)
        charge[group] += rate[month] * matched
        carried[group] = before + delta
    return charge


def inter_credit(
    net: FloatArray, price_risk: FloatArray, spreads: tuple[InterSpread, ...], units: list[str]
) -> FloatArray:
    """Credit of each commodity for spreads with others, in their order of priority.

    A leg's credit is ``rate * weighted price risk * delta used``, its weighted price risk being its
    price risk per delta; the share of delta used is taken first, which no small delta overflows.

    Parameters
    ----------
    net, price_risk : shape (A, C)
    units : names of the C commodities

    Returns
    -------
    shape (A, C)
    """
    size = np.abs(net)
    left, credit = net.copy(), np.zeros_like(net)
    for spread in spreads:
        columns = [units.index(leg.commodity) for leg in spread.legs]
        signs = [1.0 if leg.side == "A" else -1.0 for leg in spread.legs]
        for way in (1.0, -1.0):
            made = np.full(len(net), np.inf)
            for column, sign, leg in zip(columns, signs, spread.legs, strict=True):
                available = np.maximum(way * sign * left[:, column], 0.0)
                made = np.minimum(made, available / leg.ratio)
            for column, sign, leg in zip(columns, signs, spread.legs, strict=True):
                used, whole = made * leg.ratio, size[:, column]
                left[:, column] -= way * sign * used
                share = np.divide(used, whole, out=np.zeros_like(used), where=whole > 0.0)
                credit[:, column] += spread.credit * price_risk[:, column] * share
    return credit
