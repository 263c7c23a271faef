"""The same book under several modes, side by side, and what would be liquidated first in each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from margincalc.account import Account
from margincalc.arrays import FloatArray
from margincalc.book import Book, Names
from margincalc.results import CompareReport, Comparison, FirstToGo, MarginReport
from margincalc.statement import margin_report

ROWS_AT_ONCE = 1 << 16  # position rows of one margin call, which bounds its memory


def compare_report(accounts: Sequence[Account]) -> CompareReport:
    """Compare accounts that hold the same book; savings are against the isolated one."""
    reports = [margin_report(account) for account in accounts]
    base = next((report for report in reports if report.mode == "isolated"), reports[0])
    columns = [
        _column(account, report, base.initial_margin)
        for account, report in zip(accounts, reports, strict=True)
    ]
    first = reports[0]
    return CompareReport(first.account, first.as_of, first.currency, tuple(columns))


def _column(account: Account, report: MarginReport, isolated: float) -> Comparison:
    saving = isolated - report.initial_margin
    share = saving / isolated if isolated else None
    first = _first_pools(report) if report.mode == "isolated" else _first_positions(account)
    return Comparison(report, saving, share, tuple(first))


def _first_pools(report: MarginReport) -> list[FirstToGo]:
    """Order isolated pools by how small a move liquidates them."""
    found = []
    for pool in report.pools:
        moves = [
            abs(price / entry.spot - 1.0)
            for entry in pool.liquidation.values()
            for price in (entry.below, entry.above)
            if price is not None
        ]
        distance = 0.0 if pool.status == "liquidatable" else min(moves, default=None)
        found.append(FirstToGo(pool.pool, distance, pool.maintenance_margin))
    return sorted(found, key=lambda first: np.inf if first.distance is None else first.distance)


def _first_positions(account: Account) -> list[FirstToGo]:
    """Order the positions of shared pools by the maintenance margin that closing each frees."""
    book = account.book
    rows = [row for row in range(len(book.pool)) if account.instrument(row) in account.contracts]
    whole = account.result.maintenance[book.pool[rows]]
    relief = whole - np.concatenate([np.zeros(0), *_without(account, rows)])
    found = [
        FirstToGo(account.instrument(row), None, float(freed))
        for row, freed in zip(rows, relief, strict=True)
    ]
    return sorted(found, key=lambda first: -first.relief)


def _without(account: Account, rows: Sequence[int]) -> Iterator[FloatArray]:
    """Yield the maintenance margin of a row's pool without that row, for runs of rows."""
    step = max(ROWS_AT_ONCE // max(len(account.book.pool), 1), 1)
    for start in range(0, len(rows), step):
        reduced = _reduced(account.book, rows[start : start + step])
        yield account.model.margin(reduced).maintenance


def _reduced(book: Book, rows: Sequence[int]) -> Book:
    """Return a book of one pool per given row: that row's pool without it."""
    kept = [
        np.setdiff1d(np.flatnonzero(book.pool == book.pool[row]), [row], assume_unique=True)
        for row in rows
    ]
    chosen = np.concatenate(kept)
    names = Names(("",) * len(rows), book.names.underlyings, book.names.instruments)
    return replace(
        book,
        names=names,
        pool=np.repeat(np.arange(len(rows)), [len(each) for each in kept]),
        instrument=book.instrument[chosen],
        quantity=book.quantity[chosen],
        entry=book.entry[chosen],
        limited=np.zeros(len(rows), bool),
    )
