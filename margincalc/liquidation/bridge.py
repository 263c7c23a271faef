"""Whether a path fell between the ends of a step: the Brownian bridge between them.

Source: Andersen and Brotherton-Ratcliffe (1996), "Exact exotics".
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray
from margincalc.liquidation.dynamics import Moves
from margincalc.liquidation.surface import Layer, Surface

IMAGES = 3  # of either barrier in a bridge between two
FAR = 8.0  # deviations of a step that no path goes


class State(NamedTuple):
    """Paths on their way.

    Attributes
    ----------
    place : logarithm of each spot over that of now, shape (N, U)
    alive : probability of having survived so far, shape (N,)
    cash : paid so far by contracts that expired, account currency, shape (N,)
    """

    place: FloatArray
    alive: FloatArray
    cash: FloatArray


def along(nodes: FloatArray, values: FloatArray, place: FloatArray) -> FloatArray:
    """Interpolate each underlying's line at the places of paths, shape (N, U)."""
    step = nodes[1] - nodes[0]
    at = np.clip((place - nodes[0]) / step, 0.0, len(nodes) - 1.000001)
    low = at.astype(np.int64)
    part = at - low
    line = np.arange(values.shape[0])[None, :]
    found: FloatArray = values[line, low] * (1.0 - part) + values[line, low + 1] * part
    return found


def value(surface: Surface, values: FloatArray, state: State) -> FloatArray:
    """Value of a pool on its paths: the sum over underlyings, and the cash that was paid."""
    each = along(surface.nodes, values, state.place)
    centre = values[0, values.shape[1] // 2] if len(values) else 0.0
    whole: FloatArray = np.sum(each, axis=1) - (len(values) - 1) * centre + state.cash
    return whole


def survival(
    before: State, after: State, surface: Surface, at: tuple[Layer, Moves]
) -> tuple[FloatArray, FloatArray]:
    """Probability of not falling between the ends of a step, and equity where it fell.

    Returns
    -------
    survived : shape (N,)
    equity : account currency, shape (N,)
    """
    found = _between if len(surface.underlyings) == 1 else _through
    return found(before, after, surface, at)


def _between(
    before: State, after: State, surface: Surface, at: tuple[Layer, Moves]
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
    equity = value(surface, layer.equity, after._replace(place=barrier[:, None]))
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
    before: State, after: State, surface: Surface, at: tuple[Layer, Moves]
) -> tuple[FloatArray, FloatArray]:
    """Survival of the excess itself, taken as a Brownian motion along the step."""
    layer, moves = at
    first, last = (value(surface, layer.excess, state) for state in (before, after))
    size = surface.nodes[1] - surface.nodes[0]
    middle = 0.5 * (before.place + after.place)
    rise = along(surface.nodes, layer.excess, middle + 0.5 * size)
    slope = (rise - along(surface.nodes, layer.excess, middle - 0.5 * size)) / size
    each = slope * moves.deviation
    alone, together = np.sum(each**2, axis=1), np.sum(each, axis=1) ** 2
    variance = (1.0 - moves.correlation) * alone + moves.correlation * together
    safe = np.maximum(variance, np.finfo(np.float64).tiny)
    product = np.maximum(first, 0.0) * np.maximum(last, 0.0)
    survived = np.where(last >= 0.0, 1.0 - np.exp(-2.0 * product / safe), 1.0)
    equity = value(surface, layer.equity, after) - np.maximum(last, 0.0)
    return survived, equity
