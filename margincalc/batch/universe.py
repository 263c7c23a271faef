"""The instruments that a venue's accounts hold, assembled once, as a portfolio file's would be.

One made-up account holds one of everything: it goes through `assemble`, and its book, without what
it holds, is what every account's book shares. Names that do not resolve, or that the model has no
rules for, are noted with the reason; rows that hold them are refused one by one.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.answers.account import info
from margincalc.answers.margining import Rules, known_mode, notes_on, rules_of
from margincalc.arrays import IntArray
from margincalc.assembly.assemble import Assembly, assemble
from margincalc.assembly.pools import Mode, labels
from margincalc.book import NO_ORDERS, Book, Kind
from margincalc.errors import Fault, InputError, ModelRefusal, input_error
from margincalc.margin.base import Venue
from margincalc.portfolio import Collateral, Portfolio, Position
from margincalc.times import zulu

_NUMBERED = re.compile(r"(positions|collateral)\[(\d+)\]")
_NONE = np.zeros(0, np.int64)
REASONS = 3  # why instruments are set aside, that notes say; rows have all of them

Rows = Mapping[str, int | str]
"""The row of each name in the book, or the reason why there is none."""


class Universe(NamedTuple):
    """What all accounts share.

    Attributes
    ----------
    book : everything there is, held by nobody
    venue, mode : the rules
    as_of, currency : of the market
    instruments, assets : where the book has them
    settlement : row in which the profit of each instrument is booked, shape (I,); -1 of options
    notes : what a reader of the figures should know
    """

    book: Book
    venue: Venue
    mode: Mode
    as_of: str
    currency: str
    instruments: Rows
    assets: Rows
    settlement: IntArray
    notes: tuple[str, ...]


def universe(
    market: Portfolio, instruments: Sequence[str], assets: Sequence[str], rules: Rules
) -> Universe:
    """Assemble all that is named.

    Raises
    ------
    InputError
        If the market or the rules are wrong; a name that does not resolve is no fault here.
    """
    venue = rules_of(_everywhere(market), rules)
    mode = known_mode(rules.mode or venue.mode)
    bad: dict[str, dict[str, str]] = {"positions": {}, "collateral": {}}
    assembly, held = _assembled(market, {"positions": instruments, "collateral": assets}, bad)
    refused, left_out = _tried(assembly, venue, held["positions"])
    reasons = Counter(refused.values())
    aside = [f"set aside, {n} of the instruments: {why}" for why, n in reasons.most_common(REASONS)]
    if refused:
        bad["positions"] |= refused
        kept = [name for name in held["positions"] if name not in refused]
        assembly, held = _assembled(market, {**held, "positions": kept}, bad)
    book, row = assembly.book, {n: i for i, n in enumerate(assembly.book.names.instruments)}
    rows: dict[str, int | str] = {
        name: row[contract.name]
        for name, contract in zip(held["positions"], assembly.contracts, strict=True)
    }
    width = len(str(len(held["collateral"])))
    deposits: dict[str, int | str] = {
        asset: row[f"{asset} deposit {number + 1:0{width}d}"]
        for number, asset in enumerate(held["collateral"])
    }
    return Universe(
        _held_by_nobody(book),
        venue,
        mode,
        zulu(assembly.as_of),
        market.currency,
        {**rows, **bad["positions"]},
        {**deposits, **bad["collateral"]},
        _settlement(book, row),
        (
            *venue.remarks,
            *notes_on(market, venue, mode, ()),
            *aside,
            *left_out,
            *info(venue).pointer,
        ),
    )


def _everywhere(market: Portfolio) -> Portfolio:
    """Return an account with a deposit at each venue that the market names a model for."""
    venues = (None, *market.venues)
    places = [Collateral(asset=market.currency, quantity=1.0, venue=venue) for venue in venues]
    return market.model_copy(update={"positions": (), "orders": (), "collateral": tuple(places)})


def _assembled(
    market: Portfolio, names: Mapping[str, Sequence[str]], bad: dict[str, dict[str, str]]
) -> tuple[Assembly, dict[str, list[str]]]:
    """Assemble an account of one of everything, leaving out what has faults of its own."""
    held = {section: list(own) for section, own in names.items()}
    terms, one = (
        _terms(market),
        Position.model_construct(instrument="", quantity=1.0, unsettled=1.0),
    )
    while True:
        everything = market.model_copy(
            update={
                "account": "everything",
                "orders": (),
                # An unpaid amount calls for the row in which profits are booked.
                "positions": tuple(
                    one.model_copy(update={"instrument": name}) for name in held["positions"]
                ),
                "collateral": tuple(_deposit(terms, asset) for asset in held["collateral"]),
            }
        )
        try:
            return assemble(everything.located(str), labels("portfolio", "everything")), held
        except InputError as error:
            _leave_out(error, held, bad)


def _leave_out(
    error: InputError, held: dict[str, list[str]], bad: dict[str, dict[str, str]]
) -> None:
    """Leave out the names that faults are of; other faults are the market's own, and raised."""
    found: dict[tuple[str, str], Fault] = {}
    for fault in error.faults:
        place = _NUMBERED.match(fault.place)
        if place is None:
            raise error
        section, number = place[1], int(place[2])
        found.setdefault((section, held[section][number]), fault)
    for (section, name), fault in found.items():
        bad[section][name] = f"{fault.found}; wanted {fault.wanted}"
    for section, names in held.items():
        held[section] = [name for name in names if name not in bad[section]]


def _terms(market: Portfolio) -> dict[str, Collateral]:
    """Return on what terms assets count: of the market's collateral, for one unit."""
    terms: dict[str, Collateral] = {}
    for number, own in enumerate(market.collateral):
        place = market.place(f"collateral[{number}]")
        if own.cap is not None or own.tiers:
            wanted = "a price, a haircut, what it moves with"
            remedy = "caps and tiers are of one deposit, not of everybody's"
            raise input_error(place, f"a cap or tiers of {own.asset}", wanted, remedy)
        plain = own.model_copy(update={"quantity": 1.0, "venue": None})
        if terms.setdefault(own.asset, plain) != plain:
            raise input_error(place, f"other terms of {own.asset}", "one entry for each asset")
    return terms


def _deposit(terms: Mapping[str, Collateral], asset: str) -> Collateral:
    return terms.get(asset) or Collateral.model_construct(asset=asset, quantity=1.0)


def _tried(
    assembly: Assembly, venue: Venue, names: Sequence[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Margin everything, to find what the model cannot.

    Returns
    -------
    refused : instruments that it has no rules for, with what it says of them; of an account over
        venues none, as which model margins a row is known when the row is
    left_out : what it says that its margins of the others leave out
    """
    book, said = assembly.book, dict[str, None]()
    whole = [_margin(part, book, said) for part in (venue.parts or {"": venue}).values()]
    if venue.parts or whole == [""]:
        return {}, tuple(said)
    refused, row = {}, {name: n for n, name in enumerate(book.names.instruments)}
    for name, contract in zip(names, assembly.contracts, strict=True):
        alone = np.flatnonzero(book.instrument == row[contract.name])
        if reason := _margin(venue, book.restricted(alone)[0], said):
            refused[name] = f"{venue.name}: {reason}"
    return refused, tuple(said)


def _margin(venue: Venue, book: Book, said: dict[str, None]) -> str:
    """Margin a book, and add to what is said of it; return why it is refused, if it is."""
    try:
        said.update(dict.fromkeys(venue.model.margin(book).left_out))
    except ModelRefusal as error:
        return error.reason
    return ""


def _held_by_nobody(book: Book) -> Book:
    empty = np.zeros(0)
    return replace(
        book,
        names=book.names._replace(keys=()),
        pool=_NONE,
        instrument=_NONE,
        quantity=empty,
        entry=empty,
        limited=np.zeros(0, bool),
        orders=NO_ORDERS,
    )


def _settlement(book: Book, row: Mapping[str, int]) -> IntArray:
    """Return where the profit of futures and perpetuals is booked; see `assemble`."""
    columns, money = book.instruments, row.get("money", -1)
    coin = np.array([row.get(f"{name} owed", -1) for name in book.names.underlyings], np.int64)
    contract = columns.is_kind(Kind.FUTURE, Kind.PERPETUAL)
    own = np.where(columns.inverse, coin[columns.underlying] if len(coin) else -1, money)
    return np.where(contract, own, -1)
