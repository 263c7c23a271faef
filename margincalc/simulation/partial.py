"""Hyperliquid: market orders, a fifth of what is large first; then the vault takes the account.

Source: hyperliquid.gitbook.io/hyperliquid-docs/trading/liquidations.
"""

import numpy as np

from margincalc.margin.base import Parameters, Share
from margincalc.portfolio import Positive, Price
from margincalc.simulation.engine import Move, Scene, State


class Partial(Parameters):
    """Thresholds.

    Attributes
    ----------
    large : notional of a position of which only a share is sold first
    first : that share
    cooldown : seconds until the rest is sold
    backstop : of the maintenance margin; an account worth less goes to the vault, margin and all
    fee : share of notional, to the insurance fund
    """

    margin: str = "generic-standard"
    settings: tuple[str, ...] = ()
    large: Positive
    first: Share
    cooldown: Price
    backstop: Share
    fee: Share = 0.0

    def next(self, scene: Scene, state: State) -> Move | str:
        """Return market orders, the vault's taking over, or deleveraging."""
        standing = state.standing
        if standing.equity < 0.0:
            return Move("deleverage", scene.everything(state), others=-standing.equity)
        if standing.equity < self.backstop * standing.maintenance:
            return Move("backstop", scene.everything(state), liquidator=standing.equity)
        size = scene.closing(state)
        if not np.any(size):
            return "no position is left, and the margin is of deposits"
        if state.steps:
            return scene.trades(state, "close", size, self.fee)._replace(seconds=self.cooldown)
        large = np.abs(size) * scene.desk.notional > self.large
        first = np.where(large, self.first, 1.0) * size
        return scene.trades(state, "close a share", first, self.fee)
