"""The `okx_options` family: OKX's options outside portfolio margin.

Of a coin sold, initial margin is ``max(a, b - OTM / F) * factor + mark``, and maintenance margin
``c * factor + mark``, of a put ``max(c, c * mark) * factor + mark``; the factor grows with the
position's tier. Options margined in money need the same shares of the index.

Rules: https://www.okx.com/help/ii-option-margin
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Factor, Parameters, Share
from margincalc.margin.scope import Scope, base
from margincalc.margin.single_options import (
    OrderRules,
    Prices,
    SingleOptions,
    less_out_of_the_money,
)


class OkxOptionParameters(Parameters):
    """The file's tables.

    Attributes
    ----------
    initial, initial_minimum : shares of the forward, less what the option is out of the money, and
        the least (b and a)
    maintenance : share of the index, and of a put's mark, by underlying (c)
    factor : of the position's tier
    """

    scope: Scope
    initial: Share
    initial_minimum: Share
    maintenance: dict[str, Share]
    factor: Factor
    orders: OrderRules


class _Seller(NamedTuple):
    rules: OkxOptionParameters

    def initial(self, prices: Prices) -> FloatArray:
        """Initial margin of a unit sold; the money is measured from the forward."""
        rules = self.rules
        unit = less_out_of_the_money(prices, rules.initial, rules.initial_minimum, at_forward=True)
        return rules.factor * unit + prices.mark

    def maintenance(self, prices: Prices) -> FloatArray:
        """Maintenance margin of a unit sold."""
        share = self._shares(prices)
        of_mark = np.where(prices.columns.call, 0.0, prices.mark)
        return self.rules.factor * share * np.maximum(prices.spot, of_mark) + prices.mark

    def floor(self, prices: Prices) -> FloatArray:
        """Share of the larger of spot and mark, of puts."""
        return np.where(prices.columns.call, 0.0, self.rules.factor * self._shares(prices))

    def _shares(self, prices: Prices) -> FloatArray:
        """Maintenance rate of each option's underlying; refuse one that has none."""
        known = self.rules.maintenance
        under = prices.columns.underlying
        missing = sorted({base(prices.names[row]) for row in set(under.tolist())} - known.keys())
        if missing:
            key = f"maintenance.{missing[0]}"
            raise ModelRefusal(f"its file has no {key}; give it with --set {key}=VALUE")
        table = np.array([known.get(base(name), 0.0) for name in prices.names], np.float64)
        share: FloatArray = table[under]
        return share


def build(tables: Mapping[str, Any]) -> SingleOptions:
    """Read the tables of OKX's options.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    rules = OkxOptionParameters.model_validate(tables)
    return SingleOptions(_Seller(rules), rules.orders, rules.scope)
