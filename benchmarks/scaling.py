"""How the time of `margin` grows with the book."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import margincalc as mc
from benchmarks import books
from benchmarks.clock import in_process, in_turns, walls
from benchmarks.tables import Comparison, Table, compared


class Sizes(NamedTuple):
    """How many positions each book has, and how often it is margined."""

    positions: tuple[int, ...] = (10, 100, 1_000, 10_000)
    turns: int = 3


def tables(sizes: Sizes) -> list[Table]:
    """Time books of growing size, per position, each against the one before it."""
    with TemporaryDirectory() as folder:
        works = [in_process(_margined(Path(folder), size)) for size in sizes.positions]
    costs = [walls(cost) for cost in in_turns(works, sizes.turns)]
    rows = [
        Comparison(
            f"{large:,} positions",
            costs[number + 1],
            costs[number],
            f"at {small:,}",
            units=(large, small),
        )
        for number, (small, large) in enumerate(pairwise(sizes.positions))
    ]
    how = (
        f"Wall time per position of `margin()` in one process, {sizes.turns} turns, under "
        f"{books.SCENARIOS} scenarios and with liquidation prices; each against the book before "
        "it, so a ratio of 1 is growth in proportion, and below 1 a fixed cost shared by more."
    )
    return [compared("Scaling", how, rows)]


def _margined(folder: Path, size: int) -> Callable[[], object]:
    (path,) = books.write(folder, books.book(size), ("json",))
    portfolio = mc.load(path)
    return lambda: mc.margin(portfolio, settings=books.SETTINGS)
