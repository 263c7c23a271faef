"""Lenders that sell collateral at a spread: close factor and bonus, or a discount that grows.

Collateral C counts with its liquidation threshold, debt D in full: the health factor is
``LT * C / D``. Repaying r takes ``r * (1 + LS)`` of collateral. Sources: Qin et al. 2021 (arXiv
2106.06389), Warmuz et al. 2022 (2212.07306), aave-v3-core LiquidationLogic.sol, euler-contracts
Liquidation.sol.
"""

from typing import NamedTuple


class Loan(NamedTuple):
    """Money against collateral, account currency.

    Attributes
    ----------
    collateral, debt : values
    threshold : share of the collateral's value that counts, LT
    charge : what a unit of debt counts for, 1 or more
    """

    collateral: float
    debt: float
    threshold: float
    charge: float = 1.0

    @property
    def health(self) -> float:
        """Health factor; below 1 it is liquidated. Infinite without a debt."""
        owed = self.charge * self.debt
        return self.threshold * self.collateral / owed if owed > 0.0 else float("inf")

    @property
    def loan_to_value(self) -> float:
        """Debt over collateral; infinite without collateral."""
        return self.debt / self.collateral if self.collateral > 0.0 else float("inf")

    def to_health(self, health: float, bonus: float) -> float:
        """Return the repayment after which the health factor is `health`.

        ``(h D - LT C) / (h - LT (1 + LS))``; not positive where no repayment raises it.
        """
        owed = health * self.charge
        short = owed * self.debt - self.threshold * self.collateral
        worth = owed - self.threshold * (1.0 + bonus)
        return short / worth if worth > 0.0 else float("inf")


class Repayments(NamedTuple):
    """Two repayments in a row."""

    first: float
    second: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.first + self.second


def toxic_threshold(bonus: float) -> float:
    """Loan to value at which every liquidation makes the loan worse: ``1 / (1 + LS)``."""
    return 1.0 / (1.0 + bonus)


def improves(loan: Loan, bonus: float) -> bool:
    """Whether a repayment raises the health factor: ``HF > LT (1 + LS)``."""
    return loan.charge * loan.health > loan.threshold * (1.0 + bonus)


def two_step(loan: Loan, bonus: float, close_factor: float) -> Repayments:
    """Return the repayments that earn a liquidator most under a close factor (Qin et al. 2021).

    The first only just leaves the loan liquidatable; the second closes the factor of the rest.
    """
    first = loan.to_health(1.0, bonus)
    return Repayments(first, close_factor * (loan.debt - first))


def discount(health: float, fee: float, booster: float, bounds: tuple[float, float]) -> float:
    """Return Euler's discount, which grows as the health score falls.

    Parameters
    ----------
    fee : part of it that the reserves take
    booster : of a liquidator that has deposits, 1 to 2
    bounds : the most that the booster adds, and the most in all
    """
    most_boost, most = bounds
    base = fee + (1.0 - health)
    return min(base * booster, base + most_boost, most)


def repay_at_discount(loan: Loan, target: float, rate: float) -> float:
    """Return the most that may be repaid at a discount: what brings the loan to a target health.

    Euler's ``(h L - C) / (h / bf - cf / (1 - discount))`` with risk-adjusted values; infinite where
    no repayment gets there.
    """
    short = target * loan.charge * loan.debt - loan.threshold * loan.collateral
    worth = target * loan.charge - loan.threshold / (1.0 - rate)
    return short / worth if worth > 0.0 else float("inf")
