"""What Derive's two portfolio managers share: groups, shocks, the scenario scan, confidences.

A manager margins one underlying, so a pool is divided into groups of one underlying each; options
are taken together by expiry, whose shocked *net* value is discounted. The basis contingency is a
loss that competes with the scenarios and stands as the last of them.

The rules and words are those of https://github.com/derivexyz/v2-core (7736900d), PMRM and PMRM_2.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Components, MarginResult, Parameters, Share, Worst, total
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid, VolatilityRule

UpTo2 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=2)]
UpTo3 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=3)]
UpTo4 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=4)]
UpTo10 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=10)]
UpTo20 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=20)]
UpTo100 = Annotated[float, Field(allow_inf_nan=False, ge=0, le=100)]
ImFactor = Annotated[float, Field(allow_inf_nan=False, ge=0.5, le=10)]

BASIS = "basis contingency"
_LEAST_MOVE = 5e-324  # an upward move of nothing still meets the least volatility
_SKEWS = {"skew_linear": "skew, linear", "skew_abs": "skew, absolute"}


class VolShock(Parameters):
    """Relative volatility moves at 30 days; they grow as ``(30 / days) ** power`` below."""

    range_up: UpTo10
    range_down: UpTo10
    short_term_power: UpTo10
    long_term_power: UpTo10
    dte_floor_days: Annotated[float, Field(allow_inf_nan=False, gt=0, le=400)]
    min_vol_in_up_shock: UpTo20 = 0.0

    def rule(self) -> VolatilityRule:
        """Return the rule that scales the moves by time to expiry."""
        return VolatilityRule(
            True,
            self.short_term_power,
            self.long_term_power,
            self.dte_floor_days,
            self.min_vol_in_up_shock,
        )


class BasisContingency(Parameters):
    """Two moves of the forwards, of whose worse loss ``add + mult * years`` counts."""

    spot_up: Annotated[float, Field(allow_inf_nan=False, gt=1, le=3)]
    spot_down: Annotated[float, Field(allow_inf_nan=False, ge=0, lt=1)]
    add_factor: UpTo20
    mult_factor: UpTo20


class Contingency(Parameters):
    """What both managers say of the settlement money and of doubtful feeds."""

    peg_loss_threshold: UpTo100
    peg_loss_factor: UpTo10
    confidence_threshold: Share
    confidence_margin: UpTo20

    def peg_loss(self, stable: float) -> float:
        """Return what a fallen settlement money adds to the initial margin's factor."""
        return max(0.0, self.peg_loss_threshold - stable) * self.peg_loss_factor

    def doubt(self, confidence: FloatArray) -> FloatArray:
        """Return the share of a notional that is charged; it jumps at the threshold."""
        charged = (1.0 - confidence) * self.confidence_margin
        return np.where(confidence < self.confidence_threshold, charged, 0.0)


class Scenario(Parameters):
    """One scenario: a multiple of spot, a kind of volatility move, the share that counts."""

    spot_shock: UpTo100
    vol_shock: Literal["none", "up", "down", "skew_linear", "skew_abs"]
    dampening: UpTo10 = 1.0


Scenarios = Annotated[tuple[Scenario, ...], Field(min_length=1, max_length=40)]


class Shocks(NamedTuple):
    """The scenarios as they are reported and as they are priced.

    Attributes
    ----------
    grid : the scenarios, then the basis contingency
    priced : the scenarios, then the basis moves up and down, then the present market
    linear, absolute : which scenarios are rotations of the skew
    """

    grid: ScenarioGrid
    priced: ScenarioGrid
    linear: IntArray
    absolute: IntArray

    @property
    def size(self) -> int:
        """The number of scenarios, without the basis contingency."""
        return self.grid.size - 1


def shocks(scenarios: Sequence[Scenario], vol: VolShock, basis: BasisContingency) -> Shocks:
    """Arrange the scenarios of a parameter set."""
    moves = {"up": max(vol.range_up, _LEAST_MOVE), "down": -vol.range_down}
    kinds = [row.vol_shock for row in scenarios]
    spot = [row.spot_shock - 1.0 if row.vol_shock not in _SKEWS else 0.0 for row in scenarios]
    volatility = [moves.get(kind, 0.0) for kind in kinds]
    names = (*(_SKEWS.get(kind, "") for kind in kinds), BASIS)
    weight = [row.dampening for row in scenarios]
    moved = [*spot, basis.spot_up - 1.0, basis.spot_down - 1.0, 0.0]
    plain = np.zeros(3)
    priced = ScenarioGrid(
        np.array(moved),
        np.append(volatility, plain),
        np.append(weight, plain),
        np.zeros(len(moved)),
        vol.rule(),
    )
    grid = ScenarioGrid(
        np.array([*spot, 0.0]),
        np.array([*volatility, 0.0]),
        np.array([*weight, 1.0]),
        np.zeros(len(names)),
        vol.rule(),
        names,
    )
    linear, absolute = (
        np.flatnonzero([kind == skew for kind in kinds]) for skew in ("skew_linear", "skew_abs")
    )
    return Shocks(grid, priced, linear, absolute)


class Groups(NamedTuple):
    """What one manager margins: a pool's rows of one underlying (G groups, R rows).

    Attributes
    ----------
    rows : position rows, shape (R,)
    label : group of each, shape (R,)
    pool, underlying : rows of the book, shape (G,)
    """

    rows: IntArray
    label: IntArray
    pool: IntArray
    underlying: IntArray

    def sum(self, amount: FloatArray) -> FloatArray:
        """Sum amounts of all position rows, shape (P,) or (P, S), by group."""
        return group_sum(amount[self.rows], self.label, len(self.pool))


class Expiries(NamedTuple):
    """The options of a group by expiry (E expiries, R rows).

    Attributes
    ----------
    rows, label : position rows and the expiry of each, shape (R,)
    group : shape (E,)
    time : years
    rate : of discount, never negative
    confidence : least of the feeds that price the options alone
    units : units of the underlying held, long and short alike
    """

    rows: IntArray
    label: IntArray
    group: IntArray
    time: FloatArray
    rate: FloatArray
    confidence: FloatArray
    units: FloatArray

    def sum(self, amount: FloatArray) -> FloatArray:
        """Sum amounts of option rows, shape (R,) or (R, S), by expiry."""
        return group_sum(amount, self.label, len(self.group))


def refuse_beyond(book: Book) -> None:
    """Refuse a book that holds what Derive does not list.

    Raises
    ------
    ModelRefusal
    """
    columns = book.instruments
    if book.coin:
        raise ModelRefusal("it keeps accounts in its settlement money, and this one is in coin")
    if np.any(columns.is_kind(Kind.FUTURE)):
        raise ModelRefusal("it lists options and perpetuals, and the book has futures")
    if np.any(columns.inverse):
        raise ModelRefusal("it lists linear contracts, and the book has inverse ones")
    if np.any(columns.american):
        raise ModelRefusal("it lists European options, and the book has American ones")


def groups_of(book: Book) -> Groups:
    """Divide the pools by underlying; money that nothing moves is in no group."""
    rows = np.flatnonzero(book.underlying >= 0)
    first, label = group_rows(book.pool[rows], book.underlying[rows])
    return Groups(rows, label, book.pool[rows][first], book.underlying[rows][first])


def expiries_of(book: Book, groups: Groups) -> Expiries:
    """Divide the options of groups by expiry."""
    option = book.kind[groups.rows] == Kind.OPTION
    rows, owner = groups.rows[option], groups.label[option]
    columns = book.instruments.take(book.instrument[rows])
    first, label = group_rows(owner, columns.time)
    confidence = np.ones(len(first))
    np.minimum.at(confidence, label, columns.confidence)
    units = group_sum(np.abs(book.quantity[rows]) * columns.multiplier, label, len(first))
    rate = np.maximum(columns.rate[first], 0.0)
    return Expiries(rows, label, owner[first], columns.time[first], rate, confidence, units)


def at_rate(book: Book, rate: FloatArray) -> Book:
    """Return the book with other discount rates, as a venue marks it; shape (I,)."""
    return replace(book, instruments=replace(book.instruments, rate=rate))


def spot_notional(book: Book) -> FloatArray:
    """Notional of perpetuals at spot, 0 of other position rows, shape (P,)."""
    rows = book.rows(Kind.PERPETUAL)
    units = np.abs(book.quantity[rows]) * book.instruments.multiplier[book.instrument[rows]]
    notional = np.zeros(len(book.quantity))
    notional[rows] = units * book.spot[book.underlying[rows]]
    return notional


def asset_value(book: Book) -> FloatArray:
    """Value of coins and deposits, 0 of other position rows, shape (P,)."""
    rows = book.rows(Kind.COLLATERAL, Kind.SPOT)
    value = np.zeros(len(book.quantity))
    value[rows] = book.quantity[rows] * book.instruments.forward[book.instrument[rows]]
    return value


def feed_confidence(book: Book, groups: Groups) -> FloatArray:
    """Confidence of a group's spot, and of its perpetual where it holds one, shape (G,)."""
    confidence = book.confidence[groups.underlying]
    perpetual = book.kind[groups.rows] == Kind.PERPETUAL
    perpetual &= book.quantity[groups.rows] != 0.0
    held = book.instruments.confidence[book.instrument[groups.rows]]
    np.minimum.at(confidence, groups.label[perpetual], held[perpetual])
    return confidence


class Discounts(NamedTuple):
    """Static discounts on an expiry's shocked net value, shape (E,) each."""

    long: FloatArray
    short: FloatArray


def scenario_gains(
    book: Book, expiries: Expiries, value: FloatArray, discounts: Discounts, skewed: IntArray
) -> FloatArray:
    """Gain of every position row per scenario, unweighted, shape (P, S).

    An expiry's shocked value is discounted and compared with its undiscounted mark; of a rotation
    of the skew the worse direction counts, each expiry by itself.

    Parameters
    ----------
    value : of one long unit per scenario, then in the present market, shape (I, S + 1)
    skewed : the scenarios that are rotations of the skew
    """
    held = book.quantity[:, None] * value[book.instrument]
    gain = held[:, :-1] - held[:, -1:]
    shocked, mark = held[expiries.rows, :-1], held[expiries.rows, -1:]
    share = np.where(
        expiries.sum(shocked) >= 0.0, discounts.long[:, None], discounts.short[:, None]
    )
    option = shocked * share[expiries.label] - mark
    change = expiries.sum(option[:, skewed])
    option[:, skewed] *= -np.sign(change)[expiries.label]
    gain[expiries.rows] = option
    return gain


def basis_gains(
    book: Book, expiries: Expiries, value: FloatArray, basis: BasisContingency
) -> FloatArray:
    """Gain of every position row in the worse basis move of its expiry, shape (P,).

    Parameters
    ----------
    value : of one long unit after the move up, after the one down, and now, shape (I, 3)
    """
    held = book.quantity[expiries.rows, None] * value[book.instrument[expiries.rows]]
    up, down = held[:, 0] - held[:, 2], held[:, 1] - held[:, 2]
    risen, fallen = expiries.sum(up), expiries.sum(down)
    factor = basis.add_factor + basis.mult_factor * expiries.time
    lost = np.where(np.minimum(risen, fallen) < 0.0, factor, 0.0)
    gain = np.zeros(len(book.quantity))
    worse = np.where((risen <= fallen)[expiries.label], up, down)
    gain[expiries.rows] = worse * lost[expiries.label]
    return gain


def worst_of(groups: Groups, gain: FloatArray, weight: FloatArray) -> Worst:
    """Find each group's worst scenario; the basis contingency, the last, wins a tie.

    Parameters
    ----------
    gain : by position row and scenario, unweighted, shape (P, S)
    weight : shape (S,)
    """
    every = groups.sum(gain)
    pnl = every * weight
    group = np.arange(len(groups.pool))
    scenario = np.argmin(pnl[:, :-1], axis=1)
    basis = pnl[:, -1] <= pnl[group, scenario]
    scenario = np.where(basis, len(weight) - 1, scenario)
    by_position = np.zeros(len(gain))
    bound = scenario[groups.label]
    by_position[groups.rows] = gain[groups.rows, bound] * weight[bound]
    grid = np.zeros(len(group), np.int64)
    chosen = pnl[group, scenario]
    return Worst(groups.pool, groups.underlying, grid, scenario, chosen, by_position, every)


def losses(worst: Worst, basis: int, pools: int) -> tuple[FloatArray, FloatArray]:
    """Return the scenario losses and the basis contingencies that bind, shape (A,) each.

    Parameters
    ----------
    basis : which scenario the basis contingency is
    """
    loss = np.maximum(-worst.pnl, 0.0)
    bound = worst.scenario == basis
    return (
        group_sum(np.where(bound, 0.0, loss), worst.pool, pools),
        group_sum(np.where(bound, loss, 0.0), worst.pool, pools),
    )


def by_pool(groups: Groups, amount: FloatArray, book: Book) -> FloatArray:
    """Sum amounts of groups, shape (G,), by pool."""
    return group_sum(amount, groups.pool, book.pools)


def valuation(book: Book, marked: Book) -> FloatArray:
    """Equity at market less the venue's own mark-to-market, shape (A,).

    Parameters
    ----------
    marked : the book as the venue marks it
    """
    excess = now(book) + book.instruments.offset - now(marked)
    return group_sum(book.quantity * excess[book.instrument], book.pool, book.pools)


def result(
    book: Book, marked: Book, parts: tuple[Components, Components], worst: Worst | None = None
) -> MarginResult:
    """Return the result, with the venue's own figures beside it.

    What the market says the book is worth beyond the venue's mark is a component, `valuation`, so
    that equity less requirement is the venue's net margin.
    """
    worth = equity(book, now(book))
    beyond = valuation(book, marked)
    maintenance, initial = ({**part, "valuation": beyond} for part in parts)
    details = {
        "mark_to_market": worth - beyond,
        "net_initial_margin": worth - total(initial, book.pools),
        "net_maintenance_margin": worth - total(maintenance, book.pools),
    }
    return MarginResult(worth, maintenance, initial, worst, details)
