"""`liquidation`: where a pool is liquidated, by what, and what moves the price."""

from collections.abc import Sequence

from margincalc.answers.liquidation_results import (
    CliffLine,
    Crossing,
    FrontierReport,
    Interval,
    LiquidationReport,
    PoolLiquidation,
    RegionLine,
)
from margincalc.report import numbers, parts
from margincalc.report.layout import Block, Column, Row, name, table, wrapped

TOGETHER = "together"
_CROSSINGS = (
    Column("Liquidated", left=True),
    Column("at"),
    Column("move"),
    Column("daily sd", rank=1),
    Column("binding scenario", left=True, rank=2),
)
_DRIFTS = (
    Column("That price moves by", left=True),
    Column("per 1,000 paid in"),
    Column("per vol point"),
    Column("per day"),
)
_FRONTIER = (Column("Volatility", left=True), Column("liquidated where", left=True))
_CLIFFS = (
    Column("Expires", left=True),
    Column("in days"),
    Column("excess before"),
    Column("after"),
    Column("maintenance", rank=1),
)


def liquidation_blocks(report: LiquidationReport, width: int) -> list[Block]:
    """Return each pool's regions, volatility, frontier and time, then the expiries on the way."""
    blocks = [parts.heading(report, width)]
    shown = parts.largest(report.pools, lambda pool: -pool.excess)
    for pool in shown:
        blocks += _pool(pool, report, width)
    blocks.append(parts.unshown(len(report.pools), "pools", width))
    blocks.append(_cliffs(report.cliffs, report.currency, width))
    return blocks


def _pool(pool: PoolLiquidation, report: LiquidationReport, width: int) -> list[Block]:
    """Return one pool's blocks."""
    excess = numbers.amount(pool.excess, report.currency)
    head = f"{name(pool.pool)}: {pool.status.upper()}, excess {excess}"
    blocks = [wrapped(head, width)]
    for region in pool.regions:
        blocks += _region(region, width)
    blocks.append(_beside(pool, report, width))
    for frontier in pool.frontiers:
        blocks.append(_frontier(frontier, pool, width))
    return blocks


def _region(region: RegionLine, width: int) -> list[Block]:
    """Return the ends of the intervals, what moves them, and how sure it is."""
    title = _title(region)
    rows = [_crossing(crossing, region) for crossing in region.crossings]
    if not rows:
        rows = [(f"{title} {_everywhere(region)}", *[""] * 4)]
    drifts = [_drift(crossing, region) for crossing in region.crossings if crossing.sensitivity]
    block = table(_CROSSINGS, rows, width)
    return [block, table(_DRIFTS, drifts, width) if drifts else [], wrapped(_sure(region), width)]


def _title(region: RegionLine) -> str:
    return TOGETHER if region.underlying is None else name(region.underlying)


def _everywhere(region: RegionLine) -> str:
    return "everywhere" if region.intervals else "nowhere"


def _crossing(crossing: Crossing, region: RegionLine) -> Row:
    away = "" if crossing.deviations is None else f"{crossing.deviations:+.1f}"
    side = "below" if _ends(crossing.multiple, region.intervals) else "above"
    return (
        f"{_title(region)} {side}",
        _level(crossing.multiple, region.spot),
        numbers.move(crossing.move),
        away,
        name(crossing.scenario or ""),
    )


def _ends(multiple: float, intervals: Sequence[Interval]) -> bool:
    """Whether an interval of liquidation ends there, and does not begin."""
    return any(interval.high == multiple for interval in intervals)


def _level(multiple: float | None, spot: float | None) -> str:
    if multiple is None:
        return ""
    return f"x {multiple:.4f}" if spot is None else numbers.level(multiple * spot, spot)


def _drift(crossing: Crossing, region: RegionLine) -> Row:
    drifts = crossing.sensitivity
    if drifts is None:
        return ()
    scaled = (1000.0 * drifts.deposit, 0.01 * drifts.volatility, drifts.day)
    return (_level(crossing.multiple, region.spot), *(numbers.greek(value) for value in scaled))


def _sure(region: RegionLine) -> str:
    """Say whether anything may have been missed, and what lies beyond."""
    low, high = (_level(end, region.spot) for end in region.domain)
    if region.certified:
        text = f"certified: nothing else between {low} and {high}"
    else:
        gap = numbers.percent(region.largest_gap)
        text = f"not certified: looked every {gap} or closer between {low} and {high}"
        text += f", as {region.uncertified_because}"
    for side, word in (("below", "falls to nothing"), ("above", "rises without bound")):
        last = region.intervals[-1 if side == "above" else 0] if region.intervals else None
        there = last is not None and (last.high if side == "above" else last.low) is None
        if region.beyond[side] != there:
            text += f"; {'liquidated' if region.beyond[side] else 'safe'} as spot {word}"
    if region.unresolved:
        places = ", ".join(_level(each.low, region.spot) for each in region.unresolved[:5])
        text += f"; touches zero, unresolved, near {places}"
    return text


def _beside(pool: PoolLiquidation, report: LiquidationReport, width: int) -> Block:
    """Return what volatility alone and time alone do."""
    if pool.status == "liquidatable":
        priced = any(region.crossings for region in pool.regions)
        where = (
            ": the prices above are where it would be whole again" if priced else " at any price"
        )
        return wrapped(f"Liquidatable now{where}.", width)
    found = [f"x {value:.3f}" for value in pool.volatility.values() if value is not None]
    volatility = " or ".join(found) if found else "no multiple from 0.1 to 8"
    if pool.days is None:
        time = f"not within {report.horizon_days:.4g} days" if report.horizon_days else "no expiry"
    else:
        time = f"in {pool.days:.2f} days"
    text = f"Volatility alone: {volatility}.  Time alone: {time}."
    return wrapped(text, width)


def _frontier(frontier: FrontierReport, pool: PoolLiquidation, width: int) -> Block:
    """Return where a pool is liquidated at other volatilities, and the likeliest point."""
    spot = next((r.spot for r in pool.regions if r.underlying == frontier.underlying), None)
    rows = [(f"x {line.volatility:.4g}", _places(line.intervals, spot)) for line in frontier.lines]
    likely = frontier.most_likely
    title = TOGETHER if frontier.underlying is None else name(frontier.underlying)
    block = table((Column(f"{title} volatility", left=True), _FRONTIER[1]), rows, width)
    if likely is None or not likely.distance:  # of who is liquidated already, this is the present
        return block
    place = _level(1.0 + likely.move, spot)
    text = (
        f"Most likely: {title} {place} ({numbers.move(likely.move)}) with volatility "
        f"x {likely.volatility:.3f}, {likely.distance:.2f} daily deviations away"
    )
    return [*block, *wrapped(text, width)]


def _places(intervals: Sequence[Interval], spot: float | None) -> str:
    if not intervals:
        return "nowhere"
    texts = []
    for low, high, *_ in intervals:
        if low is None and high is None:
            return "everywhere"
        if low is None:
            texts.append(f"below {_level(high, spot)}")
        elif high is None:
            texts.append(f"above {_level(low, spot)}")
        else:
            texts.append(f"{_level(low, spot)} to {_level(high, spot)}")
    return ", ".join(texts)


def _cliffs(cliffs: Sequence[CliffLine], currency: str, width: int) -> Block:
    """Return what expiries do to the margin, the soonest first."""
    rows = [
        (
            _names(cliff.expired),
            f"{cliff.days:.2f}",
            numbers.amount(cliff.excess_before, currency),
            numbers.amount(cliff.excess_after, currency),
            f"{numbers.amount(cliff.maintenance_before, currency)} to "
            f"{numbers.amount(cliff.maintenance_after, currency)}",
        )
        for cliff in cliffs[: parts.SHOWN]
    ]
    if not rows:
        return []
    return table(_CLIFFS, rows, width) + parts.unshown(len(cliffs), "expiries", width)


def _names(expired: Sequence[str]) -> str:
    more = len(expired) - 1
    return name(expired[0]) + (f" and {more} more" if more > 0 else "")
