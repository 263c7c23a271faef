"""`simulate cascade`: the whole amplification curve of a population, in each mode asked for."""

from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.accounts import Accounts
from margincalc.answers.contagion import MODES, Terms, absolute, compared, ended_after
from margincalc.answers.study import Fact, Field, Study, Table
from margincalc.arrays import FloatArray, IntArray
from margincalc.errors import input_error, shown
from margincalc.impact import Impact
from margincalc.simulation import cascade, curves
from margincalc.simulation.population import Line, is_linear, line_of

FIRST = 10  # of those who fall first
WIDTH = 0.01  # of a price level, of the spot
REACH = 0.4  # how far price levels go
NODES = 201
LOWEST, HIGHEST = 0.25, 2.5  # ends of the way that option books are walked, of the spot


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
    Field("reproduction", "R", "number"),
    Field("multiplier", "a small move times", "factor"),
)
FALLS = (
    Field("account", "first to fall", "text"),
    Field("price", "price", "price"),
    Field("distance", "at", "move"),
    Field("size", "units", "number", 1),
)


class Run(NamedTuple):
    """One population's cascade, whichever way it was computed."""

    method: str
    curve: list[tuple[Any, ...]]
    levels: list[tuple[Any, ...]]
    first: list[tuple[Any, ...]]
    critical: tuple[float | None, float | None]
    shelf: tuple[float | None, float | None]


def cascade_study(accounts: Accounts, terms: Terms, *, modes: bool = False) -> Study:
    """Run every shock over a population, and compare modes where they are asked for."""
    run = run_of(accounts, terms)
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
    return Study("cascade", accounts.title, accounts.currency, facts, tuple(tables), _notes(run))


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
        return _walked(accounts, terms)
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


def _lines(accounts: Accounts, line: Line, terms: Terms) -> Run:
    spot, total = accounts.spot, len(line.size)
    found = queues(line, spot, terms.law)
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
            curve.append(_point((shock, total, spot, terms.fund), figures, end))
        level = cascade.levels(own, edges(spot, side))
        levels += [(side, row) for row in _level_rows(level, spot)]
        critical[side], shelf[side] = own.critical(spot), level.shelf()
        order = rows[own.order[:FIRST]]
        prices = own.sign * own.price[:FIRST]
        first += _first(line, order.tolist(), prices.tolist(), spot)
    first.sort(key=lambda row: abs(row[2]))
    below = None if critical[-1.0] is None else -critical[-1.0]
    return Run(
        "sorted prices",
        curve,
        _one_line(levels),
        first,
        (below, critical[1.0]),
        (shelf[-1.0], shelf[1.0]),
    )


def _point(
    shocked: tuple[float, int, float, float], figures: tuple[int, float], end: tuple[float, float]
) -> tuple[Any, ...]:
    """Return one row of the curve."""
    (shock, total, spot, fund), (count, sold), (price, owed) = shocked, figures, end
    move = price / spot - 1.0
    amplified = move / shock if shock else (1.0 if move == 0.0 else None)
    left = fund - owed
    return (
        "all",
        shock,
        count,
        count / total if total else 0.0,
        abs(sold) * spot,
        price,
        move,
        amplified,
        owed,
        max(left, 0.0),
    )


def _level_rows(level: cascade.Levels, spot: float) -> list[tuple[Any, ...]]:
    multiplier = [
        value if np.isfinite(value) else None for value in np.asarray(level.multiplier).tolist()
    ]
    columns = (level.near / spot - 1.0, level.far / spot - 1.0, level.quantity * spot)
    moved = [column.tolist() for column in columns]
    return list(zip(*moved, level.reproduction.tolist(), multiplier, strict=True))


def _one_line(levels: list[tuple[float, tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Put the levels of both sides in the order of their prices."""
    return sorted((row for _, row in levels), key=lambda row: row[1])


def _first(line: Line, rows: list[int], prices: list[float], spot: float) -> list[tuple[Any, ...]]:
    return [
        (
            line.names[row] if line.names else f"row {row + 1}",
            price,
            price / spot - 1.0,
            float(line.size[row]),
        )
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


def _walked(accounts: Accounts, terms: Terms) -> Run:
    """Walk an option book away from the spot, down and then up."""
    population, venue = accounts.population, accounts.venue
    assert population is not None
    assert venue is not None
    impact = absolute(terms.law, accounts.spot)
    curve, first, levels = [], [], []
    critical: dict[float, float | None] = {}
    shelf: dict[float, float | None] = {}
    ordered = np.sort(terms.shocks)
    response = curves.Response(volatility=terms.volatility / 1e6)
    for side, end in ((-1.0, LOWEST), (1.0, HIGHEST)):
        shocks = ordered[ordered * side > 0.0] if side > 0.0 else ordered[ordered <= 0.0]
        factor = np.geomspace(1.0, end, NODES)
        way = curves.walk(population.book, venue.model, factor, response, terms.progress)
        curve += _walk_curve(way, shocks, accounts, terms)
        push = curves.pressure(way, impact)
        rows = _walk_levels(way, push, side, accounts.spot)
        levels += [(side, row) for row in rows]
        fed = [row[0] for row in rows if row[3] >= 1.0]
        shelf[side] = accounts.spot * (1.0 + fed[0]) if fed else None
        critical[side] = _walk_critical(curve, side)
        hit = np.argsort(way.breach, kind="stable")[:FIRST]
        for row in hit[way.breach[hit] < curves.NEVER].tolist():
            price = float(way.node[way.breach[row]])
            far = price / accounts.spot - 1.0
            first.append((population.names[row], price, far, abs(float(way.flow[row]))))
    first.sort(key=lambda row: abs(row[2]))
    return Run(
        f"{NODES} spot nodes each way",
        curve,
        _one_line(levels),
        first,
        (critical[-1.0], critical[1.0]),
        (shelf[-1.0], shelf[1.0]),
    )


def _walk_curve(
    way: curves.Walk, shocks: FloatArray, accounts: Accounts, terms: Terms
) -> list[tuple[Any, ...]]:
    spot, impact = accounts.spot, absolute(terms.law, accounts.spot)
    stops = curves.halts(way, spot * (1.0 + shocks), impact)
    seized = way.seized()
    owed = {stop: curves.loss(way, stop) for stop in set(stops.stop.tolist())}
    rows = []
    for place, shock in enumerate(shocks.tolist()):
        stop = int(stops.stop[place])
        # The move ends where pressure and shock leave it, at the node that it does not pass.
        price = min(way.node[stop], spot * (1.0 + shock)) if shock <= 0.0 else way.node[stop]
        if shock > 0.0:
            price = max(price, spot * (1.0 + shock))
        figures = int(seized[stop]), float(stops.quantity[place])
        fixed = shock, len(way.breach), spot, terms.fund
        rows.append(_point(fixed, figures, (float(price), owed[stop])))
    return rows


def _walk_levels(
    way: curves.Walk, push: FloatArray, side: float, spot: float
) -> list[tuple[Any, ...]]:
    """Return R between nodes: how much the pressure grows over how far the price goes."""
    sold = way.sold()
    rows = []
    every = 5
    for near in range(0, len(way.node) - every, every):
        far = near + every
        if abs(way.node[far] / spot - 1.0) > REACH:
            break
        width = abs(way.node[far] - way.node[near])
        feeds = float(-side * (push[far] - push[near]) / width)
        forced = abs(float(sold[far] - sold[near])) * spot
        multiplier = 1.0 / (1.0 - feeds) if feeds < 1.0 else None
        ends = float(way.node[near] / spot - 1.0), float(way.node[far] / spot - 1.0)
        rows.append((*ends, forced, feeds, multiplier))
    return rows


def _walk_critical(curve: list[tuple[Any, ...]], side: float) -> float | None:
    """Return the smallest shock asked for that is amplified more than twice."""
    large = [row[1] for row in curve if row[1] * side > 0.0 and (row[7] or 0.0) > cascade.LARGE]
    return min(large, key=abs) if large else None


def _rounds(accounts: Accounts, terms: Terms) -> Run:
    """Shock every underlying alike, and sell in rounds."""
    curve, first = [], []
    population = accounts.population
    assert population is not None
    for place, shock in enumerate(np.sort(terms.shocks).tolist()):
        ended, owed = ended_after(accounts, terms, shock)
        move = float(ended.factor[0]) - 1.0
        money = float(np.sum(np.abs(ended.sold) * population.book.spot)) / accounts.spot
        figures = int(np.sum(ended.liquidated)), money
        fixed = shock, population.book.pools, accounts.spot, terms.fund
        curve.append(_point(fixed, figures, (accounts.spot * (1.0 + move), owed)))
        for row in np.flatnonzero(ended.round == 1.0).tolist():
            first.append((population.names[row], accounts.spot * (1.0 + shock), shock, None))
        if terms.progress is not None:
            terms.progress(place + 1, len(terms.shocks))
    first.sort(key=lambda row: abs(row[2]))
    seen = {row[0]: row for row in reversed(first)}
    ordered = sorted(seen.values(), key=lambda row: abs(row[2]))
    critical = _walk_critical(curve, -1.0), _walk_critical(curve, 1.0)
    return Run("rounds over several assets", curve, [], ordered, critical, (None, None))


def _notes(run: Run) -> tuple[str, ...]:
    notes = ["liquidated accounts are closed at the price where the cascade ends"]
    if not run.levels:
        notes.append("R by price level is of one underlying, and is not computed for several")
    return tuple(notes)


def shocks_of(text: str) -> FloatArray:
    """Read relative moves: `-0.3:0.3:61`, or `-0.05,-0.1`.

    Raises
    ------
    InputError
        If they are no moves between -0.95 and 5, at most 100,001.
    """
    wanted = "FROM:TO:COUNT such as -0.3:0.3:61, or moves such as -0.05,-0.1; each over -0.95"
    try:
        if ":" in text:
            low, high, count = text.split(":")
            found = np.linspace(float(low), float(high), int(count))
        else:
            found = np.array([float(part) for part in text.split(",")])
    except ValueError:
        raise input_error("--shocks", shown(text), wanted) from None
    if not 1 <= len(found) <= 100_001 or not np.all((found > -0.95) & (found < 5.0)):
        raise input_error("--shocks", shown(text), wanted)
    return np.unique(np.round(found, 12))
