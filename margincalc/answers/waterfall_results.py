"""What `simulate waterfall` answers: who paid, how much of it each winner, and other policies."""

from dataclasses import dataclass
from typing import NamedTuple

from margincalc.answers.results import Json, to_json
from margincalc.answers.shown import Shown


class LedgerLine(NamedTuple):
    """What one layer of the waterfall paid; `share` is of all losses."""

    layer: str
    paid: float
    share: float


class WinnerLine(NamedTuple):
    """A winner that paid, P&L and notional apart.

    Attributes
    ----------
    score : in the policy's ranking or weighting; None where it has none
    quintile : fifth of all contracts of its side in which it ranks, 0.2 closes first; of queues
    profit : unrealised, before
    taken : of the profit
    profit_haircut : taken / profit; None without a profit
    notional : of the position, before
    closed : of the notional
    notional_haircut : closed / notional
    """

    account: str
    instrument: str
    score: float | None
    quintile: float | None
    profit: float
    taken: float
    profit_haircut: float | None
    notional: float
    closed: float
    notional_haircut: float


class PolicyLine(NamedTuple):
    """What a policy would have taken from winners.

    Attributes
    ----------
    accounts : that paid
    taken : of profits, socialised losses among it
    worst_haircut : largest share of one account's gross profit
    largest_share : of all that was taken, borne by one account
    beyond_pro_rata : taken from accounts beyond their pro rata share of profits
    closed : notional
    """

    policy: str
    unit: str
    accounts: int
    taken: float
    worst_haircut: float
    largest_share: float
    beyond_pro_rata: float
    closed: float
    unpaid: float


@dataclass(frozen=True, repr=False)
class WaterfallReport(Shown):
    """The answer of `simulate waterfall`.

    Attributes
    ----------
    liquidated, bankrupt : accounts closed, and those that lost more than they had
    lost : by closing the accounts; `ledger` says who paid it, its slippage among it
    least_haircut : share of every profit that would cover what the fund left
    profit_haircut, notional_haircut : taken of all profits, closed of all notional of winners
    """

    currency: str
    policy: str
    unit: str
    accounts: int
    liquidated: int
    bankrupt: int
    lost: float
    slippage: float
    surplus: float
    fund_before: float
    fund_after: float
    ledger: tuple[LedgerLine, ...]
    least_haircut: float | None
    profit_haircut: float | None
    notional_haircut: float | None
    winners: tuple[WinnerLine, ...]
    policies: tuple[PolicyLine, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `simulate waterfall`."""
        return {"schema": "margincalc.waterfall/1", **to_json(self)}
