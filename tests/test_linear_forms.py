"""A linear form is the requirement: both say the same of any quantities."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from margincalc.answers.margining import Rules, rules_of
from margincalc.assembly.assemble import assemble
from margincalc.assembly.pools import labels
from margincalc.book import Kind
from margincalc.errors import MargincalcError
from margincalc.portfolio import Portfolio
from tests.books import Style, portfolios
from tests.proving import examples

SHORT, EDGES = "charges.short_options=0.01", ("charges.delta_one=0.02", "factors.initial=1.3")
EXACT: dict[str, tuple[str, ...]] = {
    "generic-portfolio": ("charges.options=0.003",),
    "generic-standard": (),
    "thalex-pm": (SHORT, "charges.roll=0.005"),
    "bit-pm": (SHORT, *EDGES),
    "bybit-options": (),
    "okx-options": (),
}
"""Models with what their venues do not publish."""

COLLATERAL = int(Kind.COLLATERAL)
SEVERAL = Style(doubts=True)
LINEAR_BTC = Style(underlyings=1, settlements=("linear",), coin=False, deposits=("cash",))


def check(portfolio: Portfolio, model: str, seed: int) -> None:
    """Compare form and margin of the pool as it is, and of other quantities of the same rows."""
    venue = rules_of(portfolio, Rules("portfolio", model, EXACT[model]))
    book = assemble(portfolio, labels("portfolio", portfolio.account)).book
    try:
        venue.model.margin(book)
    except MargincalcError:
        return
    form = venue.model.linear(book)
    rng = np.random.default_rng(seed)
    deposits = book.kind == Kind.COLLATERAL
    for _ in range(3):
        factor = np.where(deposits, 1.0, rng.normal(0.5, 1.0, len(book.quantity)))
        moved = replace(book, quantity=book.quantity * factor)
        result = venue.model.margin(moved)
        wanted = [result.maintenance[0], result.initial[0]]
        gross = float(np.sum(np.abs(wanted)))
        assert form.exact
        np.testing.assert_allclose(form.margins(moved.quantity), wanted, 1e-9, 1e-9 * gross)


@pytest.mark.parametrize("model", EXACT)
@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.too_slow])
@given(
    portfolio=st.one_of(portfolios(SEVERAL), portfolios(LINEAR_BTC)), seed=st.integers(0, 2**32 - 1)
)
def test_form_is_the_requirement(model: str, portfolio: Portfolio, seed: int) -> None:
    check(portfolio, model, seed)


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.too_slow])
@given(portfolio=portfolios(LINEAR_BTC), seed=st.integers(0, 2**32 - 1))
def test_a_floor_is_not_above_the_requirement(portfolio: Portfolio, seed: int) -> None:
    sizes = ('liquidity.rule="impact"', "liquidity.volume=100.0")
    model = rules_of(portfolio, Rules("portfolio", "generic-portfolio", sizes)).model
    book = assemble(portfolio, labels("portfolio", portfolio.account)).book
    form = model.linear(book)
    assert form.floor
    assert not form.exact
    factor = np.random.default_rng(seed).normal(0.5, 1.0, len(book.quantity))
    moved = replace(book, quantity=book.quantity * np.where(book.kind == COLLATERAL, 1.0, factor))
    result = model.margin(moved)
    both = np.array([result.maintenance[0], result.initial[0]])
    assert np.all(form.margins(moved.quantity) <= both * (1.0 + 1e-9) + 1e-6)


def test_what_is_no_sum_says_so() -> None:
    sizes = ("delta_one.slope=0.001",)
    rules = Rules("portfolio", "generic-standard", sizes)
    portfolio = Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {"BTC": {"spot": 100000.0}},
            "positions": [{"instrument": "BTC-PERPETUAL", "quantity": 1}],
        }
    )
    book = assemble(portfolio, labels("portfolio", portfolio.account)).book
    assert rules_of(portfolio, rules).model.linear(book).without
    assert rules_of(portfolio, Rules("portfolio", "deribit-pm")).model.linear(book).without
