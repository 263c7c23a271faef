"""What a liquidation pays to the market, and what a liquidator needs to earn."""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.pricing.impact import Impact
from margincalc.simulation.desk import Desk
from margincalc.times import SECONDS_PER_DAY

_ADVERSE = 1.0 / np.sqrt(2.0 * np.pi)  # expected loss of a standard normal move, its gains left out


class Costs(NamedTuple):
    """Slippage of the underlyings, and half-spreads of options.

    Attributes
    ----------
    impact : of exposure in account currency, None where trading moves nothing
    spread_volatility : half-spread of options, in volatility
    spread_premium : the least half-spread, as a share of the premium
    """

    impact: Impact | None = None
    spread_volatility: float = 0.02
    spread_premium: float = 0.05

    def spreads(self, desk: Desk) -> FloatArray:
        """Half-spread of one unit of each row, account currency, shape (P,)."""
        wide = np.maximum(
            self.spread_volatility * np.abs(desk.greeks.vega),
            self.spread_premium * np.abs(desk.unit),
        )
        spread: FloatArray = np.where(desk.option, wide, 0.0)
        return spread

    def of(self, desk: Desk, size: FloatArray, used: FloatArray) -> float:
        """Cost of trades made together, account currency.

        Parameters
        ----------
        size : shape (P,), bought is positive; deposits and money cost nothing
        used : shape (2, U), exposure bought and sold before, which has moved the price already
        """
        traded = np.where(desk.contract, size, 0.0)
        cost = float(np.sum(np.abs(traded) * self.spreads(desk)))
        if self.impact is None:
            return cost
        before, after = used, self.after(desk, size, used)
        return cost + float(np.sum(_whole(self.impact, after) - _whole(self.impact, before)))

    def after(self, desk: Desk, size: FloatArray, used: FloatArray) -> FloatArray:
        """Exposure bought and sold after trades, by underlying, shape (2, U)."""
        net = exposures(desk, np.where(desk.contract, size, 0.0))
        both: FloatArray = np.stack([np.maximum(net, 0.0), np.maximum(-net, 0.0)])
        return used + both


def exposures(desk: Desk, size: FloatArray) -> FloatArray:
    """Net exposure of quantities by underlying, account currency, shape (U,)."""
    underlying = desk.book.underlying
    moved = underlying >= 0
    net = np.bincount(
        underlying[moved],
        weights=(size * desk.exposure)[moved],
        minlength=len(desk.book.spot),
    )
    return net.astype(np.float64)


def _whole(impact: Impact, quantity: FloatArray) -> FloatArray:
    whole: FloatArray = quantity * impact.average(quantity)
    return whole


class Liquidator(NamedTuple):
    """What acting costs somebody who takes over positions or collateral.

    Attributes
    ----------
    gas : per act, account currency
    flash_fee : share of the capital that is borrowed for it
    latency : seconds in which the price may move against it
    volatility : of a day
    """

    gas: float = 0.0
    flash_fee: float = 0.0
    latency: float = 0.0
    volatility: float = 0.04

    def needs(self, capital: float, exposure: float) -> float:
        """What an act costs beside unwinding: gas, borrowed capital, an adverse move.

        Parameters
        ----------
        capital, exposure : unsigned, account currency
        """
        move = self.volatility * np.sqrt(self.latency / SECONDS_PER_DAY)
        return float(self.gas + self.flash_fee * capital + _ADVERSE * move * exposure)
