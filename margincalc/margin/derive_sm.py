"""The `derive_sm` family: Derive's standard manager, which margins several underlyings together.

Each expiry needs the lesser of its options' isolated requirements and its greatest loss at expiry;
net short calls add to the latter, which nothing bounds. Long options count for nothing by
themselves, perpetuals and coins for a share of their notional. Initial margin also charges
doubtful feeds and a fallen settlement money. Options are marked undiscounted.

Rules: https://github.com/derivexyz/v2-core (7736900d), src/risk-managers/StandardManager.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Instruments, Kind
from margincalc.margin.base import Components, MarginResult, Parameters, Share
from margincalc.margin.charges import collateral_haircut, delta_one_notional
from margincalc.margin.derive_risk import (
    Expiries,
    UpTo2,
    UpTo10,
    UpTo20,
    at_rate,
    expiries_of,
    groups_of,
    result,
    spot_notional,
)
from margincalc.risk import now
from margincalc.scenarios import ScenarioGrid

Scale = Annotated[float, Field(allow_inf_nan=False, ge=1, le=10)]


class Perp(Parameters):
    """Shares of a perpetual's notional."""

    mm_req: Share
    im_req: Share


class Option(Parameters):
    """Shares of spot and of mark for options sold, and scales."""

    max_spot_req: UpTo2
    min_spot_req: UpTo2
    mm_call_spot_req: UpTo2
    mm_put_spot_req: UpTo2
    mm_put_mtm_req: UpTo2
    unpaired_im_scale: Scale
    unpaired_mm_scale: Scale
    mm_offset_scale: Scale


class OracleContingency(Parameters):
    """Confidences below which feeds are charged for; 0 charges for none."""

    perp_threshold: Share
    option_threshold: Share
    base_threshold: Share
    factor: UpTo10


class Base(Parameters):
    """The share of a coin's value that counts, and of that for initial margin."""

    margin_factor: Share
    im_scale: UpTo2


class Depeg(Parameters):
    """What a settlement money below the threshold costs, per unit of notional."""

    threshold: UpTo2
    factor: UpTo20


class Market(Parameters):
    """The parameters of one underlying."""

    perp: Perp
    option: Option
    oracle_contingency: OracleContingency
    base: Base


class SmParameters(Market):
    """The file's tables: a default set, and what differs for some underlyings."""

    depeg: Depeg
    underlyings: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Sm(NamedTuple):
    """Requirements by expiry and position, summed by pool."""

    markets: Mapping[str, Market]  # by underlying; "" for all others
    depeg: Depeg

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """None: this family has no scenarios."""
        return ()

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        marked = at_rate(book, np.zeros_like(book.instruments.rate))
        expiries = expiries_of(book, groups_of(book))
        worth = book.quantity * now(marked)[book.instrument]
        parts = (
            self._components(book, expiries, worth, initial=False),
            self._components(book, expiries, worth, initial=True),
        )
        return result(book, marked, parts)

    def _components(
        self, book: Book, expiries: Expiries, worth: FloatArray, *, initial: bool
    ) -> Components:
        option = worth[expiries.rows]
        alone = np.zeros(len(worth))
        alone[expiries.rows] = self._isolated(book, expiries.rows, option, initial=initial)
        isolated = expiries.sum(option + alone[expiries.rows] - np.maximum(option, 0.0))
        relief = np.minimum(isolated - self._greatest_loss(book, expiries, initial=initial), 0.0)
        long = np.zeros(len(worth))
        long[expiries.rows] = np.maximum(option, 0.0)
        pool = book.pool[expiries.rows]
        first = np.zeros(len(expiries.group), np.int64)
        first[expiries.label] = pool
        pools = book.pools
        return {
            "long_options": group_sum(long, book.pool, pools),
            "short_options": group_sum(-alone, book.pool, pools),
            "offset": group_sum(relief, first, pools),
            "delta_one": self._perpetuals(book, initial=initial),
            "collateral_haircut": self._base(book, initial=initial),
        }
