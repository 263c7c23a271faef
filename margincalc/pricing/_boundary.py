"""The early exercise boundary of an American put, and what early exercise is worth.

Everything is in units of the strike and of the time to expiry: a put is its total volatility
``s = sigma sqrt(T)``, rate ``r T`` and yield ``q T``; a call is the put with spot and strike, rate
and yield exchanged (McDonald and Schroder 1998). The boundary depends on these three numbers alone,
so that one boundary serves every spot.

The boundary at time ``t`` before expiry solves the integral equation of Kim (1990), by fixed-point
iteration of ``B = exp(-(r - q) t) N / D`` (equation system B of Andersen, Lake and Offengenden,
"High-performance American option pricing", J. Computational Finance 20, 2016). As there,
``ln(B / B(0))**2`` is interpolated by Chebyshev nodes in ``sqrt(t)``. Integrals are taken in an
angle, ``t = sin(angle)**2``, in which square roots at both ends are smooth.

Every sum runs in a stated order and no result depends on the other contracts.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray
from margincalc.pricing._kernel import PEAK
from margincalc.pricing._mills import mills

NODES = 8  # at which the boundary is found
POINTS = 12  # of the integrals that find it
PREMIUM_POINTS = 24  # of the integral that is the premium
CLOSE = 1e-5  # relative change of a boundary that is found
MOST_ROUNDS = 60  # ten suffice unless r is a multiple of sigma**2
LARGE = 38.0  # beyond, the normal density is nothing to a double
CONTRACTS_AT_ONCE, PRICES_AT_ONCE = 128, 512  # the work arrays stay in the second-level cache


class Unit(NamedTuple):
    """Puts of one strike and one unit of time, arrays of shape (N,)."""

    total: FloatArray  # volatility
    rate: FloatArray
    yield_: FloatArray

    def part(self, rows: slice | IntArray) -> "Unit":
        """Take some contracts."""
        return Unit(self.total[rows], self.rate[rows], self.yield_[rows])


class _Rule(NamedTuple):
    """Where integrands are taken, and how a boundary is interpolated there.

    Attributes
    ----------
    sin, cos, weight : shape (L,), of the angle; the weight includes ``d sin**2``
    basis : shape (L, T, NODES), by which T values of each point come from the nodes
    """

    sin: FloatArray
    cos: FloatArray
    weight: FloatArray
    basis: FloatArray


def nodes() -> FloatArray:
    """Return square roots of the nodes' times, from 1 down; at 0 the boundary is known."""
    return 0.5 + 0.5 * np.cos(np.pi * np.arange(NODES) / NODES)


@lru_cache(maxsize=2)
def _rule(points: int, *, whole: bool) -> _Rule:
    """Gauss and Legendre's rule up to every node's time, or up to expiry (`whole`)."""
    place, weight = np.polynomial.legendre.leggauss(points)
    angle = (place + 1.0) * (np.pi / 4.0)
    sin, cos = np.sin(angle), np.cos(angle)
    targets = cos[:, None] * (np.ones(1) if whole else nodes())
    return _Rule(sin, cos, weight * (np.pi / 2.0) * sin * cos, _lagrange(targets))


def _lagrange(x: FloatArray) -> FloatArray:
    """Lagrange polynomials of the nodes and 0, that of 0 left out, shape (..., NODES)."""
    every = np.append(nodes(), 0.0)
    basis = np.ones((*x.shape, NODES))
    for node in range(NODES):
        for other in np.delete(every, node):
            basis[..., node] *= (x - other) / (every[node] - other)
    return basis


def limit(unit: Unit) -> FloatArray:
    """Boundary just before expiry, ``min(1, r / q)``; at a yield of nothing it is the strike."""
    ratio = np.ones_like(unit.rate)
    np.divide(unit.rate, unit.yield_, out=ratio, where=unit.yield_ > unit.rate)
    return ratio


def boundary(unit: Unit) -> FloatArray:
    """Solve for ``ln(B / B(0))`` at the nodes, shape (NODES, N); it is never positive."""
    with np.errstate(all="ignore"):  # a boundary of zero has logarithms that are capped
        found = _guess(unit)
        left = np.arange(len(unit.total))
        for _ in range(MOST_ROUNDS):
            moved = np.empty(len(left))
            for start in range(0, len(left), CONTRACTS_AT_ONCE):
                rows = slice(start, start + CONTRACTS_AT_ONCE)
                moved[rows] = _improve(found, unit, left[rows])
            left = left[moved > CLOSE]
            if not len(left):
                break
    return found


def _improve(found: FloatArray, unit: Unit, rows: IntArray) -> FloatArray:
    """Replace some contracts' boundaries, and return how far they moved."""
    old = np.ascontiguousarray(found[:, rows])
    new = _improved(unit.part(rows), old)
    found[:, rows] = new
    moved: FloatArray = np.max(np.abs(new - old), axis=0)
    return moved


def _guess(unit: Unit) -> FloatArray:
    """Boundary of Bjerksund and Stensland (1993), by the call that mirrors the put."""
    root, first = nodes()[:, None], 1.0 / limit(unit)
    variance = unit.total**2
    carry = unit.yield_ - unit.rate
    bend = carry / variance - 0.5
    power = -bend + np.sqrt(np.maximum(bend**2 + 2.0 * unit.yield_ / variance, 1e-12))
    power = np.maximum(power, 1.0 + 1e-9)
    rise = np.maximum(power / (power - 1.0) - first, 1e-9 * first)
    decay = -(carry * root**2 + 2.0 * unit.total * root) * first / rise
    mirrored = first + rise * -np.expm1(np.minimum(decay, 0.0))
    return _capped(np.log(first / mirrored))


def _capped(log: FloatArray) -> FloatArray:
    return np.where(log > -300.0, np.minimum(log, 0.0), -300.0)  # catches NaN too


def _improved(unit: Unit, log: FloatArray) -> FloatArray:
    """Return one fixed-point iteration of ``ln(B / B(0))`` at the nodes."""
    rule = _rule(POINTS, whole=False)
    root = nodes()[:, None]
    carry, edge = unit.rate - unit.yield_, np.log(limit(unit))
    numerator, denominator = _both(log + edge, carry * root**2, unit.total * root)
    # At the time left * cos**2, the distance being left * sin**2.
    sin, cos = _grid(rule.sin) * root, _grid(rule.cos) * root
    weight = _grid(rule.weight) * root**2
    lower, upper = _both(log - _interpolated(log, rule), carry * sin**2, unit.total * sin)
    strike_part = _sum(weight * np.exp(unit.rate * cos**2) * lower)
    spot_part = _sum(weight * np.exp(unit.yield_ * cos**2) * upper)
    numerator += unit.rate * strike_part
    denominator += unit.yield_ * spot_part
    return _capped(np.log(numerator / denominator) - carry * root**2 - edge)


def _grid(column: FloatArray) -> FloatArray:
    return column[:, None, None]


def _sum(terms: FloatArray) -> FloatArray:
    """Add along the first axis, in order; NumPy's own order depends on the shape."""
    total: FloatArray = terms[0].copy()
    for term in terms[1:]:
        total += term
    return total


def _interpolated(log: FloatArray, rule: _Rule) -> FloatArray:
    """Return ``ln(B / B(0))`` at the rule's places, shape (L, T, N)."""
    square, basis = log * log, rule.basis
    values = basis[:, :, 0, None] * square[0]
    for node in range(1, NODES):
        values += basis[:, :, node, None] * square[node]
    root: FloatArray = np.sqrt(np.maximum(values, 0.0))
    return -root


def _both(log: FloatArray, drift: FloatArray, total: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``N(d-)`` and ``N(d+)`` of Black and Scholes (1973)."""
    centre = (log + drift) / total
    return normal(centre - 0.5 * total), normal(centre + 0.5 * total)


def normal(x: FloatArray) -> FloatArray:
    """Normal distribution function."""
    size = np.minimum(np.abs(x), LARGE)
    tail = PEAK * np.exp(-0.5 * size * size) * mills(size)
    return np.where(x < 0.0, tail, 1.0 - tail)


def premium(log_spot: FloatArray, unit: Unit, log: FloatArray) -> FloatArray:
    """Worth of early exercise in units of the strike; NaN where it is exercised at once.

    Parameters
    ----------
    log_spot : shape (N,), logarithm of spot over strike
    unit : each price's contract, shape (N,)
    log : ``boundary`` of each price's contract, shape (NODES, N)
    """
    out = np.empty_like(log_spot)
    with np.errstate(all="ignore"):
        for start in range(0, len(out), PRICES_AT_ONCE):
            rows = slice(start, start + PRICES_AT_ONCE)
            part = np.ascontiguousarray(log[:, rows])
            out[rows] = _premium(log_spot[rows], unit.part(rows), part)
    return out


def _premium(log_spot: FloatArray, unit: Unit, log: FloatArray) -> FloatArray:
    """Interest on the strike less yield of the spot, while exercised (Kim 1990)."""
    rule = _rule(PREMIUM_POINTS, whole=True)
    edge = np.log(limit(unit))
    spot, carry = np.exp(log_spot), unit.rate - unit.yield_
    sin, weight = rule.sin[:, None], rule.weight[:, None]
    distance = _interpolated(log, rule)[:, 0] + edge - log_spot
    # N(-d+) and N(-d-) of the spot are N(d-) and N(d+) of its reciprocal.
    spot_part, strike_part = _both(distance, -carry * sin**2, unit.total * sin)
    interest = _sum(weight * np.exp(-unit.rate * sin**2) * strike_part)
    forgone = _sum(weight * np.exp(-unit.yield_ * sin**2) * spot_part)
    worth = np.maximum(unit.rate * interest - unit.yield_ * spot * forgone, 0.0)
    return np.where(log_spot <= log[0] + edge, np.nan, worth)
