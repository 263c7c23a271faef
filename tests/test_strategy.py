"""Regulation T: the pairing is the cheapest there is, and the rules give the figures printed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincalc as mc
from margincalc.answers.account import Account as Margined
from margincalc.answers.margining import Rules, margined
from margincalc.answers.verify import verify
from margincalc.errors import ModelRefusal
from margincalc.liquidation.nearest import LADDER
from margincalc.margin.base import MarginResult
from margincalc.portfolio import Portfolio
from tests.pairings import Account, Leg, cheapest, cheapest_kept, greedy
from tests.proving import examples
from tests.rows import assert_copies_are_pools_moved

AS_OF = dt.datetime(2026, 1, 2, 8, tzinfo=dt.UTC)
CALL, PUT = True, False
FRACTIONS = ("whole_contracts=false",)


def written(account: Account, times: float = 1.0, *, american: bool = True) -> dict[str, Any]:
    """Write an account as a portfolio file would."""
    positions: list[dict[str, Any]] = [
        {
            "instrument": {
                "kind": "option",
                "listed": True,
                "underlying": "XYZ",
                "expiry": (AS_OF + dt.timedelta(days=leg.days)).date().isoformat(),
                "strike": leg.strike,
                "type": "call" if leg.call else "put",
                "multiplier": 100.0,
                "exercise": "american" if american else "european",
            },
            "quantity": float(leg.quantity) * times,
            "mark_price": leg.value / 100.0,
            "volatility": 0.3,
        }
        for leg in account.legs
    ]
    if account.shares:
        positions.append({"instrument": "XYZ", "quantity": float(account.shares) * times})
    return {
        "as_of": AS_OF.isoformat(),
        "market": {"XYZ": {"spot": account.spot, "listed": True}},
        "positions": positions,
        "collateral": [{"asset": "USD", "quantity": 10_000.0}],
    }


def margin_of(content: Mapping[str, Any], *changes: str) -> Margined:
    return margined(Portfolio.model_validate(content), Rules(model="reg-t", settings=changes))


def published(account: Account, *changes: str, times: float = 1.0) -> float:
    result = margin_of(written(account, times), *changes).result
    return float(result.details["strategy_requirement"][0])


def initial(result: MarginResult) -> float:
    return float(result.initial[0])


def maintenance(account: Account, *, american: bool = True) -> float:
    result = margin_of(written(account, american=american)).result
    return float(result.details["strategy_maintenance"][0])


def drawn(rng: Random, most: int) -> Account:
    """Draw an account of so many contracts at most, no leg twice."""
    spot = rng.choice((60.0, 95.0, 100.0, 112.5))
    legs: dict[tuple[Any, ...], Leg] = {}
    left = rng.randint(1, most)
    while left > 0:
        size = rng.randint(1, min(left, 2))
        terms = (rng.random() < 0.5, 5.0 * rng.randint(16, 24), rng.choice((20, 60, 300)))
        value = round(rng.uniform(0.1, 15.0), 2) * 100.0
        legs[terms] = Leg(*terms, value, size if rng.random() < 0.45 else -size)
        left -= size
    return Account(spot, tuple(legs.values()), rng.choice((0, 0, 100, 250, -100, -200)))


def accounts(most: int) -> st.SearchStrategy[Account]:
    """Accounts by seed: hypothesis's own random numbers are mostly alike, and so are its legs."""
    return st.integers(0, 2**32).map(lambda seed: drawn(Random(seed), most))


@pytest.mark.parametrize("seed", range(80))
def test_no_assignment_of_contracts_needs_less(seed: int) -> None:
    account = drawn(Random(seed), 5)
    assert published(account) == pytest.approx(cheapest(account), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("seed", range(60))
def test_no_assignment_of_options_with_shares_needs_less_to_keep(seed: int) -> None:
    rng = Random(1000 + seed)
    shares = rng.choice((100, 200, 250, -100, -200))
    account = drawn(rng, 4)._replace(shares=shares)
    legs = tuple(
        leg._replace(days=60, strike=10.0 * round(leg.strike / 10.0)) for leg in account.legs
    )
    terms = {leg[:3]: leg for leg in legs}
    account = account._replace(legs=tuple(terms.values()))
    assert maintenance(account) == pytest.approx(cheapest_kept(account), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("spot", [5.0, 20.0, 60.0, 100.0, 140.0, 400.0])
@pytest.mark.parametrize("width", [5.0, 30.0])
def test_no_assignment_of_a_condor_needs_less(spot: float, width: float) -> None:
    legs = (
        Leg(PUT, 90.0 - width, 60, 100.0, 1),
        Leg(PUT, 90.0, 60, 250.0, -1),
        Leg(CALL, 110.0, 60, 300.0, -1),
        Leg(CALL, 120.0, 60, 150.0, 1),
    )
    condor = Account(spot, legs)
    assert published(condor) == pytest.approx(cheapest(condor), rel=1e-12)


def test_whole_contracts_are_paired_whole() -> None:
    legs = (
        Leg(PUT, 93.0, 60, 4_400.0, 1),
        Leg(PUT, 100.0, 60, 5_000.0, -1),
        Leg(CALL, 110.0, 60, 1.0, -1),  # naked it needs 501, in a spread 1,000
        Leg(CALL, 120.0, 60, 1.0, 1),
    )
    wings = Account(50.0, legs)
    assert published(wings) == 1_000.0
    assert published(wings, *FRACTIONS) == pytest.approx(700.0 + 0.3 * 501.0)
    assert published(wings, times=10) == 7_000.0 + 3.0 * 501.0


@pytest.mark.parametrize("multiplier", [1e-12, 1e-9, 1.0, 1e6])
def test_contracts_of_any_size_are_paired(multiplier: float) -> None:
    legs = ((PUT, 90, 3), (PUT, 100, -3), (CALL, 110, -3), (CALL, 120, 2), (CALL, 105, 1))
    account = Account(100.0, tuple(Leg(call, strike, 30, 100.0, n) for call, strike, n in legs))
    content = written(account)
    for position in content["positions"]:
        position["instrument"]["multiplier"] = multiplier
    found = margin_of(content).result.details["strategy_maintenance"][0]
    assert found / multiplier == pytest.approx(maintenance(account) / 100.0, rel=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_no_greedy_pairing_needs_less(seed: int) -> None:
    rng = Random(seed)
    account = drawn(rng, 14)
    assert published(account) <= min(greedy(account, rng) for _ in range(20)) * (1 + 1e-12) + 1e-9


@settings(max_examples=examples(30))
@given(account=accounts(10), times=st.integers(2, 9))
def test_n_times_the_book_never_needs_more_than_n_times_the_margin(
    account: Account, times: int
) -> None:
    one = published(account)
    assert published(account, times=times) <= times * one + 1e-9 * (1.0 + abs(one))


@settings(max_examples=examples(30))
@given(account=accounts(10), times=st.floats(0.1, 30.0))
def test_with_fractions_the_margin_is_proportional_and_never_more(
    account: Account, times: float
) -> None:
    one = published(account, *FRACTIONS)
    assert one <= published(account) + 1e-9 * (1.0 + abs(one))
    many = published(account, *FRACTIONS, times=times)
    assert many == pytest.approx(times * one, rel=1e-9, abs=1e-6)


@settings(max_examples=examples(30))
@given(account=accounts(10), rng=st.randoms(use_true_random=False))
def test_the_order_of_legs_is_irrelevant(account: Account, rng: Random) -> None:
    legs = list(account.legs)
    rng.shuffle(legs)
    assert published(account) == published(account._replace(legs=tuple(legs)))


@settings(max_examples=examples(30))
@given(account=accounts(10))
def test_margin_is_the_published_figure_with_options_at_market(account: Account) -> None:
    result = margin_of(written(account)).result
    details = {name: float(amount[0]) for name, amount in result.details.items()}
    options = details["long_option_value"] - details["short_option_value"]
    for figure, components in (
        ("strategy_requirement", result.initial_components),
        ("strategy_maintenance", result.components),
    ):
        whole = sum(float(amount[0]) for amount in components.values())
        wanted = max(details[figure] + options, 0.0)
        assert whole == pytest.approx(wanted, rel=1e-12, abs=1e-8)
    assert result.initial[0] >= result.maintenance[0] - 1e-8


@settings(max_examples=examples(10))
@given(account=accounts(8))
def test_a_ladder_of_spots_is_margined_as_each_spot_alone(account: Account) -> None:
    found = margin_of(written(account))
    factor = LADDER[::9, None]
    assert_copies_are_pools_moved(found, [0] * len(factor), factor)


def test_every_worked_example_is_reproduced() -> None:
    report = verify("reg-t")
    assert len(report.lines) > 60
    assert [line for line in report.lines if not line.matches] == []


@pytest.mark.parametrize(
    ("legs", "shares", "wanted"),
    [
        ((), 100, 2_500.0),  # 25 %
        ((Leg(PUT, 95.0, 60, 150.0, 1),), 100, 1_450.0),  # 10 % of 95, and 5 out of the money
        ((Leg(PUT, 80.0, 60, 20.0, 1),), 100, 2_500.0),  # 25 % is less than 8 and 20
        ((Leg(CALL, 90.0, 60, 1_200.0, -1),), 100, 3_250.0),  # 25 % of 90, 10 in the money
        ((Leg(PUT, 95.0, 60, 150.0, 1), Leg(CALL, 105.0, 60, 150.0, -1)), 100, 1_450.0),
        ((Leg(PUT, 100.0, 60, 300.0, 1), Leg(CALL, 100.0, 60, 400.0, -1)), 100, 1_000.0),
        ((Leg(PUT, 90.0, 60, 300.0, 1), Leg(CALL, 90.0, 60, 1_300.0, -1)), 100, 1_900.0),
        ((), -100, 3_000.0),  # 30 %
        ((Leg(CALL, 105.0, 60, 150.0, 1),), -100, 1_550.0),
        ((Leg(PUT, 105.0, 60, 700.0, -1),), -100, 3_500.0),  # 30 %, and 5 in the money
        ((Leg(CALL, 105.0, 60, 150.0, 1), Leg(PUT, 105.0, 60, 700.0, -1)), -100, 1_550.0),
    ],
)
def test_maintenance_of_shares_that_options_cover_or_protect(
    legs: tuple[Leg, ...], shares: int, wanted: float
) -> None:
    assert maintenance(Account(100.0, legs, shares)) == pytest.approx(wanted, abs=1e-9)


def test_a_short_share_of_low_price_needs_more_than_its_share() -> None:
    prices = {1.0: 2.5, 2.0: 2.5, 4.0: 4.0, 10.0: 5.0, 20.0: 6.0}
    found = {spot: maintenance(Account(spot, (), -1)) for spot in prices}
    assert found == pytest.approx(prices)


def test_half_the_width_of_a_long_box_may_be_borrowed_if_it_is_european() -> None:
    legs = (
        Leg(CALL, 90.0, 60, 1_400.0, 1),
        Leg(CALL, 110.0, 60, 400.0, -1),
        Leg(PUT, 90.0, 60, 300.0, -1),
        Leg(PUT, 110.0, 60, 1_280.0, 1),
    )
    box = Account(100.0, legs)
    assert initial(margin_of(written(box, american=False)).result) == pytest.approx(1_000.0)
    assert initial(margin_of(written(box)).result) == pytest.approx(1_980.0)
    short = box._replace(legs=tuple(leg._replace(quantity=-leg.quantity) for leg in legs))
    assert published(short) == pytest.approx(2_000.0)


def test_a_spread_that_outlives_its_long_option_is_none() -> None:
    near, far = Leg(CALL, 100.0, 20, 300.0, 1), Leg(CALL, 110.0, 60, 200.0, -1)
    assert published(Account(100.0, (near, far))) == 200.0 + 1_000.0
    assert published(Account(100.0, (near._replace(days=60), far))) == 0.0


def test_house_rules_are_parameters() -> None:
    put = Account(18.0, (Leg(PUT, 10.0, 60, 5.0, -1),))
    assert published(put) == 105.0
    assert published(put, "house.contract_minimum=250.0") == 250.0
    assert published(put, "house.beyond_value=150.0") == 155.0
    spread = Account(100.0, (Leg(PUT, 90.0, 60, 50.0, 1), Leg(PUT, 95.0, 60, 150.0, -1)))
    assert published(spread, "combination.spread=1.02") == pytest.approx(510.0)


def test_a_broad_index_needs_less_and_leverage_more() -> None:
    call = Account(100.0, (Leg(CALL, 100.0, 60, 300.0, -1),))
    assert published(call) == 2_300.0
    assert published(call, "underlyings.XYZ={broad_index=true}") == 1_800.0
    assert published(call, "underlyings.XYZ={leverage=3.0}") == pytest.approx(6_300.0)


def test_futures_and_coins_are_refused() -> None:
    content = written(Account(100.0, (Leg(CALL, 100.0, 60, 300.0, -1),)))
    future = {"instrument": "XYZ-PERPETUAL", "quantity": 1.0}
    with pytest.raises(ModelRefusal, match="no rules for"):
        margin_of({**content, "positions": [*content["positions"], future]})
    with pytest.raises(ModelRefusal, match="coin"):
        margin_of({**content, "currency": "XYZ"})


def test_options_of_no_exchange_are_refused() -> None:
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 1e5, "volatility": 0.5}},
        "positions": [{"instrument": "BTC-25DEC26-100000-C", "quantity": 1.0}],
    }
    with pytest.raises(ModelRefusal, match="an exchange's equity options"):
        margin_of(content)


@pytest.mark.parametrize("model", ["reg-t", "occ-tims"])
def test_a_coin_alone_is_refused_and_a_stock_is_not(model: str) -> None:
    content: dict[str, Any] = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 1e5}},
        "positions": [{"instrument": "BTC", "quantity": 1.0}],
    }
    with pytest.raises(ModelRefusal, match="nothing says that BTC is one"):
        mc.margin(Portfolio.model_validate(content), model=model)
    content["market"]["BTC"]["listed"] = True  # a fund of that name
    assert mc.margin(Portfolio.model_validate(content), model=model).maintenance_margin > 0.0


def test_a_liquidation_price_is_where_equity_meets_maintenance() -> None:
    content = written(Account(100.0, (Leg(CALL, 110.0, 60, 200.0, -3),)))
    report = mc.margin(Portfolio.model_validate(content), model="reg-t")
    above = report.liquidation["XYZ"].above
    assert above is not None
    book = margin_of(content).book.shifted(np.array([above / 100.0]))
    moved = margin_of(content).model.margin(book)
    assert moved.equity[0] == pytest.approx(moved.maintenance[0], rel=1e-9)


def test_nothing_held_needs_nothing() -> None:
    found = margin_of(written(Account(100.0, (Leg(CALL, 110.0, 60, 200.0, 1),))))
    empty = replace(found.book, quantity=np.zeros_like(found.book.quantity))
    assert initial(found.model.margin(empty)) == 0.0
