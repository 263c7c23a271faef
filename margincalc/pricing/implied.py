"""Implied volatility: the inverse of Black (1976), to double precision, or the reason for none.

The unknown is the total volatility ``s``, given the time value of the out-of-the-money side as a
share ``v`` of ``min(F, K)`` and the distance ``x = |ln(F / K)|``. Two coordinates make the problem
nearly linear, so that a good first guess and one to four Householder steps suffice:

- up to half of the bound, ``ln v`` against ``ln s`` (right however small the price);
- above it, ``ln(1 - v)`` against ``s``, from the distance to the upper bound.

The first guess of the lower half inverts the normal (Bachelier) model by one rational function;
that of the upper half inverts the normal distribution (Abramowitz and Stegun 1964, 26.2.22). Steps
are Householder's of third order (Householder 1970; used for this problem by Jaeckel 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.pricing._checks import amounts, flags, reals
from margincalc.pricing._kernel import BLOCK, CANCELLATION, PEAK
from margincalc.pricing._mills import mills, symmetric_difference

CLOSE = 1e-5  # a step this small leaves an error of its fourth power
MOST_STEPS = 25  # four suffice wherever F / K is below 1e100
LEAST_GUESS = 1e-300  # an underflow of the guess would divide zero by zero
LOG_PEAK = float(np.log(PEAK))

Step = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


class Reason(IntEnum):
    """What became of one implied volatility."""

    FOUND = 0
    BELOW_INTRINSIC = 1
    AT_UPPER_BOUND = 2
    ZERO_TIME = 3


@dataclass(frozen=True, slots=True)
class ImpliedVolatility:
    """Volatilities and, for each, whether one exists; arrays of the arguments' common shape.

    `volatility` is a decimal per square-root year, and 0 wherever `reason` is not `Reason.FOUND`.
    """

    volatility: FloatArray
    reason: IntArray


@dataclass(frozen=True, slots=True)
class _Quotes:
    """Valid prices and contracts, contiguous arrays of shape (N,)."""

    price: FloatArray
    forward: FloatArray
    strike: FloatArray
    time: FloatArray
    call: BoolArray

    def part(self, rows: slice | IntArray) -> "_Quotes":
        return _Quotes(
            self.price[rows],
            self.forward[rows],
            self.strike[rows],
            self.time[rows],
            self.call[rows],
        )


def implied_volatility(
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    time: npt.ArrayLike,
    call: npt.ArrayLike,
) -> ImpliedVolatility:
    """Volatility at which Black's undiscounted price is `price`.

    A price equal to the intrinsic value has volatility 0. One below it, or at or above the upper
    bound (F for a call, K for a put), has none, and neither has any price at zero time: `reason`
    says which.

    Parameters
    ----------
    price : finite numbers, undiscounted, in the currency of `forward`
    forward, strike, time : finite numbers of at least 0, time in years
    call : booleans, True for a call and False for a put; all arguments broadcast together

    Returns
    -------
    ImpliedVolatility of arrays of the broadcast shape

    Raises
    ------
    ValueError
        If an argument holds NaN, an infinity or (other than `price`) a negative number, or `call`
        is not boolean.
    """
    numbers = reals(price=price) | amounts(forward=forward, strike=strike, time=time)
    every = np.broadcast_arrays(*numbers.values(), flags("call", call))
    flat = [np.ravel(array) for array in every]
    quotes = _Quotes(flat[0], flat[1], flat[2], flat[3], flat[4])
    reason = _reasons(quotes)
    volatility = np.zeros(reason.size)
    with np.errstate(all="ignore"):
        for start in range(0, reason.size, BLOCK):
            rows = slice(start, start + BLOCK)
            volatility[rows] = _block(quotes.part(rows), reason[rows])
    shape = every[0].shape
    return ImpliedVolatility(volatility.reshape(shape), reason.reshape(shape))


def _reasons(quotes: _Quotes) -> IntArray:
    reason = np.full(quotes.price.size, Reason.FOUND, dtype=np.int64)
    intrinsic = _intrinsic(quotes)
    reason[(quotes.price >= _bound(quotes)) & (quotes.price > intrinsic)] = Reason.AT_UPPER_BOUND
    reason[quotes.price < intrinsic] = Reason.BELOW_INTRINSIC
    reason[quotes.time == 0.0] = Reason.ZERO_TIME
    return reason


def _intrinsic(quotes: _Quotes) -> FloatArray:
    opposite = np.where(quotes.call, quotes.strike, quotes.forward)
    return np.maximum(quotes.forward, quotes.strike) - opposite


def _bound(quotes: _Quotes) -> FloatArray:
    return np.where(quotes.call, quotes.forward, quotes.strike)


def _block(quotes: _Quotes, reason: IntArray) -> FloatArray:
    """Volatilities of a block: those with a time value are solved, the others are 0."""
    volatility = np.zeros(reason.size)
    solvable = (reason == Reason.FOUND) & (quotes.price > _intrinsic(quotes))
    rows = np.flatnonzero(solvable)
    if rows.size:
        volatility[rows] = _volatility(quotes.part(rows))
    return volatility


def _volatility(quotes: _Quotes) -> FloatArray:
    """Solve for prices strictly between the intrinsic value and the upper bound."""
    low = np.minimum(quotes.forward, quotes.strike)
    gap = np.maximum(quotes.forward, quotes.strike) - low
    x = np.log1p(gap / low)
    value = quotes.price - _intrinsic(quotes)
    rest = _bound(quotes) - quotes.price
    upper = value > 0.5 * low
    total = np.empty_like(x)
    rows = np.flatnonzero(~upper)
    # A subtraction of logarithms where the quotient would underflow.
    share = value[rows] / low[rows]
    logs = np.where(share > 1e-290, np.log(share), np.log(value[rows]) - np.log(low[rows]))
    total[rows] = _solve(_lower_step, x[rows], logs, _lower_guess(x[rows], logs))
    rows = np.flatnonzero(upper)
    logs = np.log(rest[rows] / low[rows])
    total[rows] = _solve(_upper_step, x[rows], logs, _upper_guess(x[rows], logs))
    return total / np.sqrt(quotes.time)


def _solve(step: Step, x: FloatArray, target: FloatArray, guess: FloatArray) -> FloatArray:
    """Iterate each element until its own step is small, whatever the others do."""
    total = guess
    active = np.arange(x.size)
    for _ in range(MOST_STEPS):
        if not active.size:
            break
        moved = np.clip(step(x[active], total[active], target[active]), -0.7, 0.7)
        total[active] *= np.exp(moved)
        active = active[np.abs(moved) > CLOSE]
    return total


def _lower_guess(x: FloatArray, log_share: FloatArray) -> FloatArray:
    """Total volatility of the normal model, to 1.4e-3 where `x` is small.

    There ``v = s J1(x / s) phi(x / s)`` up to ``exp(x / 2)``, one function of one variable: the
    coefficients are a least-squares fit of ``(x / s) / z**2`` for ``z**2 = 2 ln(1 + PEAK x / v)``.
    """
    log = np.log(x) - log_share + (LOG_PEAK + 0.5 * x)
    square = 2.0 * np.logaddexp(0.0, log)
    z = np.sqrt(square)
    top = 0.5 + z * (0.07342361 + z * (0.00549898 + z * 0.05411398))
    bottom = 1.0 + z * (0.14258493 + z * (0.43852714 + z * (0.01310063 + z * 0.05411398)))
    at_the_money = np.maximum(np.exp(log_share) / PEAK, LEAST_GUESS)
    return np.where(log < -25.0, at_the_money, x * bottom / (square * top))


def _upper_guess(x: FloatArray, log_rest: FloatArray) -> FloatArray:
    """Solve ``1 - v = N(-d) (1 + share)`` for ``d = s / 2 - x / s``, then that for s."""
    log_tail = log_rest - np.log1p(1.0 / (1.0 + 0.5 * x))
    t = np.sqrt(-2.0 * log_tail)
    d = t - (2.30753 + 0.27061 * t) / (1.0 + t * (0.99229 + t * 0.04481))
    return d + np.sqrt(d * d + 2.0 * x)


@dataclass(frozen=True, slots=True)
class _Point:
    """Pieces of the price at total volatility s, in units of ``min(F, K)``; shape (N,)."""

    far: FloatArray  # x / s
    half: FloatArray  # s / 2
    near: FloatArray  # far - half
    mills_near: FloatArray  # M(|near|)
    mills_beyond: FloatArray  # M(far + half)


def _point(x: FloatArray, s: FloatArray) -> _Point:
    far, half = x / s, 0.5 * s
    near = far - half
    return _Point(far, half, near, mills(np.abs(near)), mills(far + half))


def _lower_step(x: FloatArray, s: FloatArray, target: FloatArray) -> FloatArray:
    """Change of ``ln s`` towards ``ln v(s) = target``."""
    point = _point(x, s)
    difference = np.copysign(point.mills_near, point.near) - point.mills_beyond
    lossy = point.far + 1.25 > CANCELLATION * s
    rows = np.flatnonzero(lossy)
    difference[rows] = symmetric_difference(point.far[rows], point.half[rows])
    density = PEAK * np.exp(-0.5 * point.near * point.near)
    crossed = (point.near < 0.0) & ~lossy  # there v = 1 + density * difference, and far from 0
    whole = np.where(crossed, 1.0 + density * difference, 1.0)
    ratio = np.where(crossed, 1.0, difference)
    log = np.where(crossed, np.log(whole), np.log(PEAK * ratio) - 0.5 * point.near * point.near)
    slope = np.where(crossed, s * density / whole, s / ratio)
    second, third = _curvature(point, slope)
    # The chain rule turns derivatives by s, times powers of s, into those by ln s.
    return _householder((target - log) / slope, 1.0 + second, 1.0 + 3.0 * second + third)


def _upper_step(x: FloatArray, s: FloatArray, target: FloatArray) -> FloatArray:
    """Change of ``ln s`` towards ``ln(1 - v(s)) = target``, by a step in s."""
    point = _point(x, s)
    tails = point.mills_near + point.mills_beyond
    log = np.log(PEAK * tails) - 0.5 * point.near * point.near
    slope = -s / tails
    share = _householder((target - log) / slope, *_curvature(point, slope))
    return np.log1p(np.maximum(share, -0.5))


def _curvature(point: _Point, slope: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Second and third derivative of a logarithm by s, over the first, times s and s squared.

    `slope` is the first derivative times s. It serves ``ln v`` and ``ln(1 - v)`` alike: the
    derivative of v is ``phi(near)``, whose own logarithmic derivative is ``far**2 / s - s / 4``.
    Multiplied by powers of s, nothing overflows however small s is.
    """
    bend = (point.far - point.half) * (point.far + point.half)
    twist = bend * bend - 3.0 * point.far * point.far - point.half * point.half
    return bend - slope, twist - 3.0 * bend * slope + 2.0 * slope * slope


def _householder(newton: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Third-order step from Newton's and the ratios of the second and third derivative."""
    top = 1.0 + 0.5 * newton * second
    return newton * top / (1.0 + newton * (second + newton * third / 6.0))
