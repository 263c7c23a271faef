"""exp, log and rational functions as plain arithmetic, which LLVM turns into vectors.

A call into a mathematical library is one number at a time. What follows is sums, products and moves
of bits, so that a loop over it runs on as many numbers as a register holds.

exp and log are reduced as by W. J. Cody and W. Waite, "Software Manual for the Elementary
Functions" (1980). Their polynomials were fitted by Remez's exchange at 60 digits, to relative
errors of 4e-18 and 2e-17; with rounding, those of the functions are below 1.5e-16 and 3.5e-16.
"""

from sys import float_info

import numpy as np

from margincalc.kernels._jit import fma, inlined

LEAST_EXPONENT = -746.0  # exp of less is nothing
LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
SHIFTER = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number, kept in low bits
SHIFTER_BITS = 0x4338000000000000
MANTISSA, ONE_BITS = 0x000FFFFFFFFFFFFF, 0x3FF0000000000000
HALF_OCTAVE = 1 << 51  # half of the difference between the bits of x and of 2 x
LEAST_NORMAL, ENOUGH = float_info.min, 2.0**54  # what makes a normal number of any other

# exp(r) for |r| up to ln(2) / 2, highest power first.
EXP = (
    2.5000016484878992e-08,
    2.763030627859092e-07,
    2.755758681106883e-06,
    2.480149294955708e-05,
    0.0001984126950576609,
    0.0013888888943760034,
    0.00833333333349498,
    0.041666666666529725,
    0.1666666666666641,
    0.5000000000000011,
    1.0,
    1.0,
)
# (2 atanh(s) / s - 2) / s**2 in s**2, for |s| up to 1/5, highest power first.
ATANH = (
    0.15373736520499995,
    0.1524947545124944,
    0.1818639171780151,
    0.22222137630931096,
    0.28571429405952753,
    0.39999999996102226,
    0.6666666666667282,
)


@inlined
def horner(leading: float, u: float, coefficients: tuple[float, ...]) -> float:
    """Evaluate a polynomial, highest power first; LLVM unrolls the loop."""
    value = leading
    for coefficient in coefficients:
        value = fma(value, u, coefficient)
    return value


@inlined
def rational(u: float, top: tuple[float, ...], bottom: tuple[float, ...]) -> float:
    """Ratio of two polynomials as `pricing._mills` writes them, without their leading 1."""
    return horner(1.0, u, top) / horner(1.0, u, bottom)


@inlined
def exp_of_negative(x: float) -> float:
    """Exponential of x up to 0; results below the least double are 0."""
    x = max(x, LEAST_EXPONENT)
    shifted = fma(x, LOG2_E, SHIFTER)
    whole = shifted - SHIFTER
    r = fma(whole, -LN2_LOW, fma(whole, -LN2_HIGH, x))
    p = horner(EXP[0], r, EXP[1:])
    # 2**whole in two factors, as one alone may be less than the least normal double.
    power = np.float64(shifted).view(np.int64) - SHIFTER_BITS
    half = power >> 1
    first = np.int64((half + 1023) << 52).view(np.float64)
    second = np.int64((power - half + 1023) << 52).view(np.float64)
    return float(p * first * second)


@inlined
def log_of_ratio(high: float, low: float) -> float:
    """``ln(high / low)``, high >= low > 0, with one division; as exact near 1 as elsewhere.

    Seen as whole numbers, the bits of doubles are nearly their logarithms: their difference says
    how many octaves lie between the two, and the rest of it is within a factor of 3/2.
    """
    scale = ENOUGH if low < LEAST_NORMAL else 1.0
    low_bits = np.float64(low * scale).view(np.int64)
    apart = np.float64(high * scale).view(np.int64) - low_bits
    octaves = (apart + HALF_OCTAVE) >> 52
    unit_bits = np.int64((low_bits & MANTISSA) | ONE_BITS)
    unit = unit_bits.view(np.float64)  # low, from 1 to 2
    other = np.int64(unit_bits + (apart - (octaves << 52))).view(np.float64)
    s = (other - unit) / (other + unit)
    square = s * s
    rest = s * square * horner(ATANH[0], square, ATANH[1:])
    whole = np.int64(octaves + SHIFTER_BITS).view(np.float64) - SHIFTER
    return float(fma(whole, LN2_HIGH, fma(whole, LN2_LOW, rest) + 2.0 * s))
