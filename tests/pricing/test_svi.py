"""SVI volatilities."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest

from margincalc.pricing.svi import SVI, volatility

FIT = SVI(a=0.02, b=0.1, rho=-0.3, m=0.05, sigma=0.2, forward=100.0, time=0.25)


def by_hand(k: float) -> float:
    w = 0.02 + 0.1 * (-0.3 * (k - 0.05) + sqrt((k - 0.05) ** 2 + 0.04))
    return sqrt(min(w, 144.0) / 0.25)


def test_the_formula_within_the_clamp() -> None:
    strikes = np.array([50.0, 90.0, 100.0, 105.0, 200.0])
    wanted = [by_hand(log(k / 100.0)) for k in strikes]
    np.testing.assert_allclose(volatility(FIT, strikes), wanted, rtol=1e-15)


def test_log_moneyness_is_clamped_at_four_deviations() -> None:
    reach = 4.0 * sqrt(0.02 + 0.1 * 0.2)
    low, high = volatility(FIT, [1e-6, 1e6])
    assert low == pytest.approx(by_hand(-reach), rel=1e-15)
    assert high == pytest.approx(by_hand(reach), rel=1e-15)


def test_total_variance_is_capped() -> None:
    found = volatility(replace(FIT, a=200.0), 100.0)
    assert found == 24.0  # sqrt(144 / 0.25)


def test_strike_zero_has_no_volatility() -> None:
    np.testing.assert_array_equal(volatility(FIT, [0.0, 0.0]), 0.0)


def test_several_fits_broadcast_with_their_strikes() -> None:
    fits = replace(FIT, a=np.array([[0.02], [0.03]]), time=np.array([[0.25], [0.5]]))
    found = volatility(fits, [90.0, 100.0, 110.0])
    assert found.shape == (2, 3)
    np.testing.assert_array_equal(found[0], volatility(FIT, [90.0, 100.0, 110.0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": -0.5}, r"a \+ b sigma of an SVI fit is -0.48; wanted at least 0"),
        ({"a": -0.019, "m": 0.0, "rho": 1.5}, r"total variance of an SVI fit\[0\] is -0.0"),
        ({"time": 0.0}, r"time\[0\] is 0.0; wanted the positive one"),
        ({"forward": 0.0}, r"forward\[0\] is 0.0; wanted the positive one"),
        ({"rho": np.nan}, r"rho is nan; wanted a finite number"),
        ({"time": -1.0}, r"time is -1.0; wanted a finite number of at least 0"),
    ],
)
def test_fits_that_are_no_volatility_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        volatility(replace(FIT, **change), [90.0, 110.0])
