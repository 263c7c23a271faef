"""Cascades of option books: the price walks away from the spot node by node.

An option account may breach in either direction, and what its liquidation sells may be negative, so
that the cascade is defined by its path: each account is seized at the first node where its excess
is below zero, and the move stops at the first node that is no further than the shock and the impact
of all that was sold on the way to it. With flows of one sign that is the fixed point of linear
books, on the grid.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book
from margincalc.margin.base import MarginModel
from margincalc.risk import greeks
from margincalc.simulation.cascade import Impact, largest
from margincalc.simulation.linear_accounts import Line
from margincalc.simulation.population import exposures

NEVER = np.iinfo(np.int64).max  # the node of accounts that no node breaches
Progress = Callable[[int, int], None]


class Walk(NamedTuple):
    """What a walk over spot nodes does to accounts.

    Attributes
    ----------
    node : shape (X,), spot at each, going away from the present one
    breach : shape (A,), the first node at which an account is seized; NEVER if none is
    flow : shape (A,), units sold to close the delta of its positions there
    delta : shape (A,), of all that it holds there
    equity : shape (A,), there
    hedging : shape (X,), units that dealers have sold to stay hedged by the time it is reached
    volatility : shape (X,), what implied volatilities are multiplied by at each
    """

    node: FloatArray
    breach: IntArray
    flow: FloatArray
    delta: FloatArray
    equity: FloatArray
    hedging: FloatArray
    volatility: FloatArray

    def sold(self) -> FloatArray:
        """Return the units sold by liquidation up to each node, shape (X,)."""
        hit = self.breach < NEVER
        each = np.bincount(self.breach[hit], weights=self.flow[hit], minlength=len(self.node))
        return np.cumsum(each)

    def seized(self) -> IntArray:
        """Return how many accounts are seized up to each node, shape (X,)."""
        hit = self.breach[self.breach < NEVER]
        return np.cumsum(np.bincount(hit, minlength=len(self.node)))


class Halt(NamedTuple):
    """Where walks stop after each shock, columns of shape (M,).

    Attributes
    ----------
    stop : node; the last one where the grid ends first
    quantity : units sold by liquidation
    exhausted : whether the grid ended before the move did
    """

    stop: IntArray
    quantity: FloatArray
    exhausted: FloatArray


def halts(walk: Walk, shock: FloatArray, impact: Impact) -> Halt:
    """Stop each shocked price, shape (M,), at the first node that no pressure goes beyond.

    Liquidations and dealers meet in one market: what they sell together has one impact.
    """
    sold, push = walk.sold(), pressure(walk, impact)
    sign = 1.0 if walk.node[-1] < walk.node[0] else -1.0
    # Node j holds a shock P if sign * S_j <= sign * (P - push_j): if P is at its level or beyond.
    level = -largest(-sign * walk.node, -sign * push)
    reach = np.minimum.accumulate(
        level
    )  # the first node to hold P is the first of this at or below
    stop = np.searchsorted(-reach, -sign * np.asarray(shock, np.float64), side="left")
    ended = stop >= len(walk.node)
    stop = np.minimum(stop, len(walk.node) - 1)
    return Halt(stop, sold[stop], ended.astype(np.float64))


def prices(walk: Walk, halt: Halt, shock: FloatArray, impact: Impact) -> FloatArray:
    """Return the prices at which walks end: the shock's less the pressure, shape (M,).

    Where the pressure would leave it short of a node that the walk has passed, it ends there. Where
    the grid ended first it is the last node, or the shock beyond it: what else is sold is unknown.
    """
    sign = 1.0 if walk.node[-1] < walk.node[0] else -1.0
    free = sign * (shock - pressure(walk, impact)[halt.stop])
    inside = np.minimum(free, sign * walk.node[np.maximum(halt.stop - 1, 0)])
    beyond = np.minimum(sign * shock, sign * walk.node[-1])
    return sign * np.where(halt.exhausted > 0.0, beyond, inside)


def loss(walk: Walk, stop: int, price: float) -> float:
    """Return what accounts seized up to a node owe, their deltas closed at a price."""
    hit = walk.breach <= stop
    move = price - walk.node[walk.breach[hit]]
    return float(np.sum(np.maximum(-(walk.equity[hit] + walk.delta[hit] * move), 0.0)))


class Response(NamedTuple):
    """What a walk takes into account beside the accounts.

    Attributes
    ----------
    dealers : book whose holder hedges its delta all the way
    volatility : relative rise of implied volatility per unit of vega bought back
    """

    dealers: Book | None = None
    volatility: float = 0.0


def walk(
    book: Book,
    model: MarginModel,
    factor: FloatArray,
    response: Response = Response(),
    progress: Progress | None = None,
) -> Walk:
    """Margin every account at each node of the way, and seize it at the first that it fails.

    Who was seized is margined no more, so that the work shrinks along the way.

    Parameters
    ----------
    factor : shape (X,), multiples of the spots, going away from 1
    response : how the market answers
    """
    state = _State.of(book, len(factor))
    base = _dealer_delta(response.dealers, 1.0, 1.0)
    bought = 0.0
    for step, multiple in enumerate(factor):
        while True:
            turbulence = 1.0 + response.volatility * max(bought, 0.0)
            vega = _seize(state, model, step, _Market(float(multiple), turbulence))
            if vega is None:
                break
            bought -= vega  # whoever closes a short option buys its vega
            if not response.volatility:
                break
        state.volatility[step] = turbulence
        state.hedging[step] = _dealer_delta(response.dealers, float(multiple), turbulence) - base
        if progress is not None:
            progress(step + 1, len(factor))
    node = float(book.spot[0]) * factor
    return Walk(
        node,
        state.breach,
        state.flow,
        state.delta,
        state.equity,
        state.hedging,
        state.volatility,
    )


def walk_line(line: Line, node: FloatArray) -> Walk:
    """Walk linear accounts: each is seized at the first node at or beyond its liquidation price.

    Parameters
    ----------
    node : shape (X,), spots going away from the present one
    """
    falls = node[-1] < node[0]
    price, sign = (line.below, 1.0) if falls else (line.above, -1.0)
    # A price that there is not is sorted behind all others.
    breach = np.searchsorted(-sign * node, -sign * price, side="left").astype(np.int64)
    met = breach < len(node)
    at = node[np.where(met, breach, 0)]
    size = sign * line.size
    owed = np.where(np.isnan(line.bankrupt), np.inf, size * (at - line.bankrupt))
    still, calm = np.zeros(len(node)), np.ones(len(node))
    return Walk(node, np.where(met, breach, NEVER), size, size, owed, still, calm)


class _Market(NamedTuple):
    """A multiple of every spot, and one of every volatility."""

    spot: float
    volatility: float

    def of(self, book: Book) -> Book:
        """Return a book in it."""
        moved = book.shifted(np.full(len(book.spot), self.spot))
        return moved if self.volatility == 1.0 else moved.with_volatility(self.volatility)


class _State:
    """Accounts on the way; those that are left hold `rows` of the book."""

    def __init__(self, book: Book, nodes: int) -> None:
        self.book, self.rows = book, np.arange(len(book.pool))
        self.breach = np.full(book.pools, NEVER)
        self.flow, self.delta, self.equity = (np.zeros(book.pools) for _ in range(3))
        self.hedging, self.volatility = np.zeros(nodes), np.ones(nodes)
        self.left = book

    @classmethod
    def of(cls, book: Book, nodes: int) -> "_State":
        """Return the state in which nothing has moved."""
        return cls(book, nodes)

    def drop(self, seized: IntArray) -> None:
        """Take the seized accounts out of the book."""
        gone = np.zeros(self.book.pools, bool)
        gone[seized] = True
        self.rows = self.rows[~gone[self.book.pool[self.rows]]]
        self.left = self.book.restricted(self.rows)[0]


def _seize(state: _State, model: MarginModel, step: int, market: _Market) -> float | None:
    """Seize whoever fails at a node; return their vega, None if there is nobody."""
    moved = market.of(state.left)
    result = model.margin(moved)
    failed = result.equity - result.maintenance < 0.0
    seized = np.flatnonzero(failed & (state.breach == NEVER))
    if not len(seized):
        return None
    traded, whole = exposures(moved)
    vega = group_sum(moved.quantity * greeks(moved).vega[moved.instrument], moved.pool, moved.pools)
    state.breach[seized], state.flow[seized] = step, traded[seized]
    state.delta[seized], state.equity[seized] = whole[seized], result.equity[seized]
    state.drop(seized)
    return float(np.sum(vega[seized]))


def _dealer_delta(book: Book | None, spot: float, volatility: float) -> float:
    if book is None:
        return 0.0
    moved = _Market(spot, volatility).of(book)
    return float(np.sum(moved.quantity * greeks(moved).delta[moved.instrument]))


def pressure(walk: Walk, impact: Impact) -> FloatArray:
    """How far all that is sold on the way to each node pushes the price, shape (X,), signed."""
    together = walk.sold() + walk.hedging
    return np.sign(together) * impact(np.abs(together))
