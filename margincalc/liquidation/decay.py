"""Days until theta or funding liquidates in an unchanged market, with what expires on the way."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import Book
from margincalc.book.columns import Kind
from margincalc.margin.base import MarginModel
from margincalc.pricing.roots import find_roots
from margincalc.risk.aging import aged, expires_within
from margincalc.times import DAYS_PER_YEAR

NODES = 13  # looked at between two events
BEYOND = 30.0  # days looked at after the last expiry, where funding is paid
JUST_BEFORE = 1e-9  # relative, of a time
Margins = Callable[[float], tuple[FloatArray, FloatArray]]
"""Excess and maintenance of each pool after so many days, shape (A,) each."""


class Cliff(NamedTuple):
    """An expiry: what settles then leaves the book, and with it what it hedged.

    Attributes
    ----------
    days : from now
    expired : which instruments, shape (I,)
    before, after : excess of each pool, shape (A,)
    maintenance_before, maintenance_after : shape (A,)
    """

    days: float
    expired: BoolArray
    before: FloatArray
    after: FloatArray
    maintenance_before: FloatArray
    maintenance_after: FloatArray


class Decay(NamedTuple):
    """What time alone does to a book.

    Attributes
    ----------
    days : until the sign of each pool's excess first changes, shape (A,); NaN if it does not
    cliffs : every expiry within the horizon, in order
    horizon : days looked at
    gap : largest number of days between two looks
    """

    days: FloatArray
    cliffs: tuple[Cliff, ...]
    horizon: float
    gap: float


def decay(book: Book, model: MarginModel, horizon: float | None = None) -> Decay:
    """Let time pass, and find when each pool is liquidated.

    Parameters
    ----------
    horizon : days to look at, not negative; None: to the last expiry, and beyond it where funding
        is paid
    """
    columns = book.instruments
    dated = columns.is_kind(Kind.OPTION, Kind.FUTURE)
    expiries = np.unique(columns.time[dated]) * DAYS_PER_YEAR
    funded = bool(np.any(columns.funding != 0.0))
    last = float(np.max(expiries, initial=0.0))
    reach = horizon if horizon is not None else last + (BEYOND if funded else 0.0)
    inside = expiries[(expiries > 0.0) & (expiries <= reach)]

    def margins(days: float) -> tuple[FloatArray, FloatArray]:
        result = model.margin(aged(book, days))
        return result.equity - result.maintenance, result.maintenance

    found = np.full(book.pools, np.nan)
    present = margins(0.0)[0]
    edges = np.unique(np.concatenate([[0.0], inside, [reach]]))
    cliffs: list[Cliff] = []
    gap = 0.0
    for start, end in pairwise(edges.tolist()):
        stop = end * (1.0 - JUST_BEFORE) if end in inside else end
        nodes = np.linspace(start, stop, NODES)
        gap = max(gap, float(nodes[1] - nodes[0]))
        table = [margins(days) for days in nodes.tolist()]
        _first_changes(found, nodes, np.array([excess for excess, _ in table]), present, margins)
        if end in inside:
            after = margins(end)
            cliffs.append(_cliff(book, end, table[-1], after))
            fell = np.isnan(found) & ((after[0] >= 0.0) != (present >= 0.0))
            found[fell] = end
    return Decay(found, tuple(cliffs), reach, gap)


def _cliff(
    book: Book,
    days: float,
    before: tuple[FloatArray, FloatArray],
    after: tuple[FloatArray, FloatArray],
) -> Cliff:
    at = np.abs(book.instruments.time * DAYS_PER_YEAR - days) <= JUST_BEFORE * days
    expired = at & expires_within(book, days * (1.0 + JUST_BEFORE))
    return Cliff(days, expired, before[0], after[0], before[1], after[1])


def _first_changes(
    found: FloatArray, nodes: FloatArray, excess: FloatArray, present: FloatArray, margins: Margins
) -> None:
    """Note when each pool's excess first changes its sign between nodes."""
    changed = (excess >= 0.0) != (present >= 0.0)
    for pool in np.flatnonzero(np.isnan(found) & np.any(changed, axis=0)).tolist():
        first = int(np.argmax(changed[:, pool]))
        if first == 0:
            found[pool] = nodes[0]
            continue

        def at(_: IntArray, days: FloatArray, pool: int = pool) -> FloatArray:
            return np.array([margins(day)[0][pool] for day in days.tolist()])

        found[pool] = find_roots(at, nodes[first - 1 : first], nodes[first : first + 1])[0]
