"""Deribit's margins: the printed examples, the tables by hand, and what holds of every account.

A law that the venue's rules break: margin is not in proportion to size. The dampener forgives a
fixed amount, offsets are capped, and rates of futures grow with size; twice the book needs at least
twice.
"""

import datetime as dt
from random import Random
from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.answers.statement import margin_report
from margincalc.answers.verify import verify
from margincalc.errors import InputError, ModelRefusal
from margincalc.liquidation.moved import excess_at
from margincalc.liquidation.nearest import nearest
from margincalc.margin.load import load_model
from margincalc.portfolio import Portfolio
from margincalc.pricing import black

AS_OF = "2026-11-20T08:00:00Z"
SPOT = {"BTC": 100_000.0, "ETH": 4_000.0}
SERIES = ("BTC-25DEC26-110000-C", "BTC-25DEC26-90000-P", "BTC-26MAR27-100000-C")
FUTURES = ("BTC-PERPETUAL", "BTC-25DEC26")
OTHERS = ("ETH_USDC-PERPETUAL", "ETH_USDC-25DEC26-4000-C", "ETH_USDC-25DEC26-3500-P")
MODELS = ("deribit-pm", "deribit-sm")
SEGREGATED = ('tables="segregated"',)
every_model = pytest.mark.parametrize("model", MODELS)
both_accounts = pytest.mark.parametrize("coin", [False, True])


def position(name: str, quantity: float, **more: Any) -> dict[str, Any]:
    return {"instrument": name, "quantity": quantity, **more}


def written(*positions: dict[str, Any], coin: bool = False, **more: Any) -> Portfolio:
    """Write an account; contracts on BTC are inverse, those on ETH linear."""
    market = {
        "BTC": {"spot": SPOT["BTC"], "volatility": 0.5, "settlement": "inverse"},
        "ETH": {"spot": SPOT["ETH"], "volatility": 0.7},
    }
    content = {
        "currency": "BTC" if coin else "USD",
        "as_of": AS_OF,
        "market": {name: market[name] for name in market if not coin or name == "BTC"},
        "positions": positions,
    }
    return Portfolio.model_validate(content | more)


def drawn(rng: Random, *, coin: bool) -> list[dict[str, Any]]:
    """Draw some positions."""
    held = [position(name, rng.uniform(-20.0, 20.0)) for name in rng.sample(SERIES, 2)]
    held.append(position(rng.choice(FUTURES), rng.uniform(-2e6, 2e6)))
    if not coin:
        held += [position(name, rng.uniform(-200.0, 200.0)) for name in rng.sample(OTHERS, 2)]
    return held


def account(portfolio: Portfolio, model: str, *settings: str) -> Account:
    return margined(portfolio, Rules(model=model, settings=settings))


def initial(portfolio: Portfolio, model: str, *settings: str) -> float:
    return float(np.sum(account(portfolio, model, *settings).result.initial))


def exact(margined: Account, pool: int) -> list[float]:
    """Return every amount of a pool, to the last bit."""
    result = margined.result
    columns = [result.equity, *result.components.values(), *result.initial_components.values()]
    columns += result.details.values()
    return [float(column[pool]) for column in columns]


@every_model
def test_the_printed_examples_are_reproduced(model: str) -> None:
    report = verify(model)
    assert report.lines
    assert [line for line in report.lines if not line.matches] == []


# Portfolio margin by hand


def test_gains_offset_in_part_and_large_moves_are_dampened() -> None:
    eth = position("ETH_USDC-PERPETUAL", 10_000.0)
    btc = position("BTC-PERPETUAL", -30e6)
    found = account(written(btc, eth), "deribit-pm")
    losses = []
    for edge_btc, edge_eth, beyond_btc, beyond_eth in _moves():
        long = 40e6 * edge_eth
        short = -30e6 * edge_btc
        total = 0.0
        for pnl, offset, forgiven in (
            (short, 0.0, 1e5 * beyond_btc),
            (long, 0.6, 2e5 * beyond_eth),
        ):
            counted = min(offset * pnl, 20e6) if pnl > 0.0 else pnl
            total += counted - np.sign(counted) * min(forgiven, abs(counted))
        losses.append(max(-total, 0.0))
    assert found.result.details["worst_case"][0] == pytest.approx(max(losses), rel=1e-13)
    roll = 30e6 * 0.01 + 40e6 * 0.005
    assert found.result.initial_components["roll_shock"][0] == pytest.approx(roll, rel=1e-13)
    size = 10_000.0 - 20e6 / SPOT["ETH"], 300.0 - 20e6 / SPOT["BTC"]
    shock = 4e-6 * size[0] * 40e6 + 5e-5 * size[1] * 30e6
    assert found.result.initial_components["delta_shock"][0] == pytest.approx(shock, rel=1e-13)


def _moves() -> list[tuple[float, float, float, float]]:
    """Return what counts of each row's move, and how many ranges it lies beyond the first."""
    rows = [(0.16 * step / 4, 0.18 * step / 4, 0.0, 0.0) for step in range(-4, 5)]
    for move in (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0):
        side = float(np.sign(move))
        rows.append((side * 0.16, side * 0.18, abs(move) / 0.16 - 1.0, abs(move) / 0.18 - 1.0))
    return rows


def test_a_short_option_in_coin_is_revalued_with_its_own_volatility() -> None:
    held = position("BTC-26MAR27-100000-C", -5.0, volatility=0.4)
    found = account(written(held, coin=True), "deribit-pm", "underlyings.BTC.price_range=0.1")
    years = (dt.datetime(2027, 3, 26, 8) - dt.datetime(2026, 11, 20, 8)).days / 365.0
    moved = max(0.4 * (1.0 + 0.5 * (30.0 / (365.0 * years)) ** 0.13), 0.5)
    there = black.price(110_000.0, 100_000.0, moved, years, True) / 110_000.0
    here = black.price(100_000.0, 100_000.0, 0.4, years, True) / 100_000.0
    assert found.result.details["worst_case"][0] == pytest.approx(5.0 * (there - here), abs=5e-10)


def test_maintenance_is_a_share_of_the_risk_matrix_margin() -> None:
    portfolio = written(*drawn(Random(1), coin=False))
    settings = ("reserved.mmp_margin=100.0", "reserved.spot_margin=20.0")
    result = account(portfolio, "deribit-pm", *settings).result
    matrix = result.details["risk_matrix_margin"]
    np.testing.assert_allclose(result.maintenance, 0.8 * matrix, rtol=1e-14)
    np.testing.assert_allclose(result.initial, matrix + 120.0, rtol=1e-14)


def test_a_common_table_needs_no_more_than_one_for_each_currency() -> None:
    for seed in range(20):
        portfolio = written(*drawn(Random(seed), coin=False))
        cross = initial(portfolio, "deribit-pm")
        assert cross <= initial(portfolio, "deribit-pm", *SEGREGATED) + 1e-8


def test_in_one_currency_segregated_and_cross_agree() -> None:
    portfolio = written(*drawn(Random(3), coin=True), coin=True)
    one, other = (account(portfolio, "deribit-pm", *each) for each in ((), SEGREGATED))
    assert exact(one, 0) == exact(other, 0)


def test_coin_that_is_held_is_part_of_the_table() -> None:
    deposit = {"asset": "BTC", "quantity": 10.0}
    hedge = position("BTC-PERPETUAL", -1e6)
    hedged = written(hedge, collateral=[deposit])
    assert account(hedged, "deribit-pm").result.details["worst_case"][0] == pytest.approx(0.0)
    apart = account(hedged, "deribit-pm", 'equity_side_impact="none"').result
    assert apart.details["worst_case"][0] == pytest.approx(160_000.0)


def test_both_settlements_of_a_coin_hedge_each_other_in_a_common_table() -> None:
    pair = position("BTC-PERPETUAL", 1e6), position("BTC_USDC-PERPETUAL", -10.0)
    market = {"BTC": {"spot": 1e5, "settlement": "inverse"}, "BTC_USDC": {"spot": 1e5}}
    for chosen in (market, {"BTC": market["BTC"]}):
        portfolio = written(*pair, market=chosen)
        assert initial(portfolio, "deribit-pm") == pytest.approx(0.0, abs=1e-9)
        assert initial(portfolio, "deribit-pm", *SEGREGATED) > 160_000.0


def test_a_currency_without_parameters_is_refused() -> None:
    market = {"XRP": {"spot": 2.0}}
    portfolio = written(position("XRP-PERPETUAL", 1.0), market=market)
    for model in MODELS:
        with pytest.raises(ModelRefusal, match="XRP"):
            account(portfolio, model)


# Standard margin


@both_accounts
def test_the_venues_own_margins_leave_the_same_excess(coin: bool) -> None:
    quotes = {"BTC-25DEC26-110000-C": {"mark": 0.03, "volatility": 0.5}}
    deposits = [{"asset": "BTC", "quantity": 50.0}]
    portfolio = written(*drawn(Random(5), coin=coin), coin=coin, quotes=quotes, collateral=deposits)
    result = account(portfolio, "deribit-sm").result
    own = result.details["margin_balance"] - result.details["venue_maintenance_margin"]
    np.testing.assert_allclose(own, result.equity - result.maintenance, rtol=1e-12)


def test_standard_margin_in_coin_is_that_in_dollars_at_the_index() -> None:
    held = drawn(Random(6), coin=True)
    coin, money = (initial(written(*held, coin=each), "deribit-sm") for each in (True, False))
    assert coin * SPOT["BTC"] == pytest.approx(money, rel=1e-13)


def test_haircuts_count_in_initial_margin_only() -> None:
    deposit = {"asset": "USDC", "quantity": 1000.0, "haircut": 0.1}
    result = account(written(collateral=[deposit]), "deribit-sm").result
    assert float(result.initial[0]) == pytest.approx(100.0)
    assert float(result.maintenance[0]) == 0.0


def test_older_rates_apply_to_their_time() -> None:
    assert load_model("deribit-sm", dt.date(2021, 6, 1)).effective == dt.date(2021, 1, 1)
    portfolio = written(position("BTC-PERPETUAL", 1e5), as_of="2021-06-01T08:00:00Z")
    result = account(portfolio, "deribit-sm").result
    assert float(result.maintenance[0]) == pytest.approx((0.00525 + 5e-5) * 1e5)
    assert float(result.initial[0]) == pytest.approx((0.01 + 5e-5) * 1e5)


def test_the_larger_side_of_open_orders_is_margined() -> None:
    orders = [
        {"instrument": "ETH-PERPETUAL", "quantity": 3.0, "price": 3_900.0},
        {"instrument": "ETH-PERPETUAL", "quantity": -2.0, "price": 4_100.0},
    ]
    held = position("ETH-PERPETUAL", -1.0)
    settings = ("underlyings.ETH.delta_one.slope=0.0",)
    found = account(written(held, orders=orders), "deribit-sm", *settings)
    assert float(found.result.initial[0]) == pytest.approx(3.0 * 0.02 * SPOT["ETH"])
    assert (
        found.result.maintenance
        == account(written(held), "deribit-sm", *settings).result.maintenance
    )
    assert not any("does not margin open orders" in note for note in found.notes)
    scan = account(written(held, orders=orders), "deribit-pm")
    assert any("does not margin open orders" in note for note in scan.notes)


def test_an_isolated_order_is_funded_where_it_is_margined() -> None:
    orders = [{"instrument": "ETH-PERPETUAL", "quantity": 3.0, "price": 3_900.0}]
    deposits = [{"asset": "USD", "quantity": 1_000.0}]
    content = written(position("BTC-PERPETUAL", 1e3), orders=orders, collateral=deposits)
    margins = {}
    for model in MODELS:
        report = margin_report(margined(content, Rules("isolated", model)))
        margins[model] = {pool.pool: pool.equity for pool in report.pools}
    assert margins["deribit-sm"]["ETH-PERPETUAL"] == pytest.approx(240.0, rel=1e-3)
    assert "ETH-PERPETUAL" not in margins["deribit-pm"]


# What holds of every account


@every_model
@both_accounts
def test_components_sum_to_the_requirement(model: str, coin: bool) -> None:
    report = margin_report(account(written(*drawn(Random(8), coin=coin), coin=coin), model))
    assert sum(report.components.values()) == pytest.approx(report.maintenance_margin, abs=1e-9)
    assert sum(report.initial_components.values()) == pytest.approx(report.initial_margin, abs=1e-9)


def exchange(rng: Random, *, coin: bool) -> tuple[Portfolio, dict[str, Portfolio]]:
    """Draw accounts in one market, together as venues of one file and each alone."""
    together: list[dict[str, Any]] = []
    orders: list[dict[str, Any]] = []
    alone = {}
    quotes = {"BTC-25DEC26-110000-C": {"mark": 0.03, "volatility": 0.5}}
    for number in range(60):
        name = f"account {number}"
        held = drawn(rng, coin=coin)
        order = position(rng.choice(FUTURES), rng.uniform(-1e5, 1e5), price=99_000.0)
        together += [each | {"venue": name} for each in held]
        orders.append(order | {"venue": name})
        alone[name] = written(*held, coin=coin, orders=[order], quotes=quotes, account=name)
    return written(*together, coin=coin, orders=orders, quotes=quotes), alone


@every_model
@both_accounts
def test_an_account_equals_its_row_exactly(model: str, coin: bool) -> None:
    whole, alone = exchange(Random(9), coin=coin)
    together = account(whole, model)
    for number, name in enumerate(together.book.names.pools):
        assert exact(account(alone[name], model), 0) == exact(together, number)


@every_model
@both_accounts
def test_a_copy_of_a_book_is_margined_like_it(model: str, coin: bool) -> None:
    whole, _ = exchange(Random(10), coin=coin)
    together = account(whole, model)
    pools = np.arange(together.book.pools)[::-1]
    copies = together.book.copies(pools, np.ones((len(pools), len(together.book.spot))))
    result = together.model.margin(copies)
    np.testing.assert_array_equal(result.initial, together.result.initial[pools])
    np.testing.assert_array_equal(result.maintenance, together.result.maintenance[pools])


@every_model
@both_accounts
def test_twice_the_book_needs_at_least_twice_the_margin(model: str, coin: bool) -> None:
    for seed in range(10):
        held = drawn(Random(seed), coin=coin)
        twice = [each | {"quantity": 2.0 * each["quantity"]} for each in held]
        once = initial(written(*held, coin=coin), model)
        assert initial(written(*twice, coin=coin), model) >= 2.0 * once - 1e-7


@every_model
@both_accounts
def test_at_a_liquidation_price_the_excess_is_nothing(model: str, coin: bool) -> None:
    held = (position("BTC-25DEC26-110000-C", -10.0), position("BTC-PERPETUAL", -2e5))
    deposits = [{"asset": "BTC", "quantity": 6.0}]
    found = account(written(*held, coin=coin, collateral=deposits), model)
    prices = nearest(found.book, found.model)
    known = [
        (int(underlying), price)
        for underlying, pair in zip(
            prices.underlying, zip(prices.below, prices.above, strict=True), strict=True
        )
        for price in pair
        if not np.isnan(price)
    ]
    assert known
    for underlying, price in known:
        factor = np.ones((1, len(found.book.spot)))
        factor[0, underlying] = price / found.book.spot[underlying]
        left = excess_at(found.book, found.model, np.zeros(1, np.int64), factor)[0]
        assert abs(left) < 1e-8 * (6.0 if coin else 6e5)


@pytest.mark.parametrize("model", ["deribit-sm", "paradex-pm", "paradex-cross"])
def test_the_rates_of_one_coin_are_not_another_s(model: str) -> None:
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"XRP": {"spot": 2.0}},
        "positions": [{"instrument": "XRP-PERPETUAL", "quantity": 100.0}],
    }
    with pytest.raises(InputError, match=r"underlyings\.XRP"):
        mc.margin(
            Portfolio.model_validate(content), model=model, settings=['scope.underlyings=["XRP"]']
        )
