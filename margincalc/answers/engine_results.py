"""What `simulate liquidation` answers: each step, who paid whom, and how it ended."""

from dataclasses import dataclass
from typing import NamedTuple

from margincalc.answers.results import Headed, Json, ModelInfo, to_json


class TradeLine(NamedTuple):
    """One trade of a step; `quantity` is negative where it is sold, `price` per unit.

    Attributes
    ----------
    price : None where several trades are made at one cost, or none is
    """

    instrument: str
    quantity: float
    mark: float
    price: float | None


class StepLine(NamedTuple):
    """One step.

    Attributes
    ----------
    seconds : since the trigger
    price : at which an auction, an order or collateral is offered, where it is one
    trader : change of equity; it, `market`, `liquidator`, `fund` and `others` sum to zero
    market : received as slippage and spread
    liquidator, fund : received, negative where they pay
    others : received, so negative where they share a loss
    equity, maintenance : after the step
    """

    number: int
    seconds: float
    action: str
    trades: tuple[TradeLine, ...]
    price: float | None
    trader: float
    market: float
    liquidator: float
    fund: float
    others: float
    equity: float
    maintenance: float


class LoanLine(NamedTuple):
    """A loan as its lender sees it before it acts.

    Attributes
    ----------
    health : below 1 it is liquidated
    toxic_above : loan to value from which every repayment makes it worse
    toxic : whether repaying makes it worse now
    two_steps : the repayments that would earn most under a close factor; None where there is none
    one_shot : largest repayment that still pays for its liquidator; None without a limit
    """

    collateral: float
    debt: float
    threshold: float
    health: float
    loan_to_value: float
    bonus: float
    toxic_above: float
    toxic: bool
    two_steps: tuple[float, float] | None
    one_shot: float | None


class OptimumLine(NamedTuple):
    """The cheapest trades that would have restored the margin, at the same slippage.

    Attributes
    ----------
    cost : of its trades
    ratio : cost of the engine over it; None where it costs nothing
    """

    trades: tuple[TradeLine, ...]
    cost: float
    ratio: float | None


class PoolRun(NamedTuple):
    """The liquidation of one pool.

    Attributes
    ----------
    end : healthy (not below maintenance margin), closed, bankrupt, or unfinished (left below it)
    reason : of an end that is not healthy
    status_before, status_after : healthy, restricted (equity below initial margin) or liquidatable
    cost : what the trader lost by being liquidated
    left : positions at the end
    """

    pool: str
    end: str
    reason: str
    acted: bool
    status_before: str
    status_after: str
    equity_before: float
    initial_before: float
    maintenance_before: float
    equity_after: float
    initial_after: float
    maintenance_after: float
    seconds: float
    cost: float
    market: float
    liquidator: float
    fund: float
    others: float
    steps: tuple[StepLine, ...]
    left: tuple[TradeLine, ...]
    loan: LoanLine | None
    optimum: OptimumLine | None


@dataclass(frozen=True, repr=False)
class EngineReport(Headed):
    """The answer of `simulate liquidation`."""

    engine: ModelInfo
    slippage: str
    pools: tuple[PoolRun, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `simulate liquidation`."""
        return {"schema": "margincalc.engine/1", **to_json(self)}
