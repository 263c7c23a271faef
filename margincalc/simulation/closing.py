"""Accounts below maintenance are closed: what that loses, and what of it they cannot pay.

Money is whole numbers of the currency's smallest unit, so that what was lost and what was paid
agree to the cent.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.simulation.rankings import Holders


class Closed(NamedTuple):
    """What becomes of accounts below maintenance, whole units of money, shape (A,).

    Attributes
    ----------
    loss : what closing them loses, of which slippage a part
    slippage : paid to whoever trades with them
    trader : part of the loss that is the account's own money
    deficit : the rest
    surplus : what is left of those with more than they lost
    """

    liquidated: IntArray
    loss: IntArray
    slippage: IntArray
    trader: IntArray
    deficit: IntArray
    surplus: IntArray


def close(holders: Holders, slippage: float, unit: float) -> Closed:
    """Close what is below maintenance.

    Parameters
    ----------
    slippage : share of notional that closing costs
    unit : smallest amount of the currency
    """
    liquidated = (holders.value < holders.maintenance) & (holders.quantity != 0.0)
    liquidated |= holders.value < 0.0
    cost = np.where(liquidated, slippage * holders.notional, 0.0)
    left = whole_units(np.where(liquidated, holders.value - cost, 0.0), unit)
    own = whole_units(np.where(liquidated, np.maximum(holders.balance, 0.0), 0.0), unit)
    loss = np.maximum(own - left, 0)
    deficit = np.maximum(-left, 0)
    return Closed(
        np.flatnonzero(liquidated),
        loss,
        whole_units(cost, unit),
        loss - deficit,
        deficit,
        np.maximum(left, 0),
    )


def means_of(holders: Holders, unit: float) -> IntArray:
    """Return what each can give of its profit, which a debt in its wallet has first call on."""
    return whole_units(np.clip(holders.profit, 0.0, np.maximum(holders.value, 0.0)), unit)


def whole_units(amount: FloatArray, unit: float) -> IntArray:
    """Round money to whole units."""
    return np.rint(amount / unit).astype(np.int64)
