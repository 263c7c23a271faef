"""One account: what it needs, how far it is from liquidation, why, and the cheapest way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from margincalc.answers.margining import margined
from margincalc.api.rules import Chosen, Tried, Unpack, rules_of
from margincalc.assembly.pools import MODES, Mode
from margincalc.hedge.aims import Aim, Costs, Limits
from margincalc.margin.load import model_names
from margincalc.portfolio import Portfolio
from margincalc.pricer import PricerName

if TYPE_CHECKING:
    from margincalc.answers.explain_results import ChangeReport, ExplainReport
    from margincalc.answers.hedge_results import HedgeReport
    from margincalc.answers.liquidation_results import LiquidationReport
    from margincalc.answers.passage_results import PassageReport
    from margincalc.answers.passing import Odds
    from margincalc.answers.results import CheckReport, MarginReport
    from margincalc.answers.view_results import CompareReport, GreeksReport, ScenariosReport


def margin(
    portfolio: Portfolio,
    *,
    pricer: PricerName | None = None,
    **rules: Unpack[Tried],
) -> MarginReport:
    """Margin an account: equity, requirement, liquidation prices, worst scenario, Greeks.

    Parameters
    ----------
    pricer : `numpy`, or `compiled` for the kernels with which `batch` computes
    """
    from margincalc.answers.statement import margin_report

    chosen = rules_of(rules)._replace(pricer=pricer)
    return margin_report(margined(portfolio, chosen, liquidation=True))


def compare(
    portfolio: Portfolio,
    *,
    modes: Sequence[Mode] = MODES,
    models: Sequence[str] = (),
    every: bool = False,
    **rules: Unpack[Tried],
) -> CompareReport:
    """Margin one book under several modes, or under several models.

    Parameters
    ----------
    modes : shown side by side, where no model is named
    models : shown side by side, each in its own mode; of several dated sets, the one in force
    every : show every model that ships with the package and can express the book
    rules : without `mode` and `model`; each setting applies to the models that have its parameter

    Raises
    ------
    InputError
    """
    from margincalc.answers.comparison import compare_models, compare_modes

    common = rules_of(rules)
    if models or every:
        return compare_models(portfolio, model_names() if every else models, common)
    return compare_modes(portfolio, modes, common)


def greeks(
    portfolio: Portfolio,
    **rules: Unpack[Tried],
) -> GreeksReport:
    """Greeks by underlying, expiry and position."""
    from margincalc.answers.breakdown import greeks_report

    return greeks_report(margined(portfolio, rules_of(rules)))


def scenarios(
    portfolio: Portfolio,
    **rules: Unpack[Tried],
) -> ScenariosReport:
    """Profit and loss of every underlying in every scenario of the model."""
    from margincalc.answers.breakdown import scenarios_report

    return scenarios_report(margined(portfolio, rules_of(rules)))


def liquidation(
    portfolio: Portfolio,
    *,
    together: bool = False,
    frontier: bool | None = None,
    horizon: float | None = None,
    daily: tuple[float, float, float] = (0.04, 0.06, -0.4),
    multiples: Sequence[float] = (),
    curves: bool = False,
    **rules: Unpack[Tried],
) -> LiquidationReport:
    """Find every market in which an account is liquidated: in spot, in volatility, in time.

    Parameters
    ----------
    together : also move all underlyings together, each by the `beta` of its market, else 1
    frontier : work out spot and volatility together; default: where there are at most six
    horizon : days to follow time in an unchanged market; default: to the last expiry
    daily : deviations of a day's move of spot and of volatility, and their correlation
    multiples : of volatility at which the frontier is worked out, in rising order; default: eleven
        from 0.4 to 3
    curves : keep equity and maintenance along spot, from which the picture is drawn
    """
    from margincalc.answers.liquidation import FRONTIER, Daily, Wanted, liquidation_report

    steps = tuple(multiples) or FRONTIER
    wanted = Wanted(together, frontier, steps, horizon, Daily(*daily), curves)
    return liquidation_report(margined(portfolio, rules_of(rules)), wanted)


def passage(
    portfolio: Portfolio,
    *,
    odds: Odds | None = None,
    **rules: Unpack[Tried],
) -> PassageReport:
    """Return how probably an account is liquidated before a horizon.

    Parameters
    ----------
    odds : horizon, dynamics, paths and seed; `mc.Odds(horizon="7d", law="merton")`
    """
    from margincalc.answers.passing import Odds as Default
    from margincalc.answers.passing import passage_report

    return passage_report(margined(portfolio, rules_of(rules)), odds or Default())


def check(
    portfolio: Portfolio,
    *,
    above: float | None = None,
    **rules: Unpack[Tried],
) -> CheckReport:
    """Say whether an account is under maintenance, or a pool's margin ratio is above `above`."""
    from margincalc.answers.statement import check_report

    return check_report(margined(portfolio, rules_of(rules)), above)


def explain(
    portfolio: Portfolio,
    *,
    seed: int = 1,
    **rules: Unpack[Tried],
) -> ExplainReport:
    """Divide the maintenance margin among positions, and the worst scenario among Greeks.

    Parameters
    ----------
    seed : of the orders in which Shapley's values are sampled, beyond 12 positions of a pool
    """
    from margincalc.answers.explanation import explain_report

    return explain_report(margined(portfolio, rules_of(rules)), seed)


def explain_change(
    old: Portfolio,
    new: Portfolio,
    **rules: Unpack[Chosen],
) -> ChangeReport:
    """Divide the change between two portfolios among the market, time, trades and rules."""
    from margincalc.answers.changes import change_report

    return change_report(margined(old, rules_of(rules)), margined(new, rules_of(rules)))


def hedge(
    portfolio: Portfolio,
    *,
    aim: Aim = Aim(),
    costs: Costs = Costs(),
    limits: Limits = Limits(),
    candidates: Sequence[str] = (),
    strikes: Sequence[float] = (),
    **rules: Unpack[Tried],
) -> HedgeReport:
    """Find the cheapest trades and deposit that restore a target ratio of margin to equity.

    Parameters
    ----------
    aim : the ratio, and the ranges of spot and volatility over which it must hold
    costs : of trades that the file does not quote, and of deposits
    limits : that the answer keeps to; `hedge.aims` has the units of all three
    candidates : instruments that may be traded, in place of what the file's market lists
    strikes : strikes to add to those that it lists
    """
    from margincalc.answers.hedging import hedge_report
    from margincalc.hedge.aims import Request

    request = Request(aim, costs, limits, tuple(candidates), tuple(strikes))
    return hedge_report(portfolio, rules_of(rules), request)


def report(
    portfolio: Portfolio,
    **rules: Unpack[Tried],
) -> str:
    """Return a self-contained HTML page with every answer about an account.

    What the book cannot have, such as a hedge under rules that refuse it, is left out with its
    reason.
    """
    from margincalc.answers.page import page_report
    from margincalc.report.html import page_text

    return page_text(page_report(portfolio, rules_of(rules)))
