"""SVI calibration: what is free of arbitrage comes back, what is not is brought near."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margincalc.pricing.svi_fit import FLAT, Quotes, Smile, arbitrage, fit
from tests.proving import examples

# Gatheral & Jacquier (2014), example 3.1, found by Axel Vogt: its density is negative near k = 0.8.
VOGT = Smile(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
SMILE = Smile(0.02, 0.2, -0.4, 0.03, 0.15)
K = np.linspace(-1.0, 1.0, 41)


def quotes(smile: Smile, k: np.ndarray = K, times: float = 1.0) -> Quotes:
    return Quotes(k, times * smile.variance(k), np.ones_like(k))


def test_a_smile_without_arbitrage_comes_back() -> None:
    found = fit(quotes(SMILE))
    assert found is not None
    assert np.allclose(found.variance(K), SMILE.variance(K), rtol=1e-6)
    assert np.allclose(found, SMILE, atol=1e-5)


def test_vogt_has_butterfly_arbitrage_and_its_fit_has_none() -> None:
    assert arbitrage(VOGT, FLAT, 3.0) == "butterfly"
    k = np.linspace(-1.5, 1.5, 61)
    assert VOGT.density(np.array([0.8]))[0] < 0.0
    found = fit(quotes(VOGT, k))
    assert found is not None
    assert arbitrage(found, FLAT, 3.0) is None
    error = np.abs(np.sqrt(found.variance(k)) - np.sqrt(VOGT.variance(k)))
    assert error.max() < 0.02


def test_the_density_of_a_flat_smile_is_that_of_black() -> None:
    flat = Smile(0.04, 0.0, 0.0, 0.0, 1.0)
    assert np.array_equal(flat.density(K), np.ones_like(K))


def test_the_density_integrates_to_one() -> None:
    """The risk-neutral density of ln(S / F), from g and the normal density of d2."""
    k = np.linspace(-8.0, 8.0, 40_001)
    root = np.sqrt(SMILE.variance(k))
    minus = -k / root - root / 2
    density = SMILE.density(k) / (np.sqrt(2.0 * np.pi) * root) * np.exp(-(minus**2) / 2)
    total, forward = np.trapezoid(density, k), np.trapezoid(density * np.exp(k), k)
    assert total == pytest.approx(1.0, abs=1e-4)
    assert forward == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("share", [0.7, 0.95, 1.0])
def test_quotes_below_the_expiry_before_give_a_smile_that_is_not(share: float) -> None:
    found = fit(quotes(SMILE, times=share), SMILE)
    assert found is not None
    assert arbitrage(found, SMILE, 3.0) is None
    # No lower smile is allowed, and the fit asks for none that is much higher.
    assert np.all(found.variance(K) >= SMILE.variance(K) - 1e-12)
    assert np.allclose(found.variance(K), SMILE.variance(K), rtol=2e-3)


def test_a_lower_smile_is_a_calendar_arbitrage() -> None:
    lower = SMILE._replace(a=SMILE.a - 1e-6)
    assert arbitrage(lower, SMILE, 3.0) == "calendar"
    assert arbitrage(SMILE, lower, 3.0) is None


@settings(max_examples=examples(6))
@given(st.randoms(use_true_random=False))
def test_whatever_is_quoted_a_fit_is_free_of_arbitrage(rng: Random) -> None:
    k = np.array(sorted(rng.uniform(-0.6, 0.6) for _ in range(12)))
    noisy = np.array([rng.uniform(0.5, 1.5) for _ in k])
    first = fit(Quotes(k, 0.03 * noisy, np.ones_like(k)))
    assert first is None or arbitrage(first, FLAT, 5.0) is None
    second = fit(Quotes(k, 0.035 * noisy[::-1], np.ones_like(k)), first or FLAT)
    assert second is None or arbitrage(second, first or FLAT, 5.0) is None
