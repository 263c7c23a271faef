"""The least largest haircut: by hand, against plain division, and never above another policy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margincalc.arrays import FloatArray, IntArray
from margincalc.simulation.closing import close
from margincalc.simulation.deleveraging import Market, Policy
from margincalc.simulation.minimax import Winners, least_worst
from margincalc.simulation.rankings import Holders
from margincalc.simulation.shares import levelled
from margincalc.simulation.waterfall import Fund, run

CENT = 0.01


def winners(rows: list[tuple[int, int, float]]) -> Winners:
    need, owner, limit = zip(*rows, strict=True)
    return Winners(np.array(need), np.array(owner), np.array(limit, np.float64))


def test_one_who_won_twice_pays_where_others_cannot() -> None:
    # The first account won 100 on each side, the second 100 on one and the third 20 on the other.
    both = winners([(0, 0, 100.0), (1, 0, 100.0), (0, 1, 100.0), (1, 2, 20.0)])
    profit = np.array([200.0, 100.0, 20.0])
    given = least_worst(np.array([90.0, 30.0]), both, profit)
    assert given == pytest.approx([52.5, 22.5, 37.5, 7.5])  # 37.5 % of each; apart it were 45 %


def test_what_one_must_bear_does_not_weigh_on_the_others() -> None:
    apart = winners([(0, 1, 100.0), (1, 0, 100.0), (1, 2, 20.0), (1, 0, 100.0)])
    given = least_worst(np.array([90.0, 30.0]), apart, np.array([200.0, 100.0, 20.0]))
    assert given[0] == pytest.approx(90.0)
    assert given[1] + given[3] == pytest.approx(30.0 * 200.0 / 220.0)
    assert given[2] == pytest.approx(30.0 * 20.0 / 220.0)


amounts = st.floats(1.0, 1e6)


@given(
    st.lists(st.tuples(st.floats(1.0, 1e5), st.floats(0.1, 1.0)), min_size=2, max_size=8),
    st.floats(0.05, 1.5),
)
def test_of_one_deficit_it_is_a_division_by_profit(
    rows: list[tuple[float, float]], share: float
) -> None:
    profit, part = np.array(rows).T
    limit = profit * part
    amount = share * float(np.sum(limit))
    # The last account holds two rows, so that nothing is divided apart.
    last = len(profit) - 1
    owner = np.append(np.arange(len(profit)), last)
    halves = np.append(limit, 0.5 * limit[last])
    halves[last] *= 0.5
    able = Winners(np.zeros(len(owner), np.int64), owner, halves)
    given = least_worst(np.array([amount]), able, profit)
    own = np.bincount(owner, weights=given)
    expected = levelled(amount, profit, limit)
    assert own == pytest.approx(expected, rel=1e-6, abs=1e-6 * amount)


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Accounts that hold one or two of three contracts; some of them are bankrupt."""
    count = draw(st.integers(3, 14))
    size = st.sampled_from([-3.0, -1.0, 0.5, 2.0])
    quantity, entry, balance = (
        np.array(draw(st.lists(each, min_size=count, max_size=count)))
        for each in (size, st.floats(50.0, 150.0), st.floats(0.0, 200.0))
    )
    instrument, owner = (
        np.array(draw(st.lists(st.integers(0, most), min_size=count, max_size=count)), np.int64)
        for most in (2, 5)
    )
    mark = np.full(count, 100.0)
    profit = quantity * (mark - entry)
    holders = Holders(quantity, entry, mark, balance, profit, np.zeros(count))
    return Market(holders, instrument, np.zeros(count, np.int64), owner)


def worst(market: Market, taken: IntArray, liquidated: IntArray) -> float:
    gain: FloatArray = np.maximum(market.holders.profit, 0.0)
    gain[liquidated] = 0.0
    gross, given = (np.bincount(market.owners, weights=each) for each in (gain, taken))
    return float(np.max(given[gross > 1.0] / (gross[gross > 1.0] / CENT), initial=0.0))


@given(markets())
def test_no_policy_has_a_smaller_largest_haircut(market: Market) -> None:
    closed = close(market.holders, 0.0, CENT)
    least, even = (
        run(market, closed, Fund(), Policy(name, "profit"), CENT)
        for name in ("min-max-haircut", "pro-rata")
    )
    assert int(np.sum(least.taken)) == int(np.sum(even.taken))
    # A cent that cannot be divided is one of a profit of more than 100.
    mine, other = (worst(market, each.taken, closed.liquidated) for each in (least, even))
    assert mine <= other + 0.011
