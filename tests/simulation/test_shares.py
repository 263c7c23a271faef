"""Dividing an amount: nothing is lost, nobody gives more than its limit, weights are kept."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from margincalc.simulation.shares import in_turn, in_units, levelled

weights = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=20)


@given(st.integers(0, 10**9), weights, st.data())
def test_whole_units_sum_exactly(amount: int, weight: list[float], data: st.DataObject) -> None:
    size = len(weight)
    limit = np.array(
        data.draw(st.lists(st.integers(0, 10**8), min_size=size, max_size=size)), np.int64
    )
    weighed = np.array(weight)
    share = in_units(amount, weighed, limit)
    assert int(np.sum(share)) == min(amount, int(np.sum(limit[weighed > 0.0])))
    assert np.all((share >= 0) & (share <= limit))
    assert not np.any(share[weighed == 0.0])


@given(st.floats(0.0, 1e9), weights)
@example(1.0, [2.0, 5e-324])
def test_shares_below_their_limits_are_proportional(amount: float, weight: list[float]) -> None:
    weighed = np.array(weight)
    limit = np.full(len(weighed), 1e7)
    share = levelled(amount, weighed, limit)
    free = (share < limit) & (weighed > 0.0)
    if np.any(free):
        level = np.max(share[free]) / np.max(weighed[free])
        np.testing.assert_allclose(share[free], level * weighed[free], rtol=1e-9, atol=5e-324)
        assert np.sum(share) == pytest.approx(amount)
        assert np.all(weighed[~free & (weighed > 0.0)] * level >= 1e7 * (1.0 - 1e-9))


def test_in_turn_asks_the_first_first() -> None:
    assert in_turn(25.0, np.array([10.0, 0.0, 20.0, 5.0])).tolist() == [10.0, 0.0, 15.0, 0.0]
