"""The screen of scenario sums finds the least that plain sums find, to the bit."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.kernels import screen as screens
from margincalc.kernels import sums
from margincalc.kernels._lanes import FLOATS
from margincalc.kernels.shared import _KEPT, once
from tests.proving import examples

Held = tuple[FloatArray, IntArray]
MOVES = np.linspace(-0.2, 0.2, 11)
VOLATILITIES = np.array([-0.3, 0.0, 0.4])


def smooth(rng: np.random.Generator, instruments: int, columns: int = 33) -> FloatArray:
    """Draw rows that bend along spot and volatility, of very different sizes; one is of zeros."""
    move, volatility = np.repeat(MOVES, 3), np.tile(VOLATILITIES, 11)
    some = rng.normal(size=(instruments, 3)) * 10.0 ** rng.integers(-6, 7, (instruments, 1))
    rows = some[:, :1] * move + some[:, 1:2] * move**2 + some[:, 2:] * volatility * np.exp(move)
    rows[0] = 0.0
    return np.concatenate([rows] * -(-columns // 33), axis=1)[:, :columns]


def shared(values: FloatArray) -> FloatArray:
    """Return an array of which forms are kept, and screens made."""
    own = values.copy()
    own.flags.writeable = False
    return own


def plainly(held: Held, risk: FloatArray, labels: IntArray, groups: int) -> FloatArray:
    return group_sum(held[0][:, None] * risk[held[1]], labels, groups)


def decided(held: Held, risk: FloatArray, start: IntArray) -> tuple[IntArray, FloatArray]:
    found = screens.screen_of(risk)
    assert found is not None
    out = np.empty(len(start) - 1, np.int64), np.empty(len(start) - 1)
    screens.screened(held, found, start, out)
    return out


def assert_least(held: Held, risk: FloatArray, labels: IntArray, groups: int) -> None:
    pnl = plainly(held, risk, labels, groups)
    where, least = sums.least(held, shared(risk), labels, groups)
    assert np.array_equal(where, np.argmin(pnl, axis=1))
    assert np.array_equal(least, pnl.min(axis=1))


def sizes(rng: np.random.Generator) -> Iterator[FloatArray]:
    """Yield multiples of quantities: usual, and where floats of 32 bits give up."""
    yield np.array(1.0)
    yield 10.0 ** rng.integers(-60, 60, ()).astype(np.float64)
    yield np.array(1e-300)
    yield np.array(1e280)


@given(st.integers(0, 2**32), st.integers(32, 70))
@settings(max_examples=examples(40), deadline=None)
def test_the_least_is_that_of_plain_sums_to_the_bit(seed: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    groups, rows = int(rng.integers(1, 40)), int(rng.integers(400, 900))
    risk = smooth(rng, 50, columns)
    labels = np.sort(rng.integers(0, groups, rows))
    for size in sizes(rng):
        quantity = size * rng.integers(-5, 6, rows).astype(np.float64)
        held = quantity, rng.integers(0, 50, rows)
        assert_least(held, risk, labels, groups)
        assert_least(held, risk, rng.permutation(labels), groups)


def test_of_equals_the_first_is_found() -> None:
    rng = np.random.default_rng(3)
    risk = np.tile(smooth(rng, 20), (1, 2))
    labels = np.repeat(np.arange(30), 12)
    held = rng.integers(-3, 4, len(labels)).astype(np.float64), rng.integers(0, 20, len(labels))
    assert_least(held, risk, labels, 30)
    where, _ = decided(held, risk, np.arange(0, 361, 12))
    assert np.all(where < 33)
    assert np.all(where >= 0)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1.0, 1e200])
def test_a_screen_decides_nearly_all_and_bounds_what_it_leaves_out(scale: float) -> None:
    rng = np.random.default_rng(4)
    groups, each = 2_000, 20
    risk = scale * smooth(rng, 300)
    held = rng.normal(size=groups * each), rng.integers(0, 300, groups * each)
    start = np.arange(0, groups * each + 1, each)
    where, least = decided(held, risk, start)
    pnl = plainly(held, risk, np.repeat(np.arange(groups), each), groups)
    assert np.array_equal(where, np.argmin(pnl, axis=1))
    assert np.array_equal(least, pnl.min(axis=1))


def test_without_what_it_leaves_out_a_screen_would_err() -> None:
    rng = np.random.default_rng(5)
    groups, each = 2_000, 20
    risk = smooth(rng, 300)
    risk /= np.maximum(np.max(np.abs(risk), axis=1), 1e-12)[:, None]
    risk += 3e-3 * rng.normal(size=risk.shape)  # more than its few dimensions hold
    held = rng.normal(size=groups * each), rng.integers(0, 300, groups * each)
    start = np.arange(0, groups * each + 1, each)
    pnl = plainly(held, risk, np.repeat(np.arange(groups), each), groups)
    assert np.array_equal(decided(held, risk, start)[0], np.argmin(pnl, axis=1))
    found, out = screens.screen_of(risk), (np.empty(groups, np.int64), np.empty(groups))
    assert found is not None
    found.rows.reshape(-1, FLOATS)[:, screens.SHAPES] = 0.0
    screens.screened(held, found, start, out)
    assert np.mean(out[0] != np.argmin(pnl, axis=1)) > 0.01


def test_long_groups_and_those_without_numbers_are_left_open() -> None:
    rng = np.random.default_rng(6)
    risk = smooth(rng, 20)
    held = np.ones(500), rng.integers(0, 20, 500)
    assert decided(held, risk, np.array([0, 500]))[0].tolist() == [screens.OPEN]
    held = np.full(12, np.nan), rng.integers(0, 20, 12)
    assert decided(held, risk, np.array([0, 12]))[0].tolist() == [screens.OPEN]


@pytest.mark.parametrize(
    "risk",
    [
        np.random.default_rng(7).normal(size=(300, 64)),
        smooth(np.random.default_rng(7), 300, 31),
        smooth(np.random.default_rng(7), 300, 513),
        np.zeros((4, 64)),
        np.full((4, 64), np.inf),
        1e300 * smooth(np.random.default_rng(7), 300),
    ],
    ids=["rough", "few scenarios", "many scenarios", "nothing", "no numbers", "too much"],
)
def test_what_a_screen_does_not_pay_for_has_none(risk: FloatArray) -> None:
    assert screens.screen_of(risk) is None


@pytest.mark.parametrize("rows", [screens.LONGEST, screens.LONGEST + 1])
def test_no_screen_is_made_for_groups_that_are_too_long(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """As of the one account that holds everything, of a venue of thousands of instruments."""
    made: list[FloatArray] = []
    monkeypatch.setattr(sums, "screen_of", made.append)
    risk = shared(smooth(np.random.default_rng(8), rows))
    sums.least((np.ones(rows), np.arange(rows)), risk, np.zeros(rows, np.int64), 1)
    assert len(made) == (rows == screens.LONGEST)


def test_forms_are_kept_as_long_as_a_shared_array() -> None:
    made: list[int] = []

    def form(values: FloatArray) -> FloatArray:
        made.append(len(values))
        return values + 1.0

    kept = shared(np.zeros((3, 2)))
    assert once(form, kept) is once(form, kept)
    assert once(form, kept[:2]) is not once(form, kept[:2])
    assert made == [3, 2, 2]
    before = len(_KEPT)
    del kept
    assert len(_KEPT) == before - 1


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_groups_begin_where_their_labels_do(kind: type) -> None:
    rng = np.random.default_rng(8)
    for rows in (0, 1, 2, *range(7, 60, 3), 400):
        labels: IntArray = np.sort(rng.integers(0, 40, rows)).astype(kind)
        held = rng.normal(size=rows), np.arange(rows)
        for given_labels in (labels, np.repeat(labels, 2)[::2]):
            same, start = sums._by_group(held, given_labels, 50)
            assert same is held
            assert np.array_equal(start, np.searchsorted(labels, np.arange(51)))


def test_rows_out_of_order_are_put_in_that_of_their_groups_wherever_they_stand() -> None:
    rows = 70
    held = np.arange(rows, dtype=np.float64), np.arange(rows)
    for late in range(1, rows):
        labels: IntArray = np.arange(rows, dtype=np.int64) // 6 + 1
        labels[late] = 0
        found, start = sums._by_group(held, labels, 13)
        order = np.argsort(labels, kind="stable")
        assert np.array_equal(found[1], order)
        assert np.array_equal(start, np.searchsorted(labels[order], np.arange(14)))
