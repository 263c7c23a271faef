"""Impact grows with size, costs less on average than at its end, and vanishes at zero."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from margincalc.pricing.impact import (
    DepthCurve,
    Impact,
    Levels,
    Linear,
    SquareRoot,
    horizon,
    sliced_deviation,
    unwind_deviation,
    walk,
)

LAWS: tuple[Impact, ...] = (
    SquareRoot(0.04, 50_000.0),
    Linear(0.04, 50_000.0, 0.5),
    DepthCurve(1e6, 0.41),
    Levels(np.array([0.0, 0.005, 0.03]), np.array([500.0, 1_000.0, 1_000.0])),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_the_average_is_that_of_the_peaks_on_the_way(law: Impact) -> None:
    steps = (np.arange(200_000) + 0.5) / 200_000
    size = 3_000.0
    mean = float(np.mean(law.peak(size * steps)))
    assert float(law.average(np.array(size))) == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
@given(st.floats(0.0, 1e6), st.floats(0.0, 1e6))
def test_more_never_costs_less(law: Impact, one: float, other: float) -> None:
    sizes = np.array([0.0, min(one, other), max(one, other)])
    peak, average = law.peak(sizes), law.average(sizes)
    assert peak[0] == average[0] == 0.0
    assert np.all(np.diff(peak) >= 0.0)
    assert np.all(np.diff(average) >= 0.0)
    assert np.all(average <= peak)


def test_a_depth_curve_goes_through_its_points() -> None:
    curve = DepthCurve.through((0.005, 15.5e6), (0.05, 40e6))
    assert curve.exponent == pytest.approx(0.4117, abs=5e-5)
    assert 1.0 / curve.exponent == pytest.approx(2.43, abs=5e-3)
    assert curve.depth(np.array([0.005, 0.05])) == pytest.approx([15.5e6, 40e6])
    assert curve.peak(np.array([40e6])) == pytest.approx([0.05])
    assert curve.stressed(0.1).peak(np.array([4e6])) == pytest.approx([0.05])


@given(
    st.lists(st.tuples(st.floats(1.0, 100.0), st.floats(0.0, 50.0)), max_size=8),
    st.floats(0.0, 500.0),
)
@example([(2.5, 5e-324)], 1.0)
@example([(1.5, 5e-324)], 1.0)
@example([(2.7, 0.1)], 0.1)
def test_a_walk_takes_the_best_levels(levels: list[tuple[float, float]], size: float) -> None:
    ordered = sorted(levels, reverse=True)
    price, depth = (np.array([row[column] for row in ordered]) for column in (0, 1))
    got = walk(price, depth, size)
    assert got.filled + got.unfilled == pytest.approx(size)
    assert got.filled == pytest.approx(min(size, float(np.sum(depth))))
    if got.filled:
        assert got.worst <= got.price <= price[0]


def test_many_slices_are_a_continuous_sale() -> None:
    days = horizon(np.array([5_000.0]), 10_000.0)
    assert days == pytest.approx([5.0])
    fine = sliced_deviation(0.04 / 100.0, 50_000)  # of a ten-thousandth of a day each
    assert unwind_deviation(0.04, days)[0] == pytest.approx(fine, rel=1e-4)
