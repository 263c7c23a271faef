"""exp, log and the Mills ratio as plain arithmetic, which LLVM turns into vectors.

A call into a mathematical library is one number at a time. What follows is sums, products and moves
of bits, so that a loop over it runs on as many numbers as a register holds.

exp and log are the reductions and polynomials of W. J. Cody and W. Waite, "Software Manual for the
Elementary Functions" (1980), and of fdlibm (Sun Microsystems, 1993), whose log coefficients these
are. Relative errors are below 3e-16 for exp, and below 1 ulp for log.
"""

import numpy as np

from margincalc.kernels._jit import inlined
from margincalc.pricing._mills import MILLS

T0, T1, T2, T3, T4, T5, T6, T7, T8, T9 = MILLS.top
B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10 = MILLS.bottom

LEAST_EXPONENT = -746.0  # exp of less is nothing
LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
SHIFTER = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number, kept in low bits
SHIFTER_BITS = 0x4338000000000000
ROOT_HALF_BITS = 0x3FE6A09E667F3BCD  # sqrt(0.5)
E3, E4, E5, E6, E7, E8 = 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320
E9, E10, E11, E12, E13 = 1 / 362880, 1 / 3628800, 1 / 39916800, 1 / 479001600, 1 / 6227020800
G1, G3, G5, G7 = 0.6666666666666735, 0.2857142874366239, 0.1818357216161805, 0.14798198605116586
G2, G4, G6 = 0.3999999999940942, 0.22222198432149784, 0.15313837699209373


@inlined
def mills(u: float) -> float:
    """Mills ratio ``(1 - N(u)) / phi(u)``, as `pricing._mills` has it; u from 0 to FARTHEST."""
    top = ((((u + T0) * u + T1) * u + T2) * u + T3) * u + T4
    top = ((((top * u + T5) * u + T6) * u + T7) * u + T8) * u + T9
    bottom = ((((u + B0) * u + B1) * u + B2) * u + B3) * u + B4
    bottom = (((((bottom * u + B5) * u + B6) * u + B7) * u + B8) * u + B9) * u + B10
    return top / bottom


@inlined
def exp_of_negative(x: float) -> float:
    """Exponential of x up to 0; results below the least double are 0."""
    x = max(x, LEAST_EXPONENT)
    shifted = x * LOG2_E + SHIFTER
    whole = shifted - SHIFTER
    r = (x - whole * LN2_HIGH) - whole * LN2_LOW
    p = ((((E13 * r + E12) * r + E11) * r + E10) * r + E9) * r + E8
    p = ((((((p * r + E7) * r + E6) * r + E5) * r + E4) * r + E3) * r + 0.5) * r + 1.0
    p = p * r + 1.0
    # 2**whole in two factors, as one alone may be less than the least normal double.
    power = (np.float64(shifted).view(np.int64) << 52) >> 52
    half = power >> 1
    first = np.int64((half + 1023) << 52).view(np.float64)
    second = np.int64((power - half + 1023) << 52).view(np.float64)
    return float(p * first * second)


@inlined
def log_of_ratio(high: float, low: float) -> float:
    """``ln(high / low)``, high >= low > 0; as exact near 1 as log1p of the difference."""
    ratio = high / low
    bits = np.float64(ratio).view(np.int64)
    power = (bits - ROOT_HALF_BITS) >> 52
    scaled = np.int64(bits - (power << 52)).view(np.float64)
    f = (high - low) / low if power == 0 else scaled - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (G2 + w * (G4 + w * G6))
    odd = z * (G1 + w * (G3 + w * (G5 + w * G7)))
    square = 0.5 * f * f
    whole = np.int64(power + SHIFTER_BITS).view(np.float64) - SHIFTER
    return float(whole * LN2_HIGH - ((square - (s * (square + odd + even) + whole * LN2_LOW)) - f))
