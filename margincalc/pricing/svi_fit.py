"""Calibration of raw SVI to the smile of one expiry, free of butterfly and calendar arbitrage.

``w(k) = a + b (rho (k - m) + sqrt((k - m)**2 + sigma**2))`` is linear in ``a``, ``d = b rho sigma``
and ``c = b sigma`` once ``m`` and ``sigma`` are held: with ``y = (k - m) / sigma`` it is
``a + d y + c sqrt(y**2 + 1)``. The outer search is over ``m`` and ``sigma`` alone, the inner one a
least squares problem (Zeliade Systems, "Quasi-explicit calibration of Gatheral's SVI model", 2009;
De Marco & Martini). What forbids arbitrage and is linear stands as constraints of the inner one:
wings of slope at most 2 (Lee 2004), and no total variance below that of the expiry before (Gatheral
& Jacquier, "Arbitrage-free SVI volatility surfaces", 2014, lemma 2.1). Their function ``g(k)``, the
sign of the density, must be positive (lemma 2.2); it is not linear and is a penalty of the outer
one. A fit is accepted only if all of it holds on a fine grid and in the limit.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray

STEEPEST = 2.0  # slope of a wing
FEWEST = 5  # strikes, as many as parameters
_REACH = 8.0  # at-the-money total volatilities that the grids cover at least, either side
_COARSE, _FINE = 61, 2001  # points of the grids of constraints and of acceptance
_WINGS = 5.0  # sinh of it, in units of sigma, is how far the wings are looked at
_FAR = 0.1  # and in units of this of log-moneyness, in which every expiry is looked at
_ROUNDING = 1e-10  # of total variance, by which a smile that touches another is raised above it
_SLACK = 1e-12  # of total variance
_PENALTY = 1e3
_CUSHIONS = (1e-4, 3e-3, 3e-2)  # by which g is kept above 0 between the points at which it is seen


class Smile(NamedTuple):
    """Raw SVI parameters of one expiry, of total variance."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def variance(self, k: FloatArray) -> FloatArray:
        """Total variance at log-moneyness ``ln(K / F)``."""
        away = k - self.m
        return np.asarray(self.a + self.b * (self.rho * away + np.hypot(away, self.sigma)))

    def density(self, k: FloatArray) -> FloatArray:
        """Gatheral & Jacquier's ``g(k)``, which has the sign of the risk-neutral density."""
        away = k - self.m
        root = np.hypot(away, self.sigma)
        w = self.a + self.b * (self.rho * away + root)
        slope = self.b * (self.rho + away / root)
        bend = self.b * self.sigma**2 / root**3
        with np.errstate(divide="ignore", invalid="ignore"):
            g = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2
        return np.where(w > 0.0, g, -1.0)

    @property
    def wings(self) -> tuple[float, float]:
        """Slopes of total variance far to the left and to the right, both as gains."""
        return self.b * (1.0 - self.rho), self.b * (1.0 + self.rho)


FLAT = Smile(0.0, 0.0, 0.0, 0.0, 1.0)  # what the first expiry must stay above


class Quotes(NamedTuple):
    """The smile of one expiry, arrays of one shape.

    Attributes
    ----------
    k : log-moneyness ``ln(K / F)``
    variance : total variance ``volatility**2 * time``
    weight : of the squared error of total variance
    """

    k: FloatArray
    variance: FloatArray
    weight: FloatArray


def fit(quotes: Quotes, before: Smile = FLAT) -> Smile | None:
    """Fit a smile that lies nowhere below that of the expiry before.

    Parameters
    ----------
    quotes : at least `FEWEST` different strikes, positive variances and weights
    before : the smile of the expiry before

    Returns
    -------
    the smile; None where none was found that is free of arbitrage
    """
    for cushion in _CUSHIONS:
        problem = _Problem(quotes, before, cushion)
        smile = _nearest(problem)
        if smile is None:
            continue
        smile = _lifted(smile, before, problem.reach)
        if arbitrage(smile, before, problem.reach) is None:
            return smile
    return None


def _nearest(problem: "_Problem") -> Smile | None:
    """Search over ``m`` and ``sigma``, from the best points of a coarse grid."""
    from scipy.optimize import minimize  # fits are rare, and scipy is slow to import

    starts = sorted(
        (problem.error((m, s)), m, s)
        for m in np.linspace(-1.0, 1.0, 9)
        for s in np.linspace(-3.0, 2.0, 6)
    )
    best = min(
        (
            minimize(
                problem.error,
                (m, s),
                method="Nelder-Mead",
                options={"xatol": 1e-7, "fatol": 1e-15, "maxfev": 400},
            )
            for _, m, s in starts[:3]
        ),
        key=lambda found: float(found.fun),
    )
    return problem.smile(best.x)


def arbitrage(smile: Smile, before: Smile, reach: float) -> str | None:
    """Return which arbitrage a smile admits, on a fine grid of ``|k| <= reach`` and beyond."""
    k = _points(smile, reach, _FINE)
    if max(smile.wings) > STEEPEST or np.min(smile.density(k)) < 0.0:
        return "butterfly"
    over = smile.variance(k) - before.variance(k)
    wings = [own - other for own, other in zip(smile.wings, before.wings, strict=True)]
    if np.min(over) < -_SLACK or min(wings) < -_SLACK:
        return "calendar"
    return None


def _points(smile: Smile, reach: float, count: int) -> FloatArray:
    """Return where to look: the grid, and from the bottom of the smile far into its wings."""
    spread = np.sinh(np.linspace(-_WINGS, _WINGS, count // 2 + 1))
    own = smile.m + smile.sigma * spread
    return np.concatenate((np.linspace(-reach, reach, count), own, _FAR * spread))


def _lifted(smile: Smile, before: Smile, reach: float) -> Smile:
    """Raise a smile by what little it lies below the expiry before between the constraints."""
    k = np.sort(_points(smile, reach, _FINE))
    under = before.variance(k) - smile.variance(k)
    worst = int(np.argmax(under))
    close = np.linspace(k[max(worst - 1, 0)], k[min(worst + 1, len(k) - 1)], _FINE)
    below = float(np.max(before.variance(close) - smile.variance(close)))
    return smile._replace(a=smile.a + 1.001 * below + _ROUNDING) if below > -_ROUNDING else smile


class _Problem:
    """The least squares problem of one smile."""

    def __init__(self, quotes: Quotes, before: Smile, cushion: float) -> None:
        self._quotes, self._before, self._cushion = quotes, before, cushion
        self._root = np.sqrt(quotes.weight / np.sum(quotes.weight))
        self._scale = float(np.sqrt(np.average(quotes.variance, weights=quotes.weight)))
        self.reach = max(1.5 * float(np.max(np.abs(quotes.k))), _REACH * self._scale)
        far = self.reach * np.array([1.5, 2.5, 5.0, 10.0, 30.0])
        inner = np.linspace(-self.reach, self.reach, _COARSE)
        self._grid = np.concatenate((-far[::-1], inner, far))
        self._below = before.variance(self._grid)

    def error(self, outer: tuple[float, float]) -> float:
        """Return the weighted squared error at ``m`` and ``sigma``, with what arbitrage adds."""
        smile = self.smile(outer)
        if smile is None:
            return 1e6
        miss = self._root * (smile.variance(self._quotes.k) - self._quotes.variance)
        dense = smile.density(_points(smile, self.reach, _COARSE))
        wrong = float(np.sum(np.maximum(self._cushion - dense, 0.0)))
        total = float(np.sum(miss**2)) / self._scale**4
        return total + _PENALTY * wrong**2 + wrong

    def smile(self, outer: tuple[float, float]) -> Smile | None:
        """Return the best smile at ``m`` and ``sigma``, both in units of the smile's own width."""
        m = self._scale * float(np.clip(outer[0], -20.0, 20.0))
        sigma = self._scale * float(np.exp(np.clip(outer[1], -5.0, 4.0)))
        columns = self._columns(self._quotes.k, m, sigma)
        rows = self._root[:, None] * columns
        target = self._root * self._quotes.variance
        found = np.linalg.lstsq(rows, target, rcond=None)[0]
        matrix, least = self._constraints(m, sigma)
        if np.min(matrix @ found - least) < 0.0:
            bound = _bounded(rows, target, matrix, least)
            if bound is None:
                return None
            found = bound
        a, d, c = (float(each) for each in found)
        rho = float(np.clip(d / c, -1.0, 1.0)) if c > 0.0 else 0.0
        return Smile(a, max(c, 0.0) / sigma, rho, m, sigma)

    def _columns(self, k: FloatArray, m: float, sigma: float) -> FloatArray:
        y = (k - m) / sigma
        return np.stack((np.ones_like(y), y, np.hypot(y, 1.0)), axis=-1)

    def _constraints(self, m: float, sigma: float) -> tuple[FloatArray, FloatArray]:
        """Return rows and bounds of ``matrix @ (a, d, c) >= least``."""
        left, right = self._before.wings
        slopes = np.array(
            [[0, -1, 1], [0, 1, 1], [0, 1, -1], [0, -1, -1], [1, 0, 1]], np.float64
        )  # left and right wing from below, then from above; and the bottom
        gentle = STEEPEST * (1.0 - 1e-9) * sigma
        steeper = (1.0 + 1e-6) * sigma
        bounds = [left * steeper, right * steeper, -gentle, -gentle, 0.0]
        matrix = np.concatenate((self._columns(self._grid, m, sigma), slopes))
        # A little above the expiry before, so that rounding leaves it so between points as well.
        return matrix, np.concatenate((self._below * (1.0 + 1e-6) + 1e-12, bounds))


def _bounded(
    rows: FloatArray, target: FloatArray, matrix: FloatArray, least: FloatArray
) -> FloatArray | None:
    """Solve ``min |rows x - target|`` under ``matrix x >= least``; None where nothing meets it.

    As a least distance problem by non-negative least squares (Lawson & Hanson, "Solving least
    squares problems", 1974, chapter 23).
    """
    from scipy.optimize import nnls

    q, r = np.linalg.qr(rows)
    if np.min(np.abs(np.diag(r))) < 1e-12 * np.max(np.abs(np.diag(r))):
        return None
    free = np.linalg.solve(r, q.T @ target)
    moved = np.linalg.solve(r.T, matrix.T)
    system = np.vstack((moved, least - matrix @ free))
    goal = np.zeros(len(system))
    goal[-1] = 1.0
    try:
        weights, _ = nnls(system, goal, maxiter=300)
    except RuntimeError:  # too many exchanges: this m and sigma are no good
        return None
    rest = system @ weights - goal
    if -rest[-1] < 1e-10:
        return None
    return np.asarray(free + np.linalg.solve(r, rest[:-1] / -rest[-1]))
