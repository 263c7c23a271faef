"""`simulate transfer`: what is trapped where, when to move it, and how long each venue lasts."""

from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.study import Fact, Field, Study, Table
from margincalc.arrays import BoolArray, FloatArray
from margincalc.errors import input_error, shown
from margincalc.liquidation.nearest import excess_at
from margincalc.simulation import deposits
from margincalc.simulation.transfers import least_buffers

VENUES = (
    Field("venue", "venue", "text"),
    Field("equity", "equity", "money"),
    Field("maintenance", "maintenance", "money", 3),
    Field("movable", "can move", "money"),
    Field("trapped", "trapped", "money"),
    Field("distance", "liquidated at", "move"),
    Field("trigger", "act within", "share", 4),
    Field("act", "act now", "flag"),
    Field("latency", "money takes", "seconds", 2),
    Field("horizon", "lasts", "seconds", 1),
    Field("buffer", "buffer", "money"),
    Field("buffer_alone", "without transfers", "money", 2),
)


class TransferTerms(NamedTuple):
    """How money moves.

    Attributes
    ----------
    latency : seconds until it arrives
    halts : seconds for which venues let nothing out
    cost : share that a transfer loses
    probability : of being liquidated before it arrives, or within a horizon, that is borne
    volatility : per year; None for that of each underlying's market
    horizon : seconds of the scenarios that buffers must survive
    """

    latency: float = 1800.0
    halts: tuple[tuple[str, float], ...] = ()
    cost: float = 0.0
    probability: float = 0.01
    volatility: float | None = None
    horizon: float = 86_400.0


def transfer_study(account: Account, terms: TransferTerms) -> Study:
    """Say of every venue what an account has there and how long it lasts.

    Raises
    ------
    InputError
        If a halt names no venue of the account, or a term is no possible one.
    """
    names = list(account.book.names.pools)
    _check(terms, names)
    halted = dict(terms.halts)
    latency = np.array([terms.latency + halted.get(name, 0.0) for name in names])
    distance, volatility = _nearest(account, terms)
    need = _needs(account, terms)
    allowed: BoolArray = np.broadcast_to((latency <= terms.horizon)[:, None], (len(names),) * 2)
    buffers = least_buffers(need, allowed, terms.cost)
    rows: list[tuple[Any, ...]] = []
    for place, name in enumerate(names):
        equity, maintenance, free = _figures(account, place)
        # Of a venue that liquidates already, the nearest price is where it would be whole again.
        far = 0.0 if equity < maintenance else float(distance[place])
        late = float(latency[place])
        reach = abs(float(np.log1p(far)))
        trigger = deposits.trigger_distance(float(volatility[place]), late, terms.probability)
        lasts = deposits.survival_horizon(float(volatility[place]), reach, terms.probability)
        free = 0.0 if name in halted else free
        ends: tuple[Any, ...] = (None, trigger, False, late, None)
        if not np.isnan(far):
            ends = (far, trigger, reach <= trigger, late, lasts)
        kept = float(buffers.held[place]), float(buffers.alone[place])
        rows.append((name, equity, maintenance, free, max(equity - free, 0.0), *ends, *kept))
    movable = sum(row[3] for row in rows)
    equity = float(np.sum(account.result.equity))
    facts = (
        Fact("equity", "Equity", equity, "money"),
        Fact("fungible", "can move now", movable, "money"),
        Fact("trapped", "trapped", max(equity - movable, 0.0), "money"),
        Fact("probability", "Probability borne", terms.probability, "share"),
        Fact("buffer", "Least buffers in all", float(np.sum(buffers.held)), "money"),
        Fact("buffer_alone", "without transfers", float(np.sum(buffers.alone)), "money"),
    )
    notes = (
        "what can move is equity above initial margin; a halted venue lets nothing out",
        f"buffers survive moves of one chance in {2.0 / terms.probability:,.0f} each way within "
        f"{terms.horizon / 3600.0:g} hours, all spots alike",
    )
    portfolio = account.portfolio
    tables = (Table("venues", VENUES, tuple(rows)),)
    return Study("transfer", portfolio.account, portfolio.currency, facts, tables, notes)


def _figures(account: Account, place: int) -> tuple[float, float, float]:
    """Return a pool's equity, its maintenance margin, and what may leave."""
    equity, result = float(account.result.equity[place]), account.result
    free = max(equity - float(result.initial[place]), 0.0)
    return equity, float(result.maintenance[place]), free


def _nearest(account: Account, terms: TransferTerms) -> tuple[FloatArray, FloatArray]:
    """Return each pool's nearest liquidation as a relative move, and what moves it, (A,)."""
    book, found = account.book, account.nearest
    distance, volatility = np.full(book.pools, np.nan), np.full(book.pools, 0.0)
    stated = np.where(np.isnan(book.volatility), 0.6, book.volatility)
    if terms.volatility is not None:
        stated = np.full(len(stated), terms.volatility)
    if found is None:
        return distance, volatility
    for pool, under, low, high in zip(*found, strict=True):
        for price in (low, high):
            move = price / book.spot[under] - 1.0
            closer = np.isnan(distance[pool]) or abs(move) < abs(distance[pool])
            if not np.isnan(price) and closer:
                distance[pool], volatility[pool] = move, stated[under]
    return distance, np.where(volatility > 0.0, volatility, np.max(stated, initial=0.0))


def _needs(account: Account, terms: TransferTerms) -> FloatArray:
    """Return maintenance less equity now and after the moves that the horizon holds, (A, 3)."""
    book = account.book
    stated = np.where(np.isnan(book.volatility), 0.6, book.volatility)
    used = terms.volatility or float(np.max(stated, initial=0.6))
    reach = deposits.trigger_distance(used, terms.horizon, terms.probability)
    pools = np.arange(book.pools)
    columns = [
        -excess_at(
            book, account.model, pools, np.full((book.pools, len(book.spot)), np.exp(sign * reach))
        )
        for sign in (-1.0, 0.0, 1.0)
    ]
    return np.stack(columns, axis=1)


def _check(terms: TransferTerms, names: list[str]) -> None:
    limits: dict[str, tuple[float, float]] = {
        "latency": (0.0, 1e8),
        "cost": (0.0, 0.99),
        "probability": (1e-9, 0.999),
        "volatility": (1e-4, 20.0),
        "horizon": (1.0, 1e9),
    }
    for key, (least, most) in limits.items():
        value: Any = getattr(terms, key)
        if value is not None and not least <= value <= most:
            raise input_error(f"--{key}", shown(value), f"a number from {least:g} to {most:g}")
    for name, seconds in terms.halts:
        if name not in names:
            raise input_error("--halt", shown(name), f"one of {', '.join(names)}")
        if not 0.0 <= seconds <= 1e9:
            raise input_error("--halt", f"{seconds:g} seconds", "a time from 0")
