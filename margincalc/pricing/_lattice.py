"""American options whose exercise region has no single smooth boundary, on a trinomial lattice.

The lattice carries the part of the spot that is a martingale, so that dividends and drift enter
only through what exercise pays. It is centred on the strike and wide: one serves every spot. Three
branches of ``sqrt(3 dt)`` standard deviations match five moments of the normal step; the last step
is Black's formula, and two step sizes are extrapolated (Broadie and Detemple, "American option
valuation", Review of Financial Studies 9, 1996: their BBSR, on three branches).

What is left depends on where the exercise boundary falls between two nodes, periodically, and the
extrapolation triples it. The mean of two lattices half a node apart is without its first harmonic:
384 steps of two err less than 1,536 of one, in a quarter of the time.

Units are the strike and the time to expiry, as in `_boundary`. The drift is constant but for
dividends, each a share of the spot at its time.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.pricing import black

STEPS = 384  # and twice as many, extrapolated to infinitely many
WIDTH = 7.0  # standard deviations on either side of the strike
CONTRACTS_AT_ONCE = 64
MOST_KNOWN = 4096  # contracts, of 6 kB each, that are remembered


class _Level(NamedTuple):
    """One of the lattices whose premiums are combined.

    Attributes
    ----------
    finer : how many times `STEPS` it steps
    shift : of its nodes, in their distance
    weight : in the combination
    """

    finer: int
    shift: float
    weight: float

    @property
    def half(self) -> int:
        """Number of nodes on either side of the centre."""
        return int(np.ceil(WIDTH * np.sqrt(STEPS * self.finer / 3.0))) + 2

    def place(self, deviations: FloatArray) -> FloatArray:
        """Fractional places among the nodes of standard deviations from the centre."""
        per_node = float(np.sqrt(STEPS * self.finer / 3.0))
        return deviations * per_node + (self.half - self.shift)

    def spot(self, contracts: "Paying") -> FloatArray:
        """Spots of the nodes, shape (M, G)."""
        width = contracts.total * np.sqrt(3.0 / (STEPS * self.finer))
        steps = np.arange(-self.half, self.half + 1)[:, None] + self.shift
        nodes: FloatArray = np.exp(_centre(contracts) + steps * width)
        return nodes


_LEVELS = tuple(
    _Level(finer, shift, weight)
    for finer, weight in ((1, -0.5), (2, 1.0))
    for shift in (-0.25, 0.25)
)


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
        return Paying._make(np.ascontiguousarray(column[rows]) for column in self)

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
    deviations = (log_spot - _centre(contracts)[labels]) / contracts.total[labels]
    worth = np.zeros(len(log_spot))
    for level, grid in zip(_LEVELS, _grids(contracts), strict=True):
        worth += level.weight * _cubic(grid, labels, level.place(deviations))
    return np.maximum(worth, 0.0)


_Columns = tuple[FloatArray, ...]
_KNOWN: dict[bytes, _Columns] = {}  # a search for a root asks for the same contracts again


def _grids(contracts: Paying) -> _Columns:
    """Premiums at the nodes of each level, shapes (M, G)."""
    terms = np.column_stack(contracts).astype(np.float64)
    keys = [row.tobytes() for row in terms]
    new = np.array([number for number, key in enumerate(keys) if key not in _KNOWN], np.int64)
    found = {key: _KNOWN[key] for key in keys if key in _KNOWN}
    for start in range(0, len(new), CONTRACTS_AT_ONCE):
        rows = new[start : start + CONTRACTS_AT_ONCE]
        part = contracts.part(rows)
        solved = [np.ascontiguousarray(_nodes(part, level).T) for level in _LEVELS]
        found |= {keys[row]: tuple(own[n] for own in solved) for n, row in enumerate(rows)}
    if len(_KNOWN) + len(new) > MOST_KNOWN:
        _KNOWN.clear()
    if len(found) <= MOST_KNOWN:
        _KNOWN.update(found)
    columns = zip(*(found[key] for key in keys), strict=True)
    return tuple(np.array(column).T for column in columns)


def _centre(contracts: Paying) -> FloatArray:
    """Logarithm of the spot over the strike that is expected to end at the strike."""
    centre: FloatArray = -np.log(contracts.growth(1.0))
    return centre


def _nodes(contracts: Paying, level: _Level) -> FloatArray:
    """Premium at the nodes, shape (M, G)."""
    spot = level.spot(contracts)
    waited = _waited(spot, contracts, _times(contracts, level.finer))
    return waited - _european(spot, contracts, 0.0)


def _times(contracts: Paying, finer: int) -> FloatArray:
    """Times of the steps, shape (J, G), every dividend's among them; 0 fills up at the front."""
    columns = []
    for paid, share in zip(contracts.paid, contracts.share, strict=True):
        knots = sorted({0.0, 1.0, *paid[share > 0.0].tolist()})
        pieces = [
            np.linspace(start, end, finer * int(np.ceil(STEPS * (end - start))), endpoint=False)
            for start, end in pairwise(knots)
        ]
        columns.append(np.concatenate([*pieces, [1.0]]))
    most = max(len(column) for column in columns)
    filled = [np.concatenate([np.zeros(most - len(own)), own]) for own in columns]
    return np.ascontiguousarray(np.array(filled).T)


def _waited(spot: FloatArray, contracts: Paying, times: FloatArray) -> FloatArray:
    """Value at the nodes, shape (M, G), of an option that may be exercised later."""
    side = np.where(contracts.call, 1.0, -1.0)
    ratio = spot[1] / spot[0]
    value = _european(spot, contracts, times[-2])
    _exercise(value, spot, side, contracts.growth(times[-2]))
    variance = contracts.total**2 / np.log(ratio) ** 2  # of the whole life, in squared nodes
    for now, after in zip(times[-3::-1], times[-2::-1], strict=False):
        moves = variance * (after - now)
        up = moves / (1.0 + ratio)
        discount = np.exp(-contracts.rate * (after - now))
        inner = up * value[2:] + (1.0 - moves) * value[1:-1] + (moves - up) * value[:-2]
        value[1:-1] = inner  # at the edges nothing is uncertain
        value *= discount
        later = now > 0.0  # exercise at once is for the caller
        if np.any(later):
            growth = np.where(later, contracts.growth(now), np.nan)
            _exercise(value, spot, side, growth)
        paying = later & np.any((now == contracts.paid.T) & (contracts.share.T > 0.0), axis=0)
        if np.any(paying):
            growth = np.where(paying, contracts.growth(now, before=True), np.nan)
            _exercise_on_the_day(value, spot, side, growth)
    return value


def _exercise(value: FloatArray, spot: FloatArray, side: FloatArray, growth: FloatArray) -> None:
    """Take what exercise pays, where it is more; a growth of NaN forbids it."""
    np.fmax(value, side * (spot * growth - 1.0), out=value)


def _exercise_on_the_day(
    value: FloatArray, spot: FloatArray, side: FloatArray, growth: FloatArray
) -> None:
    """Take what exercise pays on a day after which it pays less, where it is more.

    Value bends where both are equal; the node of that cell takes the cell's mean of the excess,
    taken as linear, so that errors shrink evenly with the steps (as Black's formula does for the
    bend at expiry).
    """
    excess = side * (spot * growth - 1.0) - value
    rise = 0.25 * np.abs(excess[2:] - excess[:-2])  # over half a cell
    middle = excess[1:-1]
    bent = np.abs(middle) < rise
    mean = np.where(bent, (middle + rise) ** 2 / np.where(bent, 4.0 * rise, 1.0), middle)
    value[1:-1] += np.fmax(mean, 0.0)


def _european(spot: FloatArray, contracts: Paying, now: FloatArray | float) -> FloatArray:
    """Present value at time `now` of the option that is held to expiry, shape (M, G)."""
    left, shape = 1.0 - now, spot.shape
    price = black.price_unchecked(
        spot * contracts.growth(1.0),
        np.ones(shape),
        np.broadcast_to(contracts.total, shape),
        np.broadcast_to(left, shape),
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
