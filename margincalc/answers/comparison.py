"""The same book under several modes or models, and what would be liquidated first in each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined, rules_of
from margincalc.answers.results import MarginReport
from margincalc.answers.statement import margin_report
from margincalc.answers.view_results import CompareReport, Comparison, FirstToGo, Refusal
from margincalc.arrays import FloatArray
from margincalc.assembly.pools import Mode
from margincalc.book import Book
from margincalc.errors import ModelRefusal, input_error
from margincalc.margin.settings import divided
from margincalc.portfolio import Portfolio

ROWS_AT_ONCE = 1 << 16  # position rows of one margin call, which bounds its memory


def compare_modes(portfolio: Portfolio, modes: Sequence[Mode], common: Rules) -> CompareReport:
    """Compare modes; savings are against isolated margin, or else the first mode."""
    rules = _applying(portfolio, {str(mode): common._replace(mode=mode) for mode in modes})
    accounts = {name: margined(portfolio, each, liquidation=True) for name, each in rules.items()}
    return _compared(accounts, "isolated" if "isolated" in accounts else str(modes[0]), ())


def _common(accounts: Mapping[str, Account]) -> tuple[str, ...]:
    """Return the notes of every column, and that modes leave the rules of venues as they are."""
    first, *others = accounts.values()
    notes = [note for note in first.notes if all(note in each.notes for each in others)]
    if others and len({each.mode for each in accounts.values()}) > 1 and first.venue.parts:
        notes.append(
            "the file's venues have models of their own: a mode changes who shares collateral, "
            "not by which rules"
        )
    return tuple(notes)


def compare_models(portfolio: Portfolio, models: Sequence[str], common: Rules) -> CompareReport:
    """Compare models, each in its own mode, from the cheapest; savings are against the dearest.

    A model that cannot express the book is named with its reason.
    """
    accounts: dict[str, Account] = {}
    refused: list[Refusal] = []
    rules = _applying(portfolio, {name: common._replace(model=name) for name in models})
    for name, each in rules.items():
        try:
            accounts[name] = margined(portfolio, each, liquidation=True)
        except ModelRefusal as error:
            refused.append(Refusal(name, error.reason))
    ranked = sorted(accounts, key=lambda name: float(accounts[name].result.initial.sum()))
    ordered = {name: accounts[name] for name in ranked}
    return _compared(ordered, ranked[-1] if ranked else "", tuple(refused))


def _applying(portfolio: Portfolio, rules: Mapping[str, Rules]) -> dict[str, Rules]:
    """Leave each model the settings of parameters that it has."""
    settings = next((each.settings for each in rules.values()), ())
    if not settings:
        return dict(rules)
    plain = {name: each._replace(settings=()) for name, each in rules.items()}
    tables = {name: rules_of(portfolio, each).parameters for name, each in plain.items()}
    shares = divided(settings, tables)
    return {name: each._replace(settings=shares[name]) for name, each in rules.items()}


def _compared(
    accounts: Mapping[str, Account], base: str, refused: tuple[Refusal, ...]
) -> CompareReport:
    reports = {name: margin_report(account) for name, account in accounts.items()}
    columns = [
        _column(name, accounts[name], report, reports[base].initial_margin)
        for name, report in reports.items()
    ]
    cheapest = min(reports, key=lambda name: reports[name].initial_margin, default=None)
    first = next(iter(reports.values()), None)
    if first is None:
        reasons = "; ".join(f"{refusal.model}: {refusal.reason}" for refusal in refused)
        raise input_error("--model", reasons, "a model that can express the book")
    return CompareReport(
        first.account,
        first.as_of,
        first.currency,
        base,
        cheapest,
        tuple(columns),
        refused,
        _common(accounts),
    )


def _column(name: str, account: Account, report: MarginReport, base: float) -> Comparison:
    saving = base - report.initial_margin
    share = saving / base if base else None
    first = _first_pools(report) if report.mode == "isolated" else _first_positions(account)
    return Comparison(name, report, saving, share, tuple(first))


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
    """Order the positions of shared pools by the maintenance margin that closing each frees.

    Nobody closes a hedge first: what frees nothing is left out.
    """
    book = account.book
    rows = [row for row in range(len(book.pool)) if account.instrument(row) in account.contracts]
    whole = account.result.maintenance[book.pool[rows]]
    relief = whole - np.concatenate([np.zeros(0), *_without(account, rows)])
    found = [
        FirstToGo(account.instrument(row), None, float(freed))
        for row, freed in zip(rows, relief, strict=True)
        if freed > 0.0
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
    names = book.names._replace(keys=tuple(book.names.keys[book.pool[row]] for row in rows))
    return replace(
        book,
        names=names,
        pool=np.repeat(np.arange(len(rows)), [len(each) for each in kept]),
        instrument=book.instrument[chosen],
        quantity=book.quantity[chosen],
        entry=book.entry[chosen],
        limited=np.zeros(len(rows), bool),
    )
