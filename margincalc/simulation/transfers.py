"""Collateral that is spread over venues: least buffers, where money takes time to move."""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray


class Buffers(NamedTuple):
    """Idle collateral per venue that survives every scenario.

    Attributes
    ----------
    held : shape (V,), to add at each venue; negative where some may go
    alone : shape (V,), to add if nothing could move between venues
    feasible : whether transfers can do it at all
    """

    held: FloatArray
    alone: FloatArray
    feasible: bool


def least_buffers(need: FloatArray, allowed: BoolArray, cost: float) -> Buffers:
    """Find the least collateral to add so that each venue survives each scenario.

    A linear program: ``min sum c_v`` so that in every scenario what a venue lacks is added there
    or arrives in time from venues that have it to spare.

    Parameters
    ----------
    need : shape (V, S), maintenance less equity in each scenario; negative is spare
    allowed : shape (V, V), whether money sent by a venue reaches another in time
    cost : share of a transfer that is lost
    """
    from scipy.optimize import linprog

    venues, scenarios = need.shape
    pairs = [(a, b) for a in range(venues) for b in range(venues) if a != b and allowed[a, b]]
    size = venues + len(pairs) * scenarios
    rows = np.zeros((venues * scenarios, size))
    for s in range(scenarios):
        for v in range(venues):
            row = s * venues + v
            rows[row, v] = -1.0
            for place, (sender, receiver) in enumerate(pairs):
                column = venues + s * len(pairs) + place
                rows[row, column] = (v == sender) - (1.0 - cost) * (v == receiver)
    weight = np.concatenate([np.ones(venues), np.full(len(pairs) * scenarios, 1e-9)])
    scale = max(float(np.max(np.abs(need))), 1e-12)
    bounds = [(0.0, None)] * size
    found = linprog(weight, rows, -need.T.ravel() / scale, bounds=bounds, method="highs")
    alone = np.maximum(np.max(need, axis=1), 0.0)
    held = scale * found.x[:venues] if found.success else alone
    return Buffers(held, alone, bool(found.success))
