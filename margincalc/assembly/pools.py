"""Who shares collateral: the labels that turn positions into margin pools.

`isolated` is a pool per position or named group; `cross` and `portfolio` are a pool per account and
venue. A mode is a column of labels, not a code path: the same function margins the pools of each.
"""

from typing import Literal, get_args

from margincalc.assembly.assemble import Label
from margincalc.book import Pool
from margincalc.portfolio import Collateral, Order, Position
from margincalc.portfolio.contracts import Contract

Mode = Literal["isolated", "cross", "portfolio"]
MODES: tuple[Mode, ...] = get_args(Mode)
UNALLOCATED = "unallocated"  # what a report calls deposits that no isolated pool holds


def labels(mode: Mode, account: str) -> Label:
    """Return the function that names the pool of a position, order or deposit under `mode`."""

    def shared(item: Position | Order | Collateral, contract: Contract | None) -> Pool:
        return Pool(item.venue or "", "account", account)

    def isolated(item: Position | Order | Collateral, contract: Contract | None) -> Pool:
        venue = item.venue or ""
        if contract is None:
            return Pool(venue, "unallocated", UNALLOCATED)
        if isinstance(item, Position) and item.group is not None:
            return Pool(venue, "group", item.group)
        return Pool(venue, "instrument", contract.name)

    return isolated if mode == "isolated" else shared
