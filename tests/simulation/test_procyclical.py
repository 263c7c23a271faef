"""Margins over time: tests of breaches against their definitions, tools against leaps."""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import margincalc as mc
from margincalc.answers.dynamic import DynamicTerms
from margincalc.errors import InputError
from margincalc.simulation import procyclical
from margincalc.simulation.backtest import backtest

PATHS = st.lists(st.floats(0.01, 0.5), min_size=3, max_size=60).map(np.array)


@given(PATHS)
def test_a_buffer_is_never_under_the_margin_and_leaps_less(margin: np.ndarray) -> None:
    held = procyclical.buffered(margin)
    assert np.all(held >= margin)
    assert np.all(held <= 1.25 * margin * (1.0 + 1e-12)) or np.max(margin) > np.min(margin)
    assert np.max(held) <= 1.25 * np.max(margin) * (1.0 + 1e-12)


@given(PATHS, st.floats(0.01, 0.5))
def test_floors_and_weights_make_margins_calmer(margin: np.ndarray, level: float) -> None:
    raw = procyclical.leaps(margin).peak_to_trough
    assert procyclical.leaps(procyclical.floored(margin, level)).peak_to_trough <= raw
    assert procyclical.leaps(procyclical.stressed(margin, 0.5)).peak_to_trough <= raw * (1 + 1e-12)


def test_kupiec_is_nothing_where_breaches_are_as_promised() -> None:
    breached = np.zeros(500, bool)
    breached[[20, 140, 260, 300, 430]] = True
    found = backtest(breached, 0.99)
    assert found.breaches == 5
    assert found.expected == pytest.approx(5.0)
    assert found.kupiec == pytest.approx(0.0, abs=1e-9)
    assert found.kupiec_p == pytest.approx(1.0, abs=1e-6)


def test_the_ratios_are_those_of_their_definitions() -> None:
    breached = np.zeros(250, bool)
    breached[100:107] = True
    found = backtest(breached, 0.99)
    x, n, p = 7, 250, 0.01
    log = x * math.log(p) + (n - x) * math.log(1 - p)
    own = x * math.log(x / n) + (n - x) * math.log(1 - x / n)
    assert found.kupiec == pytest.approx(2.0 * (own - log))
    n00, n01, n10, n11 = 241, 1, 1, 6
    pi = (n01 + n11) / 249
    together = (n00 + n10) * math.log(1 - pi) + (n01 + n11) * math.log(pi)
    apart = (
        n00 * math.log(n00 / 242) + n01 * math.log(n01 / 242) + n10 * math.log(1 / 7)
    ) + n11 * math.log(6 / 7)
    assert found.christoffersen == pytest.approx(2.0 * (apart - together))
    assert found.christoffersen_p < 1e-6 < found.kupiec_p < 0.05


def test_no_breach_at_all_is_no_proof_of_anything_else() -> None:
    found = backtest(np.zeros(250, bool), 0.99)
    assert found.kupiec == pytest.approx(-2.0 * 250 * math.log(0.99))
    assert found.christoffersen == 0.0


def test_symbols_and_names_are_texts_of_the_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [f"{day},{100.0 + rng.normal():.3f}" for day in range(200)]
    path, odd = tmp_path / "prices.csv", '"A.b]\nmode = ""isolated"""'
    path.write_text("\n".join(["time,close,symbol", *(f"{row},{odd}" for row in rows), ""]))
    model = tomllib.loads(mc.dynamic_model(path, DynamicTerms(window=60), name='a "name"'))
    assert (model["name"], model["mode"]) == ('a "name"', "portfolio")
    assert list(model["parameters"]["underlyings"]) == ['A.b]\nmode = "isolated"']
    two = [f"{row},{symbol}" for symbol in ("BTC/USD", "BTC-PERP") for row in rows]
    path.write_text("\n".join(["time,close,symbol", *two, ""]))
    with pytest.raises(InputError, match="several symbols of 'BTC'; wanted one"):
        mc.dynamic_model(path, DynamicTerms(window=60))
