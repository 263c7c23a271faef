"""The arithmetic of Black (1976), one cache-sized block at a time.

With ``low = min(F, K)`` and ``high = max(F, K)``, total volatility ``s = sigma sqrt(T)``,
``far = ln(high / low) / s`` and ``half = s / 2``, the out-of-the-money side of either kind is worth

    low * phi(d) * (M(-d) - M(far + half)),    d = half - far,

where ``phi`` is the normal density and ``M`` the Mills ratio, and ``low * phi(d) = F * phi(d1)`` on
both sides. One logarithm, one root, one exponential and two Mills ratios give the price and every
Greek. The in-the-money side adds the intrinsic value.

The difference of Mills ratios loses digits in the proportion ``(far + 1.25) / s``. Elements where
that passes `CANCELLATION` take a series instead, each by itself (the idea of choosing the
representation by region is Jaeckel, "Let's Be Rational", 2015).

Nothing here is checked, and every operation is elementwise on contiguous buffers, so a result
depends neither on the block it falls in nor on its neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.pricing._mills import FARTHEST, MILLS, ratio, symmetric_difference

BLOCK = 8192  # elements; a block's buffers stay in the second-level cache
CANCELLATION = 50.0  # the direct difference may lose 1.7 of 16 digits
LEAST = 5e-324  # stands for a divisor of zero; only zeros are divided by it, or the result capped
LEAST_TOTAL, MOST_TOTAL = 1e-100, 1e60  # total volatilities beyond these price as these do
MOST_LOG = 1e200  # |ln(F / K)| when one of them is zero: farther than MOST_TOTAL can reach
PEAK = 1.0 / sqrt(2.0 * pi)  # the normal density at zero


@dataclass(frozen=True, slots=True)
class Contracts:
    """Arguments of Black's formula as contiguous arrays of shape (N,)."""

    forward: FloatArray
    strike: FloatArray
    volatility: FloatArray
    time: FloatArray
    call: BoolArray

    @property
    def columns(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]:
        """The arguments in order, as compiled kernels take them."""
        return self.forward, self.strike, self.volatility, self.time, self.call

    def part(self, rows: slice) -> "Contracts":
        """Take a run of elements."""
        return Contracts(
            self.forward[rows],
            self.strike[rows],
            self.volatility[rows],
            self.time[rows],
            self.call[rows],
        )


class Workspace:
    """Buffers for one block of `size` elements: once filled, each holds what its name says."""

    def __init__(self, size: int) -> None:
        self.low, self.high, self.log = np.empty((3, size))
        self.root, self.total, self.half, self.far = np.empty((4, size))
        self.density, self.value, self.spare = np.empty((3, size))  # density is low * phi(d)
        # The two arguments of the Mills ratio lie end to end, so that one call serves both.
        self.ends, self.reach, self.mills, self.bottom = np.empty((4, 2 * size))
        self.near, self.beyond = self.ends[:size], self.ends[size:]  # -d, far + half
        self.mills_near, self.mills_beyond = self.mills[:size], self.mills[size:]


def blocks(size: int) -> Iterator[tuple[slice, Workspace]]:
    """Cut ``range(size)`` into blocks, each with a workspace of its own length."""
    space = Workspace(min(size, BLOCK))
    for start in range(0, size, BLOCK):
        length = min(BLOCK, size - start)
        if length < len(space.low):
            space = Workspace(length)
        yield slice(start, start + length), space


def time_value(contracts: Contracts, space: Workspace) -> FloatArray:
    """Undiscounted value of the out-of-the-money side, which is left in ``space.value``."""
    _moneyness(contracts, space)
    _standardise(contracts, space)
    _density(space)
    _mills(space)
    _difference(space)
    _repair(space)
    return space.value


def add_intrinsic(contracts: Contracts, space: Workspace, out: FloatArray) -> None:
    """Write the price, time value plus intrinsic value, to `out`; at most ``max(F, K)``."""
    opposite = np.where(contracts.call, contracts.strike, contracts.forward)
    np.subtract(space.high, opposite, out=out)
    np.add(out, space.value, out=out)
    np.minimum(out, space.high, out=out)


def _moneyness(contracts: Contracts, space: Workspace) -> None:
    """``log = ln(high / low)``; by log1p of the exact difference it is right to the last digit."""
    low = np.minimum(contracts.forward, contracts.strike, out=space.low)
    high = np.maximum(contracts.forward, contracts.strike, out=space.high)
    log = np.subtract(high, low, out=space.log)
    np.divide(log, np.maximum(low, LEAST, out=space.spare), out=log)
    np.log1p(log, out=log)
    np.minimum(log, MOST_LOG, out=log)


def _standardise(contracts: Contracts, space: Workspace) -> None:
    root = np.sqrt(contracts.time, out=space.root)
    total = np.multiply(contracts.volatility, root, out=space.total)
    np.minimum(total, MOST_TOTAL, out=total)
    divisor = np.maximum(total, LEAST_TOTAL, out=space.spare)
    far = np.divide(space.log, divisor, out=space.far)
    half = np.multiply(total, 0.5, out=space.half)
    np.subtract(far, half, out=space.near)
    np.add(far, half, out=space.beyond)


def _density(space: Workspace) -> None:
    density = np.multiply(space.near, space.near, out=space.density)
    np.multiply(density, -0.5, out=density)
    np.exp(density, out=density)
    np.multiply(density, PEAK, out=density)
    np.multiply(density, space.low, out=density)


def _mills(space: Workspace) -> None:
    reach = np.abs(space.ends, out=space.reach)
    np.minimum(reach, FARTHEST, out=reach)
    ratio(reach, MILLS, space.mills, space.bottom)


def _difference(space: Workspace) -> None:
    """``N(d) = 1 - phi(d) M(d)`` where d is positive, so `low` is added there."""
    value = np.copysign(space.mills_near, space.near, out=space.value)
    np.subtract(value, space.mills_beyond, out=value)
    np.multiply(value, space.density, out=value)
    np.add(value, np.multiply(space.low, space.near < 0.0, out=space.spare), out=value)


def _repair(space: Workspace) -> None:
    """Replace the values whose difference cancelled; those of no density are zero already."""
    loss = np.add(space.far, 1.25, out=space.spare)
    tolerated = np.multiply(space.total, CANCELLATION, out=space.reach[: len(loss)])
    rows = np.flatnonzero((loss > tolerated) & (space.density > 0.0))
    if rows.size:
        series = symmetric_difference(space.far[rows], space.half[rows])
        space.value[rows] = series * space.density[rows]
