"""The finer views of an account: Greeks line by line, and every scenario's profit and loss."""

from collections.abc import Iterator

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.lines import position_lines
from margincalc.answers.results import Sensitivity, to_json
from margincalc.answers.statement import margin_report
from margincalc.answers.view_results import GreekLine, GreeksReport, ScenarioLine, ScenariosReport
from margincalc.arrays import FloatArray, group_rows, group_sum
from margincalc.errors import input_error
from margincalc.risk import now, risk_array
from margincalc.scenarios import ScenarioGrid


def greeks_report(account: Account) -> GreeksReport:
    """Return the Greeks by underlying, then expiry, then position."""
    return GreeksReport(
        *account.heading,
        tuple(_greek_lines(account)),
        account.notes,
    )


def _greek_lines(account: Account) -> Iterator[GreekLine]:
    report = margin_report(account)
    for name, greeks in report.greeks.items():
        yield _greek_line("underlying", name, name, greeks)
    for name, by_expiry in report.greeks_by_expiry.items():
        for expiry, greeks in by_expiry.items():
            yield _greek_line("expiry", expiry, name, greeks)
    for line in position_lines(account):
        greeks = Sensitivity(line.delta, line.gamma, line.vega, line.theta, line.rho)
        yield _greek_line("position", line.instrument, line.underlying, greeks, line.quantity)


def _greek_line(
    level: str, name: str, underlying: str, greeks: Sensitivity, quantity: float | None = None
) -> GreekLine:
    return GreekLine(level, name, underlying, quantity, **to_json(greeks))


def scenarios_report(account: Account) -> ScenariosReport:
    """Return the profit and loss of each underlying in each scenario.

    Raises
    ------
    InputError
        If the model has no scenarios.
    """
    if not account.model.grids:
        name = account.venue.name
        raise input_error(
            "--model",
            f"{name}, which has no scenarios",
            "a model of scenarios",
            "try --mode portfolio",
        )
    return ScenariosReport(
        *account.heading,
        "relative" if account.model.grids[0].rule.relative else "absolute",
        tuple(_scenario_lines(account)),
        account.notes,
    )


def _scenario_lines(account: Account) -> Iterator[ScenarioLine]:
    worst = account.result.worst
    if worst is None:
        return
    book = account.book
    first, group = group_rows(worst.underlying, worst.grid)
    for number, start in enumerate(first):
        mine, grid = group == number, account.model.grids[worst.grid[start]]
        name = book.names.underlyings[worst.underlying[start]]
        if np.sum(worst.underlying[first] == worst.underlying[start]) > 1:
            name = f"{name} at {', '.join(book.names.pools[pool] for pool in worst.pool[mine])}"
        if worst.every is not None:
            pnl = _summed(worst.every[mine])[: grid.size]
        else:
            own = book.underlying == worst.underlying[start]
            rows = np.flatnonzero(own & np.isin(book.pool, worst.pool[mine]))
            risk = risk_array(book, grid, now(book))[book.instrument[rows]]
            pnl = _summed(book.quantity[rows, None] * risk)
        yield from _lines_of(name, grid, pnl)


def _summed(values: FloatArray) -> FloatArray:
    """Sum rows as a margin does, one after the other."""
    (total,) = group_sum(values, np.zeros(len(values), np.int64), 1)
    return np.asarray(total, np.float64)


def _lines_of(underlying: str, grid: ScenarioGrid, pnl: FloatArray) -> Iterator[ScenarioLine]:
    weighted = pnl * grid.weight
    worst = int(np.argmin(weighted))
    for index in range(grid.size):
        yield ScenarioLine(
            underlying,
            index,
            grid.label(index),
            float(grid.spot[index]),
            float(grid.volatility[index]),
            float(grid.weight[index]),
            float(grid.days_forward[index]),
            float(pnl[index]),
            float(weighted[index]),
            index == worst,
        )
