"""First passage of a pool's equity below its maintenance margin, by simulation.

Every path carries the probability that it has survived so far: a step multiplies it by that of the
Brownian bridge between its ends, which takes away the error of looking only at the ends (Andersen
and Brotherton-Ratcliffe, 1996, "Exact exotics"). Batched; one seed gives one answer.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.liquidation.dynamics import Dynamics, Moves
from margincalc.liquidation.surface import Layer, Surface

BATCH = 1 << 15  # paths at once
IMAGES = 3  # of either barrier in a bridge between two
FAR = 8.0  # deviations of a step that no path goes


class Run(NamedTuple):
    """How to simulate.

    Attributes
    ----------
    times : of the steps in years, the first 0
    bridge : whether spots are watched between the steps
    """

    times: FloatArray
    paths: int
    seed: int
    bridge: bool


class Passage(NamedTuple):
    """What was simulated.

    Attributes
    ----------
    probability : of a breach, of each path, shape (N,)
    at_step : mean probability of a first breach in each step, shape (T,); now is the first
    equity, mass : at first breaches, and how probable each was, shape (M,) each
    """

    probability: FloatArray
    at_step: FloatArray
    equity: FloatArray
    mass: FloatArray


def passage(surface: Surface, dynamics: Dynamics, run: Run) -> Passage:
    """Simulate a pool."""
    rng = np.random.default_rng(run.seed)
    counts = [min(BATCH, run.paths - done) for done in range(0, run.paths, BATCH)]
    found = [_batch(surface, dynamics, run, (rng, count)) for count in counts]
    return Passage(
        np.concatenate([part.probability for part in found]),
        np.sum([part.at_step * len(part.probability) for part in found], axis=0) / run.paths,
        np.concatenate([part.equity for part in found]),
        np.concatenate([part.mass for part in found]) / run.paths,
    )


class _State(NamedTuple):
    """Paths on their way, shape (N,), and where they are, shape (N, U)."""

    place: FloatArray
    alive: FloatArray
    cash: FloatArray


def _batch(
    surface: Surface, dynamics: Dynamics, run: Run, drawn: tuple[np.random.Generator, int]
) -> Passage:
    rng, paths = drawn
    count = len(surface.underlyings)
    state = _State(np.zeros((paths, count)), np.ones(paths), np.zeros(paths))
    records = _Records(len(run.times))
    state = records.breach(state, surface, 0)
    for step, moves in enumerate(dynamics.moves(rng, paths, np.diff(run.times)), start=1):
        state = state._replace(place=state.place + moves.jump)
        if np.any(moves.jump):
            state = records.breach(state, surface, step)
        before = state
        state = state._replace(place=state.place + moves.diffusion)
        if run.bridge and np.any(moves.deviation > 0.0):
            state = records.bridged(before, state, surface, (step, moves))
        state = records.breach(state, surface, step)
        paid = surface.layers[step].paid
        if paid is not None:
            added = _along(surface.nodes, paid, state.place)
            state = state._replace(cash=state.cash + np.sum(added, axis=1) - _shared(paid))
    return records.passage(1.0 - state.alive, paths)


def _shared(paid: FloatArray) -> float:
    """What each line of a lattice counts again of the others' expiries, at unchanged spots."""
    return float((len(paid) - 1) * paid[0, paid.shape[1] // 2])


class _Records:
    """First breaches as they are found: in which step, at which equity, how probable."""

    def __init__(self, steps: int) -> None:
        self.at_step = np.zeros(steps)
        self.equity: list[FloatArray] = []
        self.mass: list[FloatArray] = []

    def _note(self, step: int, lost: FloatArray, equity: FloatArray) -> None:
        chosen = np.flatnonzero(lost > 0.0)
        self.at_step[step] += float(np.sum(lost[chosen]))
        self.equity.append(equity[chosen])
        self.mass.append(lost[chosen])

    def breach(self, state: _State, surface: Surface, step: int) -> _State:
        """End the paths that stand below maintenance."""
        layer = surface.layers[step]
        excess = _value(surface, layer.excess, state)
        fallen: BoolArray = (excess < 0.0) & (state.alive > 0.0)
        if not np.any(fallen):
            return state
        lost = np.where(fallen, state.alive, 0.0)
        self._note(step, lost, _value(surface, layer.equity, state))
        return state._replace(alive=state.alive - lost)

    def bridged(
        self, before: _State, after: _State, surface: Surface, at: tuple[int, Moves]
    ) -> _State:
        """Take away what fell between the ends of a step that stand above maintenance."""
        step, moves = at
        layer = surface.layers[step]
        if len(surface.underlyings) == 1:
            survived, equity = _between(before, after, surface, (layer, moves))
        else:
            survived, equity = _through(before, after, surface, (layer, moves))
        lost = after.alive * (1.0 - survived)
        self._note(step, lost, equity)
        return after._replace(alive=after.alive - lost)

    def passage(self, probability: FloatArray, paths: int) -> Passage:
        """Return what was found of all paths."""
        equity, mass = np.concatenate(self.equity or [np.zeros(0)]), self.mass
        joined = np.concatenate(mass or [np.zeros(0)])
        return Passage(probability, self.at_step / paths, equity, joined)


def _along(nodes: FloatArray, values: FloatArray, place: FloatArray) -> FloatArray:
    """Interpolate each underlying's line at the places of paths, shape (N, U)."""
    step = nodes[1] - nodes[0]
    at = np.clip((place - nodes[0]) / step, 0.0, len(nodes) - 1.000001)
    low = at.astype(np.int64)
    part = at - low
    line = np.arange(values.shape[0])[None, :]
    found: FloatArray = values[line, low] * (1.0 - part) + values[line, low + 1] * part
    return found


def _value(surface: Surface, values: FloatArray, state: _State) -> FloatArray:
    """Value of a pool on its paths: the sum over underlyings, and the cash that was paid."""
    each = _along(surface.nodes, values, state.place)
    centre = values[0, values.shape[1] // 2] if len(values) else 0.0
    whole: FloatArray = np.sum(each, axis=1) - (len(values) - 1) * centre + state.cash
    return whole


def _between(
    before: _State, after: _State, surface: Surface, at: tuple[Layer, Moves]
) -> tuple[FloatArray, FloatArray]:
    """Survival between the nearest crossings on either side of the spot, and equity there.

    Ends on different sides of a pocket count as fallen: the path went through it.
    """
    layer, moves = at
    x, y = before.place[:, 0], after.place[:, 0]
    line = layer.excess[0]
    if np.all(after.cash == after.cash[0]):
        low, high = _neighbours(_crossings(surface.nodes, line + after.cash[0]), x)
    else:
        deviation = float(moves.deviation[0])
        low, high = _own_neighbours(surface.nodes, line, (after.cash, x), deviation)
    inside = (y > low) & (y < high)
    survived = np.where(inside, _bridge(x, y, (low, high), float(moves.deviation[0])), 0.0)
    nearer = np.minimum(x, y) - low < high - np.maximum(x, y)
    barrier = np.where(nearer, low, high)
    barrier = np.where(np.isfinite(barrier), barrier, y)
    equity = _value(surface, layer.equity, after._replace(place=barrier[:, None]))
    return survived, equity


def _crossings(nodes: FloatArray, excess: FloatArray) -> FloatArray:
    """Return where a line of excesses changes its sign, sorted."""
    inside = excess >= 0.0
    at = np.flatnonzero(inside[1:] != inside[:-1])
    share = excess[at] / (excess[at] - excess[at + 1])
    found: FloatArray = nodes[at] + share * (nodes[at + 1] - nodes[at])
    return found


def _neighbours(crossings: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    bounds = np.concatenate([[-np.inf], crossings, [np.inf]])
    place = np.searchsorted(crossings, x)
    return bounds[place], bounds[place + 1]


def _own_neighbours(
    nodes: FloatArray, excess: FloatArray, paths: tuple[FloatArray, FloatArray], deviation: float
) -> tuple[FloatArray, FloatArray]:
    """Find the crossings on either side of each path, whose cash differs, that it may reach.

    Parameters
    ----------
    paths : cash and place of each
    deviation : of the step; what is farther than `FAR` of it is out of reach
    """
    cash, x = paths
    most = min(int(FAR * deviation / (nodes[1] - nodes[0])) + 2, len(nodes))
    low, high = np.full(len(x), -np.inf), np.full(len(x), np.inf)
    start = np.clip(np.searchsorted(nodes, x) - 1, 0, len(nodes) - 2)
    for side, found in ((-1, low), (1, high)):
        open_: BoolArray = np.ones(len(x), bool)
        for away in range(most):
            left = start + side * away
            open_ &= (left >= 0) & (left < len(nodes) - 1)
            if not np.any(open_):
                break
            rows = np.flatnonzero(open_)
            a, b = (excess[left[rows] + k] + cash[rows] for k in (0, 1))
            with np.errstate(divide="ignore", invalid="ignore"):
                cross = nodes[left[rows]] + a / (a - b) * (nodes[1] - nodes[0])
            hit = ((a >= 0.0) != (b >= 0.0)) & (side * (cross - x[rows]) > 0.0)
            found[rows[hit]] = cross[hit]
            open_[rows[hit]] = False
    return low, high


def _bridge(
    x: FloatArray, y: FloatArray, bounds: tuple[FloatArray, FloatArray], deviation: float
) -> FloatArray:
    """Probability that a Brownian bridge from x to y stays between bounds, by images."""
    low, high = bounds
    variance = deviation**2
    with np.errstate(over="ignore", invalid="ignore"):
        below = np.exp(-2.0 * (x - low) * (y - low) / variance)
        above = np.exp(-2.0 * (high - x) * (high - y) / variance)
    survived = 1.0 - below - above
    both = np.isfinite(low) & np.isfinite(high) & (below > 1e-16) & (above > 1e-16)
    if np.any(both):
        survived[both] = _images(x[both], y[both], (low[both], high[both]), variance)
    result: FloatArray = np.clip(survived, 0.0, 1.0)
    return result


def _images(
    x: FloatArray, y: FloatArray, bounds: tuple[FloatArray, FloatArray], variance: float
) -> FloatArray:
    low, high = bounds
    width = high - low
    total = np.zeros(len(x))
    for n in range(-IMAGES, IMAGES + 1):
        total += np.exp(-2.0 * n * width * (n * width + y - x) / variance)
        total -= np.exp(-2.0 * (x - low + n * width) * (y - low + n * width) / variance)
    return total


def _through(
    before: _State, after: _State, surface: Surface, at: tuple[Layer, Moves]
) -> tuple[FloatArray, FloatArray]:
    """Survival of the excess itself, taken as a Brownian motion along the step."""
    layer, moves = at
    first, last = (_value(surface, layer.excess, state) for state in (before, after))
    size = surface.nodes[1] - surface.nodes[0]
    middle = 0.5 * (before.place + after.place)
    rise = _along(surface.nodes, layer.excess, middle + 0.5 * size)
    slope = (rise - _along(surface.nodes, layer.excess, middle - 0.5 * size)) / size
    each = slope * moves.deviation
    alone, together = np.sum(each**2, axis=1), np.sum(each, axis=1) ** 2
    variance = (1.0 - moves.correlation) * alone + moves.correlation * together
    safe = np.maximum(variance, np.finfo(np.float64).tiny)
    product = np.maximum(first, 0.0) * np.maximum(last, 0.0)
    survived = np.where(last >= 0.0, 1.0 - np.exp(-2.0 * product / safe), 1.0)
    equity = _value(surface, layer.equity, after) - np.maximum(last, 0.0)
    return survived, equity


def mass_by(found: Passage, times: FloatArray, shares: tuple[float, ...]) -> list[float | None]:
    """Return by when, in years, the probability of a breach comes to each share."""
    reached = np.cumsum(found.at_step)
    result: list[float | None] = []
    for share in shares:
        step = int(np.searchsorted(reached, share))
        result.append(_moment(reached, times, step, share) if step < len(times) else None)
    return result


def _moment(reached: FloatArray, times: FloatArray, step: int, share: float) -> float:
    if step == 0:
        return 0.0
    part = (share - reached[step - 1]) / (reached[step] - reached[step - 1])
    return float(times[step - 1] + part * (times[step] - times[step - 1]))


def steps_of(parts: Iterator[float], horizon: float, count: int) -> FloatArray:
    """Return the times of steps: even ones, and those given inside the horizon."""
    even = np.linspace(0.0, horizon, count + 1)
    inside = [time for time in parts if 0.0 < time < horizon]
    return np.unique(np.concatenate([even, inside]))
