"""What pools hold, before it is a book: profits since entry are booked, and holdings are netted."""

from typing import NamedTuple, TypeVar

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_totals

Amount = TypeVar("Amount", float, FloatArray)


class Holdings(NamedTuple):
    """Signed quantities in the order in which they were written, shape (P,) each.

    Attributes
    ----------
    pool, instrument : numbers of them
    entry : entry price; NaN where it is not known
    """

    pool: IntArray
    instrument: IntArray
    quantity: FloatArray
    entry: FloatArray


def netted(held: Holdings) -> Holdings:
    """Net what a pool holds of one instrument, in canonical order: pool, then instrument.

    The entry price is the average over what was netted; NaN where that is nothing.
    """
    keys = held.pool, held.instrument
    first, quantity = group_totals(held.quantity, *keys)
    entry = np.full(len(first), np.nan)
    if not np.all(np.isnan(held.entry)):
        _, paid = group_totals(held.quantity * held.entry, *keys)
        np.divide(paid, quantity, out=entry, where=quantity != 0.0)
    return Holdings(held.pool[first], held.instrument[first], quantity, entry)


def linear_profit(size: Amount, entry: Amount, forward: Amount) -> Amount:
    """Profit of so many units since entry, in the quote currency."""
    return size * (forward - entry)


def inverse_profit(size: Amount, entry: Amount, forward: Amount) -> Amount:
    """Profit of so much notional since entry, in coin."""
    return size * (1.0 / entry - 1.0 / forward)
