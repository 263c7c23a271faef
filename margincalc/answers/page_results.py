"""What `report` answers: every answer about one account, and margins in a grid of markets."""

from collections.abc import Mapping
from typing import NamedTuple

from margincalc.answers.explain_results import ExplainReport
from margincalc.answers.hedge_results import HedgeReport
from margincalc.answers.liquidation_results import LiquidationReport
from margincalc.answers.results import MarginReport
from margincalc.answers.view_results import CompareReport, ScenariosReport

Series = tuple[float | None, ...]


class MarketGrid(NamedTuple):
    """An account's figures in every market of a grid, as `margin` computes them there.

    Attributes
    ----------
    spots, volatilities : moves in per cent, of all underlyings together
    days : that pass in the market so moved
    equity, initial_margin, maintenance_margin : over days, volatilities and spots, the last fastest
    margin_ratio : of the worst pool, None where one has no equity
    excess, available_funds : least over the pools; below zero a pool is liquidated, or restricted
    """

    spots: tuple[float, ...]
    volatilities: tuple[float, ...]
    days: tuple[float, ...]
    equity: Series
    initial_margin: Series
    maintenance_margin: Series
    margin_ratio: Series
    excess: Series
    available_funds: Series

    @property
    def markets(self) -> int:
        """How many markets were margined."""
        return len(self.equity)


class Page(NamedTuple):
    """All that a page shows; what a book cannot have is None, with its reason in `refused`.

    Attributes
    ----------
    hedges : what the target costs in the present market, and over a range of spots
    refused : sentences, by the name of the field
    """

    margin: MarginReport
    scenarios: ScenariosReport | None
    liquidation: LiquidationReport | None
    explain: ExplainReport | None
    hedges: tuple[HedgeReport, ...]
    modes: CompareReport | None
    models: CompareReport | None
    grid: MarketGrid | None
    refused: Mapping[str, str]
