"""Bybit and OKX: down the tiers of a position's size, then taken over at the bankruptcy price.

Sources: Bybit help, Trading Rules of the unified account; OKX help, liquidation of futures.
"""

from typing import Literal

import numpy as np

from margincalc.margin.base import Parameters, Share
from margincalc.portfolio import Positive, Price
from margincalc.simulation.engine import Move, Scene, State


class Tiers(Parameters):
    """Where the tiers end.

    Attributes
    ----------
    bounds : notional up to which each tier goes, ascending; the last is open
    down : tiers by which one order reduces a position
    whole : a position of this tier or below is taken over
    fee : share of notional, to the insurance fund
    seconds : between orders
    """

    margin: str = "generic-standard"
    settings: tuple[str, ...] = ()
    bounds: tuple[Positive, ...]
    down: Literal[1, 2, 3] = 1
    whole: Literal[1, 2, 3] = 1
    fee: Share = 0.0
    seconds: Price = 1.0

    def tier(self, notional: float) -> int:
        """Return the tier of a notional, 1 is the lowest."""
        return 1 + int(np.searchsorted(self.bounds, notional * (1.0 - 1e-12)))

    def next(self, scene: Scene, state: State) -> Move | str:
        """Reduce the largest position by tiers, or take the account over."""
        if not scene.holds(state):
            return "no position is left, and the margin is of deposits"
        held = np.abs(state.quantity) * scene.desk.notional
        row = int(np.argmax(held))
        tier = self.tier(float(held[row]))
        if tier <= self.whole or state.standing.equity <= 0.0:
            return self._taken_over(scene, state)
        bound = self.bounds[max(tier - 1 - self.down, 0)]
        size = np.zeros_like(state.quantity)
        size[row] = -state.quantity[row] * (1.0 - bound / float(held[row]))
        return scene.trades(state, "lower tier", size, self.fee)._replace(seconds=self.seconds)

    def _taken_over(self, scene: Scene, state: State) -> Move:
        """Close everything; what is left of the margin, or lacks, is the fund's."""
        size = scene.closing(state)
        cost = scene.costs.of(scene.desk, size, state.used)
        left = state.standing.equity - cost
        fund = max(left, -max(state.fund, 0.0))
        return Move(
            "take over", size, market=cost, fund=fund, others=fund - left, seconds=self.seconds
        )
