"""American options whose exercise region has no single smooth boundary, on a trinomial lattice.

The lattice carries the part of the spot that is a martingale, so that dividends and drift enter
only through what exercise pays. It is centred on the strike and wide: one serves every spot. Three
branches of ``sqrt(3 dt)`` standard deviations match five moments of the normal step; the last step
is Black's formula, and two step sizes are extrapolated (Broadie and Detemple, "American option
valuation", Review of Financial Studies 9, 1996: their BBSR, on three branches).

Units are the strike and the time to expiry, as in `_boundary`. The drift is constant but for
dividends, each a share of the spot at its time.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.pricing import black

STEPS = (256, 512)  # extrapolated to none
WIDTH = 7.0  # standard deviations on either side of the strike
CONTRACTS_AT_ONCE = 64


class Paying(NamedTuple):
    """Options of one strike and one unit of time on a spot that pays, arrays of shape (N,).

    Attributes
    ----------
    total, rate, yield_ : volatility, discount rate, and yield beside the dividends
    call : whether an option is a call
    paid, share : shape (N, D), times of dividends, and their share of the spot; a share of 0 is
        none
    """

    total: FloatArray
    rate: FloatArray
    yield_: FloatArray
    call: BoolArray
    paid: FloatArray
    share: FloatArray

    def part(self, rows: slice | IntArray) -> "Paying":
        """Take some contracts."""
        return Paying(*(np.ascontiguousarray(column[rows]) for column in self))

    def growth(self, time: FloatArray | float, *, before: bool = False) -> FloatArray:
        """Expected spot over the present one at `time`, before or after a dividend of then."""
        grown = np.exp((self.rate - self.yield_) * time)
        for paid, share in zip(self.paid.T, self.share.T, strict=True):
            grown = grown * np.where(paid < time if before else paid <= time, 1.0 - share, 1.0)
        return grown


def premium(log_spot: FloatArray, contracts: Paying, labels: IntArray) -> FloatArray:
    """Worth of waiting to exercise, less the European price; units of the strike, shape (N,).

    It is not exercised at once: the caller knows what that would pay. Far from the strike it is 0.

    Parameters
    ----------
    log_spot : shape (N,), logarithm of spot over strike
    contracts : shape (G,)
    labels : shape (N,), contract of each price
    """
    out = np.zeros(len(log_spot))
    for start in range(0, len(contracts.total), CONTRACTS_AT_ONCE):
        part = contracts.part(slice(start, start + CONTRACTS_AT_ONCE))
        mine = np.flatnonzero((labels >= start) & (labels < start + CONTRACTS_AT_ONCE))
        coarse, fine = (_premium(log_spot[mine], part, labels[mine] - start, n) for n in STEPS)
        out[mine] = np.maximum(2.0 * fine - coarse, 0.0)
    return out


def _premium(log_spot: FloatArray, contracts: Paying, labels: IntArray, steps: int) -> FloatArray:
    half = int(np.ceil(WIDTH * np.sqrt(steps / 3.0))) + 2
    width = contracts.total * np.sqrt(3.0 / steps)
    centre = -np.log(contracts.growth(1.0))
    logs = centre + np.arange(-half, half + 1)[:, None] * width
    grid = _waited(np.exp(logs), contracts, steps) - _european(np.exp(logs), contracts, 0.0)
    place = (log_spot - centre[labels]) / width[labels] + half
    return _cubic(grid, labels, place)


def _waited(spot: FloatArray, contracts: Paying, steps: int) -> FloatArray:
    """Value at the nodes, shape (M, G), of an option that may be exercised later."""
    side = np.where(contracts.call, 1.0, -1.0)
    up = 1.0 / (3.0 + 3.0 * np.exp(contracts.total * np.sqrt(3.0 / steps)))
    discount = np.exp(-contracts.rate / steps)
    high, middle, low = discount * up, discount * (2.0 / 3.0), discount * (1.0 / 3.0 - up)
    value = _european(spot, contracts, 1.0 - 1.0 / steps)
    for step in range(steps - 1, -1, -1):
        if step < steps - 1:
            inner = high * value[2:] + middle * value[1:-1] + low * value[:-2]
            value *= discount  # right at the edges, where nothing is uncertain
            value[1:-1] = inner
        now = step / steps
        if step:
            _exercise(value, spot, side, contracts.growth(now), 1.0)
        for time in _dividends(contracts.paid, now, (step + 1) / steps):
            later = np.exp(contracts.rate * (now - time))  # exercise is decided now, paid then
            _exercise(value, spot, side, contracts.growth(time, before=True), later)
            _exercise(value, spot, side, contracts.growth(time), later)
    return value


def _dividends(paid: FloatArray, start: float, end: float) -> list[float]:
    return sorted(set(paid[(paid > start) & (paid <= end)].tolist()))


def _exercise(
    value: FloatArray,
    spot: FloatArray,
    side: FloatArray,
    growth: FloatArray,
    discount: FloatArray | float,
) -> None:
    """Take what exercise pays, where it is more."""
    np.maximum(value, side * discount * (spot * growth - 1.0), out=value)


def _european(spot: FloatArray, contracts: Paying, now: float) -> FloatArray:
    """Present value at time `now` of the option that is held to expiry, shape (M, G)."""
    left, shape = 1.0 - now, spot.shape
    price = black.price_unchecked(
        spot * contracts.growth(1.0),
        np.ones(shape),
        np.broadcast_to(contracts.total, shape),
        np.full(shape, left),
        np.broadcast_to(contracts.call, shape),
    )
    return np.exp(-contracts.rate * left) * price


def _cubic(grid: FloatArray, labels: IntArray, place: FloatArray) -> FloatArray:
    """Interpolate columns of nodes at fractional places; 0 outside."""
    inside = (place >= 1.0) & (place < len(grid) - 2)
    first = np.where(inside, place, 1.0).astype(np.int64)
    x = place - first
    before, at, after, beyond = (grid[first + step, labels] for step in (-1, 0, 1, 2))
    ends = (beyond * (x + 1.0) - before * (x - 2.0)) * x * (x - 1.0) / 6.0
    middle = (at * (x - 1.0) - after * x) * (x + 1.0) * (x - 2.0) / 2.0
    return np.where(inside, ends + middle, 0.0)
