"""The arrays agree with the slow scalar twin."""

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import margincalc as mc
from margincalc.answers.account import Account
from margincalc.assembly.pools import MODES, Mode
from margincalc.liquidation.nearest import LADDER, SPOT_NODE, nearest
from margincalc.portfolio import Portfolio
from tests import oracle
from tests.books import Style, margined, plain, portfolio, portfolios
from tests.proving import examples

MODELS = ("generic-portfolio", "generic-standard")
TOLERANCE = 1e-9  # of gross value
DOUBTFUL = Style(pools=True, doubts=True)


def both(
    book: Portfolio, mode: Mode, model: str
) -> tuple[Account, list[oracle.Account], oracle.Rules]:
    """Margin a portfolio, and return it with the oracle's pools in the same order."""
    found = margined(book, mode, model)
    written, rules = plain(book), oracle.rules_of(model)
    whole = oracle.account_of(written, mode)
    if mode == "isolated":
        whole = oracle.funded(written, whole, rules)
    pools = [whole.of(name) for name in whole.pools()]
    assert len(pools) == found.book.pools
    return found, pools, rules


def same(found: Any, expected: float, gross: float) -> None:
    assert abs(float(found) - expected) <= TOLERANCE * max(gross, 1e-6), (found, expected)


def compare(book: Portfolio, mode: Mode, model: str) -> None:
    """Compare equity, its parts, the requirement, its parts, and the worst scenarios."""
    found, pools, rules = both(book, mode, model)
    result = found.result
    for number, pool in enumerate(pools):
        gross, wanted = pool.gross(), rules(pool)
        same(result.equity[number], pool.equity(), gross)
        for parts, expected in (
            (result.components, wanted.maintenance),
            (result.initial_components, wanted.initial),
        ):
            assert list(parts) == list(expected)
            for name, amount in parts.items():
                same(amount[number], expected[name], gross)
        same(result.maintenance[number], wanted.total(), gross)
        same(result.initial[number], wanted.total("initial"), gross)
        compare_worst(found, number, wanted, gross)


def compare_worst(found: Account, pool: int, wanted: oracle.Requirement, gross: float) -> None:
    worst = found.result.worst
    if worst is None:
        assert not wanted.worst
        return
    mine = np.flatnonzero(worst.pool == pool)
    names = [found.book.names.underlyings[number] for number in worst.underlying[mine]]
    assert names == sorted(wanted.worst)
    for group, name in zip(mine, names, strict=True):
        same(worst.pnl[group], wanted.worst[name][1], gross)
        rows = np.flatnonzero(
            (found.book.pool == pool) & (found.book.underlying == worst.underlying[group])
        )
        same(math.fsum(worst.by_position()[rows]), wanted.worst[name][1], gross)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=examples(100))
@given(book=portfolios(DOUBTFUL))
def test_margins_are_those_of_the_oracle(book: Portfolio, mode: Mode, model: str) -> None:
    compare(book, mode, model)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(60))
def test_margins_of_larger_books_are_those_of_the_oracle(seed: int, model: str) -> None:
    book = portfolio(Random(seed), Style(positions=15, underlyings=4, pools=seed % 2 == 0))
    compare(book, MODES[seed % 3], model)


@given(book=portfolios(DOUBTFUL))
def test_the_report_says_what_equity_is_made_of(book: Portfolio) -> None:
    report = mc.margin(book, mode="isolated")
    written = plain(book)
    whole = oracle.account_of(written, "isolated")
    kinds = {
        "collateral_value": ("collateral",),
        "option_value": ("option",),
        "spot_value": ("spot",),
        "unrealised": ("future", "perpetual", "owed"),
    }
    for name, of in kinds.items():
        expected = math.fsum(held.counted(whole.market) for held in whole.kinds(*of))
        same(getattr(report, name), expected, whole.gross())
    same(report.equity - report.shortfall, whole.equity(), whole.gross())
    parts = sum(float(getattr(report, name)) for name in kinds)
    same(report.equity - report.shortfall, parts, whole.gross())


@pytest.mark.parametrize("seed", range(12))
def test_liquidation_prices_are_those_of_a_plain_scan(seed: int) -> None:
    rng = Random(1000 + seed)
    book = portfolio(rng, Style(positions=3, underlyings=2, deposits=("cash",)))
    model = MODELS[seed % 2]
    found, pools, rules = both(book, "cross", model)
    prices = nearest(found.book, found.model)
    up, down = LADDER[SPOT_NODE:], LADDER[SPOT_NODE::-1]
    for number, pool in enumerate(prices.pool):
        name = found.book.names.underlyings[prices.underlying[number]]
        for price, nodes in ((prices.below[number], down), (prices.above[number], up)):
            expected = oracle.crossing(pools[pool], rules, name, [float(node) for node in nodes])
            if expected is None:
                assert math.isnan(price)
            else:
                assert price == pytest.approx(expected * pools[pool].spot[name], rel=1e-7)
