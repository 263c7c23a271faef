"""How spots move in a simulation: diffusion, jumps, or blocks of their own history.

A step hands out two moves of the logarithms of spots: jumps, which happen first, and a diffusion,
between whose ends a Brownian bridge says what was passed. History is all jumps: nothing is known of
the time between two of its prices.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

import numpy as np

from margincalc.arrays import FloatArray

Kind = Literal["gbm", "merton", "history"]


class Moves(NamedTuple):
    """Moves of one step, shape (N, U) each.

    Attributes
    ----------
    deviation : of the diffusion, shape (U,)
    correlation : of the diffusion of every two underlyings
    """

    jump: FloatArray
    diffusion: FloatArray
    deviation: FloatArray
    correlation: float = 0.0


class Dynamics(Protocol):
    """A law of motion."""

    def moves(self, rng: np.random.Generator, paths: int, years: FloatArray) -> Iterator[Moves]:
        """Yield the moves of each step, whose lengths in years have shape (T,)."""


class Jumps(NamedTuple):
    """Jumps of the logarithm of a spot, common to all underlyings.

    Attributes
    ----------
    rate : a year
    mean, deviation : of a jump of the logarithm
    """

    rate: float = 10.0
    mean: float = -0.06
    deviation: float = 0.06

    @property
    def drift(self) -> float:
        """What they add to the growth of a spot, per year."""
        return float(self.rate * np.expm1(self.mean + 0.5 * self.deviation**2))


class Diffusion(NamedTuple):
    """Geometric Brownian motions, with jumps (Merton, 1976) where there are any.

    Attributes
    ----------
    drift : expected growth of each spot, shape (U,), per year; jumps included
    volatility : of the diffusion, shape (U,)
    correlation : of every two underlyings
    """

    drift: FloatArray
    volatility: FloatArray
    correlation: float
    jumps: Jumps | None = None

    def moves(self, rng: np.random.Generator, paths: int, years: FloatArray) -> Iterator[Moves]:
        """Yield the moves of each step."""
        count = len(self.volatility)
        common = np.sqrt(self.correlation), np.sqrt(1.0 - self.correlation)
        extra = 0.0 if self.jumps is None else self.jumps.drift
        growth = self.drift - extra - 0.5 * self.volatility**2
        for step in years:
            deviation = self.volatility * np.sqrt(step)
            own = rng.standard_normal((paths, count))
            if count > 1:
                own = common[0] * rng.standard_normal((paths, 1)) + common[1] * own
            jump = np.zeros((paths, 1))
            if self.jumps is not None:
                number = rng.poisson(self.jumps.rate * step, (paths, 1))
                spread = self.jumps.deviation * np.sqrt(number)
                jump = number * self.jumps.mean + spread * rng.standard_normal((paths, 1))
            yield Moves(
                np.broadcast_to(jump, own.shape),
                growth * step + deviation * own,
                deviation,
                self.correlation,
            )


class History(NamedTuple):
    """Blocks of consecutive moves drawn from a history (Künsch, 1989), its mean left out.

    Attributes
    ----------
    returns : of the logarithms, one row per bar, shape (B, U)
    block : bars
    drift : expected growth of each spot, shape (U,), per year
    """

    returns: FloatArray
    block: int
    drift: FloatArray

    def moves(self, rng: np.random.Generator, paths: int, years: FloatArray) -> Iterator[Moves]:
        """Yield the moves of each step; every step is a bar."""
        bars, count = self.returns.shape
        growth = np.mean(np.exp(self.returns), axis=0)
        centred = self.returns - np.log(growth)
        start = np.zeros(paths, np.int64)
        still = np.zeros((paths, count))
        for number, step in enumerate(years):
            within = number % self.block
            if within == 0:
                start = rng.integers(0, bars - self.block + 1, paths)
            yield Moves(centred[start + within] + self.drift * step, still, np.zeros(count))
