"""The Mills ratio of the normal distribution and the odd moments behind its differences.

``M(u) = (1 - N(u)) / phi(u)`` carries a normal tail without its exponential, so that products
``phi * M`` keep their relative accuracy until ``phi`` itself leaves the range of a double.

How the coefficients were made: each function was fitted on all of [0, infinity) by a rational
function of ``w = 1 / (u + 3)`` at 50 digits (weighted linear least squares on the relative error,
reweighted towards minimax), then expanded in ``u``. All coefficients are positive, so Horner's rule
never cancels, and the value stays right up to ``FARTHEST``, where ``u**12`` is still a double. The
maximum relative errors stated below are those of the fits; rounding adds a few 1e-16.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray

FARTHEST = 1e20  # arguments beyond are taken as this one: M(u) = 1/u there to the last digit


class Rational(NamedTuple):
    """Coefficients of ``top(u) / bottom(u)``, highest power first, each without its leading 1."""

    top: Sequence[float]
    bottom: Sequence[float]


# M(u); maximum relative error 9.4e-18.
MILLS = Rational(
    (
        29.33157793506164,
        426.4202742667277,
        3982.71916054004,
        26232.865804963567,
        126695.08763113554,
        453429.8962401033,
        1188116.9143211315,
        2189474.407431935,
        2583206.635479813,
        1505703.3724755805,
    ),
    (
        29.331577935061674,
        427.42027426671166,
        4012.0507384783195,
        26657.28607889436,
        130619.14365704903,
        478819.9206023267,
        1307139.9061278668,
        2594628.1814010176,
        3555600.163252296,
        3019661.2300513643,
        1201377.4740470718,
    ),
)

# J1(u) = 1 - u M(u), where Jn(u) is the integral of v**n exp(-u v - v**2 / 2) over v > 0;
# maximum relative error 1.7e-17.
FIRST = Rational(
    (
        30.3203077341374,
        463.4011426991722,
        4610.392295116023,
        32744.2371886564,
        172614.52431144996,
        683000.4694667386,
        2006295.9708159587,
        4209079.838401296,
        5752974.9947204245,
        3966370.0163763072,
    ),
    (
        30.320307734137465,
        466.40114269913533,
        4701.353218326662,
        34128.44061579731,
        186263.77941783235,
        778494.7710139384,
        2497750.7479698425,
        6080662.085070524,
        10917308.39176493,
        13683354.166964512,
        10724082.610069146,
        3966370.0163763072,
    ),
)

# J3(u) / (6 J1(u)); 2.0e-12, which enters multiplied by at most 1e-4.
THIRD = Rational(
    (
        21.206711262756542,
        234.20006651663357,
        1672.0209189388906,
        8233.785773150825,
        27970.439488450837,
        61428.42699645851,
        69877.12757529451,
    ),
    (
        21.20671125860371,
        241.2000678323601,
        1820.4677370046782,
        9853.196386788832,
        39250.0673884147,
        114610.48540684748,
        236729.76348476004,
        315652.26883052936,
        209631.38272546403,
    ),
)

# J5(u) / (20 J3(u)); 2.9e-9, which enters multiplied by at most 2e-8.
FIFTH = Rational(
    (
        16.017719158065123,
        138.06845024200865,
        740.6321557366115,
        2471.0808682713596,
        4345.893321105339,
    ),
    (
        16.017715552623592,
        149.0691361247835,
        916.7772923557421,
        3949.6733570243946,
        11780.076796635778,
        22568.100645887887,
        21729.466543562714,
    ),
)

# J7(u) / (42 J5(u)); 7.1e-5, which enters multiplied by at most 3e-12.
SEVENTH = Rational(
    (
        7.42586346989956,
        29.08336083424737,
    ),
    (
        7.449237244539474,
        42.93766226348081,
        131.47824314336734,
        203.59806247941668,
    ),
)


def ratio(u: FloatArray, rational: Rational, out: FloatArray, spare: FloatArray) -> FloatArray:
    """Evaluate a rational function into `out`, using `spare` of the same shape.

    Every operation is elementwise and correctly rounded, so a value never depends on its
    neighbours.
    """
    _horner(u, rational.top, out)
    _horner(u, rational.bottom, spare)
    return np.divide(out, spare, out=out)


def mills(u: FloatArray) -> FloatArray:
    """Mills ratio ``(1 - N(u)) / phi(u)`` of each ``u >= 0``, in the shape of `u`."""
    near = np.minimum(u, FARTHEST)
    return ratio(near, MILLS, np.empty_like(near), np.empty_like(near))


def symmetric_difference(centre: FloatArray, half: FloatArray) -> FloatArray:
    """``M(centre - half) - M(centre + half)`` without cancellation, for small `half`.

    The Mills ratio is the Laplace transform of ``exp(-v**2 / 2)``, so the difference is twice the
    integral of ``sinh(half v) exp(-centre v - v**2 / 2)``: a series in odd powers of `half` with
    positive terms. Four of them are kept, which gives every digit for
    ``half <= (centre + 1.25) / 100``.

    Parameters
    ----------
    centre : array of shape (N,), at least 0
    half : array of shape (N,), at least 0

    Returns
    -------
    array of shape (N,)
    """
    near = np.minimum(centre, FARTHEST)
    square = half * half
    spare, term = np.empty_like(near), np.empty_like(near)
    series = np.ones_like(near)
    for rational in (SEVENTH, FIFTH, THIRD):
        series = 1.0 + square * ratio(near, rational, term, spare) * series
    return 2.0 * half * ratio(near, FIRST, term, spare) * series


def _horner(u: FloatArray, coefficients: Sequence[float], out: FloatArray) -> None:
    np.add(u, coefficients[0], out=out)
    for coefficient in coefficients[1:]:
        np.multiply(out, u, out=out)
        np.add(out, coefficient, out=out)
