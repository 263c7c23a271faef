"""What holds of every row of a result: it does not depend on the others, to the last bit."""

from collections.abc import Sequence

import numpy as np

from margincalc.answers.account import Account
from margincalc.arrays import FloatArray
from margincalc.margin.base import MarginResult

Figures = dict[str, dict[str, float]]


def row(result: MarginResult, pool: int) -> Figures:
    """Return all figures of one pool; details that are nothing are left out."""
    parts = {
        "components": result.components,
        "initial": result.initial_components,
        "equity": {"equity": result.equity},
    }
    found = {
        title: {name: float(amount[pool]) for name, amount in part.items()}
        for title, part in parts.items()
    }
    details = {name: float(amount[pool]) for name, amount in result.details.items()}
    return {**found, "details": {name: amount for name, amount in details.items() if amount}}


def assert_a_pool_is_its_row(whole: Account, alone: Account, pool: int) -> None:
    """Compare a pool of a book with a book that has no other."""
    assert row(whole.result, pool) == row(alone.result, 0)


def assert_copies_are_pools_moved(whole: Account, pools: Sequence[int], factor: FloatArray) -> None:
    """Compare copies of pools in markets of their own with the book in each of those markets.

    Parameters
    ----------
    factor : multiple of each spot, shape (copies, U)
    """
    ladder = whole.model.margin(whole.book.copies(np.array(pools), factor))
    for number, (pool, moves) in enumerate(zip(pools, factor, strict=True)):
        moved = whole.model.margin(whole.book.shifted(moves))
        assert row(ladder, number) == row(moved, pool)
