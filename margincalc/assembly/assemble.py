"""From the written form to the computed form: `assemble` is the one place that crosses.

Every instrument held becomes a row of columns once, and every position, deposit, unrealised profit
and unpaid amount a row that says which pool holds how much of it.
"""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from margincalc.assembly.columns import book_of, marked
from margincalc.assembly.contract_rows import add_contract
from margincalc.assembly.draft import Draft
from margincalc.assembly.holding import add_deposit, hold, refuse_foreign_coin
from margincalc.book import Book, Pool
from margincalc.errors import InputError
from margincalc.portfolio import Collateral, Order, Portfolio, Position
from margincalc.portfolio.contracts import Contract, resolve
from margincalc.portfolio.quotes import Market

Label = Callable[[Position | Order | Collateral, Contract | None], Pool]
"""Names the pool of a position or an order, or (without a contract) of a deposit."""


class Assembly(NamedTuple):
    """A book, with the terms and times of what it holds.

    Attributes
    ----------
    book : the computed form
    contracts : terms of each written position
    pools, ordered : pool of each written position, and of each order
    as_of : the valuation time
    notes : what was decided on the way and a reader should know
    """

    book: Book
    contracts: tuple[Contract, ...]
    pools: tuple[Pool, ...]
    ordered: tuple[Pool, ...]
    as_of: dt.datetime
    notes: tuple[str, ...]


def assemble(portfolio: Portfolio, label: Label) -> Assembly:
    """Compute the columns of a portfolio, its pools named by `label`.

    Raises
    ------
    InputError
        With every fault found: terms that do not resolve, an option without volatility, a mark
        below intrinsic value.
    """
    resolved = resolve(portfolio)
    market = Market(portfolio, resolved)
    draft = Draft(portfolio, market, resolved.as_of, tuple(sorted(portfolio.market)))
    pools = tuple(map(label, portfolio.positions, resolved.positions))
    for number, (contract, pool) in enumerate(zip(resolved.positions, pools, strict=True)):
        if contract.name not in draft.rows:
            add_contract(draft, contract, f"positions[{number}]")
        hold(draft, pool, number, contract)
    for number, contract in enumerate(resolved.orders):
        if contract.name not in draft.rows:
            add_contract(draft, contract, f"orders[{number}]")
        order = portfolio.orders[number]
        draft.ordered.append((label(order, contract), contract.name, order.quantity, order.price))
    for number, deposit in enumerate(portfolio.collateral):
        add_deposit(draft, number, label(deposit, None))
    refuse_foreign_coin(draft, resolved)
    if draft.faults:
        raise InputError(draft.faults)
    book = marked(draft, book_of(draft))
    ordered = tuple(pool for pool, _, _, _ in draft.ordered)
    return Assembly(book, resolved.positions, pools, ordered, resolved.as_of, resolved.notes)
