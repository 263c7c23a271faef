"""The `derive_pm2` family: Derive's second portfolio manager, PMRM_2 (and PMRM_2_1).

Maintenance margin is a share of the worst scenario's loss, plus contingencies for perpetuals, naked
short options and collateral. Initial margin takes the loss in full, more of the contingencies,
and charges doubtful feeds and a fallen settlement money. Options are marked at their discounted
Black price; an expiry's shocked value is discounted again, and two scenarios rotate the skew.

Rules: https://github.com/derivexyz/v2-core (7736900d), src/risk-managers/PMRM_2 and PMRMLib_2.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Instruments
from margincalc.margin.base import Components, MarginResult, Parameters, total
from margincalc.margin.charges import feeds, short_option_charge
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
from margincalc.margin.derive_risk import (
    Discounts,
    Losses,
    basis_gains,
    result,
    scenario_gains,
    split,
)
from margincalc.margin.derive_shocks import (
    BasisContingency,
    FlooredVolShock,
    ImFactor,
    Scenarios,
    Shocks,
    UpTo2,
    UpTo3,
    UpTo4,
    UpTo10,
    shocks,
)
from margincalc.margin.forms import LinearForm
from margincalc.margin.scope import Scope
from margincalc.risk import now, revalued
from margincalc.scenarios import ScenarioGrid

Signed10 = Annotated[float, Field(allow_inf_nan=False, ge=-10, le=10)]
Signed20 = Annotated[float, Field(allow_inf_nan=False, ge=-20, le=20)]


class Margin(Parameters):
    """Factors on the worst loss, and the static discounts of an expiry's shocked value."""

    im_factor: ImFactor
    mm_factor: Annotated[float, Field(allow_inf_nan=False, ge=0.1, le=10)]
    long_rate_mult: UpTo10
    long_rate_add: UpTo10
    static_discount_long: UpTo4
    short_rate_mult: UpTo10
    short_rate_add: UpTo10
    static_discount_short: UpTo4

    def discounts(self, expiries: Expiries) -> Discounts:
        """Return what a positive and a negative shocked value count for."""
        time, rate = expiries.time, expiries.rate
        fall = np.exp(-time * (rate * self.long_rate_mult + self.long_rate_add))
        rise = np.exp(time * (rate * self.short_rate_mult + self.short_rate_add))
        undiscounted = np.exp(rate * time)  # a debt never counts for more than at expiry
        short = np.minimum(undiscounted, self.static_discount_short * rise)
        return Discounts(self.static_discount_long * fall, short)


class SkewShock(Parameters):
    """Rotations of the smile about the forward: volatility moves with log-moneyness, capped."""

    linear_base_cap: Signed10
    abs_base_cap: Signed10
    linear_c_base: Signed10
    abs_c_base: Signed10
    min_k_star: UpTo10
    width_scale: UpTo10
    vol_param_static: UpTo10
    vol_param_scale: Signed20

    def volatility(self, columns: Instruments, *, absolute: bool) -> FloatArray:
        """Return volatilities after a rotation, shape (I,)."""
        root = np.sqrt(columns.time)
        base, slope = (
            (self.abs_base_cap, self.abs_c_base)
            if absolute
            else (self.linear_base_cap, self.linear_c_base)
        )
        cap = base + slope * root
        width = self.width_scale * root * (self.vol_param_static + self.vol_param_scale * root)
        reach = np.maximum(self.min_k_star, width)
        forward = columns.forward
        sane = (columns.strike > 0.0) & (forward > 0.0) & (reach > 0.0)
        ratio = np.divide(columns.strike, forward, out=np.ones_like(root), where=sane)
        moneyness = np.abs(np.log(ratio)) if absolute else np.log(ratio)
        move = np.divide(moneyness * cap, reach, out=np.zeros_like(root), where=sane)
        # The caps are the venue's own, applied as they stand even where they are negative.
        held = np.where(moneyness >= 0.0, np.minimum(cap, move), np.maximum(-cap, move))
        return columns.volatility * np.where(sane, np.maximum(0.0, 1.0 + held), 1.0)


class OtherContingency(Contingency):
    """Shares of spot for perpetuals and naked short options, and the initial margin's extra."""

    mm_perp_pct: UpTo3
    im_perp_pct_extra: UpTo3
    mm_option_pct: UpTo2
    im_option_pct_extra: UpTo2


def _one_of_each_skew(scenarios: Scenarios) -> Scenarios:
    """Refuse two rotations of a kind, and one that moves the spot."""
    skews = [row for row in scenarios if row.vol_shock.startswith("skew")]
    if len({row.vol_shock for row in skews}) < len(skews):
        raise ValueError("at most one skew_linear and one skew_abs")
    if any(row.spot_shock != 1.0 for row in skews):
        raise ValueError("a rotation of the skew has spot_shock 1")
    return scenarios


class Pm2Parameters(Parameters):
    """The file's tables, by the venue's own names."""

    scope: Scope = Scope()
    margin: Margin
    vol_shock: FlooredVolShock
    skew_shock: SkewShock
    basis_contingency: BasisContingency
    other_contingency: OtherContingency
    scenarios: Annotated[Scenarios, AfterValidator(_one_of_each_skew)]


class Pm2(NamedTuple):
    """Worst discounted loss times a factor, plus contingencies."""

    parameters: Pm2Parameters
    shocks: Shocks

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios, then the basis contingency."""
        return (self.shocks.grid,)

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(
            without=(
                "discounts by the sign of the loss",
                "the skew of volatility",
            )
        )

    def together(self, book: Book) -> IntArray | None:
        """A manager margins one underlying."""
        return np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        refuse_beyond(book, self.parameters.scope)
        own, shocks = self.parameters, self.shocks
        marked = at_rate(book, np.maximum(book.instruments.rate, 0.0))
        groups = groups_of(book)
        expiries = expiries_of(book, groups)
        value = self._values(marked)
        present = [*range(shocks.size), -1]
        skewed = np.concatenate([shocks.linear, shocks.absolute])
        gain = scenario_gains(
            book, expiries, value[:, present], own.margin.discounts(expiries), skewed
        )
        basis = basis_gains(book, expiries, value[:, shocks.size :], own.basis_contingency)
        gains = np.column_stack([gain, basis])
        worst, loss = split(book, groups, gains, shocks.grid.weight)
        parts = (
            self._maintenance(book, groups, loss),
            self._initial(book, groups, expiries, loss),
        )
        return result(book, marked, parts, worst)

    def _values(self, marked: Book) -> FloatArray:
        """Value one long unit per scenario, after the basis moves, and now, shape (I, S + 3)."""
        value, columns = revalued(marked, self.shocks.priced).copy(), marked.instruments
        for absolute, chosen in ((False, self.shocks.linear), (True, self.shocks.absolute)):
            if len(chosen):
                rotated = self.parameters.skew_shock.volatility(columns, absolute=absolute)
                turned = replace(marked, instruments=replace(columns, volatility=rotated))
                value[:, chosen] = now(turned)[:, None]
        return value

    def _maintenance(self, book: Book, groups: Groups, loss: Losses) -> Components:
        factor, other = self.parameters.margin.mm_factor, self.parameters.other_contingency
        perpetuals = by_pool(groups, groups.sum(spot_notional(book)), book)
        return {
            **loss.components(factor),
            "delta_one": other.mm_perp_pct * perpetuals,
            "short_options": short_option_charge(book, other.mm_option_pct),
            "collateral_haircut": collateral_haircut(book, initial=False),
        }

    def _initial(self, book: Book, groups: Groups, expiries: Expiries, loss: Losses) -> Components:
        factor, other = self.parameters.margin.im_factor, self.parameters.other_contingency
        perpetuals = by_pool(groups, groups.sum(spot_notional(book)), book)
        option_pct = other.mm_option_pct + other.im_option_pct_extra
        return {
            **loss.components(factor),
            "peg": other.peg_loss(book.stable) * total(loss.components(1.0), book.pools),
            "delta_one": (other.mm_perp_pct + other.im_perp_pct_extra) * perpetuals,
            "short_options": short_option_charge(book, option_pct),
            "collateral_haircut": collateral_haircut(book, initial=True),
            "oracle_confidence": self._doubt(book, groups, expiries),
        }

    def _doubt(self, book: Book, groups: Groups, expiries: Expiries) -> FloatArray:
        """Charge the notionals that doubtful feeds price, shape (A,).

        A deposit is doubted by its own feed and by its underlying's spot, and not by the
        perpetual's.
        """
        other = self.parameters.other_contingency
        shared = feed_confidence(book, groups)
        perpetuals = other.doubt(shared) * groups.sum(spot_notional(book))
        options = doubted_options(book, groups, expiries, other)
        assets = other.doubt(feeds(book)) * np.abs(asset_value(book))
        assets = group_sum(assets, book.pool, book.pools)
        return by_pool(groups, perpetuals + options, book) + assets


def build(tables: Mapping[str, Any]) -> Pm2:
    """Read the tables of a model of this family.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    own = Pm2Parameters.model_validate(tables)
    return Pm2(own, shocks(own.scenarios, own.vol_shock, own.basis_contingency))
