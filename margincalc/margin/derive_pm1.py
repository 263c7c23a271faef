"""The `derive_pm1` family: Derive's first portfolio manager, PMRM.

The worst of the scenarios and the basis contingency, less one static contingency for perpetuals,
the base asset and naked short options, is the maintenance margin; initial margin takes all of it
times a factor, and charges doubtful feeds. Options are marked undiscounted, and only a positive
shocked value of an expiry is discounted.

Rules: https://github.com/derivexyz/v2-core (7736900d), src/risk-managers/PMRM and PMRMLib.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AfterValidator

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book
from margincalc.margin.base import Components, MarginResult, Parameters, Share, total
from margincalc.margin.charges import short_option_charge
from margincalc.margin.deposits import collateral_haircut
from margincalc.margin.derive_groups import (
    Contingency,
    Expiries,
    Groups,
    asset_value,
    at_rate,
    by_pool,
    doubted_options,
    expiries_of,
    feed_confidence,
    groups_of,
    refuse_beyond,
    spot_notional,
)
from margincalc.margin.derive_risk import Discounts, basis_gains, result, scenario_gains, split
from margincalc.margin.derive_shocks import (
    BasisContingency,
    ImFactor,
    Scenarios,
    Shocks,
    UpTo4,
    UpTo10,
    VolShock,
    shocks,
)
from margincalc.margin.forms import LinearForm
from margincalc.margin.scope import Scope
from margincalc.risk import revalued
from margincalc.scenarios import ScenarioGrid


class Margin(Parameters):
    """The initial margin's factor, and the static discount of a positive shocked value."""

    im_factor: ImFactor
    static_discount_long: UpTo4
    rate_mult: UpTo10
    rate_add: UpTo10

    def discounts(self, expiries: Expiries) -> Discounts:
        """Return what a positive and a negative shocked value count for."""
        fall = np.exp(-expiries.time * (expiries.rate * self.rate_mult + self.rate_add))
        return Discounts(self.static_discount_long * fall, np.ones_like(fall))


class OtherContingency(Contingency):
    """Shares of spot for perpetuals, the base asset and naked short options."""

    base_pct: Share
    perp_pct: Share
    option_pct: Share


def _in_full(scenarios: Scenarios) -> Scenarios:
    """Refuse what only the second manager has."""
    for row in scenarios:
        if row.vol_shock.startswith("skew") or row.dampening != 1.0:
            raise ValueError("this manager neither rotates the skew nor dampens a scenario")
    return scenarios


class Pm1Parameters(Parameters):
    """The file's tables, by the venue's own names."""

    scope: Scope = Scope()
    margin: Margin
    vol_shock: VolShock
    basis_contingency: BasisContingency
    other_contingency: OtherContingency
    scenarios: Annotated[Scenarios, AfterValidator(_in_full)]


class Pm1(NamedTuple):
    """Worst loss plus a static contingency, times a factor."""

    parameters: Pm1Parameters
    shocks: Shocks

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios, then the basis contingency."""
        return (self.shocks.grid,)

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("discounts by the sign of the loss",))

    def together(self, book: Book) -> IntArray | None:
        """A manager margins one underlying."""
        return np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        refuse_beyond(book, self.parameters.scope)
        own, shocks = self.parameters, self.shocks
        marked = at_rate(book, np.zeros_like(book.instruments.rate))
        groups = groups_of(book)
        expiries = expiries_of(book, groups)
        value = revalued(marked, shocks.priced)
        present = [*range(shocks.size), -1]
        discounts = own.margin.discounts(expiries)
        gain = scenario_gains(book, expiries, value[:, present], discounts, shocks.linear)
        basis = basis_gains(book, expiries, value[:, shocks.size :], own.basis_contingency)
        gains = np.column_stack([gain, basis])
        worst, losses = split(book, groups, gains, shocks.grid.weight)
        losing = losses.components(1.0) | self._static(book, groups)
        peg = own.other_contingency.peg_loss(book.stable)
        maintenance = {**losing, "collateral_haircut": collateral_haircut(book, initial=False)}
        initial = {
            **{name: own.margin.im_factor * loss for name, loss in losing.items()},
            "peg": peg * total(losing, book.pools),
            "collateral_haircut": collateral_haircut(book, initial=True),
            "oracle_confidence": self._doubt(book, groups, expiries),
        }
        return result(book, marked, (maintenance, initial), worst)

    def _static(self, book: Book, groups: Groups) -> Components:
        """Return the static contingency, which a fallen settlement money does not touch."""
        other = self.parameters.other_contingency
        base = groups.sum(asset_value(book)) * book.stable
        return {
            "delta_one": other.perp_pct * by_pool(groups, groups.sum(spot_notional(book)), book),
            "base_asset": other.base_pct * by_pool(groups, base, book),
            "short_options": short_option_charge(book, other.option_pct),
        }

    def _doubt(self, book: Book, groups: Groups, expiries: Expiries) -> FloatArray:
        """Charge the notionals that doubtful feeds price, shape (A,)."""
        other = self.parameters.other_contingency
        base = groups.sum(asset_value(book)) * book.stable
        notional = groups.sum(spot_notional(book)) + base
        delta_one = other.doubt(feed_confidence(book, groups)) * notional
        options = doubted_options(book, groups, expiries, other)
        return by_pool(groups, delta_one + options, book)


def build(tables: Mapping[str, Any]) -> Pm1:
    """Read the tables of a model of this family.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    own = Pm1Parameters.model_validate(tables)
    return Pm1(own, shocks(own.scenarios, own.vol_shock, own.basis_contingency))
