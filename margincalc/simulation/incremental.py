"""The generic engine: clip by clip, the largest relief of margin for its cost, hedges first.

Deribit's published order: futures toward a neutral delta, opened if need be, then options, until
equity meets maintenance margin.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.margin.base import Parameters, Share
from margincalc.portfolio import Price
from margincalc.simulation.costs import exposures
from margincalc.simulation.engine import Move, Scene, State

_LEAST_COST = 1e-9  # of the notional traded: what is free is not infinitely good


class Incremental(Parameters):
    """Greedy clips.

    Attributes
    ----------
    margin, settings : model of the venue
    clip : share of a position, or of the first net delta, that one order closes
    least_notional : of an order; a smaller position is closed whole
    hedges : it opens futures or perpetuals to hedge the delta of options
    fee : share of notional, to the insurance fund
    seconds : between orders
    """

    margin: str = "generic-portfolio"
    settings: tuple[str, ...] = ()
    clip: Share = 0.1
    least_notional: Price = 1000.0
    hedges: bool = True
    fee: Share = 0.0
    seconds: Price = 1.0

    def next(self, scene: Scene, state: State) -> Move | str:
        """Return the order that frees most for its cost; hedges, as long as one helps."""
        sizes = self._candidates(scene, state)
        if not len(sizes):
            return "no position is left"
        found = _Candidates.tried(scene, state, sizes, self.fee)
        hedging = np.array([bool(np.all(scene.desk.linear[row != 0.0])) for row in sizes])
        for chosen in (hedging & found.helps, found.helps, found.relief > 0.0):
            if np.any(chosen):
                return self._move(scene, state, sizes[found.best(chosen)])
        # Nothing frees anything: whatever is left only costs, and is closed together.
        return scene.trades(state, "close all", scene.closing(state), self.fee)

    def _move(self, scene: Scene, state: State, size: FloatArray) -> Move:
        row = int(np.flatnonzero(size)[0])
        closes = size[row] * state.quantity[row] < 0.0
        action = "reduce" if closes else "hedge"
        return scene.trades(state, action, size, self.fee)._replace(seconds=self.seconds)

    def _candidates(self, scene: Scene, state: State) -> FloatArray:
        """Return orders: a clip of every position, and of every hedge, shape (K, P)."""
        desk = scene.desk
        first = np.abs(desk.book.quantity)
        unit = np.maximum(desk.notional, 1e-300)
        clip = np.maximum(self.clip * first, self.least_notional / unit)
        close = np.where(
            desk.contract, -np.sign(state.quantity) * np.minimum(np.abs(state.quantity), clip), 0.0
        )
        orders = [np.diag(close)[close != 0.0]]
        if self.hedges:
            orders.append(self._hedges(scene, state))
        return np.concatenate(orders)

    def _hedges(self, scene: Scene, state: State) -> FloatArray:
        """Return orders in futures and perpetuals toward a neutral delta, shape (K, P)."""
        desk = scene.desk
        own = np.where(desk.contract, state.quantity, 0.0)
        began = np.where(desk.contract, desk.book.quantity, 0.0)
        net, clip = exposures(desk, own), self.clip * np.abs(exposures(desk, began))
        clip = np.maximum(clip, self.least_notional)
        wanted = -np.sign(net) * np.minimum(np.abs(net), clip)
        rows = np.flatnonzero(desk.linear & (np.abs(desk.exposure) > 0.0))
        size = wanted[desk.book.underlying[rows]] / desk.exposure[rows]
        orders = np.zeros((len(rows), len(own)))
        orders[np.arange(len(rows)), rows] = size
        chosen: FloatArray = orders[size != 0.0]
        return chosen


class _Candidates(NamedTuple):
    """What orders would do, shape (K,).

    Attributes
    ----------
    relief : of maintenance margin
    cost : of equity
    helps : whether the excess grows
    """

    relief: FloatArray
    cost: FloatArray
    helps: BoolArray

    @classmethod
    def tried(cls, scene: Scene, state: State, sizes: FloatArray, fee: float) -> "_Candidates":
        """Margin the state after each order."""
        desk = scene.desk
        moves = [scene.trades(state, "", size, fee) for size in sizes]
        cost = np.array([move.market + move.fund for move in moves])
        after = [desk.paid(state.quantity, m.size, c) for m, c in zip(moves, cost, strict=True)]
        relief = state.standing.maintenance - desk.margins(np.stack(after)).maintenance
        helps = relief - cost > scene.noise(state.quantity)
        traded = np.abs(sizes) @ desk.notional
        return cls(relief, np.maximum(cost, _LEAST_COST * traded), helps)

    def best(self, chosen: BoolArray) -> int:
        """Return the candidate that frees most for its cost."""
        score = np.where(chosen, self.relief / np.maximum(self.cost, 1e-300), -np.inf)
        return int(np.argmax(score))
