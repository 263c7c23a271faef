"""The `bybit_options` family: Bybit's options under cross margin.

A unit sold needs ``max(rate * index - OTM, minimum * index)`` and the larger of its entry price and
its mark, and at least its maintenance margin: ``max(share * index, share * mark)``, the mark and a
fee for liquidation.

Rules: https://help.bybit.com/hc/en-us/articles/5526069204377
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.margin.base import Parameters, Share
from margincalc.margin.scope import Scope
from margincalc.margin.single_options import (
    OrderRules,
    Prices,
    SingleOptions,
    less_out_of_the_money,
)


class BybitParameters(Parameters):
    """The file's tables.

    Attributes
    ----------
    initial, initial_minimum : shares of the index, less what the option is out of the money, and
        the least
    maintenance : share of the larger of index and mark
    liquidation_fee : share of the index
    """

    scope: Scope
    initial: Share
    initial_minimum: Share
    maintenance: Share
    liquidation_fee: Share
    orders: OrderRules


class _Seller(NamedTuple):
    rules: BybitParameters

    def initial(self, prices: Prices) -> FloatArray:
        """Initial margin of a unit sold; without an entry price the mark stands for it."""
        unit = less_out_of_the_money(prices, self.rules.initial, self.rules.initial_minimum)
        return np.maximum(unit + np.fmax(prices.entry, prices.mark), self.maintenance(prices))

    def maintenance(self, prices: Prices) -> FloatArray:
        """Maintenance margin of a unit sold."""
        share = self.rules.maintenance * np.maximum(prices.spot, prices.mark)
        return share + prices.mark + self.rules.liquidation_fee * prices.spot

    def floor(self, prices: Prices) -> FloatArray:
        """Share of the larger of spot and mark."""
        return np.full(len(prices.spot), self.rules.maintenance)


def build(tables: Mapping[str, Any]) -> SingleOptions:
    """Read the tables of Bybit's options.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    rules = BybitParameters.model_validate(tables)
    return SingleOptions(_Seller(rules), rules.orders, rules.scope)
