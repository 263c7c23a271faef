"""From a population to what its page shows: monitor and cascade, of one run."""

from typing import NamedTuple

from margincalc.answers.account import info
from margincalc.answers.accounts import Accounts
from margincalc.answers.cascade import cascade_study, run_of
from margincalc.answers.monitor import monitor_study
from margincalc.answers.results import ModelInfo
from margincalc.answers.stress import Terms
from margincalc.answers.study import Study


class PopulationPage(NamedTuple):
    """All that the page of a population shows.

    Attributes
    ----------
    depth : of the market, as it was stated
    depth_left : share of it that is left
    mode, model : by which accounts are margined; None of listed liquidation prices
    """

    monitor: Study
    cascade: Study
    depth: str
    depth_left: float
    mode: str | None
    model: ModelInfo | None


def population_page(accounts: Accounts, terms: Terms, depth: str, left: float) -> PopulationPage:
    """Run a population once, and answer what its monitor and its cascade answer."""
    run = run_of(accounts, terms)
    venue = accounts.venue
    return PopulationPage(
        monitor=monitor_study(accounts, terms, run),
        cascade=cascade_study(accounts, terms, run),
        depth=depth,
        depth_left=left,
        mode=None if venue is None else venue.mode,
        model=None if venue is None else info(venue),
    )
