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
from margincalc.book import Book, Kind
from margincalc.margin.base import Components, MarginResult, Parameters, Share, laid_over
from margincalc.margin.charges import delta_one_notional, doubt, peg_growth
from margincalc.margin.deposits import collateral_haircut
from margincalc.margin.derive_groups import (
    Expiries,
    asset_value,
    at_rate,
    expiries_of,
    groups_of,
    refuse_beyond,
    spot_notional,
)
from margincalc.margin.derive_risk import result
from margincalc.margin.derive_shocks import (
    UpTo2,
    UpTo10,
    UpTo20,
)
from margincalc.margin.forms import LinearForm
from margincalc.margin.payoff import least_payoff
from margincalc.margin.scope import Scope
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

    scope: Scope = Scope()
    depeg: Depeg
    underlyings: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Sm(NamedTuple):
    """Requirements by expiry and position, summed by pool."""

    markets: Mapping[str, Market]  # by underlying; "" for all others
    depeg: Depeg
    scope: Scope

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """None: this family has no scenarios."""
        return ()

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("calls and puts of an expiry that cover each other",))

    def together(self, book: Book) -> IntArray | None:
        """Nothing is offset between expiries, nor between underlyings."""
        return np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        refuse_beyond(book, self.scope)
        marked = at_rate(book, np.zeros_like(book.instruments.rate))
        expiries = expiries_of(book, groups_of(book))
        worth = (book.quantity * now(marked)[book.instrument])[expiries.rows]
        maintenance = self._components(book, expiries, worth, initial=False)
        initial = self._components(book, expiries, worth, initial=True)
        initial["oracle_confidence"] = self._doubt(book, expiries)
        initial["peg"] = self._peg(book, expiries)
        return result(book, marked, (maintenance, initial))

    def _components(
        self, book: Book, expiries: Expiries, worth: FloatArray, *, initial: bool
    ) -> Components:
        """Return the parts that both margins have; `worth` is of option rows, shape (R,)."""
        pools = book.pools
        pool = book.pool[expiries.rows]
        long, charge = np.maximum(worth, 0.0), self._short_options(book, expiries, worth)[initial]
        alone = expiries.sum(np.minimum(worth, 0.0) - charge)
        scale = self._of(book, "option", "unpaired_im_scale" if initial else "unpaired_mm_scale")
        spread = np.minimum(alone - _greatest_loss(book, expiries, scale), 0.0)
        holder = np.zeros(len(expiries.group), np.int64)
        holder[expiries.label] = pool
        return {
            "long_options": group_sum(long, pool, pools),
            "short_options": group_sum(charge, pool, pools),
            "spreads": group_sum(spread, holder, pools),
            "delta_one": self._perpetuals(book, initial=initial),
            "collateral_haircut": self._assets(book, initial=initial),
        }

    def _of(self, book: Book, table: str, name: str) -> FloatArray:
        """Look a parameter up for every underlying, shape (U,)."""
        value = {key: getattr(getattr(own, table), name) for key, own in self.markets.items()}
        found = [value.get(underlying, value[""]) for underlying in book.names.underlyings]
        return np.array(found, np.float64)

    def _short_options(
        self, book: Book, expiries: Expiries, worth: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return what options sold need beyond their value, maintenance and initial, shape (R,)."""
        rows = expiries.rows
        columns, at = book.instruments.take(book.instrument[rows]), book.underlying[rows]
        call_req, put_req, of_mark, most, least, offset = (
            self._of(book, "option", name)[at]
            for name in (
                "mm_call_spot_req",
                "mm_put_spot_req",
                "mm_put_mtm_req",
                "max_spot_req",
                "min_spot_req",
                "mm_offset_scale",
            )
        )
        spot, debt = book.spot[at], np.maximum(-worth, 0.0)
        notional = _sold(book, rows) * spot
        put = np.maximum(put_req * notional, of_mark * debt)
        maintenance = np.where(columns.call, call_req * notional, put)
        beyond = np.where(columns.call, columns.strike - spot, spot - columns.strike) / spot
        initial = np.maximum(least, most - np.maximum(beyond, 0.0)) * notional
        floor = np.where(columns.call, 0.0, (debt + maintenance) * offset - debt)
        return maintenance, np.maximum(initial, floor)

    def _perpetuals(self, book: Book, *, initial: bool) -> FloatArray:
        rows = book.rows(Kind.PERPETUAL)
        rate = self._of(book, "perp", "im_req" if initial else "mm_req")[book.underlying[rows]]
        return group_sum(rate * delta_one_notional(book, rows), book.pool[rows], book.pools)

    def _assets(self, book: Book, *, initial: bool) -> FloatArray:
        """Return what coins count for less than their value; of money the file says it."""
        value = asset_value(book)
        rows = np.flatnonzero((book.underlying >= 0) & (value > 0.0))
        lost = value[rows] - self._counted(book, rows, initial=initial)
        money, _ = book.restricted(np.flatnonzero(book.underlying < 0))
        coins = group_sum(lost, book.pool[rows], book.pools)
        return coins + collateral_haircut(money, initial=initial)

    def _counted(self, book: Book, rows: IntArray, *, initial: bool) -> FloatArray:
        """Return what coins count for, by their price in the unit of account, shape of `rows`."""
        at = book.underlying[rows]
        share = self._of(book, "base", "margin_factor")[at]
        if initial:
            share = share * self._of(book, "base", "im_scale")[at]
        return asset_value(book)[rows] * book.stable * share

    def _doubt(self, book: Book, expiries: Expiries) -> FloatArray:
        """Charge the notionals that doubtful feeds price, shape (A,)."""
        rows = np.flatnonzero(book.underlying >= 0)
        at = book.underlying[rows]
        confidence = np.minimum(book.confidence[at], self._own_confidence(book, expiries)[rows])
        threshold = np.zeros(len(rows))
        for name, kinds in _FEEDS.items():
            of_kind = book.instruments.is_kind(*kinds)[book.instrument[rows]]
            limit = self._of(book, "oracle_contingency", name)[at]
            threshold = np.where(of_kind, limit, threshold)
        factor = self._of(book, "oracle_contingency", "factor")[at]
        share = doubt(confidence, threshold, factor)
        exposed = _exposed(book, expiries)[rows]
        coins = np.flatnonzero(asset_value(book)[rows] > 0.0)
        counted = self._counted(book, rows[coins], initial=True)
        exposed[coins] = np.where(counted > 0.0, asset_value(book)[rows[coins]] * book.stable, 0.0)
        return group_sum(share * exposed, book.pool[rows], book.pools)

    def _own_confidence(self, book: Book, expiries: Expiries) -> FloatArray:
        """Confidence of the feeds beside the spot's, shape (P,); of coins there are none."""
        own = book.instruments.confidence[book.instrument]
        own[book.rows(Kind.COLLATERAL, Kind.SPOT)] = 1.0
        own[expiries.rows] = expiries.confidence[expiries.label]
        return own

    def _peg(self, book: Book, expiries: Expiries) -> FloatArray:
        """Charge what is sold, and perpetuals, for a fallen settlement money, shape (A,)."""
        share = peg_growth(book.stable, self.depeg.threshold, self.depeg.factor)
        return share * group_sum(_exposed(book, expiries), book.pool, book.pools)


_FEEDS = {
    "option_threshold": (Kind.OPTION,),
    "perp_threshold": (Kind.PERPETUAL,),
    "base_threshold": (Kind.COLLATERAL, Kind.SPOT),
}


def _sold(book: Book, rows: IntArray) -> FloatArray:
    """Units of the underlying that option rows are short."""
    units = book.quantity[rows] * book.instruments.multiplier[book.instrument[rows]]
    return np.maximum(-units, 0.0)


def _exposed(book: Book, expiries: Expiries) -> FloatArray:
    """Notional at spot of options sold and of perpetuals, 0 of other rows, shape (P,)."""
    rows = expiries.rows
    notional = spot_notional(book)
    notional[rows] = _sold(book, rows) * book.spot[book.underlying[rows]]
    return notional


def _greatest_loss(book: Book, expiries: Expiries, scale: FloatArray) -> FloatArray:
    """Least value of each expiry at its end, at zero or at a strike held, shape (E,); at most 0.

    What calls are sold beyond those bought is unbounded, and costs a multiple of the forward.

    Parameters
    ----------
    scale : that multiple, by underlying, shape (U,)
    """
    rows = expiries.rows
    columns = book.instruments.take(book.instrument[rows])
    units = book.quantity[rows] * columns.multiplier
    least = least_payoff(columns, units, expiries.label, len(expiries.group))
    least = np.minimum(least, 0.0)
    first = np.zeros(len(least), np.int64)
    first[expiries.label] = np.arange(len(rows))
    unpaired = np.minimum(expiries.sum(np.where(columns.call, units, 0.0)), 0.0)
    multiple = scale[columns.underlying[first]]
    return least + multiple * columns.forward[first] * unpaired


def build(tables: Mapping[str, Any]) -> Sm:
    """Read the tables of a model of this family.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = SmParameters.model_validate(tables)
    base = whole.model_dump(exclude={"underlyings", "depeg", "scope"})
    sets = {"": base, **{name: laid_over(base, other) for name, other in whole.underlyings.items()}}
    markets = {name: Market.model_validate(table) for name, table in sets.items()}
    return Sm(markets, whole.depeg, whole.scope)
