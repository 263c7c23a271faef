"""Paradex: all positions shrink together, by the least share that is enough, for a penalty.

Source: docs.paradex.trade/risk/liquidations.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.margin.base import Parameters, Share
from margincalc.portfolio import Price
from margincalc.simulation.engine import Move, Scene, State

_ENOUGH = 1e-12  # of a count of steps: what rounding may add
_LEAST_STEP = 1e-3  # of a position


class Tried(NamedTuple):
    """What closing a share of every position would leave, shape (K,), without slippage.

    Attributes
    ----------
    share : of every position
    penalty : to the fund
    equity, maintenance : afterwards
    """

    share: FloatArray
    penalty: FloatArray
    equity: FloatArray
    maintenance: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """Maintenance margin over equity; infinite where none is left."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.equity > 0.0, self.maintenance / self.equity, np.inf)


class ProRata(Parameters):
    """How much is closed, and what it costs.

    Attributes
    ----------
    step : shares are multiples of this
    target : margin ratio below which an account is left alone
    penalty : of the maintenance margin of what is closed, to the insurance fund
    seconds : between orders
    """

    margin: str = "paradex-cross"
    settings: tuple[str, ...] = ()
    step: Share
    target: Share
    penalty: Share
    seconds: Price = 1.0

    def tried(self, scene: Scene, state: State) -> Tried:
        """Margin the account after each share that may be closed."""
        count = int(np.ceil(1.0 / max(self.step, _LEAST_STEP) - _ENOUGH))
        share = np.minimum(self.step * np.arange(1, count + 1), 1.0)
        share[-1] = 1.0
        penalty = self.penalty * share * state.standing.maintenance
        after = [
            scene.desk.paid(state.quantity, part * scene.closing(state), cost)
            for part, cost in zip(share, penalty, strict=True)
        ]
        found = scene.desk.margins(np.stack(after))
        return Tried(share, penalty, found.equity, found.maintenance)

    def next(self, scene: Scene, state: State) -> Move | str:
        """Return orders for the least share that brings the ratio below the target."""
        size = scene.closing(state)
        if not np.any(size):
            return "no position is left, and the margin is of deposits"
        tried = self.tried(scene, state)
        enough = np.flatnonzero(tried.ratio < self.target)
        row = int(enough[0]) if len(enough) else len(tried.share) - 1
        action = "close a share" if tried.share[row] < 1.0 else "close all"
        move = scene.trades(state, action, tried.share[row] * size)
        left = max(state.standing.equity - move.market, 0.0)  # a penalty takes what there is
        return move._replace(fund=min(float(tried.penalty[row]), left), seconds=self.seconds)
