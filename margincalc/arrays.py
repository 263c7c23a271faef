"""Array types, the axis letters, and sums by group.

Axis letters, used in every signature: ``A`` accounts or pools, ``P`` position rows, ``I``
instruments, ``S`` scenarios, ``X`` spot ladder nodes, ``E`` expiries, ``U`` underlyings,
``G`` groups of position rows.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from margincalc import pricer

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
AnyArray: TypeAlias = npt.NDArray[Any]


def group_sum(values: FloatArray, labels: IntArray, groups: int) -> FloatArray:
    """Sum the rows of `values` that share a label.

    Rows are added one after the other in the order given (`numpy.bincount`), never pairwise and
    never by BLAS, so that a group's sum does not depend on which other groups are present.

    Parameters
    ----------
    values : array of shape (P,) or (P, S)
    labels : array of shape (P,), each in ``range(groups)``
    groups : number of groups

    Returns
    -------
    array of shape (groups,) or (groups, S)
    """
    if (kernels := pricer.current().sums) is not None:
        return kernels.group_sum(values, labels, groups)
    if values.ndim == 1:
        return np.bincount(labels, weights=values, minlength=groups).astype(np.float64, copy=False)
    columns = [group_sum(column, labels, groups) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((groups, 0))


def group_rows(*keys: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Number the distinct rows of several key columns, in the keys' own order.

    Returns
    -------
    first : array of shape (G,), the first row of each group
    labels : array of shape (P,), the group of each row
    """
    rows = len(keys[0])
    if rows == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    kernels = pricer.current().sums
    if kernels is not None and (found := kernels.group_rows(keys)) is not None:
        return found
    order = np.lexsort(keys[::-1])
    changed = np.zeros(rows, bool)
    for key in keys:
        ordered = key[order]
        changed[1:] |= ordered[1:] != ordered[:-1]
    labels = np.empty(rows, np.int64)
    labels[order] = np.cumsum(changed)
    first = order[np.flatnonzero(np.concatenate(([True], changed[1:])))]
    return first, labels


def group_totals(values: FloatArray, *keys: npt.NDArray[Any]) -> tuple[IntArray, FloatArray]:
    """Sum `values`, shape (P,), over the rows that share all keys, row after row.

    Returns
    -------
    first : array of shape (G,), the first row of each group, in the keys' own order
    totals : array of shape (G,)
    """
    kernels = pricer.current().sums
    if kernels is not None and (found := kernels.group_totals(values, keys)) is not None:
        return found
    first, labels = group_rows(*keys)
    return first, group_sum(values, labels, len(first))


def running_sums(values: FloatArray, labels: IntArray) -> FloatArray:
    """Sum the rows of each group up to and with each row, one after the other, shape (P,).

    Parameters
    ----------
    values : array of shape (P,)
    labels : array of shape (P,), rows of one group beside each other
    """
    found = values.copy()
    start = np.flatnonzero(np.diff(labels, prepend=-1))
    count = np.diff(start, append=len(labels))
    if len(start) <= np.max(count, initial=0):
        for low, high in zip(start.tolist(), (start + count).tolist(), strict=True):
            np.cumsum(values[low:high], out=found[low:high])
        return found
    # Of many short groups, the second rows of all, then the third ones: the same sums.
    start, count = start[order := np.argsort(-count, kind="stable")], count[order]
    for place in range(1, int(np.max(count, initial=0))):
        rows = start[: np.searchsorted(-count, -place)] + place
        found[rows] += found[rows - 1]
    return found


def matched(one: IntArray, other: IntArray, groups: int) -> tuple[IntArray, IntArray]:
    """Return the places of all pairs of equal labels, in the order of `one`, then of `other`."""
    order = np.argsort(other, kind="stable")
    count = np.bincount(other, minlength=groups)
    start, times = np.cumsum(count) - count, count[one]
    first = np.repeat(np.arange(len(one)), times)
    within = np.arange(len(first)) - np.repeat(np.cumsum(times) - times, times)
    return first, order[start[one[first]] + within]


def renumbered(rows: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Number those of `size` rows that occur, in their order.

    Returns
    -------
    kept : array of shape (G,), the rows that occur
    number : array of the shape of `rows`, the place of each among them
    """
    occurs = np.zeros(size, bool)
    occurs[rows] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[rows]
