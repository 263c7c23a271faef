"""From a file of accounts through the loss waterfall to its report."""

from typing import NamedTuple

import numpy as np

from margincalc.answers.waterfall_results import (
    LedgerLine,
    PolicyLine,
    WaterfallReport,
    WinnerLine,
)
from margincalc.arrays import FloatArray, IntArray
from margincalc.errors import input_error, shown
from margincalc.files.holders import Holders as Written
from margincalc.portfolio.contracts.checks import MONEY
from margincalc.simulation import waterfall
from margincalc.simulation.closing import Closed, close
from margincalc.simulation.deleveraging import (
    MINIMAX,
    POLICIES,
    SOCIALISED,
    UNITS,
    Market,
    Policy,
)
from margincalc.simulation.rankings import QUEUES, WEIGHTS, Holders, quintiles
from margincalc.simulation.waterfall import LARGEST, Fund, Paid

MOST = 1e12  # of a fund


class Terms(NamedTuple):
    """How losses are paid.

    Attributes
    ----------
    policy, unit : how winners pay; `unit` None for what the policy is known for
    fund : that pays first
    slippage : share of notional that closing an account costs
    """

    policy: str = "pro-rata"
    unit: str | None = None
    fund: Fund = Fund()
    slippage: float = 0.0


def fund_of(
    written: Written, balance: float | None, cap: float | None, *, keeps_surplus: bool = False
) -> Fund:
    """Return the file's fund with what is said of it elsewhere in its place."""
    for place, amount in (("--fund", balance), ("--cap", cap)):
        if amount is not None and not 0.0 <= amount <= MOST:
            raise input_error(place, f"{amount:g}", f"an amount from 0 to {MOST:g}")
    own = written.fund
    return Fund(
        own.balance if balance is None else balance, own.cap if cap is None else cap, keeps_surplus
    )


def waterfall_report(written: Written, terms: Terms) -> WaterfallReport:
    """Run the waterfall, and every other policy beside it."""
    unit = 0.01 if written.currency in MONEY else 1e-8
    market = _market(written)
    _refuse_beyond_cents(market.holders, unit, written.currency)
    chosen = _policy(terms)
    fund = terms.fund
    closed = close(market.holders, terms.slippage, unit)
    case = _Case(written, market, closed, fund, unit)
    paid = case.run(chosen)
    profits = case.profits()
    left = int(np.sum(closed.deficit) - np.sum(paid.fund))
    given, able = paid.taken + paid.socialised, int(np.sum(profits))
    notional = float(np.sum(market.holders.notional[profits > 0]))
    return WaterfallReport(
        currency=written.currency,
        policy=chosen.name,
        unit=chosen.unit,
        accounts=len(profits),
        liquidated=len(closed.liquidated),
        bankrupt=int(np.sum(closed.deficit > 0)),
        lost=case.money(int(np.sum(closed.loss))),
        slippage=case.money(int(np.sum(closed.slippage))),
        surplus=case.money(int(np.sum(closed.surplus))),
        fund_before=fund.balance,
        fund_after=case.money(paid.fund_after),
        ledger=_ledger(case, paid),
        least_haircut=_share(float(min(left, able)), float(able)),
        profit_haircut=_share(float(np.sum(given)), float(able)),
        notional_haircut=_share(case.closed_notional(paid), notional),
        winners=_winners(case, chosen, paid),
        policies=tuple(_compared(case, policy) for policy in _others(chosen)),
        notes=_notes(case, paid),
    )


class _Case(NamedTuple):
    """One file's accounts, closed, and the fund that pays first."""

    written: Written
    market: Market
    closed: Closed
    fund: Fund
    unit: float

    def run(self, policy: Policy) -> Paid:
        return waterfall.run(self.market, self.closed, self.fund, policy, self.unit)

    def money(self, units: int) -> float:
        """Return whole units as an amount, to the last digit that the currency has."""
        return round(int(units) * self.unit, 2 if self.unit == 0.01 else 8)

    def profits(self) -> IntArray:
        """Profits of those that stay, whole units, shape (A,)."""
        profit = np.rint(np.maximum(self.market.holders.profit, 0.0) / self.unit).astype(np.int64)
        profit[self.closed.liquidated] = 0
        return profit

    def closed_notional(self, paid: Paid) -> float:
        return float(np.sum(paid.closed * self.market.holders.mark))


def _market(written: Written) -> Market:
    """Turn rows into columns."""
    rows = written.accounts
    marks = [row.mark if row.mark is not None else written.mark for row in rows]
    mark = np.array(marks, np.float64)
    quantity, entry, balance, maintenance, period = (
        np.array([getattr(row, name) for row in rows], np.float64)
        for name in ("quantity", "entry_price", "balance", "maintenance", "period")
    )
    numbers = {name: n for n, name in enumerate(dict.fromkeys(row.instrument for row in rows))}
    instrument = np.array([numbers[row.instrument] for row in rows], np.int64)
    owners = {name: n for n, name in enumerate(dict.fromkeys(row.account for row in rows))}
    owner = np.array([owners[row.account] for row in rows], np.int64)
    profit = quantity * (mark - entry)
    holders = Holders(quantity, entry, mark, balance, profit, maintenance)
    periods = np.unique(period, return_inverse=True)[1].astype(np.int64)
    return Market(holders, instrument, periods, owner)


def _refuse_beyond_cents(holders: Holders, unit: float, currency: str) -> None:
    """Refuse sums in which a cent is no longer counted."""
    gross = float(np.sum(np.abs(holders.balance)) + np.sum(np.abs(holders.profit)))
    gross += float(np.sum(holders.notional))
    if gross / unit >= LARGEST:
        wanted = f"at most {LARGEST * unit:,.0f}, within which every unit of {unit:g} counts"
        raise input_error("accounts", f"{gross:,.0f} {currency} in all", wanted)


def _policy(terms: Terms) -> Policy:
    if not 0.0 <= terms.slippage <= 1.0:
        raise input_error("--slippage", f"{terms.slippage:g}", "a share from 0 to 1")
    if terms.policy not in POLICIES:
        wanted = f"one of {', '.join(POLICIES)}"
        raise input_error("--policy", shown(terms.policy), wanted)
    for unit in (None, *UNITS):
        if terms.unit == unit:
            return Policy.named(terms.policy, unit)
    raise input_error("--unit", shown(terms.unit), f"one of {', '.join(UNITS)}")


def _others(chosen: Policy) -> list[Policy]:
    """Return every policy as it is known, the chosen one first."""
    known = [Policy.named(name) for name in POLICIES]
    return [chosen, *(policy for policy in known if policy.name != chosen.name)]


def _ledger(case: _Case, paid: Paid) -> tuple[LedgerLine, ...]:
    lost = int(np.sum(case.closed.loss))
    layers = {
        "trader equity": int(np.sum(case.closed.trader)),
        "insurance fund": int(np.sum(paid.fund)),
        "auto-deleveraging": int(np.sum(paid.taken)),
        "socialised loss": int(np.sum(paid.socialised)),
        "unpaid": paid.unpaid,
    }
    return tuple(
        LedgerLine(layer, case.money(amount), amount / lost if lost else 0.0)
        for layer, amount in layers.items()
    )


def _winners(case: _Case, policy: Policy, paid: Paid) -> tuple[WinnerLine, ...]:
    """Return who paid, who paid most first."""
    given, profits = paid.taken + paid.socialised, case.profits()
    holders = case.market.holders
    score, fifth = _scores(case, policy)
    notional, closed = holders.notional, paid.closed * holders.mark
    payers = np.flatnonzero((given > 0) | (paid.closed > 0.0))
    rows = payers[np.argsort(-given[payers], kind="stable")].tolist()
    return tuple(
        WinnerLine(
            account=case.written.accounts[row].account,
            instrument=case.written.accounts[row].instrument,
            score=None if score is None else float(score[row]),
            quintile=None if fifth is None else float(fifth[row]),
            profit=case.money(profits[row]),
            taken=case.money(given[row]),
            profit_haircut=_share(float(given[row]), float(profits[row])),
            notional=float(notional[row]),
            closed=float(closed[row]),
            notional_haircut=_share(float(closed[row]), float(notional[row])) or 0.0,
        )
        for row in rows
    )


def _scores(case: _Case, policy: Policy) -> tuple[FloatArray | None, FloatArray | None]:
    """Return the score of every account, and its quintile on its side of its instrument."""
    holders = case.market.holders
    if policy.name in (SOCIALISED, MINIMAX):
        return None, None
    if policy.name in WEIGHTS:
        return WEIGHTS[policy.name](holders), None
    score = QUEUES[policy.name](holders)
    fifth = np.zeros(len(score))
    standing = np.ones(len(score), bool)
    standing[case.closed.liquidated] = False
    side = np.sign(holders.quantity)
    for instrument in np.unique(case.market.instrument):
        for sign in (-1.0, 1.0):
            mine = np.flatnonzero(
                (case.market.instrument == instrument) & (side == sign) & standing
            )
            fifth[mine] = quintiles(score[mine], holders.quantity[mine])
    return score, fifth


def _compared(case: _Case, policy: Policy) -> PolicyLine:
    """Return what a policy takes, beside the pro rata share of profits of the same need."""
    paid = case.run(policy)
    given, profits = paid.taken + paid.socialised, case.profits()
    total, able = int(np.sum(given)), int(np.sum(profits))
    even = profits * (min(total, able) / able) if able else np.zeros(len(profits))
    own, gross = (np.bincount(case.market.owners, weights=each) for each in (given, profits))
    worst = float(np.max(own[gross > 0.0] / gross[gross > 0.0], initial=0.0))
    return PolicyLine(
        policy=policy.name,
        unit=policy.unit,
        accounts=int(np.sum(given > 0)),
        taken=case.money(total),
        worst_haircut=worst,
        largest_share=float(np.max(given, initial=0)) / total if total else 0.0,
        beyond_pro_rata=case.money(round(float(np.sum(np.maximum(given - even, 0.0))))),
        closed=case.closed_notional(paid),
        unpaid=case.money(paid.unpaid),
    )


def _notes(case: _Case, paid: Paid) -> tuple[str, ...]:
    if not paid.unpaid:
        return ()
    amount = f"{case.money(paid.unpaid):,.2f} {case.written.currency}"
    return (f"{amount} are paid by nobody: all profits together do not cover them",)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
