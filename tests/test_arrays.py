"""Sums by group, which must not depend on what other groups there are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from margincalc.arrays import group_rows, group_sum, matched

ROWS = st.lists(st.tuples(st.integers(0, 5), st.floats(-1e9, 1e9)), max_size=40)


@given(ROWS)
def test_a_group_is_added_one_after_the_other(rows: list[tuple[int, float]]) -> None:
    labels = np.array([label for label, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.float64)
    found = group_sum(values, labels, 6)
    for label in range(6):
        expected = 0.0
        for value in values[labels == label]:
            expected += value
        assert found[label] == expected


@given(ROWS, st.integers(0, 5))
def test_other_groups_change_nothing(rows: list[tuple[int, float]], label: int) -> None:
    labels = np.array([own for own, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.float64)
    mine = labels == label
    alone = group_sum(values[mine], np.zeros(int(mine.sum()), np.int64), 1)
    assert alone[0] == group_sum(values, labels, 6)[label]


def test_columns_are_summed_one_by_one() -> None:
    values = np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
    labels = np.array([1, 0, 1])
    assert group_sum(values, labels, 3).tolist() == [[10.0, 20.0], [101.0, 202.0], [0.0, 0.0]]
    for column in range(2):
        alone = group_sum(values[:, column], labels, 3)
        assert np.array_equal(group_sum(values, labels, 3)[:, column], alone)


def test_nothing_sums_to_zeros() -> None:
    none = np.zeros(0, np.int64)
    assert group_sum(np.zeros(0), none, 2).tolist() == [0.0, 0.0]
    assert group_sum(np.zeros((0, 3)), none, 2).tolist() == [[0.0] * 3] * 2
    assert group_sum(np.zeros((2, 0)), np.zeros(2, np.int64), 2).shape == (2, 0)
    assert group_sum(np.zeros(0), none, 0).shape == (0,)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_distinct_rows_are_numbered_in_the_order_of_their_keys(rows: list[tuple[int, int]]) -> None:
    keys = [np.array([row[side] for row in rows], np.int64) for side in (0, 1)]
    first, labels = group_rows(*keys)
    distinct = sorted(set(rows))
    assert [rows[row] for row in first] == distinct
    assert [distinct[label] for label in labels] == rows
    assert all(rows.index(rows[row]) == row for row in first)


def test_matched_labels_come_in_the_order_of_both() -> None:
    one, other = np.array([2, 0, 1]), np.array([1, 0, 2, 2, 3])
    first, second = matched(one, other, 4)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        (0, 2),
        (0, 3),
        (1, 1),
        (2, 0),
    ]
