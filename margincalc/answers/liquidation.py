"""How close an account is to liquidation, in spot, in volatility and in time."""

import math
from typing import NamedTuple

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.liquidation_results import (
    PLANE,
    CliffLine,
    Crossing,
    Curve,
    Drifts,
    FrontierLine,
    FrontierReport,
    Interval,
    LikelyPoint,
    LiquidationReport,
    PoolLiquidation,
    RegionLine,
)
from margincalc.answers.statement import margin_report
from margincalc.arrays import FloatArray
from margincalc.assembly.what_if import MOST_DAYS
from margincalc.errors import input_error
from margincalc.liquidation.decay import Decay, decay
from margincalc.liquidation.line import Line, along
from margincalc.liquidation.region import Region
from margincalc.liquidation.sensitivity import Drift, drifts
from margincalc.liquidation.volatility import (
    FRONTIER,
    Daily,
    Multiples,
    at_volatility,
    daily_deviation,
    frontier,
    march,
    multiples,
)

MOST_FRONTIERS = 6  # worked out unasked; each takes tenths of a second where it is searched
CURVE_NODES = 241


class Wanted(NamedTuple):
    """What is asked for beside the regions.

    Attributes
    ----------
    together : also move all underlyings together, by the betas of the market
    frontier : work out the frontiers; None: if they are few
    multiples : of volatility at which a frontier is worked out, in order
    days : how far to follow time; None: to the last expiry
    daily : how spot and volatility move in a day
    curves : keep what a picture is drawn from
    """

    together: bool = False
    frontier: bool | None = None
    multiples: tuple[float, ...] = FRONTIER
    days: float | None = None
    daily: Daily = Daily()
    curves: bool = False


def liquidation_report(account: Account, wanted: Wanted) -> LiquidationReport:
    """Draw the report of an account.

    Raises
    ------
    InputError
        If a day's moves are no deviations and correlation, or days are negative.
    """
    _check(wanted)
    report, book = margin_report(account), account.book
    passing = decay(book, account.model, wanted.days)
    volatility = multiples(book, account.model)
    lines = [line for pool in range(book.pools) for line in _lines(account, pool, wanted)]
    frontiers = len(lines) <= MOST_FRONTIERS if wanted.frontier is None else wanted.frontier
    notes = account.notes
    if not frontiers and wanted.frontier is None:
        notes = (*notes, f"{len(lines)} frontiers left out; --frontier works them out")
    marched = march(lines, sorted({1.0, *(wanted.multiples if frontiers else ())}))
    every = [_Named(account, *each) for each in zip(lines, marched, strict=True)]
    pools = []
    for number, pool in enumerate(report.pools):
        named = [each for each in every if each.line.pool == number]
        pools.append(
            PoolLiquidation(
                pool.pool,
                pool.venue,
                pool.status,
                pool.equity,
                pool.maintenance_margin,
                pool.excess,
                tuple(each.region() for each in named),
                _multiples(volatility, number),
                tuple(each.frontier(wanted) for each in named) if frontiers else (),
                _number(passing.days[number]),
                {each.name or "": each.curve(plane=frontiers) for each in named}
                if wanted.curves
                else {},
            )
        )
    return LiquidationReport(
        *account.heading,
        report.status,
        tuple(pools),
        tuple(_cliffs(account, passing)),
        passing.horizon,
        passing.gap,
        wanted.daily._asdict(),
        notes,
    )


def _check(wanted: Wanted) -> None:
    daily = wanted.daily
    for name, value in (("spot", daily.spot), ("volatility", daily.volatility)):
        if not 0.0 < value <= 10.0:
            found, said = f"a deviation of {name} of {value:g}", "one above 0, such as 0.04 for 4 %"
            raise input_error("--daily", found, said)
    steps = wanted.multiples
    if not steps or not all(0.01 <= c <= 100.0 for c in steps) or list(steps) != sorted(set(steps)):
        found = ", ".join(f"{c:g}" for c in steps) or "none"
        said = "multiples of volatility, 0.01 to 100, rising"
        raise input_error("--at-volatility", found, said)
    if not -1.0 < daily.correlation < 1.0:
        found = f"a correlation of {daily.correlation:g}"
        raise input_error("--daily", found, "one between -1 and 1")
    if wanted.days is not None and not 0.0 <= wanted.days <= MOST_DAYS:
        said = f"a number of days from 0 to {MOST_DAYS:,.0f}"
        raise input_error("--horizon", f"{wanted.days:g}", said)


def _lines(account: Account, pool: int, wanted: Wanted) -> list[Line]:
    """Return the lines of markets through which a pool is moved."""
    book = account.book
    own = np.unique(book.underlying[book.pool == pool])
    own = own[own >= 0]
    lines = [along(book, account.model, pool, int(underlying)) for underlying in own]
    if wanted.together and len(own) > 1:
        beta = np.zeros(len(book.spot))
        beta[own] = [_beta(account, book.names.underlyings[underlying]) for underlying in own]
        lines.append(Line(book, account.model, pool, beta))
    return lines


def _beta(account: Account, underlying: str) -> float:
    market = account.portfolio.market.get(underlying)
    stated = None if market is None else market.beta
    return 1.0 if stated is None else float(stated)


def _multiples(found: Multiples, pool: int) -> dict[str, float | None]:
    return {"down": _number(found.down[pool]), "up": _number(found.up[pool])}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


class _Named:
    """A line of markets with the names and prices by which it is reported."""

    def __init__(self, account: Account, line: Line, marched: dict[float, Region]) -> None:
        self.account, self.line, book = account, line, account.book
        self.marched, self.found = marched, marched[1.0]
        self.likely: float | None = None  # multiple of spot, once the frontier is known
        self.underlying = int(line.moving[0]) if len(line.moving) == 1 else None
        self.name: str | None = None
        self.spot: float | None = None
        if self.underlying is not None:
            self.name = book.names.underlyings[self.underlying]
            self.spot = float(book.spot[self.underlying])
        deviations = [(daily_deviation(book, int(u)), float(line.beta[u])) for u in line.moving]
        known = [own / abs(beta) for own, beta in deviations if own is not None]
        # Of a common move, the deviation of the underlying for which it is the rarest.
        self.deviation = min(known) if known else None

    def price(self, x: float | None) -> float | None:
        """Return the price at a multiple."""
        return None if x is None or self.spot is None else x * self.spot

    def interval(self, ends: FloatArray, domain: tuple[float, float]) -> Interval:
        """Name an interval; what goes on beyond the domain has no end."""
        low = None if ends[0] <= domain[0] else float(ends[0])
        high = None if ends[1] >= domain[1] else float(ends[1])
        return Interval(low, high, self.price(low), self.price(high))

    def region(self) -> RegionLine:
        """Report the intervals and their ends."""
        found, names = self.found, self.account.book.names.underlyings
        return RegionLine(
            self.name,
            self.spot,
            {names[u]: float(self.line.beta[u]) for u in self.line.moving},
            found.domain,
            self.intervals(found),
            self.crossings(),
            tuple(self.interval(each, found.domain) for each in found.unresolved),
            found.certified,
            found.reason,
            found.gap,
            {"below": found.beyond[0], "above": found.beyond[1]},
            found.evaluations,
        )

    def intervals(self, found: Region) -> tuple[Interval, ...]:
        """Name the intervals of a region."""
        return tuple(self.interval(each, found.domain) for each in found.intervals)

    def crossings(self) -> tuple[Crossing, ...]:
        """Report the ends of the intervals, with what moves them."""
        x, spot = self.found.crossings, 1.0 if self.spot is None else self.spot
        moved = zip(x.tolist(), drifts(self.line, x, spot), strict=True)
        return tuple(self.crossing(*each) for each in moved)

    def crossing(self, x: float, found: Drift) -> Crossing:
        """Report an end of an interval."""
        away = None if self.deviation is None else (x - 1.0) / self.deviation
        return Crossing(self.price(x), x, x - 1.0, away, self.binding(x), self.drifts(found))

    def binding(self, x: float) -> str | None:
        """Name the scenario that binds at a multiple; of several underlyings, each one's."""
        line = self.line
        model = line.model
        copy = line.copies(np.array([x]))
        worst = model.margin(copy).worst
        if worst is None:
            return None
        names = line.book.names.underlyings
        moving = {names[u] for u in line.moving}
        found = {
            copy.names.underlyings[worst.underlying[row]]: model.grids[worst.grid[row]].label(
                int(worst.scenario[row])
            )
            for row in np.flatnonzero(worst.pnl < 0.0)
            if copy.names.underlyings[worst.underlying[row]] in moving
        }
        if self.name is not None:
            return found.get(self.name)
        return "; ".join(f"{name} {label}" for name, label in found.items()) or None

    def drifts(self, found: Drift) -> Drifts | None:
        """Report the sensitivities of an end; of a common move, those of the multiple."""
        if not math.isfinite(found.deposit):
            return None
        names = [self.account.instrument(row) for row in found.rows.tolist()]
        positions = dict(zip(names, found.position.tolist(), strict=True))
        return Drifts(found.deposit, found.volatility, found.day, positions)

    def frontier(self, wanted: Wanted) -> FrontierReport:
        """Report the frontier."""
        steps = {c: self.marched[c] for c in wanted.multiples}
        found = frontier(self.line, wanted.daily, steps)
        lines = tuple(
            FrontierLine(c, self.intervals(own), parts, own.certified)
            for c, own, parts in zip(found.multiples, found.regions, found.parts, strict=True)
        )
        point = found.nearest
        if point is None:
            return FrontierReport(self.name, lines, None)
        self.likely = point.x
        likely = LikelyPoint(self.price(point.x), point.x - 1.0, point.c, point.distance)
        return FrontierReport(self.name, lines, likely)

    def curve(self, *, plane: bool) -> Curve:
        """Return equity and maintenance margin along the line, wide enough for its crossings."""
        low, high = self.line.domain
        ends = np.append(self.found.crossings, [] if self.likely is None else [self.likely])
        near = ends[(ends > 0.3) & (ends < 3.0)]
        start = max(min(float(np.min(near, initial=0.7)) - 0.15, 0.7), low)
        end = min(max(float(np.max(near, initial=1.3)) + 0.15, 1.3), high)
        x = np.unique(np.append(np.linspace(start, end, CURVE_NODES), near))
        result = self.line.model.margin(self.line.copies(x))
        drawn = (tuple(part.tolist()) for part in (x, result.equity, result.maintenance))
        lines = [at_volatility(self.line, c) for c in PLANE] if plane else []
        excess = tuple(tuple(line.excess(x).tolist()) for line in lines)
        return Curve(*drawn)._replace(plane=excess)


def _cliffs(account: Account, passing: Decay) -> list[CliffLine]:
    """Report every expiry on the way, of each pool that holds what expires."""
    book = account.book
    lines = []
    for cliff in passing.cliffs:
        for number, key in enumerate(book.names.keys):
            rows = np.flatnonzero(cliff.expired[book.instrument] & (book.pool == number))
            if len(rows):
                names = tuple(account.instrument(row) for row in rows.tolist())
                figures = (cliff.before, cliff.after, cliff.maintenance_before)
                amounts = (float(part[number]) for part in (*figures, cliff.maintenance_after))
                lines.append(CliffLine(key.title, cliff.days, names, *amounts))
    return lines


__all__ = ["FRONTIER", "Daily", "Wanted", "liquidation_report"]
