"""The lines of a report: one per instrument and pool, in the order of the file."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from margincalc.answers.account import GREEKS, Account
from margincalc.answers.results import PositionLine
from margincalc.book import Book, Kind, Pool
from margincalc.portfolio import Position
from margincalc.portfolio.contracts import Contract
from margincalc.times import zulu


class Profit(NamedTuple):
    """What a line has made since entry.

    Attributes
    ----------
    entry_price : average over the positions of the line; None where they have opposite signs
    amount : profit in account currency
    """

    entry_price: float | None
    amount: float


def position_lines(account: Account) -> Iterator[PositionLine]:
    """Yield a line per instrument and pool, in file order."""
    order = {name: number for number, name in enumerate(account.contracts)}
    rows = [row for row in _held(account) if account.instrument(row) in order]
    profits = _profits(account)
    rows.sort(key=lambda row: (account.book.pool[row], order[account.instrument(row)]))
    for row in rows:
        yield _line(account, row, profits.get((account.pool(row), account.instrument(row))))


def _held(account: Account) -> list[int]:
    """Return the position rows of what has not been settled."""
    return np.flatnonzero(account.book.kind != Kind.SETTLEMENT).tolist()


def _line(account: Account, row: int, profit: Profit | None) -> PositionLine:
    book, name = account.book, account.instrument(row)
    contract, number = account.contracts[name], int(account.book.instrument[row])
    option, worst = contract.kind == "option", account.result.worst
    held = {
        key: float(book.quantity[row] * getattr(account.unit_greeks, key)[number]) for key in GREEKS
    }
    return PositionLine(
        instrument=name,
        pool=account.pool(row).title,
        kind=contract.kind,
        underlying=contract.underlying,
        expiry=zulu(contract.expiry) if contract.expiry else None,
        strike=contract.strike if option else None,
        type=("call" if contract.call else "put") if option else None,
        settlement="inverse" if contract.inverse else "linear",
        quantity=float(book.quantity[row]),
        entry_price=profit.entry_price if profit else None,
        mark_price=mark_price(account, row),
        volatility=float(book.instruments.volatility[number]) if option else None,
        value=float(account.values[row]) if contract.kind in ("option", "spot") else None,
        unrealised=profit.amount if profit else None,
        worst_pnl=float(worst.by_position()[row]) if worst is not None else None,
        **held,
    )


def mark_price(account: Account, row: int) -> float:
    """Return the mark of a position row in the unit its venue quotes it in."""
    book, contract = account.book, account.contracts[account.instrument(row)]
    columns, number = book.instruments, book.instrument[row]
    if contract.kind != "option":
        return float(columns.forward[number])
    unit = account.unit_values[number] / columns.multiplier[number]
    spot = book.spot[columns.underlying[number]]
    quote = unit * spot if book.coin else unit
    return float(quote / spot if contract.inverse else quote)


def _profits(account: Account) -> dict[tuple[Pool, str], Profit]:
    """Return the profit of every line whose positions all state their entry price."""
    written: dict[tuple[Pool, str], list[Position]] = {}
    holders = zip(account.assembly.pools, account.assembly.contracts, strict=True)
    for (pool, contract), position in zip(holders, account.portfolio.positions, strict=True):
        written.setdefault((pool, contract.name), []).append(position)
    marks = {
        (account.pool(row), account.instrument(row)): (row, mark_price(account, row))
        for row in _held(account)
        if account.instrument(row) in account.contracts
    }
    return {
        line: _profit(account.book, account.contracts[line[1]], positions, marks[line])
        for line, positions in written.items()
        if line in marks and all(position.entry_price is not None for position in positions)
    }


def _profit(
    book: Book, contract: Contract, positions: list[Position], at: tuple[int, float]
) -> Profit:
    row, mark = at
    spot = float(book.spot[book.underlying[row]])
    quantities = np.array([position.quantity for position in positions])
    entries = np.array([position.entry_price for position in positions], np.float64)
    if contract.inverse and contract.kind != "option":
        gain = spot * (1.0 / entries - 1.0 / mark)
    else:
        gain = (mark - entries) * (spot if contract.inverse else 1.0)
    amount = float(np.sum(quantities * contract.multiplier * gain)) / (spot if book.coin else 1.0)
    one_sided = bool(np.all(quantities > 0.0) or np.all(quantities < 0.0))
    average = float(np.sum(quantities * entries) / np.sum(quantities)) if one_sided else None
    return Profit(average, amount)
