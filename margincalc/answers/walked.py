"""Cascades that walk spot nodes: option books, and linear books beside dealers that hedge."""

from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.accounts import Accounts
from margincalc.answers.stress import Terms, absolute
from margincalc.arrays import FloatArray
from margincalc.simulation import cascade, curves
from margincalc.simulation.linear_accounts import Line, tightened

FIRST = 10  # of those who fall first
REACH = 0.4  # how far price levels go
NODES = 201
EVERY = 5  # nodes to a price level
LOWEST, HIGHEST = 0.25, 2.5  # ends of the way that is walked, of the spot


class Run(NamedTuple):
    """One population's cascade, whichever way it was computed."""

    method: str
    curve: list[tuple[Any, ...]]
    levels: list[tuple[Any, ...]]
    first: list[tuple[Any, ...]]
    critical: tuple[float | None, float | None]
    shelf: tuple[float | None, float | None]


def point(
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


def one_line(levels: list[tuple[float, tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Put the levels of both sides in the order of their prices."""
    return sorted((row for _, row in levels), key=lambda row: row[1])


def walked(accounts: Accounts, terms: Terms, line: Line | None = None) -> Run:
    """Walk away from the spot, down and then up: options, or linear accounts with dealers."""
    curve, first, levels = [], [], []
    critical: dict[float, float | None] = {}
    shelf: dict[float, float | None] = {}
    ordered = np.sort(terms.shocks)
    for side, end in ((-1.0, LOWEST), (1.0, HIGHEST)):
        shocks = ordered[ordered * side > 0.0] if side > 0.0 else ordered[ordered <= 0.0]
        way, calm = _ways(accounts, terms, line, end)
        curve += _walk_curve(way, shocks, accounts, terms)
        rows = _walk_levels(way, calm, side, accounts, terms)
        levels += [(side, row) for row in rows]
        fed = [row[0] for row in rows if row[5] >= 1.0]
        shelf[side] = accounts.spot * (1.0 + fed[0]) if fed else None
        critical[side] = walk_critical(curve, side)
        first += _first(way, accounts)
    first.sort(key=lambda row: abs(row[2]))
    return Run(
        f"{NODES} spot nodes each way",
        curve,
        one_line(levels),
        first,
        (critical[-1.0], critical[1.0]),
        (shelf[-1.0], shelf[1.0]),
    )


def _ways(
    accounts: Accounts, terms: Terms, line: Line | None, end: float
) -> tuple[curves.Walk, curves.Walk]:
    """Return a walk to a multiple of the spot, and the same with margins that do not respond."""
    factor = np.geomspace(1.0, end, NODES)
    if line is not None:
        node = accounts.spot * factor
        moved = tightened(line, accounts.spot, terms.margin) if terms.margin else line
        way, calm = curves.walk_line(moved, node), curves.walk_line(line, node)
    else:
        assert accounts.population is not None
        assert accounts.venue is not None
        book, model = accounts.population.book, accounts.venue.model
        response = curves.Response(volatility=terms.volatility / 1e6)
        way = calm = curves.walk(book, model, factor, response, terms.progress)
        if terms.volatility:
            calm = curves.walk(book, model, factor, curves.Response(), terms.progress)
    if terms.dealers is None:
        return way, calm
    hedging = terms.dealers.sold(way.node)
    return way._replace(hedging=hedging), calm._replace(hedging=hedging)


def _first(way: curves.Walk, accounts: Accounts) -> list[tuple[Any, ...]]:
    """Return who is seized first on a way."""
    rows = []
    hit = np.argsort(way.breach, kind="stable")[:FIRST]
    for row in hit[way.breach[hit] < curves.NEVER].tolist():
        price = float(way.node[way.breach[row]])
        far = price / accounts.spot - 1.0
        rows.append((name_of(accounts, row), price, far, abs(float(way.flow[row]))))
    return rows


def name_of(accounts: Accounts, row: int) -> str:
    """Return an account's name, or its place in a list without names."""
    if accounts.population is not None:
        return accounts.population.names[row]
    names = accounts.line.names if accounts.line is not None else ()
    return names[row] if names else f"row {row + 1}"


def _walk_curve(
    way: curves.Walk, shocks: FloatArray, accounts: Accounts, terms: Terms
) -> list[tuple[Any, ...]]:
    spot, impact = accounts.spot, absolute(terms.law, accounts.spot)
    shocked = spot * (1.0 + shocks)
    stops = curves.halts(way, shocked, impact)
    ends = curves.prices(way, stops, shocked, impact)
    seized = way.seized()
    rows = []
    for place, shock in enumerate(shocks.tolist()):
        stop = int(stops.stop[place])
        figures = int(seized[stop]), float(stops.quantity[place])
        fixed = shock, len(way.breach), spot, terms.fund
        end = float(ends[place])
        rows.append(point(fixed, figures, (end, curves.loss(way, stop, end))))
    return rows


def _walk_levels(
    way: curves.Walk, calm: curves.Walk, side: float, accounts: Accounts, terms: Terms
) -> list[tuple[Any, ...]]:
    """Return R between nodes: how much the pressure grows over how far the price goes."""
    spot, impact = accounts.spot, absolute(terms.law, accounts.spot)
    far = np.arange(EVERY, len(way.node), EVERY)
    far = far[np.abs(way.node[far] / spot - 1.0) <= REACH]
    near = far - EVERY
    width = np.abs(way.node[far] - way.node[near])
    feeds, loss = (
        -side * (push[far] - push[near]) / width
        for push in (curves.pressure(way, impact), curves.pressure(calm, impact))
    )
    sold = way.sold()
    forced = np.abs(sold[far] - sold[near]) * spot
    ends = way.node[near] / spot - 1.0, way.node[far] / spot - 1.0
    return level_rows((*ends, forced), loss, feeds)


def level_rows(
    columns: tuple[FloatArray, ...], loss: FloatArray, feeds: FloatArray
) -> list[tuple[Any, ...]]:
    """Return the rows of `LEVELS`.

    Parameters
    ----------
    columns : shape (B,) each, ends of the levels and what is forced there
    loss : R with margins that do not rise
    feeds : R in all; the rest is the margin spiral
    """
    multiplier = [1.0 / (1.0 - value) if value < 1.0 else None for value in feeds.tolist()]
    figures = (*columns, loss, feeds - loss, feeds)
    return list(zip(*(column.tolist() for column in figures), multiplier, strict=True))


def walk_critical(curve: list[tuple[Any, ...]], side: float) -> float | None:
    """Return the smallest shock asked for that is amplified more than twice."""
    large = [row[1] for row in curve if row[1] * side > 0.0 and (row[7] or 0.0) > cascade.LARGE]
    return min(large, key=abs) if large else None
