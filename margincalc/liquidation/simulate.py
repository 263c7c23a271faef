"""First passage of a pool's equity below its maintenance margin, by simulation.

Every path carries the probability that it has survived so far: a step multiplies it by that of the
Brownian bridge between its ends, which takes away the error of looking only at the ends (Andersen
and Brotherton-Ratcliffe, 1996, "Exact exotics"). Batched; one seed gives one answer.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.liquidation.bridge import State, along, survival, value
from margincalc.liquidation.dynamics import Dynamics, Moves
from margincalc.liquidation.surface import Surface

BATCH = 1 << 15  # paths at once


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


def _batch(
    surface: Surface, dynamics: Dynamics, run: Run, drawn: tuple[np.random.Generator, int]
) -> Passage:
    rng, paths = drawn
    count = len(surface.underlyings)
    state = State(np.zeros((paths, count)), np.ones(paths), np.zeros(paths))
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
            added = along(surface.nodes, paid, state.place)
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

    def breach(self, state: State, surface: Surface, step: int) -> State:
        """End the paths that stand below maintenance."""
        layer = surface.layers[step]
        excess = value(surface, layer.excess, state)
        fallen: BoolArray = (excess < 0.0) & (state.alive > 0.0)
        if not np.any(fallen):
            return state
        lost = np.where(fallen, state.alive, 0.0)
        self._note(step, lost, value(surface, layer.equity, state))
        return state._replace(alive=state.alive - lost)

    def bridged(
        self, before: State, after: State, surface: Surface, at: tuple[int, Moves]
    ) -> State:
        """Take away what fell between the ends of a step that stand above maintenance."""
        step, moves = at
        survived, equity = survival(before, after, surface, (surface.layers[step], moves))
        lost = after.alive * (1.0 - survived)
        self._note(step, lost, equity)
        return after._replace(alive=after.alive - lost)

    def passage(self, probability: FloatArray, paths: int) -> Passage:
        """Return what was found of all paths."""
        equity, mass = np.concatenate(self.equity or [np.zeros(0)]), self.mass
        joined = np.concatenate(mass or [np.zeros(0)])
        return Passage(probability, self.at_step / paths, equity, joined)


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
