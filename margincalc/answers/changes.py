"""Explain what changed an account's margin between two files."""

from collections.abc import Iterator

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.explain_results import ChangeLine, ChangeReport
from margincalc.attribution.change import steps
from margincalc.book import Book
from margincalc.errors import input_error, shown
from margincalc.margin.base import MarginModel
from margincalc.margin.load import side_by_side
from margincalc.times import zulu

ORDER = (
    "in order: time, spots, forwards and rates, volatilities, cash and collateral, trades, orders, "
    "rules; each line after those above it"
)
_Figures = tuple[float, float, float]


def change_report(old: Account, new: Account) -> ChangeReport:
    """Divide the change of equity and margins among what changed.

    Raises
    ------
    InputError
        If the accounts are kept in different currencies, or the old one is the later.
    """
    _refuse(old, new)
    before, after = (_figures(account.book, account.model) for account in (old, new))
    return ChangeReport(
        *new.heading,
        old_as_of=zulu(old.assembly.as_of),
        old=_named(before),
        new=_named(after),
        lines=tuple(_lines(old, new)),
        notes=(ORDER, *_apart(old, new), *dict.fromkeys((*old.notes, *new.notes))),
    )


def _apart(old: Account, new: Account) -> tuple[str, ...]:
    """Say where the files are not two moments of one account."""
    names = [account.portfolio.account for account in (old, new)]
    if names[0] == names[1]:
        return ()
    return (f"two accounts, {names[0]} and {names[1]}: what one lacks is shown as traded or paid",)


def _refuse(old: Account, new: Account) -> None:
    currencies = [account.portfolio.currency for account in (old, new)]
    if currencies[0] != currencies[1]:
        found = f"accounts in {shown(currencies[0])} and {shown(currencies[1])}"
        raise input_error("explain OLD NEW", found, "accounts in one currency")
    if old.assembly.as_of > new.assembly.as_of:
        found = f"{zulu(old.assembly.as_of)} before {zulu(new.assembly.as_of)}"
        raise input_error("explain OLD NEW", found, "the earlier file first", "swap the files")


def _lines(old: Account, new: Account) -> Iterator[ChangeLine]:
    """Yield what each step did; whatever the steps do not reach is one of `rules`."""
    figures, model = _figures(old.book, old.model), _kept(old, new)
    for step in steps(old.book, new.book):
        changed = _figures(step.book, model)
        yield _line(step.kind, step.name, figures, changed)
        figures = changed
    last = _figures(new.book, new.model)
    size = 1.0 + max(abs(value) for value in last)
    if any(abs(one - other) > 1e-9 * size for one, other in zip(last, figures, strict=True)):
        yield _line("rules", new.venue.name, figures, last)


def _kept(old: Account, new: Account) -> MarginModel:
    """Return the old rules; of venues that they know nothing of, the new ones."""
    known = old.venue.parts
    beyond = {key.venue for key in new.book.names.keys} - set(known)
    if not known or not beyond:
        return old.model
    more = {venue: new.venue.parts.get(venue, new.venue) for venue in sorted(beyond)}
    return side_by_side({**known, **more})


def _figures(book: Book, model: MarginModel) -> _Figures:
    """Return equity, initial and maintenance margin of all pools together."""
    result = model.margin(book)
    equity = np.where(book.limited, np.maximum(result.equity, 0.0), result.equity)
    initial, maintenance = result.initial, result.maintenance
    return float(np.sum(equity)), float(np.sum(initial)), float(np.sum(maintenance))


def _line(kind: str, name: str, before: _Figures, after: _Figures) -> ChangeLine:
    equity, initial, maintenance = (b - a for a, b in zip(before, after, strict=True))
    return ChangeLine(kind, name, equity, initial, maintenance, equity - maintenance)


def _named(figures: _Figures) -> dict[str, float]:
    equity, initial, maintenance = figures
    return {
        "equity": equity,
        "initial_margin": initial,
        "maintenance_margin": maintenance,
        "excess": equity - maintenance,
    }
