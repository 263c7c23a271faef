"""Liquidation prices: published formulas, a certified set of crossings, and the ladder itself."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from margincalc.answers.account import Account
from margincalc.liquidation import moved
from margincalc.liquidation import nearest as ladder
from margincalc.liquidation.moved import Moved, excess_at
from margincalc.liquidation.nearest import LADDER, SPOT_NODE, nearest
from margincalc.portfolio import Portfolio
from tests.books import WITH_POOLS, margined, portfolio

Written = dict[str, Any]


def prices(account: Account) -> list[tuple[float, float]]:
    """Return the prices below and above, by pool and underlying."""
    found = nearest(account.book, account.model)
    return list(zip(found.below.tolist(), found.above.tolist(), strict=True))


def book(spot: float, positions: Sequence[Written], cash: float = 0.0, **more: Any) -> Portfolio:
    """Return an account on BTC whose forwards stand at spot."""
    return Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {"BTC": {"spot": spot, "volatility": 0.6}},
            "collateral": [{"asset": "USD", "quantity": cash}] if cash else [],
            "positions": positions,
        }
        | more
    )


def perpetual(quantity: float, entry: float) -> list[Written]:
    return [{"instrument": "BTC-PERPETUAL", "quantity": quantity, "entry_price": entry}]


# Perpetuals under a maintenance margin that is a share of notional. Sources:
#   hyperliquid  price - side * margin_available / size / (1 - l * side), l = 1 / 40
#                https://hyperliquid.gitbook.io/hyperliquid-docs/trading/liquidations
#   binance      (balance + cum - side * size * entry) / (size * (rate - side)), cum = 0
#                https://gist.github.com/highfestiva/b71e76f51eed84d56c1be8ebbcc286b5
#   usd          balance, less what the notional needs


@pytest.mark.parametrize(
    ("spot", "quantity", "cash", "rate", "below", "above"),
    [
        pytest.param(100.0, 1.0, 10.0, 0.025, 92.3076923076923, None, id="hyperliquid long"),
        pytest.param(100.0, -1.0, 10.0, 0.025, None, 107.3170731707317, id="hyperliquid short"),
        pytest.param(50_000.0, 1.0, 5_000.0, 0.004, 45180.72289156626, None, id="binance"),
        pytest.param(100_000.0, 2.0, 100_000.0, 0.05, 52631.57894736842, None, id="usd"),
    ],
)
def test_a_perpetual_is_liquidated_where_the_venues_formula_says(
    spot: float, quantity: float, cash: float, rate: float, below: float, above: float
) -> None:
    file = book(spot, perpetual(quantity, spot), cash)
    found = prices(margined(file, "cross", settings=[f"delta_one.maintenance={rate}"]))
    assert found == [pytest.approx((below or math.nan, above or math.nan), rel=1e-12, nan_ok=True)]


def test_coin_collateral_falls_with_the_position_that_it_carries() -> None:
    """Where q S0 / (n (1 - h) + q (1 - m)): one coin less 5 % under two at 5 % maintenance."""
    coin = [{"asset": "BTC", "quantity": 1.0, "haircut": 0.05}]
    file = book(100_000.0, perpetual(2.0, 100_000.0), collateral=coin)
    found = prices(margined(file, "cross", settings=["delta_one.maintenance=0.05"]))
    assert found == [pytest.approx((70175.43859649124, math.nan), rel=1e-12, nan_ok=True)]


def test_an_inverse_perpetual_is_bankrupt_where_its_margin_is_gone() -> None:
    """Entry * L / (L + 1) for a long at leverage L, margined in coin.

    https://help.bybit.com/hc/en-us/articles/900000031623-What-is-Auto-Deleveraging-ADL-
    """
    entry, leverage, notional = 7890.08, 50.0, 10_000.0
    file = book(
        entry,
        perpetual(notional, entry),
        currency="BTC",
        market={"BTC": {"spot": entry, "settlement": "inverse"}},
        collateral=[{"asset": "BTC", "quantity": notional / entry / leverage}],
    )
    found = prices(margined(file, "cross", settings=["delta_one.maintenance=0.0"]))
    assert found == [pytest.approx((7735.3725490196075, math.nan), rel=1e-13, nan_ok=True)]


# Books of options under a plain scan of 27 scenarios. The crossings were isolated with certainty
# (interval bounds on the excess) and confirmed on a dense grid; forwards stand at spot, rates at 0.

PLAIN = [
    "tails.cover=0",
    "tails.spot=[]",
    "volatility.short_power=0.0",
    "volatility.long_power=0.0",
    "volatility.minimum_up=0.0",
    "grid.volatility=[-0.3, 0.0, 0.5]",
    "borrow.maintenance=0.0",
]
STRANGLE = [
    {"instrument": "BTC-20DEC26-90000-P", "quantity": -10.0},
    {"instrument": "BTC-20DEC26-115000-C", "quantity": -10.0},
]


def strangle() -> Account:
    """Return a short strangle that is charged 5 % of spot in all."""
    file = book(100_000.0, STRANGLE, 250_000.0)
    return margined(file, settings=[*PLAIN, "charges.short_options=0.0025"])


def excess(account: Account, spots: Sequence[float]) -> np.ndarray[Any, Any]:
    """Return the excess of the only pool at some spots of BTC."""
    factor = np.array(spots)[:, None] / account.book.spot
    return excess_at(account.book, account.model, np.zeros(len(spots), np.int64), factor)


def test_a_short_strangle_is_liquidated_where_the_certified_crossings_are() -> None:
    account = strangle()
    assert account.result.equity[0] == pytest.approx(201442.122278193, rel=1e-13)
    assert excess(account, [100_000.0])[0] == pytest.approx(103042.78391401771, rel=1e-13)
    expected = (78528.49249918149, 115580.29681403551)
    assert prices(account) == [pytest.approx(expected, rel=1e-12)]


def test_a_short_strangle_is_liquidated_when_volatility_rises_to_where_it_must() -> None:
    account = strangle()
    multiple = 1.531371529362776
    there = account.book.with_volatility(multiple)
    result = account.model.margin(there)
    assert result.equity[0] - result.maintenance[0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("multiple", "below", "above"),
    [
        (0.8, 77478.31618279588, 118465.45128784442),
        (1.2, 80488.45837476214, 111331.21868384637),
        (1.4, 83914.22457963515, 105325.78507185465),
        (1.6, 96516.43976101361, math.nan),  # liquidated at spot: healthy again further down
        (1.8, math.nan, math.nan),  # at every spot
    ],
)
def test_the_frontier_of_a_short_strangle(multiple: float, below: float, above: float) -> None:
    account = strangle()
    found = nearest(account.book.with_volatility(multiple), account.model)
    assert found.below == pytest.approx([below], rel=1e-12, nan_ok=True)
    assert found.above == pytest.approx([above], rel=1e-12, nan_ok=True)


def test_a_perpetual_under_a_scan() -> None:
    file = book(100_000.0, perpetual(2.0, 100_000.0), 50_000.0)
    account = margined(file, settings=[*PLAIN, "charges.delta_one=0.0"])
    expected = (88235.29411764706, math.nan)
    assert prices(account) == [pytest.approx(expected, rel=1e-13, nan_ok=True)]


BUTTERFLY = (
    *(90423.9607, 91395.1646, 94729.8636, 95747.3153, 99466.3568, 100534.6811),
    *(104701.4282, 105825.9801, 110518.1742, 111705.2012),
)


def test_every_crossing_of_a_butterfly_about_to_expire_is_one() -> None:
    """Ten crossings; the ladder is too wide to see them all, so the excess itself is examined."""
    wings = ((99_000.0, -20.0), (100_000.0, 40.0), (101_000.0, -20.0))
    expiry = "2026-11-20T08:28:48Z"  # 5.479452054794521e-05 years
    legs = [
        {
            "instrument": {"underlying": "BTC", "expiry": expiry, "strike": strike, "type": "call"},
            "quantity": quantity,
        }
        for strike, quantity in wings
    ]
    grid = ["grid.spot=[-0.1, -0.05, 0.0, 0.05, 0.1]", "grid.volatility=[0.0]"]
    file = book(100_000.0, legs, 9_000.0)
    account = margined(file, settings=[*PLAIN, *grid, "charges.short_options=0.0"])
    sides = excess(account, [side + step for side in BUTTERFLY for step in (-1e-3, 1e-3)])
    assert np.all(sides[::2] * sides[1::2] < 0.0)
    between = np.array(BUTTERFLY[:-1]) + np.diff(BUTTERFLY) / 2.0
    assert np.array_equal(np.sign(excess(account, between.tolist())), [-1.0, 1.0] * 4 + [-1.0])


def test_a_straddle_owned_on_credit() -> None:
    legs = [
        {"instrument": f"BTC-20DEC26-100000-{side}", "quantity": 2.0, "group": "straddle"}
        for side in "CP"
    ]
    file = book(100_000.0, legs, -10_000.0)
    found = excess(margined(file, settings=PLAIN), [100_000.0])[0]
    assert found - 0.01 * 100_000.0 == pytest.approx(8203.095627029441, rel=1e-13)


# The ladder


def test_the_ladder_rises_and_stands_on_spot() -> None:
    assert LADDER[SPOT_NODE] == 1.0
    assert np.all(np.diff(LADDER) > 0.0)
    assert (LADDER[0], LADDER[-1]) == pytest.approx((0.02, 50.0))


def test_what_nothing_can_liquidate_has_no_price() -> None:
    call = [{"instrument": "BTC-20DEC26-115000-C", "quantity": 1.0}]
    for file in (book(100_000.0, call, 1_000.0), book(100_000.0, call)):
        assert prices(margined(file, "cross")) == [pytest.approx((math.nan,) * 2, nan_ok=True)]
    assert prices(margined(book(100_000.0, [], 1_000.0))) == []


def test_a_liquidated_account_is_told_where_it_would_be_whole() -> None:
    file = book(45_000.0, perpetual(1.0, 50_000.0), 5_000.0)
    found = prices(margined(file, "cross", settings=["delta_one.maintenance=0.004"]))
    assert found == [pytest.approx((math.nan, 45180.72289156626), rel=1e-12, nan_ok=True)]


def test_every_isolated_pool_has_its_own_price() -> None:
    legs = [
        held | {"isolated_margin": margin, "group": name}
        for name, margin in (("one", 5_000.0), ("two", 10_000.0))
        for held in perpetual(1.0, 50_000.0)
    ]
    file = book(50_000.0, legs, 20_000.0)
    account = margined(file, "isolated", settings=["delta_one.maintenance=0.004"])
    assert account.book.names.pools == ("one", "two", "unallocated")
    first, second = (below for below, _ in prices(account))
    assert first == pytest.approx(45180.72289156626, rel=1e-12)
    assert second == pytest.approx(40_000.0 / 0.996, rel=1e-12)


def test_underlyings_move_one_at_a_time() -> None:
    file = book(
        100_000.0,
        [
            *perpetual(1.0, 100_000.0),
            {"instrument": "ETH-PERPETUAL", "quantity": 10.0, "entry_price": 4_000.0},
        ],
        30_000.0,
        market={"BTC": {"spot": 100_000.0}, "ETH": {"spot": 4_000.0}},
    )
    found = prices(margined(file, "cross", settings=["delta_one.maintenance=0.05"]))
    # 30,000 + (S - 100,000) = 5 % (S + 40,000), and the like for the other
    assert found[0][0] == pytest.approx(72_000.0 / 0.95, rel=1e-12)
    assert found[1][0] == pytest.approx((5_000.0 - 30_000.0 + 40_000.0) / 9.5, rel=1e-12)


def test_the_size_of_a_batch_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from random import Random

    account = margined(portfolio(Random(3), WITH_POOLS), "isolated")
    whole = nearest(account.book, account.model)
    monkeypatch.setattr(moved, "ROWS_AT_ONCE", 7)
    for one, other in zip(whole, nearest(account.book, account.model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_ladder_ends_where_both_sides_are_bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    strangle = [
        {"instrument": f"BTC-25DEC26-{leg}", "quantity": -1.0} for leg in ("90000-P", "110000-C")
    ]
    account = margined(book(100_000.0, strangle, 30_000.0), "portfolio")
    whole = prices(account)
    asked: list[float] = []

    def counted(of: Moved, factor: float) -> Any:
        asked.append(factor)
        return at(of, factor)

    at = Moved.at
    monkeypatch.setattr(Moved, "at", counted)
    monkeypatch.setattr(ladder, "ROWS_AHEAD", 1)
    assert prices(account) == whole
    assert not math.isnan(sum(whole[0]))
    assert min(asked) > 0.5
    assert max(asked) < 2.0
