"""Profit and loss of accounts: sums of quantities times what each instrument gains.

A risk array is the value of one long unit under a scenario less its value now, account-free; gains
are positive, where SPAN publishes losses positive.
"""

from dataclasses import replace

import numpy as np

from margincalc import pricer
from margincalc.arrays import BoolArray, FloatArray, IntArray, group_sum
from margincalc.book import Book
from margincalc.risk.known import is_kept, remembered
from margincalc.risk.values import now, revalued
from margincalc.scenarios import ScenarioGrid


def risk_array(book: Book, grid: ScenarioGrid, value: FloatArray) -> FloatArray:
    """Change in value of one long unit per scenario, account currency, shape (I, S).

    Parameters
    ----------
    value : `now(book)`
    """
    return revalued(book, grid) - value[:, None]


def weighted_risk(book: Book, grid: ScenarioGrid, value: FloatArray) -> FloatArray:
    """Return `risk_array` times the weight of each scenario, shape (I, S).

    Where values are kept it is read-only, and the same for all.
    """
    if is_kept():
        return remembered(_weighted_risk, book, grid, grid.weight)
    return risk_array(book, grid, value) * grid.weight


def _weighted_risk(book: Book, grid: ScenarioGrid, weight: FloatArray) -> FloatArray:
    return risk_array(book, grid, now(book)) * weight


def scenario_pnl(book: Book, risk: FloatArray, labels: IntArray, groups: int) -> FloatArray:
    """Profit and loss by group and scenario, account currency, shape (groups, S).

    Parameters
    ----------
    risk : as `risk_array` gives it, shape (I, S)
    labels : group of each position row, shape (P,)
    """
    if (kernels := pricer.current().sums) is not None:
        return kernels.products((book.quantity, book.instrument), risk, labels, groups)
    held = book.quantity[:, None] * risk[book.instrument]
    return group_sum(held, labels, groups)


def least_pnl(
    book: Book, risk: FloatArray, labels: IntArray, groups: int
) -> tuple[IntArray, FloatArray]:
    """Scenario in which each group loses most, and its profit and loss there, shape (groups,).

    It is where `scenario_pnl`, whose arguments these are, is least; a compiled pricer keeps no
    group's other scenarios.
    """
    if (kernels := pricer.current().sums) is not None:
        return kernels.least((book.quantity, book.instrument), risk, labels, groups)
    pnl = scenario_pnl(book, risk, labels, groups)
    scenario = np.argmin(pnl, axis=1) if groups else np.zeros(0, np.int64)
    return scenario, pnl[np.arange(groups), scenario]


def least_pnl_beside(
    book: Book, risk: FloatArray, apart: BoolArray, labels: IntArray, groups: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return what `least_pnl` does, and the least without what is set apart, shape (groups,).

    Parameters
    ----------
    apart : which instruments are, shape (I,)
    """
    if (kernels := pricer.current().sums) is not None:
        held = book.quantity, book.instrument
        return kernels.least_beside(held, risk, apart, labels, groups)
    scenario, pnl = least_pnl(book, risk, labels, groups)
    rest = np.flatnonzero(~apart[book.instrument])
    if len(rest) == len(labels):
        return scenario, pnl, pnl
    part = replace(book, quantity=book.quantity[rest], instrument=book.instrument[rest])
    return scenario, pnl, least_pnl(part, risk, labels[rest], groups)[1]
