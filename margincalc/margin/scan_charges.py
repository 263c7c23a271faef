"""What the `scan` family adds to the scenario loss, as amounts and as a linear form."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows
from margincalc.book import Book, Kind
from margincalc.margin.base import Components, Parameters, Share
from margincalc.margin.charges import (
    delta_one_charge,
    net_short_options,
    option_charge,
    roll_charge,
    short_option_charge,
)
from margincalc.margin.forms import Parts, WorstOf
from margincalc.margin.linear import at_rows, by_row, netted, one_by_one, together, weighted
from margincalc.margin.scope import NotPublished, published
from margincalc.risk import greeks, weighted_risk
from margincalc.scenarios import ScenarioGrid


class Charges(Parameters):
    """What is added to the scenario loss.

    Attributes
    ----------
    short_options : of spot, per unit net short per strike and expiry
    options : of spot, per unit of options, long or short
    delta_one : of the gross notional of futures and perpetuals, at their mark or at the index
    roll : of spot, per unit of delta that offsets delta of other expiries
    """

    short_options: Share | NotPublished = 0.0
    options: Share = 0.0
    delta_one: Share | NotPublished = 0.0
    delta_one_price: Literal["mark", "index"] = "mark"
    roll: Share | NotPublished = 0.0


def charged(book: Book, charges: Charges) -> Components:
    """Return the amounts; an unusual charge only where the venue has one."""
    found = {
        "short_options": short_option_charge(book, _short_rate(book, charges)),
        "delta_one": _delta_one(book, charges),
    }
    if charges.options:
        found["options"] = option_charge(book, charges.options)
    if charges.roll:
        each = roll_charge(book, 1.0)
        rate = published(charges.roll, "charges.roll", needed=bool(np.any(each > 0.0)))
        found["roll"] = rate * each
    return found


def _short_rate(book: Book, charges: Charges) -> float:
    """Return the share of spot; one that is not known is refused only where options are short."""
    rate = charges.short_options
    needed = isinstance(rate, str) and len(net_short_options(book).units) > 0
    return published(rate, "charges.short_options", needed=needed)


def _delta_one(book: Book, charges: Charges) -> FloatArray:
    """Return the charge on futures and perpetuals, shape (A,)."""
    rate = charges.delta_one
    needed = isinstance(rate, str) and len(book.rows(Kind.FUTURE, Kind.PERPETUAL)) > 0
    rate = published(rate, "charges.delta_one", needed=needed)
    return delta_one_charge(book, rate, at_index=charges.delta_one_price == "index")


def worst_losses(book: Book, grid: ScenarioGrid, value: FloatArray) -> Iterator[WorstOf]:
    """Yield the scan of each underlying of one pool, with weights of one.

    Parameters
    ----------
    value : present value of one long unit, shape (I,)
    """
    risk = weighted_risk(book, grid, value)
    moved = book.underlying
    for underlying in np.unique(moved):
        loss = np.zeros((grid.size, len(book.pool)))
        rows = np.flatnonzero(moved == underlying)
        loss[:, rows] = -risk[book.instrument[rows]].T
        yield WorstOf(int(underlying), grid, loss, np.ones(2))


def charge_parts(book: Book, charges: Charges) -> Parts:
    """Return the same amounts of one pool as parts, with weights of one."""
    parts = [
        by_row(book, _both(lambda each: _delta_one(each, charges))),
        by_row(book, _both(lambda each: option_charge(each, charges.options))),
        _short_parts(book, charges),
    ]
    if charges.roll and len(book.pool):
        parts.append(_roll_parts(book, published(charges.roll, "charges.roll")))
    return together(parts)


def _both(charge: Callable[[Book], FloatArray]) -> Callable[[Book], FloatArray]:
    """Charge the same in both margins."""

    def twice(book: Book) -> FloatArray:
        return np.tile(charge(book), (2, 1))

    return twice


def _short_parts(book: Book, charges: Charges) -> Parts:
    """Return the charge on what is net short at a strike."""
    rows, _, labels = book.strikes
    needed = len(rows) > 0
    rate = published(charges.short_options, "charges.short_options", needed=needed)
    unit = short_option_charge(one_by_one(book, -1.0), rate)[rows]
    return netted(labels, rows, -unit, np.ones(2))


def _roll_parts(book: Book, rate: float) -> Parts:
    """Return the charge on offsetting deltas: half of (sum of absolutes - absolute of the sum).

    ``min(long, short) = (long + short - |long - short|) / 2``: the last part is a deduction.
    """
    rows = book.rows(Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)
    delta = greeks(replace(book, coin=False)).delta[book.instrument[rows]]
    underlying = book.underlying[rows]
    unit = rate * delta * book.money(book.spot[underlying], rows)
    _, expiry = group_rows(underlying, book.instruments.time[book.instrument[rows]])
    _, whole = group_rows(underlying)
    half = np.full(2, 0.5)
    return together(
        netted(labels, rows, sign * unit, weight)
        for labels, weight in ((expiry, half), (whole, -half))
        for sign in (1.0, -1.0)
    )


def set_form(
    book: Book, rows: IntArray, weight: FloatArray, found: tuple[list[WorstOf], Parts]
) -> tuple[list[WorstOf], Parts]:
    """Return the form of some position rows as one of their whole book.

    Parameters
    ----------
    weight : of the loss and its charges in both margins, shape (2,)
    """
    scans, parts = found
    moved = []
    for scan in scans:
        loss = np.zeros((len(scan.loss), len(book.pool)))
        loss[:, rows] = scan.loss
        moved.append(scan._replace(loss=loss, weight=scan.weight * weight))
    return moved, weighted(at_rows(parts, rows), weight)
