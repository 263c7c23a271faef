"""Close many brackets at once."""

from collections.abc import Callable

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray

ROUNDS = 200  # halving alone needs about 60; a function that never settles still ends
RESOLUTION = 4.0 * np.finfo(np.float64).eps  # relative width of a closed bracket

Function = Callable[[IntArray, FloatArray], FloatArray]
"""Values of chosen functions, given their numbers (K,) and an argument for each (K,)."""


def find_roots(
    function: Function,
    low: FloatArray,
    high: FloatArray,
    ends: tuple[FloatArray, FloatArray] | None = None,
) -> FloatArray:
    """Find where functions change sign, to the last bits of float64.

    Inverse quadratic interpolation where it is safe, else halving (Chandrupatla, 1997, "A new
    hybrid quadratic/bisection algorithm"). Each root depends on its own function alone.

    Parameters
    ----------
    function : evaluated at ``(numbers, arguments)``
    low, high : shape (K,), ends of opposite sign; a zero counts as positive
    ends : the functions' values at `low` and `high`, where they are known

    Returns
    -------
    array of shape (K,), the argument of smallest absolute value found in the final bracket
    """
    root = np.empty(len(low))
    active = np.arange(len(low))
    x1, x2 = high.copy(), low.copy()
    f2, f1 = ends or (function(active, x2), function(active, x1))
    x3, f3 = x2.copy(), f2.copy()
    fraction = np.full(len(low), 0.5)
    for _ in range(ROUNDS):
        if not len(active):
            break
        x = x1 + fraction * (x2 - x1)
        f = function(active, x)
        same = (f >= 0.0) == (f1 >= 0.0)
        x3, f3 = np.where(same, x1, x2), np.where(same, f1, f2)
        x2, f2 = np.where(same, x2, x1), np.where(same, f2, f1)
        x1, f1 = x, f
        best = np.where(np.abs(f1) <= np.abs(f2), x1, x2)
        least = RESOLUTION * np.maximum(np.abs(best), np.finfo(np.float64).tiny)
        width = np.abs(x2 - x1)
        root[active] = best
        going: BoolArray = (width > least) & (f1 != 0.0) & (f2 != 0.0)
        fraction = _fraction((x1, x2, x3), (f1, f2, f3), least)
        active, fraction = active[going], fraction[going]
        x1, x2, x3, f1, f2, f3 = (column[going] for column in (x1, x2, x3, f1, f2, f3))
    return root


def _fraction(
    x: tuple[FloatArray, FloatArray, FloatArray],
    f: tuple[FloatArray, FloatArray, FloatArray],
    least: FloatArray,
) -> FloatArray:
    """Choose where in the bracket to look next, as a share of the way from x1 to x2."""
    (x1, x2, x3), (f1, f2, f3) = x, f
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # replaced below
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        quadratic = (phi**2 < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
        step = f1 / (f2 - f1) * f3 / (f2 - f3)
        step += (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
        edge = np.minimum(0.5 * least / np.abs(x2 - x1), 0.5)
    usable = quadratic & np.isfinite(step)
    return np.clip(np.where(usable, step, 0.5), edge, 1.0 - edge)
