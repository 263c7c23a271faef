"""The `span` family: CME's Standard Portfolio Analysis of Risk.

Each combined commodity of a pool takes its worst of sixteen rows (scan risk), a charge for spreads
between its months, and a credit for spreads with other commodities; its risk is never less than a
minimum per short option:

    SPAN = max(scan + intra + delivery - inter_credit, short_option_minimum)

Published requirements are ``max(0, SPAN - net option value)``, to be met with money. Here equity
holds the value of options already, at the mark and negative where they are sold, so that the
requirement on it is ``max(SPAN, net option value)``: what options are worth beyond SPAN carries
nothing else, and is the component `option_value_beyond_span`. `details` has the published one.

Arrays are valued here, or read from a risk parameter file; those of a file are per contract of the
file, which a position's quantity counts.

Source: CME Group, "CME SPAN Methodology"; L. McMillan, Options as a Strategic Investment, ch. 34.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Instruments, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Components, MarginResult, total
from margincalc.margin.charges import net_option_value
from margincalc.margin.deposits import collateral_haircut
from margincalc.margin.forms import LinearForm
from margincalc.margin.span_arrays import (
    CONTRACTS,
    Arrays,
    Ranges,
    Scan,
    beyond_span,
    composite_delta,
    days,
    looked_up,
    refuse_beyond,
    rows,
    scan,
    spread_out,
    valued,
)
from margincalc.margin.span_entries import Entries
from margincalc.margin.span_rules import Commodity, Delivery, SpanParameters, members
from margincalc.margin.span_spreads import (
    Deltas,
    deltas,
    inter_credit,
    net_deltas,
    tier_charge,
)
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid
from margincalc.times import DAYS_PER_YEAR


class _Risk(NamedTuple):
    """What makes up a pool's requirement, each of shape (A, C)."""

    scan: FloatArray
    intra: FloatArray
    delivery: FloatArray
    credit: FloatArray
    minimum: FloatArray

    @property
    def total(self) -> FloatArray:
        """SPAN's risk before its minimum."""
        return self.scan + self.intra + self.delivery - self.credit


class Span(NamedTuple):
    """Scan risk, spreads and minimums of combined commodities."""

    parameters: SpanParameters
    grid: ScenarioGrid
    published: Entries | None

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The sixteen rows; moves are multiples of the scan ranges."""
        return (self.grid,)

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        spreads = "inter-month and inter-commodity spreads"
        return LinearForm(without=(spreads, "the minimum of short options"))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book.

        Raises
        ------
        ModelRefusal
            If a commodity or an array of what the book holds is not known.
        """
        refuse_beyond(book)
        value = now(book)
        held = book.rows(*CONTRACTS)
        part = book.restricted(held)[0]
        unit = self._units(part)
        keys = unit[part.underlying], self._tiers(part, unit)
        arrays, size = self._arrays(part, unit)
        scanned = scan(part, arrays, self.grid, (keys[0], keys[1] * self._by_tier()[keys[0]]))
        months = deltas(part, arrays.delta, keys)
        sold = _sold(part, size, (keys[0], len(self.parameters.commodities)))
        risk = self._risk(part, scanned, months, sold)
        components = _components(risk)
        option = net_option_value(book, value)
        initial = {name: self.parameters.initial_factor * each for name, each in components.items()}
        for parts in (components, initial):
            parts["option_value_beyond_span"] = beyond_span(option, total(parts, book.pools))
        haircut = "collateral_haircut"
        return MarginResult(
            equity(book, value),
            {**components, haircut: collateral_haircut(book, initial=False)},
            {**initial, haircut: collateral_haircut(book, initial=True)},
            spread_out(scanned.worst, held, len(book.quantity)),
            _details(risk, option),
        )

    def _units(self, book: Book) -> IntArray:
        """Return the commodity of each underlying, shape (U,); refuse one that has none."""
        groups = members(self.parameters.commodities).values()
        number = {each: row for row, group in enumerate(groups) for each in group}
        names = book.names.underlyings
        held = {names[row] for row in set(book.underlying.tolist())}
        missing = sorted(held - number.keys())
        if missing:
            key = f"commodities.{missing[0]}"
            wanted = "price_scan, volatility_scan and short_option_minimum"
            raise ModelRefusal(f"its file has no {key} ({wanted}); give it with --set")
        return np.array([number.get(name, 0) for name in names], np.int64)

    def _by_tier(self) -> IntArray:
        each = [own.scan_by_tier for own in self.parameters.commodities.values()]
        return np.array(each, np.int64)

    def _tiers(self, book: Book, unit: IntArray) -> IntArray:
        """Return the tier of each position row's month, from 0."""
        month = days(book, book.instruments).astype("datetime64[M]")[book.instrument]
        tier, own = np.zeros(len(month), np.int64), unit[book.underlying]
        for number, commodity in enumerate(self.parameters.commodities.values()):
            mine = np.flatnonzero(own == number)
            last = np.array(commodity.tiers, "datetime64[M]")
            tier[mine] = np.searchsorted(last, month[mine])
        return tier

    def _arrays(self, book: Book, unit: IntArray) -> tuple[Arrays, FloatArray]:
        """Return arrays of instruments, and how many contracts of their commodity each is."""
        columns = book.instruments
        if self.published is not None:
            found = looked_up(book, self.published)
            return found, np.ones(len(found.delta))
        commodities = list(self.parameters.commodities.values())
        each = [commodities[row] for row in unit[columns.underlying]]
        size = columns.multiplier / np.array([own.contract for own in each])
        ranges = _ranges(columns, each)
        weights, ahead = self.parameters.delta_weights, self.parameters.rows.look_ahead
        delta = size * composite_delta(columns, ranges, weights, ahead)
        return Arrays(valued(columns, ranges, self.grid), delta), size

    def _risk(self, book: Book, scanned: Scan, months: Deltas, sold: FloatArray) -> _Risk:
        """Put together what each commodity of a pool needs."""
        units = list(self.parameters.commodities)
        shape = (book.pools, len(units))
        label = scanned.pool * len(units) + scanned.unit

        def by_unit(amount: FloatArray) -> FloatArray:
            return group_sum(amount, label, shape[0] * shape[1]).reshape(shape)

        net = net_deltas(months, shape)
        intra, delivery, minimum = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for number, own in enumerate(self.parameters.commodities.values()):
            minimum[:, number] = own.short_option_minimum * sold[:, number]
            intra[:, number] = tier_charge(months, number, own.spreads, book.pools)
            if own.delivery is not None:
                delivery[:, number] = _delivery(book, months, number, own.delivery)
        spreads = self.parameters.inter_spreads
        credit = inter_credit(net, by_unit(scanned.price_risk), spreads, units)
        return _Risk(by_unit(scanned.risk), intra, delivery, credit, minimum)


def _ranges(columns: Instruments, each: list[Commodity]) -> Ranges:
    """Return the scan ranges of instruments, given the commodity of each."""
    price, volatility = np.zeros(len(each)), np.zeros(len(each))
    for row, own in enumerate(each):
        chosen, other = own.price_scan, own.volatility_scan
        assert chosen is not None, "checked when the file was read"
        assert other is not None, "checked when the file was read"
        if chosen.share is not None:
            price[row] = chosen.share * columns.forward[row]
        else:
            price[row] = chosen.points or (chosen.money or 0.0) / own.contract
        volatility[row] = other.absolute or (other.relative or 0.0) * columns.volatility[row]
    return Ranges(price, volatility)


def _sold(book: Book, size: FloatArray, units: tuple[IntArray, int]) -> FloatArray:
    """Count options sold in contracts of each commodity, shape (A, C).

    Parameters
    ----------
    size : contracts of the commodity that one of an instrument is, shape (I,)
    units : commodity of each position row, and how many there are
    """
    unit, count = units
    option = book.kind == int(Kind.OPTION)
    short = np.where(option, np.maximum(-book.quantity, 0.0), 0.0) * size[book.instrument]
    found = group_sum(short, book.pool * count + unit, book.pools * count)
    return found.reshape(book.pools, count)


def _delivery(book: Book, months: Deltas, unit: int, rule: Delivery) -> FloatArray:
    """Charge of one commodity for months about to be delivered, shape (A,)."""
    time = book.instruments.time[book.instrument[months.row]] * DAYS_PER_YEAR
    near = (months.unit == unit) & (time > 0.0) & (time <= rule.within_days)
    each = np.where(near, rule.charge * np.abs(months.delta), 0.0)
    return group_sum(each, months.pool, book.pools)


def _components(risk: _Risk) -> Components:
    """Return the parts of SPAN, shape (A,) each; a credit is negative."""
    parts = {
        "scenario_loss": risk.scan,
        "intra_commodity": risk.intra,
        "delivery": risk.delivery,
        "inter_commodity_credit": -risk.credit,
        "floor_top_up": np.maximum(risk.minimum - risk.total, 0.0),
    }
    return {name: _summed(amount) for name, amount in parts.items()}


def _summed(amount: FloatArray) -> FloatArray:
    """Add the columns of (A, C) in their order."""
    whole = np.zeros(len(amount))
    for column in amount.T:
        whole = whole + column
    return whole


def _details(risk: _Risk, option: FloatArray) -> Components:
    """Return SPAN's own figures, shape (A,) each."""
    needed = _summed(np.maximum(risk.total, risk.minimum))
    return {
        "scan_risk": _summed(risk.scan),
        "short_option_minimum": _summed(risk.minimum),
        "span_risk": needed,
        "net_option_value": option,
        "span_requirement": np.maximum(needed - option, 0.0),
    }


def build(tables: Mapping[str, Any]) -> Span:
    """Read a SPAN model's tables, and the risk parameter file that they name.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    InputError
        If the risk parameter file is damaged.
    """
    whole = SpanParameters.model_validate(tables)
    moved = whole.rows
    grid = rows(moved.extreme_move, moved.extreme_cover, moved.look_ahead)
    if whole.arrays is None:
        return Span(whole, grid, None)
    # Published extreme rows are weighted already.
    full = rows(moved.extreme_move, 1.0, moved.look_ahead)
    return Span(whole, full, whole.arrays.entries())
