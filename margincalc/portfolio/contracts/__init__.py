"""Contracts: what each position and order of a portfolio is, with every reference resolved.

Order: contract, layers, terms, checks, keys, then this file. `resolve` finds every fault before it
raises.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from margincalc.portfolio.contracts.checks import (
    check_account,
    check_marks,
    check_quantities,
    netted,
    owed,
)
from margincalc.portfolio.contracts.contract import Contract, Faults
from margincalc.portfolio.contracts.keys import check_keys, check_prices, unmatched
from margincalc.portfolio.contracts.terms import Resolver, canonical
from margincalc.portfolio.portfolio import Portfolio
from margincalc.portfolio.written import Order, Position, Quote

__all__ = ["Contract", "Resolved", "quotes_by_name", "resolve"]


@dataclass(frozen=True)
class Resolved:
    """A portfolio's contracts, one to each position and order.

    Attributes
    ----------
    quotes : names of contracts to the keys by which `portfolio.quotes` has them
    notes : what a reader should know, such as positions that net
    """

    positions: tuple[Contract, ...]
    orders: tuple[Contract, ...]
    as_of: dt.datetime
    quotes: dict[str, str]
    notes: tuple[str, ...] = ()


def resolve(portfolio: Portfolio) -> Resolved:
    """Return the contracts of a portfolio.

    Raises
    ------
    InputError
        With every fault found: a missing time or market, an unknown or expired instrument,
        incomplete terms, figures that contradict each other.
    """
    faults = Faults(portfolio)
    check_account(portfolio, faults)
    resolver = Resolver(portfolio, faults)
    positions = _contracts(resolver, "positions", portfolio.positions)
    orders = _contracts(resolver, "orders", portfolio.orders)
    check_quantities(portfolio, faults)
    check_marks(portfolio, positions, faults)
    check_prices(portfolio, positions, faults)
    check_keys(portfolio, (*positions, *orders), faults)
    faults.raise_any()
    assert portfolio.as_of is not None, "its absence is a fault"
    quotes = {canonical(key): key for key in portfolio.quotes}
    resolved = tuple(contract for contract in positions if contract is not None)
    ordered = tuple(contract for contract in orders if contract is not None)
    notes = (
        *netted(portfolio, resolved),
        *owed(portfolio),
        *unmatched(portfolio, (*resolved, *ordered)),
    )
    return Resolved(resolved, ordered, portfolio.as_of, quotes, notes)


def quotes_by_name(portfolio: Portfolio) -> dict[str, Quote]:
    """Return what is quoted, by the one name of each instrument."""
    return {canonical(key): quote for key, quote in portfolio.quotes.items()}


def _contracts(
    resolver: Resolver, section: str, written: Sequence[Position | Order]
) -> list[Contract | None]:
    return [
        resolver.contract(entry.instrument, f"{section}[{number}].instrument")
        for number, entry in enumerate(written)
    ]
