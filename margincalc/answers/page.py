"""From a portfolio to all that its page shows, each by the function that answers it alone.

What a book cannot have, such as a hedge under rules that refuse it, is left out with its reason.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from margincalc.answers.account import Account
from margincalc.answers.breakdown import scenarios_report
from margincalc.answers.comparison import compare_models, compare_modes
from margincalc.answers.explanation import explain_report
from margincalc.answers.hedging import hedge_report
from margincalc.answers.liquidation import Wanted, liquidation_report
from margincalc.answers.liquidation_results import LiquidationReport
from margincalc.answers.margining import Rules, margined
from margincalc.answers.page_grid import market_grid
from margincalc.answers.page_results import Page
from margincalc.answers.statement import margin_report
from margincalc.assembly.pools import MODES
from margincalc.errors import MargincalcError
from margincalc.hedge.aims import Aim, Request
from margincalc.margin.load import model_names
from margincalc.portfolio import Portfolio

STRESS = (-0.1, 0.1)  # moves of spot over which the second hedge holds
SEED = 1
_Answer = TypeVar("_Answer")


def page_report(portfolio: Portfolio, rules: Rules) -> Page:
    """Answer every question about an account.

    Raises
    ------
    InputError
        If the account itself cannot be margined.
    """
    account = margined(portfolio, rules, liquidation=True)
    asked = _Asked()
    hedges = [
        asked.tried(f"hedge_{number}", partial(hedge_report, portfolio, rules, Request(aim)))
        for number, aim in enumerate((Aim(), Aim(spot=STRESS)))
    ]
    common = rules._replace(mode=None, model=None)
    return Page(
        margin=margin_report(account),
        scenarios=asked.tried("scenarios", lambda: scenarios_report(account)),
        liquidation=asked.tried("liquidation", lambda: _regions(account)),
        explain=asked.tried("explain", lambda: explain_report(account, SEED)),
        hedges=tuple(hedge for hedge in hedges if hedge is not None),
        modes=asked.tried("modes", lambda: compare_modes(portfolio, MODES, common)),
        models=asked.tried("models", lambda: compare_models(portfolio, model_names(), common)),
        grid=asked.tried("grid", lambda: market_grid(account)),
        refused=asked.refused,
    )


class _Asked:
    """Answers, and the reasons of those that there are not."""

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}

    def tried(self, name: str, answer: Callable[[], _Answer]) -> _Answer | None:
        """Return an answer, or None and keep the reason."""
        try:
            return answer()
        except MargincalcError as error:
            self.refused[name] = str(error)
            return None


def _regions(account: Account) -> LiquidationReport:
    return liquidation_report(account, Wanted(curves=True))
