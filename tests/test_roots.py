"""Closing brackets: to the last bits, each function by itself."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from margincalc.arrays import FloatArray, IntArray
from margincalc.pricing.roots import RESOLUTION, find_roots

CASES: dict[str, tuple[Callable[[float], float], float, float, float]] = {
    "line": (lambda x: x - 0.3, 0.0, 1.0, 0.3),
    "falling": (lambda x: 2.0 - x, 1.0, 9.0, 2.0),
    "cube": (lambda x: x**3 - 2.0, 0.0, 2.0, 2.0 ** (1.0 / 3.0)),
    "exponential": (lambda x: math.exp(x) - 5.0, -10.0, 10.0, math.log(5.0)),
    "cosine": (math.cos, 0.0, 3.0, math.pi / 2.0),
    "flat at the root": (lambda x: (x - 1.0) ** 9, 0.0, 3.0, 1.0),
    "a kink": (lambda x: min(x - 0.5, 10.0 * (x - 0.5)), 0.0, 2.0, 0.5),
    "a jump": (lambda x: 1.0 if x >= 0.7 else -1.0, 0.0, 1.0, 0.7),
    "a pole": (lambda x: 1.0 / (x - 0.3), 0.0, 1.0, 0.3),
    "high before low": (lambda x: x - 0.3, 1.0, 0.0, 0.3),
    "at an end": (lambda x: x, 0.0, 1.0, 0.0),
}


def solve(
    functions: list[Callable[[float], float]], low: list[float], high: list[float]
) -> FloatArray:
    def values(numbers: IntArray, arguments: FloatArray) -> FloatArray:
        pairs = zip(numbers.tolist(), arguments.tolist(), strict=True)
        return np.array([functions[number](x) for number, x in pairs])

    return find_roots(values, np.array(low), np.array(high))


@pytest.mark.parametrize("name", CASES)
def test_a_root_is_found(name: str) -> None:
    function, low, high, root = CASES[name]
    found = solve([function], [low], [high])[0]
    accuracy = 0.1 if name == "flat at the root" else 4.0 * RESOLUTION
    assert found == pytest.approx(root, rel=accuracy, abs=1e-300)


def test_roots_found_together_are_those_found_alone() -> None:
    functions, low, high, _ = (list(column) for column in zip(*CASES.values(), strict=True))
    together = solve(functions, low, high)
    alone = [solve([f], [a], [b])[0] for f, a, b in zip(functions, low, high, strict=True)]
    assert together.tolist() == alone


def test_no_brackets_are_closed_at_once() -> None:
    assert find_roots(lambda numbers, x: x, np.zeros(0), np.zeros(0)).shape == (0,)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.sampled_from([1, 3, 5]))
def test_a_power_is_brought_to_zero(root: float, below: float, above: float, power: int) -> None:
    def function(x: float) -> float:
        return math.copysign(abs(x - root) ** power, x - root)

    low, high = root - below, root + above
    assume(low < root < high)
    found = solve([function], [low], [high])[0]
    assert low <= found <= high
    assert abs(function(found)) <= max(1e-40, (8.0 * np.spacing(abs(root) + 1.0)) ** power)


def test_few_evaluations_are_needed() -> None:
    calls = 0

    def function(x: float) -> float:
        nonlocal calls
        calls += 1
        return math.exp(x) - 5.0

    solve([function], [-10.0], [10.0])
    assert calls < 25


def test_known_ends_are_not_evaluated_again_and_change_nothing() -> None:
    asked: list[float] = []

    def values(_: IntArray, arguments: FloatArray) -> FloatArray:
        asked.extend(arguments.tolist())
        return np.exp(arguments) - 5.0

    low, high = np.array([-10.0]), np.array([10.0])
    alone = find_roots(values, low, high)
    assert {-10.0, 10.0} <= set(asked)
    asked.clear()
    known = (np.exp(low) - 5.0, np.exp(high) - 5.0)
    np.testing.assert_array_equal(find_roots(values, low, high, known), alone)
    assert not {-10.0, 10.0} & set(asked)
