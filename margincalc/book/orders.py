"""Open orders as columns: part of no value, and of the requirement of a model that margins them."""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray


class Orders(NamedTuple):
    """Open orders as columns of shape (O,), in canonical order (pool, then instrument).

    Attributes
    ----------
    pool, instrument : rows of the book
    quantity : signed; a positive one buys
    price : limit, in the unit in which the instrument is quoted
    """

    pool: IntArray
    instrument: IntArray
    quantity: FloatArray
    price: FloatArray

    def take(self, rows: IntArray) -> "Orders":
        """Return the given rows."""
        return Orders(self.pool[rows], self.instrument[rows], self.quantity[rows], self.price[rows])


_NONE = np.zeros(0, np.int64)
NO_ORDERS = Orders(_NONE, _NONE, np.zeros(0), np.zeros(0))
