"""A venue's accounts as one book, for a desk that follows the market tick by tick."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from margincalc.answers.margining import Rules, pooled
from margincalc.assembly.funding import Funding
from margincalc.batch.aside import refuse
from margincalc.batch.books import unit
from margincalc.batch.holdings import accounts_in
from margincalc.batch.instruments import with_instruments
from margincalc.batch.parts import planned
from margincalc.batch.run import Inputs, files
from margincalc.batch.survey import survey
from margincalc.batch.universe import universe
from margincalc.book import Book
from margincalc.feed.desk import Desk
from margincalc.feed.reach import Reach
from margincalc.feed.session import Session, Wishes
from margincalc.files.parquet import BALANCES, POSITIONS
from margincalc.files.unchanged import states_of, unchanged
from margincalc.kernels import pricer_named
from margincalc.pricer import using
from margincalc.times import instant

_REMEDY = "correct it: a status of which a row is missing would be wrong"


def watched(inputs: Inputs, rules: Rules, wishes: Wishes) -> Session:
    """Read all accounts, and open a session that follows them; they stay in memory.

    Raises
    ------
    InputError
        For files, a market or rules that are wrong, and for bad rows: none is left out.
    ModelRefusal
        If the model has no rules for what an account holds.
    """
    pricer = pricer_named(rules.pricer or "numpy")
    with using(pricer):
        paths = files(inputs)
        with unchanged(states_of((*paths[0], *paths[1]))):
            positions, balances = survey(paths[0], POSITIONS), survey(paths[1], BALANCES)
            market = with_instruments(inputs.market, inputs.instruments)
            everything = universe(market, positions.names, balances.names, rules)
            plan, books = planned(positions, balances), []
            for part in plan.parts:
                accounts = accounts_in(part, everything, plan.known)
                refuse(accounts.bad, _REMEDY)
                books.append(unit(accounts, everything, 0, len(accounts.names)).book)
        book = together(books) if books else everything.book
        venue, mode = everything.venue, everything.mode
        book = pooled(book, venue, mode, Funding({}, "balances"))
    as_of, ahead = instant(everything.as_of), wishes.most_ahead
    desk = Desk(book, venue.model, as_of, pricer, ahead=ahead, reach=Reach(wishes.jump))
    return Session(desk, _called(inputs.positions), everything.currency, wishes)


def _called(positions: str) -> str:
    """Return what the accounts are called together: their file's name, or its folder's."""
    place = Path(positions).resolve()
    return place.parent.name if place.stem == "positions" else place.stem


def together(books: Sequence[Book]) -> Book:
    """Return the books of different accounts over the same instruments as one."""
    before = np.cumsum([0, *(book.pools for book in books)])
    keys = tuple(key for book in books for key in book.names.keys)
    instrument, quantity, entry, limited = (
        np.concatenate([getattr(book, name) for book in books])
        for name in ("instrument", "quantity", "entry", "limited")
    )
    return replace(
        books[0],
        names=books[0].names._replace(keys=keys),
        pool=np.concatenate(
            [book.pool + first for book, first in zip(books, before[:-1], strict=True)]
        ),
        instrument=instrument,
        quantity=quantity,
        entry=entry,
        limited=limited,
    )
