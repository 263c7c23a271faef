"""`simulate cascade`: the whole amplification curve of a population, in each mode asked for."""

from typing import Any

import numpy as np

from margincalc.answers.accounts import Accounts
from margincalc.answers.contagion import MODES, compared, ended_after
from margincalc.answers.deleveraged import DELEVERAGED, deleveraged
from margincalc.answers.stress import Terms, absolute
from margincalc.answers.study import Fact, Field, Study, Table
from margincalc.answers.walked import (
    FIRST,
    REACH,
    Run,
    level_rows,
    name_of,
    one_line,
    point,
    walk_critical,
    walked,
)
from margincalc.arrays import FloatArray, IntArray
from margincalc.errors import input_error
from margincalc.pricing.impact import Impact
from margincalc.simulation import cascade
from margincalc.simulation.linear_accounts import Line, is_linear, line_of, tightened

WIDTH = 0.01  # of a price level, of the spot

CURVE = (
    Field("mode", "mode", "text", 3),
    Field("shock", "shock", "move"),
    Field("liquidated", "liquidated", "count"),
    Field("share", "of all", "share", 2),
    Field("sold", "sold", "money", 1),
    Field("price", "price", "price", 3),
    Field("move", "ends at", "move"),
    Field("amplification", "amplified", "factor"),
    Field("bad_debt", "bad debt", "money"),
    Field("fund_left", "fund left", "money", 2),
)
LEVELS = (
    Field("from", "from", "move"),
    Field("to", "to", "move"),
    Field("sold", "forced there", "money"),
    Field("by_losses", "R by losses", "ratio", 2),
    Field("by_margins", "by margins", "ratio", 2),
    Field("reproduction", "R", "ratio"),
    Field("multiplier", "a small move times", "factor"),
)
FALLS = (
    Field("account", "first to fall", "text"),
    Field("price", "price", "price"),
    Field("distance", "at", "move"),
    Field("size", "units", "number", 1),
)


def cascade_study(
    accounts: Accounts, terms: Terms, run: Run | None = None, *, modes: bool = False
) -> Study:
    """Run every shock over a population, and compare modes where they are asked for.

    Parameters
    ----------
    run : of these accounts and terms, where there is one already
    """
    run = run or run_of(accounts, terms)
    facts = (
        Fact("spot", "Spot", accounts.spot, "price"),
        Fact("method", "Method", run.method, "text"),
        Fact("critical_fall", "Critical fall", run.critical[0], "move"),
        Fact("critical_rise", "Critical rise", run.critical[1], "move"),
        Fact("shelf_below", "Feeds itself below", run.shelf[0], "price"),
        Fact("shelf_above", "Feeds itself above", run.shelf[1], "price"),
        Fact("fund", "Insurance fund", terms.fund, "money"),
        Fact("fund_survives", "Fund survives falls to", _survives(run, terms.fund, -1.0), "move"),
        Fact("fund_survives_rise", "and rises to", _survives(run, terms.fund, 1.0), "move"),
    )
    tables = [
        Table("curve", CURVE, tuple(run.curve), shown=13),
        Table("levels", LEVELS, tuple(run.levels), shown=16),
        Table("first", FALLS, tuple(run.first[:FIRST])),
    ]
    if modes:
        tables.append(Table("modes", MODES, tuple(compared(accounts, terms))))
    if terms.limit is not None:
        tables.append(Table("deleveraged", DELEVERAGED, tuple(deleveraged(accounts, terms)), 13))
    notes = _notes(run, accounts)
    return Study("cascade", accounts.title, accounts.currency, facts, tuple(tables), notes)


def run_of(accounts: Accounts, terms: Terms) -> Run:
    """Run a population by the method that fits it."""
    if accounts.line is not None:
        return _lines(accounts, accounts.line, terms)
    population, venue = accounts.population, accounts.venue
    assert population is not None
    assert venue is not None
    if is_linear(population.book):
        return _lines(accounts, line_of(population.book, venue.model), terms)
    if len(population.book.spot) == 1:
        return walked(accounts, terms)
    return _rounds(accounts, terms)


def edges(spot: float, side: float) -> FloatArray:
    """Return the ends of the price levels, going away from the spot."""
    steps: FloatArray = spot * (1.0 + side * WIDTH * np.arange(REACH / WIDTH + 0.5))
    return steps


def queues(line: Line, spot: float, law: Impact) -> dict[float, tuple[cascade.Queue, IntArray]]:
    """Return the queue of each direction, -1 a fall, with the rows that are in it."""
    found = {}
    for side, price in ((-1.0, line.below), (1.0, line.above)):
        rows = np.flatnonzero(~np.isnan(price))
        own = cascade.queue(price[rows], line.size[rows], absolute(law, spot), up=side > 0.0)
        found[side] = own, rows
    return found


def _lines(accounts: Accounts, calm: Line, terms: Terms) -> Run:
    if terms.dealers is not None:
        return walked(accounts, terms, calm)
    spot, total = accounts.spot, len(calm.size)
    line = tightened(calm, spot, terms.margin) if terms.margin else calm
    found = queues(line, spot, terms.law)
    # A million accounts take longer to sort than all that follows: not twice without need.
    before = queues(calm, spot, terms.law) if terms.margin else found
    curve, first, levels = [], [], []
    critical: dict[float, float | None] = {}
    shelf: dict[float, float | None] = {}
    ordered = np.sort(terms.shocks)
    for side, (own, rows) in found.items():
        shocks = ordered[ordered * side > 0.0] if side > 0.0 else ordered[ordered <= 0.0]
        stops = own.stops(spot * (1.0 + shocks))
        known = rows[~np.isnan(line.bankrupt[rows])]
        owed = cascade.bad_debt(line.bankrupt[known], line.size[known], stops.price, -side)
        for place, shock in enumerate(shocks.tolist()):
            figures = int(stops.accounts[place]), float(stops.quantity[place])
            end = float(stops.price[place]), float(owed[place])
            curve.append(point((shock, total, spot, terms.fund), figures, end))
        level, loss = (cascade.levels(each[side][0], edges(spot, side)) for each in (found, before))
        ends = level.near / spot - 1.0, level.far / spot - 1.0, level.quantity * spot
        found_rows = level_rows(ends, loss.reproduction, level.reproduction)
        levels += [(side, row) for row in found_rows]
        critical[side], shelf[side] = own.critical(spot), level.shelf()
        order = rows[own.order[:FIRST]]
        prices = own.sign * own.price[:FIRST]
        first += _first(accounts, line, order.tolist(), prices.tolist())
    first.sort(key=lambda row: abs(row[2]))
    below = None if critical[-1.0] is None else -critical[-1.0]
    return Run(
        "sorted prices",
        curve,
        one_line(levels),
        first,
        (below, critical[1.0]),
        (shelf[-1.0], shelf[1.0]),
    )


def _first(
    accounts: Accounts, line: Line, rows: list[int], prices: list[float]
) -> list[tuple[Any, ...]]:
    return [
        (name_of(accounts, row), price, price / accounts.spot - 1.0, float(line.size[row]))
        for row, price in zip(rows, prices, strict=True)
    ]


def _survives(run: Run, fund: float, side: float) -> float | None:
    """Return the largest shock whose bad debt the fund pays, None if it pays none."""
    rows = sorted((row for row in run.curve if row[1] * side > 0.0), key=lambda row: abs(row[1]))
    last = None
    for row in rows:
        if row[8] > fund:
            break
        last = row[1]
    return last


def _rounds(accounts: Accounts, terms: Terms) -> Run:
    """Shock every underlying alike, and sell in rounds."""
    if terms.dealers is not None:
        raise input_error("--dealers", "accounts of several underlyings", "those of one")
    curve, first = [], []
    population = accounts.population
    assert population is not None
    for place, shock in enumerate(np.sort(terms.shocks).tolist()):
        ended, owed = ended_after(accounts, terms, shock)
        move = float(ended.factor[0]) - 1.0
        money = float(np.sum(np.abs(ended.sold) * population.book.spot)) / accounts.spot
        figures = int(np.sum(ended.liquidated)), money
        fixed = shock, population.book.pools, accounts.spot, terms.fund
        curve.append(point(fixed, figures, (accounts.spot * (1.0 + move), owed)))
        for row in np.flatnonzero(ended.round == 1.0).tolist():
            first.append((population.names[row], accounts.spot * (1.0 + shock), shock, None))
        if terms.progress is not None:
            terms.progress(place + 1, len(terms.shocks))
    first.sort(key=lambda row: abs(row[2]))
    seen = {row[0]: row for row in reversed(first)}
    ordered = sorted(seen.values(), key=lambda row: abs(row[2]))
    critical = walk_critical(curve, -1.0), walk_critical(curve, 1.0)
    return Run("rounds over several assets", curve, [], ordered, critical, (None, None))


def _notes(run: Run, accounts: Accounts) -> tuple[str, ...]:
    notes = ["liquidated accounts are closed at the price where the cascade ends"]
    if accounts.venue is not None and accounts.venue.parts:
        notes.append("an account is one on each of its venues; no money moves between them in time")
    if not run.levels:
        notes.append("R by price level is of one underlying, and is not computed for several")
    return tuple(notes)
