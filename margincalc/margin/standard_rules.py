"""What a file of the `standard` family says: rates of positions, and of the account as a whole."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.margin.base import Parameters, Share
from margincalc.margin.deposits import Borrow
from margincalc.margin.scope import NotPublished, Scope

Slope = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=1)]
Price = Literal["index", "mark"]


class ShortOption(Parameters):
    """Shares of spot for an option sold, beyond its value.

    Attributes
    ----------
    initial, initial_minimum : less what the option is out of the money, and the least
    maintenance : flat
    put_of_mark : a put needs at least this share of its mark
    initial_put_cap, maintenance_put_cap : shares of strike that a put never exceeds
    moneyness : against the index, or the mark of the option's forward
    """

    initial: Share
    initial_minimum: Share
    maintenance: Share
    put_of_mark: Share = 0.0
    initial_put_cap: Share | None = None
    maintenance_put_cap: Share | None = None
    moneyness: Price = "index"

    def rates(self, *, initial: bool) -> tuple[float, ...]:
        """Return the fields of `ShortRates` for one of the two margins."""
        rate, least, cap = self.maintenance, self.maintenance, self.maintenance_put_cap
        if initial:
            rate, least, cap = self.initial, self.initial_minimum, self.initial_put_cap
        return (
            rate,
            least,
            float(initial),  # how much of what it is out of the money is taken off
            self.put_of_mark,
            np.inf if cap is None else cap,
            float(self.moneyness == "mark"),
        )


class LongOption(Parameters):
    """Shares of an option's value that do not carry other positions, and their caps, of spot."""

    initial: Share = 0.0
    maintenance: Share = 0.0
    initial_cap: Share | None = None
    maintenance_cap: Share | None = None

    def rates(self, *, initial: bool) -> tuple[float, float]:
        """Return share and cap of one of the two margins."""
        cap = self.initial_cap if initial else self.maintenance_cap
        return self.initial if initial else self.maintenance, np.inf if cap is None else cap


class Notional(Parameters):
    """Shares of notional, at the mark or the index; `slope` is added per unit of the underlying."""

    initial: Share | NotPublished
    maintenance: Share | NotPublished
    slope: Slope = 0.0
    price: Price = "mark"


class StandardSet(Parameters):
    """The parameters of one underlying."""

    short_option: ShortOption
    long_option: LongOption = LongOption()
    delta_one: Notional
    spot: Notional


class AccountRules(Parameters):
    """What a venue does with an account as a whole.

    Attributes
    ----------
    open_orders : it margins them
    marks_in_margin : it adds the marks of short options to margins, and leaves options out of the
        balance that it compares with them
    haircut_in_maintenance : haircuts count in maintenance too
    """

    open_orders: bool = False
    marks_in_margin: bool = False
    haircut_in_maintenance: bool = True


class StandardParameters(StandardSet):
    """The file's tables: a default set, what differs for some underlyings, and what is common."""

    underlyings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    borrow: Borrow | None = None
    account: AccountRules = AccountRules()
    scope: Scope = Scope()

    @model_validator(mode="after")
    def _rated(self) -> Self:
        self.scope.refuse_unrated(self.underlyings)
        return self
