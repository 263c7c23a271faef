"""Time that passes over a book: what rolls, what is paid, and what stays."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margincalc.book import Book, Kind
from margincalc.portfolio import Portfolio
from margincalc.risk import equity, now, revalued
from margincalc.risk.aging import aged
from margincalc.scenarios import VolatilityRule, grid
from tests.books import ANY, margined, portfolios

AS_OF = "2026-11-20T08:00:00Z"


def book_of(positions: list[dict[str, Any]], **more: Any) -> Book:
    content = {
        "as_of": AS_OF,
        "market": {"BTC": {"spot": 100_000.0, "rate": 0.04, "volatility": 0.6} | more},
        "positions": positions,
        "collateral": [{"asset": "USD", "quantity": 1000.0}],
    }
    return margined(Portfolio.model_validate(content)).book


def worth(book: Book) -> float:
    return float(equity(book, now(book))[0])


@given(portfolios(ANY), st.floats(0.1, 400.0))
def test_time_passes_as_in_a_scenario(portfolio: Portfolio, days: float) -> None:
    """What is held afterwards is worth what a scenario of days forward says, unless it funds."""
    book = margined(portfolio).book
    columns = book.instruments
    book = replace(book, instruments=replace(columns, offset=np.zeros(len(columns.kind))))
    later = grid(np.array([[0.0, 0.0, 1.0, days]]), VolatilityRule())
    expected = equity(book, revalued(book, later)[:, 0])
    gross = np.sum(np.abs(book.quantity * now(book)[book.instrument]))
    after = aged(book, days)
    assert np.allclose(equity(after, now(after)), expected, rtol=0.0, atol=1e-9 * (1.0 + gross))
    living = after.instruments.is_kind(Kind.OPTION, Kind.FUTURE)
    assert np.all(after.instruments.time[living] > 0.0)


def test_steps_of_time_add_up() -> None:
    book = book_of(
        [
            {"instrument": "BTC-27NOV26-90000-C", "quantity": 2.0},
            {"instrument": "BTC-25DEC26-110000-C", "quantity": -3.0},
            {"instrument": "BTC-27NOV26", "quantity": 1.5, "entry_price": 98_000.0},
            {"instrument": "BTC-PERPETUAL", "quantity": -4.0},
        ],
        perpetual={"funding_rate": 0.0001},
    )
    assert worth(aged(aged(book, 4.0), 6.0)) == pytest.approx(worth(aged(book, 10.0)), abs=1e-6)


def test_expired_option_pays_its_intrinsic_value_and_is_money() -> None:
    book = book_of([{"instrument": "BTC-27NOV26-90000-C", "quantity": -2.0}])
    after = aged(book, 7.0)
    assert worth(after) == pytest.approx(1000.0 - 2.0 * 10_000.0, abs=1e-9)
    assert worth(after.shifted(np.array([0.5]))) == pytest.approx(worth(after), abs=1e-9)
    assert not len(after.rows(Kind.OPTION))


def test_inverse_contracts_pay_coin() -> None:
    book = book_of([{"instrument": "BTC-27NOV26-90000-C", "quantity": 2.0}], settlement="inverse")
    after = aged(book, 8.0)
    assert worth(after) == pytest.approx(1000.0 + 0.2 * 100_000.0)
    assert worth(after.shifted(np.array([2.0]))) == pytest.approx(1000.0 + 0.2 * 200_000.0)


def test_a_long_perpetual_pays_funding_every_eight_hours() -> None:
    for settlement, quantity in (("linear", 3.0), ("inverse", 300_000.0)):
        positions = [{"instrument": "BTC-PERPETUAL", "quantity": quantity}]
        funding = {"funding_rate": 0.0002}
        book = book_of(positions, settlement=settlement, perpetual=funding)
        paid = 3.0 * 2.0 * 0.0002 * 300_000.0
        assert worth(aged(book, 2.0)) == pytest.approx(worth(book) - paid)


def test_orders_in_what_expired_are_gone() -> None:
    content = {
        "as_of": AS_OF,
        "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}},
        "orders": [
            {"instrument": "BTC-27NOV26-90000-C", "quantity": 1.0, "price": 1.0},
            {"instrument": "BTC-25DEC26-90000-C", "quantity": 2.0, "price": 1.0},
        ],
        "collateral": [{"asset": "USD", "quantity": 1000.0}],
    }
    book = margined(Portfolio.model_validate(content)).book
    assert aged(book, 7.0).orders.quantity.tolist() == [2.0]


def test_no_time_changes_nothing() -> None:
    book = book_of([{"instrument": "BTC-27NOV26-90000-C", "quantity": 1.0}])
    assert aged(book, 0.0) is book


@pytest.mark.parametrize("model", ["reg-t", "occ-tims"])
def test_a_stock_stays_one_when_its_options_are_gone(model: str) -> None:
    """A model of stocks knows it by the options, and refused it from their expiry on."""
    content = {
        "as_of": AS_OF,
        "market": {"AAPL": {"spot": 270.0, "rate": 0.04, "volatility": 0.3}},
        "positions": [
            {"instrument": "AAPL", "quantity": 100.0},
            {"instrument": "AAPL  270115C00290000", "quantity": -1.0},
        ],
        "collateral": [{"asset": "USD", "quantity": 1000.0}],
    }
    account = margined(Portfolio.model_validate(content), model=model)
    after = aged(account.book, 60.0)
    assert account.model.margin(after).equity[0] == pytest.approx(28_000.0)
