"""Accounts that are followed stand where margining everything anew puts them, to the last bit."""

import datetime as dt
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np
import pytest

from benchmarks.accounts import EXPRESSED, chain, exchange
from margincalc.answers.margining import Rules, margined
from margincalc.book import Book, Kind
from margincalc.feed.desk import Desk
from margincalc.feed.ticks import Tick
from margincalc.kernels import pricer_named
from margincalc.margin.base import MarginResult
from margincalc.margin.load import model_names
from margincalc.portfolio import Portfolio
from margincalc.pricer import PricerName
from margincalc.risk import values
from margincalc.risk.latest import Latest
from tests import books
from tests.feed.following import anew, follow

MODEL = "generic-portfolio"


def desk_of(model: str, pricer: PricerName, accounts: int = 8) -> Desk:
    """Put accounts that a model can express on a desk, some of them with open orders."""
    written = exchange(model, accounts, range(1, 9))
    listed = chain(model)
    written["orders"] = [
        {"instrument": leg.instrument, "quantity": -leg.unit, "price": 1.0, "venue": "account 1"}
        for leg in (listed[0], listed[-1])
    ]
    rules = Rules(model=model, settings=EXPRESSED[model].settings)
    account = margined(Portfolio.model_validate(written), rules)
    return Desk(account.book, account.model, books.AS_OF, pricer_named(pricer))


@pytest.mark.parametrize("pricer", ["numpy", "compiled"])
@pytest.mark.parametrize("model", model_names())
def test_every_model_is_followed_to_the_last_bit(model: str, pricer: PricerName) -> None:
    assert follow(Random(f"{model} {pricer}"), desk_of(model, pricer), 12) > 4


@pytest.mark.parametrize("model", [MODEL, "deribit-pm"])
def test_an_expiry_is_followed_to_the_last_bit(model: str) -> None:
    desk = desk_of(model, "numpy")
    row = int(np.argmin(np.where(desk.book.instruments.time > 0.0, desk.book.instruments.time, 9)))
    days = float(desk.book.instruments.time[row]) * 365.0
    desk.ahead = dt.timedelta(days=2)
    while desk.time < books.AS_OF + dt.timedelta(days=1) * (days + 1.0):
        spot = float(desk.book.spot[0])
        desk.apply([Tick(desk.time + dt.timedelta(days=2), "BTC", spot=spot * 1.01)])
        follow(Random(0), desk, 3)
    assert desk.book.instruments.kind[row] == Kind.SETTLEMENT


@dataclass
class Spied:
    """A model that notes how many pools it has margined."""

    model: Any
    pools: list[int] = field(default_factory=list)

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        self.pools.append(book.pools)
        result: MarginResult = self.model.margin(book)
        return result


def test_only_what_a_tick_touches_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(MODEL, "numpy", 40)
    desk.model = spied = Spied(desk.model)  # type: ignore[assignment]
    revalued: list[int] = []
    plain = values._revalued

    def noted(book: Book, *more: Any) -> Any:
        revalued.append(len(book.instruments.kind))
        return plain(book, *more)

    monkeypatch.setattr(values, "_revalued", noted)
    names, columns = desk.book.names, desk.book.instruments
    option = int(np.flatnonzero(columns.is_kind(Kind.OPTION))[0])
    quote = Tick(instrument=names.instruments[option], volatility=0.7)
    desk.apply([quote])  # as much as what notes it is new
    revalued.clear()
    spied.pools.clear()
    touched, _ = desk.apply([quote._replace(volatility=0.71)])
    holders = np.unique(desk.book.pool[desk.book.instrument == option])
    assert touched.tolist() == holders.tolist()
    assert spied.pools == [len(holders)]
    assert revalued == [1]
    revalued.clear()
    touched, _ = desk.apply([Tick(underlying="ETH", spot=4_040.0)])
    own = columns.underlying == names.underlyings.index("ETH")
    assert touched.tolist() == np.unique(desk.book.pool[own[desk.book.instrument]]).tolist()
    assert revalued == [int(np.sum(own))]


def test_what_is_kept_while_quotes_move_cannot_read_them() -> None:
    book = desk_of(MODEL, "numpy").book
    part, _ = book.unquoted
    assert part.instruments.forward.tolist() == book.instruments.forward.tolist()
    for name in ("volatility", "offset", "implied"):
        with pytest.raises(AttributeError):
            getattr(part.instruments, name)
        with pytest.raises(AttributeError):
            getattr(part.instruments.take(np.array([0])), name)


def test_what_needs_no_quotes_is_kept_while_nothing_else_moves() -> None:
    book = desk_of(MODEL, "numpy").book
    quoted = book.repriced(volatility=book.instruments.volatility * 1.1)
    assert quoted.unquoted is book.unquoted
    for other in (book.repriced(book.spot * 1.1), book.repriced(fixed=book.instruments.fixed + 1)):
        assert other.unquoted is not book.unquoted


def test_parts_of_a_followed_book_are_at_its_prices() -> None:
    book = desk_of(MODEL, "numpy").book
    plain = replace(book)
    assert not plain.is_followed
    rows = np.flatnonzero(book.underlying == 0)
    first, _ = book.restricted(rows)
    moved, wanted = (each.shifted(np.array([1.1, 0.9])) for each in (book, plain))
    part, held = moved.restricted(rows)
    fresh, same = wanted.restricted(rows)
    assert held.tolist() == same.tolist()
    assert part.spot.tolist() == fresh.spot.tolist()
    assert part.instrument is first.instrument  # found again, not made again
    for column in ("variable", "volatility", "strike"):
        own, other = getattr(part.instruments, column), getattr(fresh.instruments, column)
        np.testing.assert_array_equal(own, other)
    np.testing.assert_array_equal(part.groups[1], fresh.groups[1])


def test_values_of_a_market_that_moved_and_came_back_are_those_of_it() -> None:
    desk = desk_of(MODEL, "numpy")
    known, book = Latest(), desk.book
    first = known.value(values._revalued, book, (values.UNCHANGED,)).copy()
    higher = book.shifted(np.array([1.1, 1.0]))
    assert not np.array_equal(known.value(values._revalued, higher, (values.UNCHANGED,)), first)
    found = known.value(values._revalued, book, (values.UNCHANGED,))
    np.testing.assert_array_equal(found, first)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0.0
    assert anew(desk).equity.tolist() == desk.figures.equity.tolist()
