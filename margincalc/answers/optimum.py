"""What a liquidation is measured against: the cheapest trades that restore the margin."""

import numpy as np

from margincalc.answers.engine_results import OptimumLine, TradeLine
from margincalc.answers.hedging import hedge_report
from margincalc.answers.margining import Rules
from margincalc.errors import MargincalcError
from margincalc.hedge.aims import Aim, Limits, Request
from margincalc.portfolio import Portfolio
from margincalc.simulation.engine import Run, Scene


def optimum(
    portfolio: Portfolio, rules: Rules, scene: Scene, found: Run
) -> OptimumLine | str | None:
    """Return the optimum of `hedge` without a deposit, over what the pool may trade.

    Its trades are charged the slippage of the liquidation, so that the costs compare. None where no
    trades restore the margin, and a sentence where it cannot be found.
    """
    desk = scene.desk
    names = [name for name, own in zip(desk.names, desk.contract, strict=True) if own]
    request = Request(Aim(target=1.0), limits=Limits(deposit=0.0), candidates=tuple(names))
    try:
        report = hedge_report(portfolio, rules, request)
    except MargincalcError as error:
        return f"no optimum to compare with: {error}".replace("\n", " ")
    if not report.feasible or not report.trades:
        return None
    size = np.zeros(len(desk.unit))
    for trade in report.trades:
        size[desk.names.index(trade.instrument)] += trade.quantity
    cost = scene.costs.of(desk, size, found.start.used)
    paid = sum(step.move.market + step.move.liquidator + step.move.fund for step in found.steps)
    lines = tuple(
        TradeLine(name, float(size[row]), desk.mark(row), None)
        for row, name in enumerate(desk.names)
        if size[row]
    )
    return OptimumLine(lines, cost, paid / cost if cost > 0.0 else None)
