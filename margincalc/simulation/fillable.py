"""dYdX v4: orders at a fillable price, a fee down to the bankruptcy price, then deleveraging.

Source: dydxprotocol/v4-chain, clob/keeper/liquidations.go and its genesis parameters.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Parameters, Share
from margincalc.portfolio import Positive, Price
from margincalc.simulation.engine import Move, Scene, Standing, State


class Position(NamedTuple):
    """One position of an account: signed size, oracle price, its own maintenance margin."""

    size: float
    oracle: float
    maintenance: float


def fillable_price(
    position: Position, standing: Standing, adjustment: float, spread: float
) -> float:
    """Return the worst price at which a liquidation order may fill.

    ``(N - ABR * SMMR * PMM) / size`` with ``ABR = clip(BA (1 - TNC / TMM), 0, 1)``.

    Parameters
    ----------
    adjustment : BA, how fast the price falls to bankruptcy
    spread : SMMR, of the position's maintenance margin
    """
    health = standing.equity / standing.maintenance
    rating = min(max(adjustment * (1.0 - health), 0.0), 1.0)
    notional = position.size * position.oracle
    return (notional - rating * spread * position.maintenance) / position.size


def bankruptcy_quote(position: Position, standing: Standing, delta: float) -> float:
    """Return what a change of a position must bring for the account to end with nothing.

    ``-dN - TNC |dMM| / TMM``; negative where it costs.
    """
    freed = position.maintenance * abs(delta / position.size)
    return -delta * position.oracle - standing.equity * freed / standing.maintenance


def fund_delta(fill: float, bankruptcy: float, fee: float) -> float:
    """Return what the insurance fund receives of a fill, negative where it pays."""
    better = fill - bankruptcy
    return min(fee * abs(fill), better) if better > 0.0 else better


class Fillable(Parameters):
    """Genesis parameters.

    Attributes
    ----------
    fee : most that the fund takes, share of the fill
    spread_to_maintenance : SMMR
    adjustment : BA
    position_share, least_notional : of a position closed per block, and the least of it
    most_notional : of an account per block
    most_fund_loss : of the fund per block; beyond it the position is deleveraged
    seconds : of a block
    """

    margin: str = "generic-standard"
    settings: tuple[str, ...] = ()
    fee: Share
    spread_to_maintenance: Price
    adjustment: Price
    position_share: Share
    least_notional: Price
    most_notional: Positive
    most_fund_loss: Price
    seconds: Positive = 1.0

    def next(self, scene: Scene, state: State) -> Move | str:
        """Return an order that fills, a deleveraging, or why there is neither."""
        desk, row, position = self._chosen(scene, state)
        share = max(self.position_share * abs(position.size), self.least_notional / desk[row])
        limit = min(abs(position.size), share, self.most_notional / desk[row])
        size = np.zeros_like(state.quantity)
        size[row] = -np.sign(position.size) * limit
        order = scene.trades(state, "fill", size)._replace(seconds=self.seconds)
        at_mark = -size[row] * position.oracle
        fill = at_mark - order.market
        price = fill / -size[row]
        worst = fillable_price(
            position, state.standing, self.adjustment, self.spread_to_maintenance
        )
        bankruptcy = bankruptcy_quote(position, state.standing, float(size[row]))
        delta = fund_delta(fill, bankruptcy, self.fee)
        fills = price >= worst if position.size > 0.0 else price <= worst
        if fills and -delta <= min(self.most_fund_loss, max(state.fund, 0.0)):
            return order._replace(fund=delta, price=price)
        if state.standing.equity < 0.0:
            return self._deleveraged(state, position, row)
        return (
            f"the book gives {price:,.6g} and the order waits at {worst:,.6g} or better, "
            "until the account is worth less"
        )

    def _chosen(self, scene: Scene, state: State) -> tuple[FloatArray, int, Position]:
        """Return the notional of one unit of each row, and the position that needs most margin."""
        desk = scene.desk
        held = desk.contract & (state.quantity != 0.0)
        inverse = desk.book.instruments.inverse[desk.book.instrument]
        if np.any(held & (inverse | ~desk.linear)):
            raise ModelRefusal("dydx-v4 liquidates linear futures and perpetuals alone")
        own = np.where(held, desk.alone(state.quantity), -1.0)
        row = int(np.argmax(own))
        size = float(state.quantity[row])
        oracle = float(desk.notional[row])
        return desk.notional, row, Position(size, oracle, float(own[row]))

    def _deleveraged(self, state: State, position: Position, row: int) -> Move:
        """Close a position against others at the price that leaves the account with nothing."""
        size = np.zeros_like(state.quantity)
        size[row] = -position.size
        quote = bankruptcy_quote(position, state.standing, -position.size)
        shared = quote - position.size * position.oracle
        return Move(
            "deleverage", size, others=shared, seconds=self.seconds, price=quote / position.size
        )
