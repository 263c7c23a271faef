"""Margin a portfolio under given rules: the one path from a written account to its margins.

Mode and model each imply the other: isolated and cross imply `generic-standard`, portfolio implies
`generic-portfolio`, a model implies its own mode. Both given, both are honoured.
"""

import datetime as dt
from collections.abc import Container
from typing import NamedTuple

import numpy as np

from margincalc.answers.account import Account
from margincalc.assembly.assemble import assemble
from margincalc.assembly.funding import Funding, funded, funding
from margincalc.assembly.pools import MODES, Mode, labels
from margincalc.assembly.what_if import UNCHANGED, Changes, moved
from margincalc.book import Book, Kind
from margincalc.errors import Fault, InputError, did_you_mean, input_error, refusing_as, shown
from margincalc.kernels import pricer_named
from margincalc.liquidation.nearest import nearest
from margincalc.margin.base import MarginResult, Venue
from margincalc.margin.load import load_model, load_venues
from margincalc.portfolio import Portfolio
from margincalc.pricer import PricerName, current, using
from margincalc.times import instant

_CONTRACTS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)
DEFAULT_MODE: Mode = "portfolio"
IMPLIED = {
    "isolated": "generic-standard",
    "cross": "generic-standard",
    "portfolio": "generic-portfolio",
}


class Rules(NamedTuple):
    """By which rules an account is margined.

    Attributes
    ----------
    mode : who shares collateral
    model : a model's name, or the path of its TOML file
    settings : changes of the model's parameters, each `key=value`; of a file whose venues have
        models of their own, of each that has the key, or by `VENUE:key=value` of one
    effective : day whose parameters are used; default: the valuation day
    pricer : which one makes the figures; default: the one in use, NumPy's unless one was chosen
    changes : what is tried out before the account is margined
    """

    mode: Mode | None = None
    model: str | None = None
    settings: tuple[str, ...] = ()
    effective: str | None = None
    pricer: PricerName | None = None
    changes: Changes = UNCHANGED


def margined(portfolio: Portfolio, rules: Rules, *, liquidation: bool = False) -> Account:
    """Margin the pools of a portfolio, on request with their liquidation prices.

    Raises
    ------
    InputError
        If the portfolio, the model or a setting is wrong.
    """
    if rules.pricer is not None and rules.pricer != current().name:
        with using(pricer_named(rules.pricer)):
            return margined(portfolio, rules, liquidation=liquidation)
    tried: tuple[str, ...] = ()
    if rules.changes.trades:
        from margincalc.assembly.trades import traded  # few accounts try any

        portfolio, tried = traded(portfolio, rules.changes)
    venue = rules_of(portfolio, rules)
    mode = known_mode(rules.mode or venue.mode)
    assembly = assemble(portfolio, labels(mode, portfolio.account))
    book = pooled(assembly.book, venue, mode, funding(portfolio, assembly))
    assembly, book = moved(assembly, book, rules.changes)
    with refusing_as(venue.name):
        result = venue.model.margin(book)
    noted = notes_on(portfolio, venue, mode, result.initial_components)
    notes = tried + assembly.notes + venue.remarks + noted + result.left_out
    notes += no_wrong_way(book, venue, result)
    prices = nearest(book, venue.model, result=result) if liquidation else None
    pricer = current().name
    return Account(portfolio, assembly, book, venue, mode, result, prices, notes, pricer)


def pooled(book: Book, venue: Venue, mode: Mode, stated: Funding) -> Book:
    """Return the book that is margined: isolated pools are given their share of the deposits."""
    if mode != "isolated":
        return book
    with refusing_as(venue.name):
        needed = venue.model.margin(book).initial
    return funded(book, needed, stated)


def rules_of(portfolio: Portfolio, rules: Rules) -> Venue:
    """Load the model that applies: the one named, else each venue's own, else the mode's."""
    day = parameters_day(portfolio, rules.effective)
    implied = IMPLIED[known_mode(rules.mode or DEFAULT_MODE)]
    if rules.model is None and portfolio.venues:
        return load_venues(_models_of(portfolio, implied), day, rules.settings)
    return load_model(rules.model or implied, day, rules.settings)


def _models_of(portfolio: Portfolio, implied: str) -> dict[str, str]:
    """Return the model of each venue that a portfolio uses, "" for what names none."""
    used: dict[str, str] = {}
    faults = []
    for section in ("positions", "collateral", "orders"):
        for number, entry in enumerate(getattr(portfolio, section)):
            if entry.venue is None:
                used[""] = implied
            elif entry.venue in portfolio.venues:
                used[entry.venue] = portfolio.venues[entry.venue].model
            else:
                place = portfolio.place(f"{section}[{number}].venue")
                remedy = did_you_mean(entry.venue, portfolio.venues) or "add it to `venues`"
                faults.append(Fault(place, shown(entry.venue), "a venue of `venues`", remedy))
    if faults:
        raise InputError(faults)
    return used or {"": implied}


def known_mode(mode: str) -> Mode:
    """Refuse a mode that is none."""
    for known in MODES:
        if mode == known:
            return known
    raise input_error("--mode", shown(mode), f"one of {', '.join(MODES)}")


def parameters_day(portfolio: Portfolio, effective: str | None) -> dt.date:
    """Return the day whose parameters are used; a portfolio without a time is refused later."""
    if effective is not None:
        return day_of(effective)
    return portfolio.as_of.date() if portfolio.as_of else dt.date.max


def day_of(text: str) -> dt.date:
    """Read the day whose parameters are asked for."""
    try:
        return instant(text).date()
    except ValueError:
        raise input_error("--effective", shown(text), "a day such as 2026-11-01") from None


def notes_on(
    portfolio: Portfolio, venue: Venue, mode: Mode, components: Container[str]
) -> tuple[str, ...]:
    """Say what a reader of a margin should know of mode and orders."""
    notes = []
    if mode != venue.mode and venue.proof != "own" and not venue.parts:
        offered = f"{venue.name} is offered as {venue.mode}"
        notes.append(f"{offered}, and is applied here to {mode} pools")
    if portfolio.orders and "open_orders" not in components:
        count = len(portfolio.orders)
        notes.append(f"{venue.name} does not margin open orders: {count} left out")
    return tuple(notes)


def no_wrong_way(book: Book, venue: Venue, result: MarginResult) -> tuple[str, ...]:
    """Say which deposits move with positions, for rules that do not look at the two together.

    Of an account over venues it is said of each whose rules do not.
    """
    if not venue.parts:
        return () if "wrong_way" in result.components else _apart(book, venue.name)
    notes: tuple[str, ...] = ()
    for place, part in venue.parts.items():
        mine = np.array([key.venue == place for key in book.names.keys], bool)
        own, _ = book.restricted(np.flatnonzero(mine[book.pool]))
        found = _apart(own, part.at(place))
        # A component that another venue's rules have is no more than 0 at this one.
        if found and "wrong_way" not in part.model.margin(own).components:
            notes += found
    return notes


def _apart(book: Book, name: str) -> tuple[str, ...]:
    """Say which deposits move with positions, if any do, of the rules of a name."""
    deposits, held = np.flatnonzero(book.moving(Kind.COLLATERAL)), book.rows(*_CONTRACTS)
    together = set(book.underlying[deposits].tolist()) & set(book.underlying[held].tolist())
    if not together:
        return ()
    names = ", ".join(sorted({book.names.underlyings[row] for row in together}))
    return (
        f"{name} has no wrong_way: deposits of {names} count by a share of their value, "
        "whether they offset the positions or add to their loss",
    )
