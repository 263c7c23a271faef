"""The liquidity add-on: nothing for nothing, convex, of degree 3/2, and part of a sum."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import margincalc as mc
from margincalc.book import Book
from margincalc.margin.base import MarginModel
from margincalc.margin.scan import Scan
from margincalc.portfolio import Portfolio
from tests.books import ANY, Style, margined, portfolios

IMPACT = ('liquidity.rule="impact"', "liquidity.volume=100.0")
GROSS = (*IMPACT, 'liquidity.size="gross"')
HORIZON = ('liquidity.rule="horizon"', "liquidity.volume=100.0")
BOOKS = Style(deposits=("cash",), coin=False)


def addon(model: MarginModel, book: Book, quantity: Any) -> float:
    """Return the add-on of quantities."""
    result = model.margin(replace(book, quantity=np.asarray(quantity)))
    return float(result.components["liquidity"][0])


@pytest.mark.parametrize("settings", [IMPACT, GROSS, HORIZON])
@given(portfolios())
def test_it_is_a_component_of_the_sum(settings: tuple[str, ...], portfolio: Portfolio) -> None:
    with_it = mc.margin(portfolio, settings=settings)
    without = mc.margin(portfolio)
    assert with_it.components["liquidity"] >= 0.0
    assert sum(with_it.components.values()) == pytest.approx(with_it.maintenance_margin, abs=1e-9)
    added = with_it.maintenance_margin - without.maintenance_margin
    assert added == pytest.approx(with_it.components["liquidity"], rel=1e-9, abs=1e-6)
    assert "liquidity" not in without.components


@pytest.mark.parametrize("settings", [IMPACT, GROSS])
@given(portfolios(BOOKS), st.floats(0.01, 100.0))
def test_impact_is_zero_for_nothing_and_of_degree_three_halves(
    settings: tuple[str, ...], portfolio: Portfolio, scale: float
) -> None:
    account = margined(portfolio, settings=settings)
    held = account.book.quantity
    assert addon(account.model, account.book, 0.0 * held) == 0.0
    one, more = (addon(account.model, account.book, k * held) for k in (1.0, scale))
    assert more == pytest.approx(one * scale**1.5, rel=1e-9)


@pytest.mark.parametrize("settings", [IMPACT, GROSS])
@given(portfolios(BOOKS), st.data())
def test_impact_is_convex(
    settings: tuple[str, ...], portfolio: Portfolio, data: st.DataObject
) -> None:
    account = margined(portfolio, settings=settings)
    size = len(account.book.quantity)
    factors = st.lists(st.floats(-2.0, 2.0), min_size=size, max_size=size)
    one, other = (account.book.quantity * np.array(data.draw(factors)) for _ in range(2))
    half = addon(account.model, account.book, 0.5 * (one + other))
    ends = [addon(account.model, account.book, quantity) for quantity in (one, other)]
    assert half <= 0.5 * sum(ends) * (1.0 + 1e-12) + 1e-9


def test_impact_is_the_average_of_the_square_root_law() -> None:
    portfolio = Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {"BTC": {"spot": 50_000.0}},
            "positions": [{"instrument": "BTC-PERPETUAL", "quantity": -400.0}],
        }
    )
    settings = ('liquidity.rule="impact"', "liquidity.volume=20000.0")
    # Q / V = 2 % at 4 % a day: 37.71 basis points of 20 million.
    added = mc.margin(portfolio, settings=settings).components["liquidity"]
    assert added / 20e6 == pytest.approx(37.712e-4, rel=1e-4)
    settings = ('liquidity.rule="horizon"', "liquidity.volume=1000.0")
    report = mc.margin(portfolio, settings=settings)
    whole = report.components["liquidity"] + report.components["scenario_loss"]
    assert whole == pytest.approx(2.0 * report.components["scenario_loss"])  # four days


def test_a_hedge_is_told_that_it_is_not_linear() -> None:
    account = margined(_one(), settings=IMPACT)
    assert isinstance(account.model, Scan)
    assert account.model.linear(account.book).without
    assert "faster than positions" in str(account.model.shape(account.book))
    plain = margined(_one()).model
    assert isinstance(plain, Scan)
    assert plain.linear(account.book).exact


def _one() -> Portfolio:
    from random import Random

    from tests.books import portfolio

    return portfolio(Random(1), ANY)
