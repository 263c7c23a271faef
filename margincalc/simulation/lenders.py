"""Engines of lenders: they sell a loan's collateral to whoever repays its debt.

The loan's figures are read from the margin model: what deposits are worth, what haircuts take of
them, what debts are charged. Its largest debt is repaid, and its largest deposit sold.
"""

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Parameters, Share
from margincalc.portfolio import Positive, Price
from margincalc.simulation.engine import Move, Scene, State
from margincalc.simulation.lending import (
    Loan,
    discount,
    improves,
    repay_at_discount,
    two_step,
)

_SIZES = 400  # repayments that a liquidator weighs, up to the most that it may
_LEAST = 1e-9  # of a loan: a first repayment leaves this much to be liquidated


class Pledge(NamedTuple):
    """What is repaid and what is sold.

    Attributes
    ----------
    debt, deposit : rows
    loan : the whole account
    owed, held : value of the two rows, unsigned
    """

    debt: int
    deposit: int
    loan: Loan
    owed: float
    held: float


class Offer(NamedTuple):
    """What a lender offers: at most this repayment, this much more collateral for it, and a fee.

    Attributes
    ----------
    fee : share of the bonus that the lender keeps
    """

    most: float
    bonus: float
    fee: float


class Lender(Parameters, ABC):
    """What lenders have in common: a loan is repaid by whoever earns most by it.

    Attributes
    ----------
    least : a debt of less is repaid whole
    """

    margin: str = "generic-standard"
    settings: tuple[str, ...] = ("borrow.maintenance=0.0",)
    least: Price = 0.0

    @abstractmethod
    def offer(self, pledge: Pledge, state: State) -> Offer:
        """Return what is offered for a loan below a health of 1."""

    def next(self, scene: Scene, state: State) -> Move | str:
        """Return the repayment that earns a liquidator most, if any earns its cost."""
        pledge = pledged(scene, state)
        if pledge is None:
            return "nothing is pledged: no deposit stands against a debt"
        offer = self._bounded(pledge, self.offer(pledge, state))
        if offer.most <= 0.0:
            return "the lender sells no collateral of a loan this far under water"
        repaid, profit = best_repayment(scene, pledge, offer)
        if profit < 0.0:
            return (
                f"nobody acts: the best repayment, {repaid:,.2f}, would cost its liquidator "
                f"{-profit:,.2f} more than it earns"
            )
        return _taken(scene, pledge, offer, repaid)

    def _bounded(self, pledge: Pledge, offer: Offer) -> Offer:
        """Limit a repayment to the debt, and to what the collateral pays for."""
        if pledge.owed <= self.least:
            offer = offer._replace(most=pledge.owed)
        return offer._replace(most=min(offer.most, pledge.owed, pledge.held / (1.0 + offer.bonus)))


class FixedSpread(Lender):
    """A close factor and a bonus, as Aave has them.

    Attributes
    ----------
    close_factor : share of the debt that one liquidation may repay
    full_below : health below which it may repay all
    bonus : collateral beyond what is repaid, LS
    protocol_fee : share of the bonus that the protocol keeps
    strategy : repay as much as allowed, or in the two steps that earn most
    halts_toxic : it sells nothing once selling makes the loan worse
    """

    close_factor: Share
    full_below: Price
    bonus: Share
    protocol_fee: Share = 0.0
    strategy: Literal["close factor", "two steps"] = "close factor"
    halts_toxic: bool = False

    def offer(self, pledge: Pledge, state: State) -> Offer:
        """Return the close factor's share of the debt."""
        loan = pledge.loan
        if self.halts_toxic and not improves(loan, self.bonus):
            return Offer(0.0, self.bonus, self.protocol_fee)
        factor = 1.0 if loan.health < self.full_below else self.close_factor
        most = factor * pledge.owed
        if self.strategy == "two steps" and not state.steps and factor < 1.0:
            first = two_step(loan, self.bonus, self.close_factor).first * (1.0 - _LEAST)
            most = first if 0.0 < first < most else most
        return Offer(most, self.bonus, self.protocol_fee)


class Discount(Lender):
    """A discount that grows with the shortfall, up to a target health, as Euler has it.

    Attributes
    ----------
    fee : part of the discount that the reserves take
    booster, most_boost : of a liquidator with deposits, 1 to 2, and the most that it adds
    most_discount : in all
    target_health : up to which a loan is repaid
    """

    fee: Share
    booster: Positive
    most_boost: Share
    most_discount: Share
    target_health: Positive

    def offer(self, pledge: Pledge, state: State) -> Offer:
        """Return what brings the loan to its target, at the discount of its health."""
        bounds = (self.most_boost, self.most_discount)
        rate = discount(pledge.loan.health, self.fee, self.booster, bounds)
        most = repay_at_discount(pledge.loan, self.target_health, rate)
        return Offer(most, 1.0 / (1.0 - rate) - 1.0, min(self.fee / rate, 1.0) if rate else 0.0)


def pledged(scene: Scene, state: State) -> Pledge | None:
    """Return the loan that a pool is, None where it has no debt against a deposit.

    Raises
    ------
    ModelRefusal
        If it holds positions, which a lender does not.
    """
    if scene.holds(state):
        raise ModelRefusal("a lender holds deposits and debts alone, and this pool has positions")
    value = np.where(scene.desk.deposit, state.quantity * scene.desk.unit, 0.0)
    debt, deposit = int(np.argmin(value)), int(np.argmax(value))
    if not (value[debt] < 0.0 < value[deposit]):
        return None
    # What the pool holds in money is repaid debt's change: it counts as the debt's.
    held = float(np.sum(np.maximum(value, 0.0)))
    owed = float(np.sum(np.maximum(-value, 0.0)))
    parts = scene.desk.margins(state.quantity[None, :]).components
    haircut = float(parts.get("collateral_haircut", np.zeros(1))[0])
    charge = float(parts.get("borrow", np.zeros(1))[0])
    loan = Loan(held, owed, 1.0 - haircut / held, 1.0 + charge / owed)
    return Pledge(debt, deposit, loan, float(-value[debt]), float(value[deposit]))


def profit_of(scene: Scene, pledge: Pledge, offer: Offer, repaid: FloatArray) -> FloatArray:
    """Return what repayments leave to a liquidator that sells the collateral, shape (K,)."""
    earned = repaid * offer.bonus * (1.0 - offer.fee)
    sold = repaid + earned
    moves = scene.desk.book.underlying[pledge.deposit] >= 0
    cost = np.zeros(len(repaid))
    if moves and scene.costs.impact is not None:
        cost = sold * scene.costs.impact.average(sold)
    exposure = sold if moves else np.zeros(len(repaid))
    needs = [scene.liquidator.needs(*pair) for pair in zip(repaid, exposure, strict=True)]
    profit: FloatArray = earned - cost - np.array(needs)
    return profit


def best_repayment(scene: Scene, pledge: Pledge, offer: Offer) -> tuple[float, float]:
    """Return the repayment that earns most, the largest of equals, and what it earns."""
    sizes = offer.most * np.arange(_SIZES, 0, -1) / _SIZES
    profit = profit_of(scene, pledge, offer, sizes)
    best = int(np.argmax(profit))
    return float(sizes[best]), float(profit[best])


def one_shot_capacity(scene: Scene, pledge: Pledge, offer: Offer) -> float | None:
    """Return the largest repayment that still pays for itself; None where none or any does."""
    sizes = np.geomspace(1.0, 1e12, 1201)
    pays = profit_of(scene, pledge, offer, sizes) >= 0.0
    if not np.any(pays) or pays[-1]:
        return None
    last = int(np.flatnonzero(pays)[-1])
    low, high = sizes[last], sizes[last + 1]
    for _ in range(60):
        middle = 0.5 * (low + high)
        if profit_of(scene, pledge, offer, np.array([middle]))[0] >= 0.0:
            low = middle
        else:
            high = middle
    return float(low)


def _taken(scene: Scene, pledge: Pledge, offer: Offer, repaid: float) -> Move:
    """Repay a debt, and hand over collateral for it."""
    size = np.zeros(len(scene.desk.unit))
    taken = repaid * (1.0 + offer.bonus)
    size[pledge.debt] = repaid / scene.desk.unit[pledge.debt]
    size[pledge.deposit] = -taken / scene.desk.unit[pledge.deposit]
    bonus = repaid * offer.bonus
    return Move(
        "repay",
        size,
        liquidator=bonus * (1.0 - offer.fee),
        fund=bonus * offer.fee,
        price=1.0 / (1.0 + offer.bonus),
    )
