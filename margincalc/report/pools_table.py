"""The pools of an account, those in most danger first, under their status."""

from collections.abc import Sequence

from margincalc.answers.results import PoolMargin
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, name, table
from margincalc.report.parts import SHOWN, liquidation_cells, recovery, unshown

_WORST_FIRST = ("liquidatable", "restricted", "healthy")
_COLUMNS = (
    Column("Pools", left=True),
    Column("equity"),
    Column("initial", rank=4),
    Column("maintenance"),
    Column("excess", rank=5),
    Column("ratio"),
    Column("spot", rank=3),
    Column("below"),
    Column("", rank=2),
    Column("above"),
    Column("", rank=2),
)
_PRICES = 5  # the columns from spot on


def pools_table(pools: Sequence[PoolMargin], currency: str, width: int) -> Block:
    """Return a line per pool; of many, those in most danger."""
    ranked = sorted(pools, key=_danger)[:SHOWN]
    rows: list[Row] = []
    for status in _WORST_FIRST:
        group = [pool for pool in ranked if pool.status == status]
        if group:
            rows.append([status.upper(), *[""] * (len(_COLUMNS) - 1)])
        for pool in group:
            rows += _rows(pool, currency)
    notes = (recovery(pool.status, pool.liquidation, width) for pool in ranked)
    lost = next((note for note in notes if note), [])
    return table(_COLUMNS, rows, width) + unshown(len(pools), "pools", width) + lost


def _danger(pool: PoolMargin) -> tuple[int, float]:
    """Return what pools are sorted by: status, then ratio; without equity there is no ratio."""
    ratio = float("inf") if pool.margin_ratio is None else pool.margin_ratio
    return _WORST_FIRST.index(pool.status), -ratio


def _rows(pool: PoolMargin, currency: str) -> list[Row]:
    """Return a pool's line, and a line per underlying where it holds several."""
    figures = (
        f"  {name(pool.pool)}",
        numbers.amount(pool.equity, currency),
        numbers.amount(pool.initial_margin, currency),
        numbers.amount(pool.maintenance_margin, currency),
        numbers.amount(pool.excess, currency),
        numbers.percent(pool.margin_ratio),
    )
    found = pool.liquidation
    prices = {key: line for key, line in found.items() if line.below or line.above} or found
    if len(found) < 2 or prices is found:
        cells = [liquidation_cells(line) for line in found.values()][:1]
        return [(*figures, *(cells[0] if cells else [""] * _PRICES))]
    empty = [""] * (len(figures) - 1)
    return [
        (*figures, *[""] * _PRICES),
        *((f"    {name(key)}", *empty, *liquidation_cells(line)) for key, line in prices.items()),
    ]
