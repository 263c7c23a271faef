"""What must hold of OKX's and Bybit's margins, whatever the account."""

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from margincalc.answers.account import Account
from margincalc.liquidation.nearest import nearest
from margincalc.portfolio import Portfolio
from tests.books import Style, margined, portfolio, portfolios
from tests.test_laws import alone, assert_close, exact, excess_along, exchange, figures, gross

ANY = Style()
LISTED = 'scope.underlyings=["BTC", "ETH", "SOL", "XRP"]'
MAINTENANCE = ["maintenance.SOL=0.05", "maintenance.XRP=0.05"]
UNPUBLISHED = [
    "term_structure.moves=[0.05]",
    "rates.moves=[[0.01]]",
    "peg.indexes=[0.0]",
    "peg.factors=[[0.005, 0.01, 0.025]]",
]
SETTINGS = {"okx-pm": UNPUBLISHED, "okx-options": [LISTED, *MAINTENANCE], "bybit-options": [LISTED]}
STYLES = {
    "okx-pm": ANY,
    "okx-options": Style(kinds=("option", "spot")),
    "bybit-options": Style(kinds=("option", "spot"), settlements=("linear",), coin=False),
}
every_model = pytest.mark.parametrize("model", list(SETTINGS))


def drawn(whole: Portfolio, model: str) -> Account:
    return margined(whole, None, model, SETTINGS[model])


def random_book(rng: Random, model: str) -> Portfolio:
    return portfolio(rng, STYLES[model])


@every_model
def test_components_sum_and_none_is_negative(model: str) -> None:
    for seed in range(40):
        whole = random_book(Random(seed), model)
        result, scale = drawn(whole, model).result, max(1.0, gross(whole))
        for parts, total in (
            (result.components, result.maintenance),
            (result.initial_components, result.initial),
        ):
            summed = math.fsum(float(part.sum()) for part in parts.values())
            assert summed == pytest.approx(float(total.sum()), abs=1e-9 * scale)
            # Coin offsets what contracts lose, and no more than that.
            way = parts.get("wrong_way", np.zeros(1))
            assert np.all(way + parts.get("scenario_loss", way) >= -1e-9 * scale)
            others = [part for name, part in parts.items() if name != "wrong_way"]
            assert all(np.all(part >= -1e-9 * scale) for part in others)
        assert np.all(result.initial >= result.maintenance - 1e-9 * scale)


@given(whole=portfolios(ANY))
def test_risk_units_sum_to_the_account(whole: Portfolio) -> None:
    details = drawn(whole, "okx-pm").result.details
    units = [amount for name, amount in details.items() if name.endswith(" mmr")]
    expected = float(details["derivatives_mmr"].sum())
    assert math.fsum(float(unit.sum()) for unit in units) == pytest.approx(
        expected, abs=1e-11 * gross(whole)
    )


@every_model
def test_an_account_equals_its_row_among_many_exactly(model: str) -> None:
    whole, names = exchange(Random(7), 300)
    if model != "okx-pm":
        kept = tuple(each for each in whole.positions if _option(each.instrument))
        linear = {
            name: own.model_copy(update={"settlement": "linear"})
            for name, own in whole.market.items()
        }
        whole = whole.model_copy(update={"positions": kept, "market": linear, "quotes": {}})
    together = drawn(whole, model)
    row = {name: number for number, name in enumerate(together.book.names.pools)}
    for name in names[::20]:
        single = drawn(alone(whole, name), model)
        assert exact(single, 0) == exact(together, row[name])
        for term, amount in single.result.details.items():
            assert float(amount[0]) == float(together.result.details[term][row[name]]), term


def _option(instrument: Any) -> bool:
    return not isinstance(instrument, str) or instrument.endswith(("-C", "-P"))


@every_model
def test_the_order_of_positions_is_irrelevant(model: str) -> None:
    for seed in range(20):
        rng = Random(seed)
        whole = random_book(rng, model)
        shuffled = tuple(rng.sample(whole.positions, len(whole.positions)))
        other = whole.model_copy(update={"positions": shuffled})
        expected = figures(drawn(whole, model))
        assert_close(figures(drawn(other, model)), expected, gross(whole))


@every_model
def test_at_a_liquidation_price_the_excess_is_nothing(model: str) -> None:
    found = 0
    for seed in range(25):
        whole = random_book(Random(seed), model)
        account = drawn(whole, model)
        prices = nearest(account.book, account.model)
        for number, pool in enumerate(prices.pool):
            underlying = int(prices.underlying[number])
            for price in (prices.below[number], prices.above[number]):
                if math.isnan(price):
                    continue
                found += 1
                at = price / account.book.spot[underlying]
                steps = at * np.array([1.0 - 1e-6, 1.0, 1.0 + 1e-6])
                left, here, right = excess_along(account, int(pool), underlying, steps)
                slack = 1e-10 * gross(whole) * max(at, 1.0)
                assert abs(here) <= slack
                assert min(left, right) <= slack
                assert max(left, right) >= -slack
    assert found > 5
