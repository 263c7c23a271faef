"""The least that options settle at, against its definition strike by strike."""

import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margincalc.arrays import FloatArray, running_sums
from margincalc.margin.payoff import least_payoff

Leg = tuple[int, int, bool, int]  # strike, units, whether a call, group
LEGS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(-5, 5), st.booleans(), st.integers(0, 3)), max_size=12
)


def found(legs: list[Leg], size: float = 1.0, groups: int = 4) -> FloatArray:
    columns: Any = SimpleNamespace(
        strike=np.array([leg[0] for leg in legs], np.float64),
        call=np.array([leg[2] for leg in legs], bool),
    )
    units = size * np.array([leg[1] for leg in legs], np.float64)
    return least_payoff(columns, units, np.array([leg[3] for leg in legs], np.int64), groups)


def settled(legs: list[Leg], spot: int) -> int:
    return sum(
        units * max(spot - strike if call else strike - spot, 0) for strike, units, call, _ in legs
    )


@given(LEGS)
def test_it_is_the_least_of_zero_and_the_strikes(legs: list[Leg]) -> None:
    for group in range(4):
        own = [leg for leg in legs if leg[3] == group]
        least = min(settled(own, spot) for spot in (0, *(leg[0] for leg in own)))
        assert found(legs)[group] == least  # whole numbers, and so exact
        assert found(own)[group] == least
        assert found(legs, size=0.1)[group] == pytest.approx(0.1 * least, rel=1e-12, abs=1e-12)


@given(LEGS, st.floats(0.01, 100.0))
def test_what_is_only_bought_never_settles_below_nothing(legs: list[Leg], size: float) -> None:
    assert np.all(found([(k, abs(units), call, g) for k, units, call, g in legs], size) >= 0.0)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), max_size=12))
def test_running_sums_are_taken_row_after_row(groups: list[list[float]]) -> None:
    labels = np.repeat(np.arange(len(groups)), [len(own) for own in groups])
    wanted = []
    for own in groups:
        total = 0.0
        for number, value in enumerate(own):
            total = value if number == 0 else total + value
            wanted.append(total)
    values = np.array([value for own in groups for value in own], np.float64)
    assert running_sums(values, labels).tolist() == wanted


def test_a_file_of_many_strikes_takes_room_for_each_and_not_for_each_pair() -> None:
    legs = [(strike, 1 - 2 * (strike % 2), strike % 3 == 0, 0) for strike in range(20_000)]
    tracemalloc.start()
    found(legs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000 * len(legs)
