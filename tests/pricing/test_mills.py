"""The Mills ratio and its symmetric difference against 50-digit arithmetic."""

import mpmath as mp
import numpy as np

from margincalc.pricing._mills import mills, symmetric_difference
from tests.pricing.reference import DIGITS, relative_error


def exact_mills(u: mp.mpf) -> mp.mpf:
    return mp.ncdf(-u) / mp.npdf(u)


def test_mills_ratio_is_right_to_the_last_digits_from_zero_to_infinity() -> None:
    near = np.concatenate([np.linspace(0.0, 50.0, 1001), 10.0 ** np.linspace(-12.0, 3.0, 200)])
    with mp.workdps(DIGITS):
        worst = max(
            relative_error(found, exact_mills(mp.mpf(float(u))))
            for u, found in zip(near, mills(near), strict=True)
        )
    assert worst < 1e-15
    far = 10.0 ** np.linspace(9.0, 20.0, 100)  # M(u) = 1/u - 1/u**3 + ...
    np.testing.assert_allclose(mills(far) * far, 1.0, rtol=1e-15)


def test_beyond_the_farthest_argument_the_ratio_stays_finite_and_negligible() -> None:
    beyond = mills(np.array([1e20, 1e21, 1e300, np.inf]))
    np.testing.assert_array_equal(beyond, beyond[0])


def test_symmetric_difference_keeps_its_digits_over_its_whole_domain() -> None:
    rng = np.random.default_rng(11)
    centre = np.concatenate([[0.0], 10.0 ** rng.uniform(-6.0, 1.7, 400)])
    half = (centre + 1.25) / 100.0 * 10.0 ** rng.uniform(-8.0, 0.0, centre.size)
    half[:200] = (centre[:200] + 1.25) / 100.0
    with mp.workdps(DIGITS):
        for a, t, found in zip(centre, half, symmetric_difference(centre, half), strict=True):
            low, high = mp.mpf(float(a)) - mp.mpf(float(t)), mp.mpf(float(a)) + mp.mpf(float(t))
            assert relative_error(found, exact_mills(low) - exact_mills(high)) < 3e-15
