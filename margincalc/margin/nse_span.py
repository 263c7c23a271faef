"""The `nse_span` family: SPAN margin of NSE's equity derivatives, with exposure margin beside it.

The price scan range is a multiple of each underlying's daily volatility, and never less than its
class's floor; the volatility scan range is a share of its annual volatility, with a floor too. An
underlying's contracts are scanned together, each on its own forward. To the worst of the sixteen
rows come a charge for spreads between months, a minimum for options sold, and the exposure margin
on futures and options sold; options on an index sold need more on the day on which they expire.

The exchange asks for a buyer's premium at once and blocks a seller's beside the margin: `details`
has what opening needs (`required_to_open`) and what stays blocked (`total`).

Source: NSE Clearing, equity derivatives, margins.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import BoolArray, FloatArray, group_sum
from margincalc.book import Book, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Components, MarginResult, Parameters, Share
from margincalc.margin.charges import net_option_value
from margincalc.margin.deposits import collateral_haircut
from margincalc.margin.forms import LinearForm
from margincalc.margin.scope import Scope
from margincalc.margin.span_arrays import (
    CONTRACTS,
    Arrays,
    Ranges,
    Scan,
    beyond_span,
    composite_delta,
    refuse_beyond,
    rows,
    scan,
    spread_out,
    valued,
)
from margincalc.margin.span_rules import Rows, Weights
from margincalc.margin.span_spreads import calendar_charge, deltas
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid
from margincalc.times import DAYS_PER_YEAR

Multiple = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=50)]
Years = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=10)]
Days = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=30)]


class LongDated(Parameters):
    """The floor of the price scan range of contracts that expire after some years."""

    years: Years
    price_floor: Share


class Class(Parameters):
    """Rates of a class of underlyings.

    Attributes
    ----------
    price_floor : of the forward
    volatility_floor : in points, decimal per year
    calendar_spread : of the far month's value
    exposure : of the notional of futures and of options sold
    expiry_day : of the notional of options sold, on the day they expire
    short_option_minimum : of the notional of options sold
    long_dated : another floor of what expires late, where the class has one
    """

    price_floor: Share
    volatility_floor: Share
    calendar_spread: Share
    exposure: Share
    expiry_day: Share
    short_option_minimum: Share
    long_dated: LongDated | None = None


class NseParameters(Parameters):
    """The file's tables.

    Attributes
    ----------
    sigmas : price scan range in standard deviations of the margin period
    margin_period : days
    volatility_share : volatility scan range as a share of the underlying's annual volatility
    indices, stocks : underlyings of the class `index` and of the class `stock`
    """

    rows: Rows
    delta_weights: Weights
    sigmas: Multiple
    margin_period: Days
    volatility_share: Share
    indices: tuple[str, ...]
    stocks: tuple[str, ...]
    index: Class
    stock: Class


class _Rates(NamedTuple):
    """A class's rates by position row, shape (P,)."""

    calendar_spread: FloatArray
    exposure: FloatArray
    expiry_day: FloatArray
    short_option_minimum: FloatArray


class NseSpan(NamedTuple):
    """SPAN margin and exposure margin."""

    parameters: NseParameters
    grid: ScenarioGrid

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The sixteen rows; moves are multiples of the scan ranges."""
        return (self.grid,)

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("calendar and inter-commodity spreads",))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book.

        Raises
        ------
        ModelRefusal
            If the annual volatility of an underlying is not in the book.
        """
        refuse_beyond(book)
        self._scope().refuse_beyond(book)
        value = now(book)
        held = book.rows(*CONTRACTS)
        part = book.restricted(held)[0]
        arrays = self._arrays(part)
        keys = part.underlying, np.zeros(len(held), np.int64)
        scanned = scan(part, arrays, self.grid, keys)
        risk = group_sum(scanned.risk, scanned.pool, book.pools)
        parts = {"scenario_loss": risk, **self._charges(part, arrays, scanned)}
        option, premium = net_option_value(book, value), _premium(book, value)
        details = _details(parts, option, premium)
        # What is only bought is paid for at once, and asks for nothing beside.
        for name in ("total", "required_to_open"):
            details[name] = np.where(_only_bought(book), 0.0, details[name])
        parts["option_value_beyond_span"] = beyond_span(option, details["span_risk"])
        haircut = "collateral_haircut"
        return MarginResult(
            equity(book, value),
            {**parts, haircut: collateral_haircut(book, initial=False)},
            {**parts, haircut: collateral_haircut(book, initial=True)},
            spread_out(scanned.worst, held, len(book.quantity)),
            details,
        )

    def _scope(self) -> Scope:
        return Scope(underlyings=(*self.parameters.indices, *self.parameters.stocks))

    def _index(self, book: Book) -> BoolArray:
        """Return which underlyings are indices, shape (U,)."""
        return np.array([name in self.parameters.indices for name in book.names.underlyings], bool)

    def _arrays(self, book: Book) -> Arrays:
        """Value the arrays of every instrument on its own forward and volatility."""
        columns, rule = book.instruments, self.parameters
        index = self._index(book)[columns.underlying]
        sigma = self._volatility(book)[columns.underlying]
        price = np.maximum(
            rule.sigmas * sigma * np.sqrt(rule.margin_period / DAYS_PER_YEAR),
            np.where(index, *(self._floor(each, columns.time) for each in self._classes())),
        )
        floor = np.where(index, rule.index.volatility_floor, rule.stock.volatility_floor)
        ranges = Ranges(price * columns.forward, np.maximum(rule.volatility_share * sigma, floor))
        weights, ahead = rule.delta_weights, rule.rows.look_ahead
        delta = columns.multiplier * composite_delta(columns, ranges, weights, ahead)
        return Arrays(valued(columns, ranges, self.grid), delta)

    def _classes(self) -> tuple[Class, Class]:
        return self.parameters.index, self.parameters.stock

    @staticmethod
    def _floor(own: Class, time: FloatArray) -> FloatArray:
        """Return a class's floor of the price scan range, by time to expiry."""
        floor = np.full(len(time), own.price_floor)
        if own.long_dated is not None:
            floor[time > own.long_dated.years] = own.long_dated.price_floor
        return floor

    def _volatility(self, book: Book) -> FloatArray:
        """Return the annual volatility of underlyings, shape (U,); refuse what has none."""
        held = sorted(set(book.instruments.underlying.tolist()))
        missing = [row for row in held if np.isnan(book.volatility[row])]
        if missing:
            name = book.names.underlyings[missing[0]]
            raise ModelRefusal(
                f"the portfolio has no market.{name}.volatility, the annual volatility of {name} "
                "that its scan ranges are multiples of"
            )
        return book.volatility

    def _rates(self, book: Book) -> _Rates:
        index = self._index(book)[book.underlying]
        one, other = self._classes()
        each = (
            np.where(index, getattr(one, name), getattr(other, name)) for name in _Rates._fields
        )
        return _Rates(*each)

    def _charges(self, book: Book, arrays: Arrays, scanned: Scan) -> Components:
        """Return what is added to scan risk, shape (A,) each."""
        rates, columns = self._rates(book), book.instruments.take(book.instrument)
        option = columns.is_kind(Kind.OPTION)
        units = np.abs(book.quantity) * columns.multiplier
        sold = np.where(option & (book.quantity < 0.0), units * book.spot[book.underlying], 0.0)
        future = np.where(option, 0.0, units * columns.forward)
        expiring = np.where(_expires_today(book, columns.time), rates.expiry_day * sold, 0.0)
        months = deltas(book, arrays.delta, (book.underlying, np.zeros(len(units), np.int64)))
        far = columns.forward[months.row] * rates.calendar_spread[months.row]
        # What is scanned together, and what nets between months, is an underlying of a pool.
        calendar = calendar_charge(months, far)
        first, labels = book.groups
        minimum = group_sum(rates.short_option_minimum * sold, labels, len(first))
        top_up = np.maximum(minimum - (scanned.risk + calendar), 0.0)
        return {
            "intra_commodity": group_sum(calendar, scanned.pool, book.pools),
            "floor_top_up": group_sum(top_up, scanned.pool, book.pools),
            "exposure": group_sum(rates.exposure * (sold + future), book.pool, book.pools),
            "expiry_day": group_sum(expiring, book.pool, book.pools),
        }


def _expires_today(book: Book, time: FloatArray) -> BoolArray:
    """Return which contracts expire on the day of the valuation."""
    expiry = book.valued + time * DAYS_PER_YEAR + 1e-6
    today: BoolArray = (time > 0.0) & (np.floor(expiry) == np.floor(book.valued))
    return today


def _premium(book: Book, value: FloatArray) -> FloatArray:
    """Value of options sold at their marks, shape (A,); `value` is `now(book)`."""
    held = book.rows(Kind.OPTION)
    unit = (value + book.instruments.offset)[book.instrument[held]]
    return group_sum(np.maximum(-book.quantity[held], 0.0) * unit, book.pool[held], book.pools)


def _only_bought(book: Book) -> BoolArray:
    """Return which pools hold nothing but options bought, which are paid for, shape (A,)."""
    held = book.rows(*CONTRACTS)
    option = book.kind[held] == int(Kind.OPTION)
    other = np.where(option, np.maximum(-book.quantity[held], 0.0), np.abs(book.quantity[held]))
    only: BoolArray = group_sum(other, book.pool[held], book.pools) == 0.0
    return only


def _details(parts: Components, option: FloatArray, premium: FloatArray) -> Components:
    """Return the exchange's own figures, shape (A,) each."""
    span = parts["scenario_loss"] + parts["intra_commodity"] + parts["floor_top_up"]
    exposure = parts["exposure"] + parts["expiry_day"]
    asked = span + exposure
    return {
        "scan_risk": parts["scenario_loss"],
        "span_risk": span,
        "net_option_value": option,
        "span_requirement": np.maximum(span - option, 0.0),
        "exposure_margin": exposure,
        "short_premium": premium,
        "total": asked,
        "required_to_open": asked + premium,
    }


def build(tables: Mapping[str, Any]) -> NseSpan:
    """Read the tables of NSE's SPAN margin.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = NseParameters.model_validate(tables)
    moved = whole.rows
    grid = rows(moved.extreme_move, moved.extreme_cover, moved.look_ahead)
    return NseSpan(whole, grid)
