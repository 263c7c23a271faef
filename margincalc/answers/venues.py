"""`simulate transfer`: what is trapped where, when to move it, and how long each venue lasts."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.routes import DEAREST, LATEST, Routes
from margincalc.answers.study import Fact, Field, Study, Table, refuse_outside
from margincalc.arrays import FloatArray
from margincalc.liquidation.moved import excess_at
from margincalc.liquidation.nearest import Nearest, nearest
from margincalc.simulation import deposits
from margincalc.simulation.desk import desk_of
from margincalc.simulation.transfers import Buffers, Network, Route, least_buffers

OUTSIDE = "outside"
ASSUMED = 0.6  # volatility per year of an underlying of which none is stated
VENUES = (
    Field("venue", "venue", "text"),
    Field("equity", "equity", "money", 2),
    Field("maintenance", "maintenance", "money", 5),
    Field("movable", "can move", "money"),
    Field("trapped", "trapped", "money", 1),
    Field("distance", "liquidated at", "move"),
    Field("trigger", "act within", "share", 4),
    Field("act", "act now", "flag"),
    Field("sender", "first help", "text", 4),
    Field("latency", "takes", "seconds", 3),
    Field("horizon", "lasts", "seconds"),
    Field("helped", "with help", "seconds", 1),
    Field("buffer", "buffer", "money"),
    Field("buffer_alone", "without transfers", "money", 4),
)
ROUTES = (
    Field("from", "from", "text"),
    Field("to", "to", "text"),
    Field("latency", "takes", "seconds"),
    Field("cost", "cost", "share", 1),
    Field("sent", "could send", "money", 2),
    Field("arrives", "arrives", "money"),
    Field("in_time", "in time", "flag"),
)
LIMITS = {
    "latency": (0.0, LATEST),
    "cost": (0.0, DEAREST),
    "probability": (1e-9, 0.999),
    "volatility": (1e-4, 20.0),
    "horizon": (1.0, 1e9),
}


class TransferTerms(NamedTuple):
    """How money moves.

    Attributes
    ----------
    latency : seconds until it arrives, from outside and between venues without a route of theirs
    cost : share that a transfer loses there
    probability : of being liquidated before it arrives, or within a horizon, that is borne
    volatility : per year; None for that of each underlying's market
    horizon : seconds of the scenarios that buffers must survive
    routes : of pairs, and halts
    """

    latency: float = 1800.0
    cost: float = 0.0
    probability: float = 0.01
    volatility: float | None = None
    horizon: float = 86_400.0
    routes: Routes = Routes()


def transfer_study(account: Account, terms: TransferTerms) -> Study:
    """Say of every venue what an account has there, who can help it, and how long it lasts.

    Raises
    ------
    InputError
        If a route or a halt names no venue of the account, or a term is no possible one.
    """
    refuse_outside({name: getattr(terms, name) for name in LIMITS}, LIMITS)
    names = list(account.book.names.pools)
    default = Route("", "", terms.latency, terms.cost)
    network = terms.routes.network(names, default)
    spare = np.maximum(account.result.equity - account.result.initial, 0.0)
    standing = [_standing(account, place, terms) for place in range(len(names))]
    buffers = least_buffers(_needs(account, terms), network, terms.horizon)
    case = _Case(account, terms, network, spare, standing)
    movable = float(np.sum(network.movable(spare)))
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
        "with help: once all that arrives in time has; what one venue is sent, another is not",
        f"buffers survive moves of one chance in {2.0 / terms.probability:,.0f} each way within "
        f"{terms.horizon / 3600.0:g} hours, all spots alike",
        *_assumed(account, terms),
        *account.notes,
    )
    tables = (
        Table("venues", VENUES, tuple(case.row(place, buffers) for place in range(len(names)))),
        Table("routes", ROUTES, tuple(case.routes())),
    )
    portfolio = account.portfolio
    return Study("transfer", portfolio.account, portfolio.currency, facts, tables, notes)


class _Standing(NamedTuple):
    """How far a venue is from liquidation.

    Attributes
    ----------
    move : relative, nothing where it liquidates already, None where no spot liquidates it
    volatility : of what moves it, per year
    seconds : for which it lasts with the probability that is borne; None where it always does
    """

    move: float | None
    volatility: float
    seconds: float | None


class _Case(NamedTuple):
    """An account and how money moves between its venues; `spare` is of shape (V,)."""

    account: Account
    terms: TransferTerms
    network: Network
    spare: FloatArray
    standing: list[_Standing]

    def name(self, place: int) -> str:
        return self.account.book.names.pools[place]

    def row(self, place: int, buffers: Buffers) -> tuple[Any, ...]:
        """Return what there is to say of a venue."""
        result, stands = self.account.result, self.standing[place]
        sender = int(self.network.soonest(self.spare)[place])
        late = self.terms.latency if sender < 0 else float(self.network.seconds[sender, place])
        trigger = deposits.trigger_distance(stands.volatility, late, self.terms.probability)
        act = stands.move is not None and abs(float(np.log1p(stands.move))) <= trigger
        movable = float(self.network.movable(self.spare)[place])
        equity = float(result.equity[place])
        return (
            self.name(place),
            equity,
            float(result.maintenance[place]),
            movable,
            max(equity - movable, 0.0),
            stands.move,
            trigger,
            act,
            OUTSIDE if sender < 0 else self.name(sender),
            late,
            stands.seconds,
            self._helped(place),
            float(buffers.held[place]),
            float(buffers.alone[place]),
        )

    def _helped(self, place: int) -> float | None:
        """Return how long a venue lasts once everything that arrives in time has."""
        stands = self.standing[place]
        if stands.seconds is None:
            return None
        timely = self.network.seconds[:, place] <= stands.seconds
        help_ = float(np.sum(self.network.arriving(self.spare)[timely, place]))
        if not help_:
            return stands.seconds
        return _standing(self.account, place, self.terms, help_).seconds

    def routes(self) -> list[tuple[Any, ...]]:
        """Return every pair that money passes, the receiver that lasts least first."""
        arrives = self.network.arriving(self.spare)
        sent = np.minimum(self.spare[:, None], self.network.most)
        lasts = np.array([np.inf if s.seconds is None else s.seconds for s in self.standing])
        senders, receivers = np.nonzero(np.isfinite(self.network.seconds))
        order = np.lexsort((senders, receivers, lasts[receivers]))
        return [
            (
                self.name(a),
                self.name(b),
                float(self.network.seconds[a, b]),
                float(self.network.cost[a, b]),
                float(sent[a, b]),
                float(arrives[a, b]),
                bool(self.network.seconds[a, b] <= lasts[b]),
            )
            for a, b in zip(senders[order].tolist(), receivers[order].tolist(), strict=True)
        ]


def _standing(account: Account, place: int, terms: TransferTerms, more: float = 0.0) -> _Standing:
    """Find how far a pool is from liquidation, perhaps with more money in it."""
    result, found = account.result, account.nearest
    short = float(result.equity[place]) + more < float(result.maintenance[place])
    row = place
    if more:
        desk = desk_of(account.book, account.model, place, np.zeros(0, np.int64))
        quantity = desk.book.quantity.copy()
        quantity[-1] += more / float(desk.unit[-1])
        found, row = nearest(replace(desk.book, quantity=quantity), account.model), 0
    move, volatility = _closest(account, row, found, terms)
    # Of a venue that liquidates already, the nearest price is where it would be whole again.
    move = 0.0 if short else move
    if move is None:
        return _Standing(None, volatility, None)
    distance = abs(float(np.log1p(move)))
    lasts = deposits.survival_horizon(volatility, distance, terms.probability)
    return _Standing(move, volatility, lasts)


def _closest(
    account: Account, row: int, found: Nearest | None, terms: TransferTerms
) -> tuple[float | None, float]:
    """Return a pool's nearest liquidation as a relative move, and the volatility of what moves."""
    stated = _volatility(account, terms)
    moves: list[tuple[float, float]] = []
    for pool, under, *prices in zip(*(found or ()), strict=True):
        moves += [
            (float(price / account.book.spot[under]) - 1.0, float(stated[under]))
            for price in prices
            if pool == row and not np.isnan(price)
        ]
    if not moves:
        return None, float(np.max(stated, initial=0.0))
    return min(moves, key=lambda pair: abs(pair[0]))


def _volatility(account: Account, terms: TransferTerms) -> FloatArray:
    """Return the volatility of each underlying, per year, shape (U,)."""
    if terms.volatility is not None:
        return np.full(len(account.book.spot), terms.volatility)
    return np.where(np.isnan(account.book.volatility), ASSUMED, account.book.volatility)


def _assumed(account: Account, terms: TransferTerms) -> tuple[str, ...]:
    """Say of which underlyings no volatility is known."""
    unknown = np.flatnonzero(np.isnan(account.book.volatility))
    if terms.volatility is not None or not len(unknown):
        return ()
    names = ", ".join(account.book.names.underlyings[row] for row in unknown)
    return (f"no volatility is stated of {names}: {ASSUMED:.0%} a year stands for it",)


def _needs(account: Account, terms: TransferTerms) -> FloatArray:
    """Return maintenance less equity now and after the moves that the horizon holds, (A, 3)."""
    book = account.book
    used = float(np.max(_volatility(account, terms), initial=0.0))
    reach = deposits.trigger_distance(used, terms.horizon, terms.probability)
    pools = np.arange(book.pools)
    columns = [
        -excess_at(
            book, account.model, pools, np.full((book.pools, len(book.spot)), np.exp(sign * reach))
        )
        for sign in (-1.0, 0.0, 1.0)
    ]
    return np.stack(columns, axis=1)
