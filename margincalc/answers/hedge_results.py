"""What `hedge` answers: trades and a deposit, what they cost, and the account before and after."""

from dataclasses import dataclass
from typing import NamedTuple

from margincalc.answers.results import Headed, Json, MarginReport, to_json


class HedgeTrade(NamedTuple):
    """One trade of an answer.

    Attributes
    ----------
    quantity : contracts, negative where they are sold
    held : contracts before it
    mark_price : in the instrument's own unit; an inverse option's is in coin
    premium : paid at the mark, negative where it is received
    cost : of trading, beyond the mark
    """

    pool: str
    instrument: str
    quantity: float
    held: float
    mark_price: float
    premium: float
    cost: float


class DepositAlone(NamedTuple):
    """The smallest deposit that does without any trade, whatever the limits.

    Attributes
    ----------
    beyond : the limits that it breaks, fields of `Limits`
    """

    deposit: float
    cost: float
    beyond: tuple[str, ...]


class ReductionAlone(NamedTuple):
    """The cheapest closing trades that do without a deposit."""

    trades: tuple[HedgeTrade, ...]
    cost: float


class ScenarioPrice(NamedTuple):
    """A scenario that binds in some market.

    Attributes
    ----------
    spot, volatility : relative moves of the market in which the ratio must hold
    worth : cost saved for each unit by which the account's loss in the scenario were less
    """

    underlying: str
    spot: float
    volatility: float
    scenario: str
    worth: float


class ProfilePoint(NamedTuple):
    """Figures of a pool at a relative move of every spot."""

    spot: float
    equity_before: float
    maintenance_before: float
    equity_after: float
    maintenance_after: float


class HedgePool(NamedTuple):
    """The answer for one pool.

    Attributes
    ----------
    method : `none needed`, `optimal`, `branching stopped` (best of whole numbers so far), `local
        search` (it holds; how much cheaper another may be, `bound` says), or `infeasible`
    bound : no answer costs less; None where that is not known
    left : equity beyond what the target asks, in the market in which it is least
    dollar : cost saved by one more unit of equity; None where it is not known
    not_convex : rules of the model that have no linear form
    missing : equity that is missing at best; `nearest` are the trades with which it is
    reasons : why there is no answer
    markets, rounds, rows : in how many markets it was margined, and what the programme took
    """

    pool: str
    venue: str | None
    feasible: bool
    method: str
    deposit: float
    trade_cost: float
    total_cost: float
    bound: float | None
    left: float | None
    trades: tuple[HedgeTrade, ...]
    deposit_alone: DepositAlone | None
    reduction_alone: ReductionAlone | None
    dollar: float | None
    scenarios: tuple[ScenarioPrice, ...]
    not_convex: tuple[str, ...]
    missing: float | None
    nearest: tuple[HedgeTrade, ...]
    reasons: tuple[str, ...]
    candidates: int
    markets: int
    rounds: int
    rows: int
    profile: tuple[ProfilePoint, ...]


@dataclass(frozen=True, repr=False)
class HedgeReport(Headed):
    """The answer of `hedge`.

    Attributes
    ----------
    target, initial_target : largest maintenance and initial margin as shares of equity
    spot_range, volatility_range : relative moves between which the target holds
    feasible : whether every pool has an answer
    after : None where no pool has one
    """

    target: float
    initial_target: float | None
    spot_range: tuple[float, float]
    volatility_range: tuple[float, float]
    feasible: bool
    pools: tuple[HedgePool, ...]
    before: MarginReport
    after: MarginReport | None
    notes: tuple[str, ...]

    @property
    def deposit(self) -> float:
        """Deposits of all pools."""
        return sum(pool.deposit for pool in self.pools)

    @property
    def trade_cost(self) -> float:
        """What the trades of all pools cost."""
        return sum(pool.trade_cost for pool in self.pools)

    @property
    def total_cost(self) -> float:
        """What trades and deposits cost."""
        return sum(pool.total_cost for pool in self.pools)

    @property
    def trades(self) -> tuple[HedgeTrade, ...]:
        """Trades of all pools."""
        return tuple(trade for pool in self.pools for trade in pool.trades)

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `hedge`."""
        whole = to_json(self)
        sums = {
            "deposit": self.deposit,
            "trade_cost": self.trade_cost,
            "total_cost": self.total_cost,
            "trades": to_json(self.trades),
        }
        names = list(whole)
        head = {key: whole[key] for key in names[: names.index("pools")]}
        return {
            "schema": "margincalc.hedge/1",
            **head,
            **sums,
            "before": self.before.figures(),
            "after": None if self.after is None else self.after.figures(),
            "pools": whole["pools"],
            "notes": list(self.notes),
        }
