"""Greeks where a formula or a payoff says what they are."""

import math
from random import Random
from typing import Any

import pytest

from margincalc.answers.breakdown import scenarios_report
from margincalc.answers.results import Sensitivity
from margincalc.answers.statement import margin_report
from margincalc.pricing import black_scholes
from margincalc.risk import now, risk_array, scenario_pnl
from tests.books import margined
from tests.test_liquidation import book

SPOT, RATE, YIELD, VOLATILITY = 100_000.0, 0.06, 0.02, 0.6
MONTH = 30.0 / 365.0
CALL, PUT = "BTC-20DEC26-95000-C", "BTC-20DEC26-95000-P"
NAMES = ("delta", "gamma", "vega", "theta", "rho")


def greeks(*positions: dict[str, Any], **more: Any) -> Sensitivity:
    """Return the Greeks of an account without deposits."""
    settlement = more.pop("settlement", "linear")
    own = {"spot": SPOT, "rate": RATE, "yield": YIELD, "volatility": VOLATILITY}
    market = {"BTC": own | {"settlement": settlement}}
    report = margin_report(margined(book(SPOT, positions, market=market, **more), "cross"))
    return report.greeks["BTC"]


def held(name: str, quantity: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"instrument": name, "quantity": quantity, **more}


def expected(**values: float) -> Any:
    whole = dict.fromkeys(NAMES, 0.0) | values
    return pytest.approx(tuple(whole[name] for name in NAMES), rel=1e-10, abs=1e-9)


def tuple_of(found: Sensitivity) -> tuple[float, ...]:
    return tuple(float(getattr(found, name)) for name in NAMES)


@pytest.mark.parametrize("call", [True, False])
def test_on_a_carried_forward_they_are_those_of_black_and_scholes(call: bool) -> None:
    found = greeks(held(CALL if call else PUT, -2.0))
    option = black_scholes.Option(95_000.0, MONTH, call)
    market = black_scholes.Market(SPOT, RATE, YIELD)
    wanted = black_scholes.greeks(option, market, VOLATILITY)
    values = {name: -2.0 * float(getattr(wanted, name)) for name in NAMES}
    assert tuple_of(found) == expected(**values)


def test_a_call_less_a_put_is_a_forward() -> None:
    found = greeks(held(CALL), held(PUT, -1.0))
    discounted = math.exp(-RATE * MONTH) * 95_000.0
    wanted = expected(
        delta=math.exp(-YIELD * MONTH),
        theta=YIELD * SPOT * math.exp(-YIELD * MONTH) - RATE * discounted,
        rho=MONTH * discounted,
    )
    assert tuple_of(found) == pytest.approx(wanted.expected, rel=1e-9, abs=1e-6)


def test_spot_has_delta_alone() -> None:
    assert tuple_of(greeks(held("BTC", 3.0))) == expected(delta=3.0)


def test_a_perpetual_has_delta_alone() -> None:
    assert tuple_of(greeks(held("BTC-PERPETUAL", -3.0))) == expected(delta=-3.0)


def test_a_future_runs_down_to_spot() -> None:
    forward = SPOT * math.exp((RATE - YIELD) * MONTH)
    wanted = expected(delta=forward / SPOT, theta=-(RATE - YIELD) * forward, rho=MONTH * forward)
    assert tuple_of(greeks(held("BTC-20DEC26"))) == wanted


def test_an_inverse_perpetual_at_its_entry_is_worth_its_notional_of_coin() -> None:
    """Profit N (1/entry - 1/S) S is linear in S: it has no gamma in quote currency."""
    found = greeks(held("BTC-PERPETUAL", 50_000.0, entry_price=SPOT), settlement="inverse")
    assert tuple_of(found) == expected(delta=0.5)


def test_an_inverse_perpetual_bends_in_a_coin_account() -> None:
    """N (1/entry - 1/S): delta N / S**2 and gamma -2 N / S**3."""
    held_ = held("BTC-PERPETUAL", 50_000.0, entry_price=SPOT)
    found = greeks(held_, settlement="inverse", currency="BTC")
    assert found.delta == pytest.approx(50_000.0 / SPOT**2, rel=1e-12)
    assert found.gamma == pytest.approx(-100_000.0 / SPOT**3, rel=1e-12)


def test_an_inverse_option_is_a_linear_one_paid_in_coin() -> None:
    """In quote currency only the discounting differs: by the coin's rate and spot over forward."""
    linear, inverse = greeks(held(CALL)), greeks(held(CALL), settlement="inverse")
    for name in ("delta", "gamma", "vega"):
        assert getattr(inverse, name) == pytest.approx(getattr(linear, name), rel=1e-12)


def test_coin_deposits_have_delta_and_money_has_it_in_a_coin_account() -> None:
    deposits = [{"asset": "BTC", "quantity": 2.0}, {"asset": "USD", "quantity": 1_000.0}]
    in_quote = greeks(held("BTC", 1.0), collateral=deposits)
    assert tuple_of(in_quote) == expected(delta=3.0)
    in_coin = greeks(held("BTC", 1.0), collateral=deposits, currency="BTC")
    assert in_coin.delta == pytest.approx(-1_000.0 / SPOT**2, rel=1e-9)
    assert in_coin.gamma == pytest.approx(2_000.0 / SPOT**3, rel=1e-9)


def test_a_deposit_moves_with_its_beta() -> None:
    deposit = {"asset": "STETH", "quantity": 4.0, "price": 10.0, "moves_with": "BTC", "beta": 0.5}
    assert greeks(collateral=[deposit]).delta == pytest.approx(4.0 * 10.0 * 0.5 / SPOT, rel=1e-14)


def test_a_fixed_part_of_a_forward_does_not_follow_spot() -> None:
    forward = {"fixed": 60_000.0, "variable": 40_000.0}
    market = {
        "BTC": {"spot": SPOT, "volatility": 0.6, "expiries": {"2026-12-20": {"forward": forward}}}
    }
    report = margin_report(margined(book(SPOT, [held("BTC-20DEC26")], market=market), "cross"))
    assert report.greeks["BTC"].delta == pytest.approx(0.4, rel=1e-14)


def test_sums_are_those_of_a_margin() -> None:
    """Rows are added one after the other, never pairwise: bit for bit what the model requires."""
    draw = Random(7)
    positions = [
        held(f"BTC-20DEC26-{strike}-{side}", draw.uniform(-3.0, 3.0))
        for strike in range(60_000, 140_000, 1_000)
        for side in "CP"
    ]
    market = {"BTC": {"spot": SPOT, "volatility": VOLATILITY}}
    account = margined(book(SPOT, positions, market=market), "portfolio")
    (worst,) = (line for line in scenarios_report(account).lines if line.worst)
    risk = risk_array(account.book, account.model.grids[0], now(account.book))
    assert worst.pnl == scenario_pnl(account.book, risk, account.book.pool, 1)[0, worst.index]
    in_order = 0.0
    for number, instrument in enumerate(account.book.instrument):
        in_order += account.book.quantity[number] * account.unit_greeks.vega[instrument]
    assert margin_report(account).greeks["BTC"].vega == in_order
