"""Parts that several tables share: identity, liquidation prices, Greeks, the largest of many."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from margincalc.answers.results import Headed, Liquidation, ModelInfo, Sensitivity
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, name, packed, table, wrapped

SHOWN = 20  # lines of a table before the rest is counted instead
_Item = TypeVar("_Item")

GREEKS = tuple(Column(heading, rank=heading == "rho/pt") for heading in numbers.GREEKS)
LIQUIDATION = (
    Column("Liquidation", left=True),
    Column("spot", rank=2),
    Column("below"),
    Column("", rank=1),
    Column("above"),
    Column("", rank=1),
)


def identity(width: int, account: str, as_of: str, *parts: str) -> Block:
    """Return the line that says what was computed: account, time, currency, rules."""
    return packed([name(account, width), numbers.moment(as_of), *parts], width)


def heading(report: Headed, width: int) -> Block:
    """Return what every answer about an account begins with."""
    return identity(
        width,
        report.account,
        report.as_of,
        name(report.currency),
        rules(report.mode, report.model),
    )


def rules(mode: str, model: ModelInfo) -> str:
    """Return by which rules, and how far they are proven."""
    return f"{mode}, {name(model.name, 200)} {model.effective}, proof: {model.proof}"


def largest(items: Sequence[_Item], size: Callable[[_Item], Any]) -> tuple[_Item, ...]:
    """Return all of a few items in their order, of many the largest, largest first."""
    if len(items) <= SHOWN:
        return tuple(items)
    return tuple(sorted(items, key=size, reverse=True)[:SHOWN])


def unshown(total: int, what: str, width: int) -> Block:
    """Return the line that says how many are not shown, and how to get them."""
    if total <= SHOWN:
        return []
    return wrapped(f"... and {total - SHOWN:,} more {what}; --format csv has all {total:,}", width)


def liquidation_cells(line: Liquidation) -> Row:
    """Return spot, then below and above, each with its distance."""
    return (
        numbers.level(line.spot, line.spot),
        numbers.level(line.below, line.spot),
        numbers.distance(line.spot, line.below),
        numbers.level(line.above, line.spot),
        numbers.distance(line.spot, line.above),
    )


def liquidation_table(found: Mapping[str, Liquidation], width: int) -> Block:
    """Return the liquidation prices of every underlying; of many, the nearest."""
    if not found:
        return []
    nearest = largest(tuple(found.items()), lambda item: -nearness(item[1]))
    rows = [(name(underlying), *liquidation_cells(line)) for underlying, line in nearest]
    return table(LIQUIDATION, rows, width) + unshown(len(found), "underlyings", width)


def recovery(status: str, found: Mapping[str, Liquidation], width: int) -> Block:
    """Return what the prices mean of what is already to be liquidated."""
    priced = any(nearness(line) < float("inf") for line in found.values())
    if status != "liquidatable" or not priced:
        return []
    return wrapped("liquidatable now: the prices are where it would be whole again", width)


def nearness(line: Liquidation) -> float:
    """Return the smaller of the two relative moves; infinite where there is none."""
    targets = [target for target in (line.below, line.above) if target is not None]
    return min((abs(target / line.spot - 1.0) for target in targets), default=float("inf"))


def greeks_table(lines: Sequence[tuple[str, Sensitivity]], width: int) -> Block:
    """Return Greeks in the units of their headings, a line per name."""
    if not lines:
        return []
    rows = [(title, *numbers.greeks(line)) for title, line in lines]
    return table((Column("Greeks", left=True), *GREEKS), rows, width)
