"""From the written form to columns: where prices come from, and what is refused."""

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.assembly.pools import MODES
from margincalc.book import Kind
from margincalc.errors import InputError
from margincalc.portfolio import Portfolio
from margincalc.pricing import black
from tests.books import margined
from tests.test_liquidation import book

SPOT = 100_000.0
CALL = "BTC-20DEC26-100000-C"
MONTH = 30.0 / 365.0
Written = dict[str, Any]


def file(*positions: Written, btc: Written | None = None, **more: Any) -> Portfolio:
    market = {"BTC": {"spot": SPOT, "volatility": 0.6} | (btc or {})}
    return book(SPOT, positions, 1_000.0, **({"market": market} | more))


def row(written: Portfolio, name: str = CALL) -> dict[str, float]:
    """Return the columns of one instrument."""
    found = margined(written, "cross").book
    number = found.names.instruments.index(name)
    columns = {own.name: getattr(found.instruments, own.name) for own in fields(found.instruments)}
    return {key: column[number] for key, column in columns.items() if column.ndim == 1}


def held(name: str = CALL, quantity: float = 1.0, **more: Any) -> Written:
    return {"instrument": name, "quantity": quantity, **more}


def faults(written: Portfolio) -> list[str]:
    with pytest.raises(InputError) as error:
        mc.margin(written)
    return [str(fault) for fault in error.value.faults]


# Forwards


def test_a_forward_is_carried_from_spot() -> None:
    found = row(file(held(), btc={"rate": 0.05, "yield": 0.02}))
    assert found["variable"] == pytest.approx(SPOT * np.exp(0.03 * MONTH), rel=1e-14)
    assert found["fixed"] == 0.0
    assert found["time"] == pytest.approx(MONTH, rel=1e-15)


def test_dividends_to_come_before_expiry_leave_the_forward() -> None:
    dividends = [{"date": "2026-12-01", "amount": 500.0}, {"date": "2026-12-21", "amount": 900.0}]
    found = row(file(held(), btc={"rate": 0.05, "dividends": dividends}))
    paid = (10 + 16 / 24) / 365.0
    expected = (SPOT - 500.0 * np.exp(-0.05 * paid)) * np.exp(0.05 * MONTH)
    assert found["variable"] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("forward", "fixed", "variable"),
    [(101_000.0, 0.0, 101_000.0), ({"fixed": 60_000.0, "variable": 41_000.0}, 60_000.0, 41_000.0)],
)
def test_a_quoted_forward_holds(forward: object, fixed: float, variable: float) -> None:
    expiries = {"2026-12-20": {"forward": forward}}
    found = row(file(held(), btc={"expiries": expiries}))
    assert (found["fixed"], found["variable"]) == (fixed, variable)


@pytest.mark.parametrize(
    ("positions", "quotes"),
    [
        ([held(), held("BTC-20DEC26", mark_price=101_000.0)], {}),
        ([held(), held("BTC-20DEC26")], {"BTC-20DEC26": {"mark": 101_000.0}}),
        ([held()], {"BTC-20DEC26": {"mark": 101_000.0}}),
        ([held()], {"BTC-20DEC26": {"mark": 101_000.0}, "BTC-27DEC26": {"mark": 1.0}}),
    ],
)
def test_the_mark_of_a_future_is_the_forward_of_its_options(
    positions: list[Written], quotes: Written
) -> None:
    """Whether the account holds the future or not: an account's row must not depend on others."""
    assert row(file(*positions, quotes=quotes))["variable"] == 101_000.0


def test_a_quoted_forward_holds_over_the_mark_of_a_future() -> None:
    quotes = {"BTC-20DEC26": {"mark": 101_000.0}}
    expiries = {"2026-12-20": {"forward": 102_000.0}}
    written = file(held(), held("BTC-20DEC26"), btc={"expiries": expiries}, quotes=quotes)
    assert row(written)["variable"] == 102_000.0
    assert row(written, "BTC-20DEC26")["variable"] == 101_000.0


def test_the_rate_of_an_expiry_holds_over_the_underlyings() -> None:
    btc = {"rate": 0.05, "yield": 0.01, "expiries": {"2026-12-20": {"rate": 0.08}}}
    assert row(file(held(), btc=btc))["rate"] == 0.08
    assert row(file(held(), btc=btc | {"settlement": "inverse"}))["rate"] == 0.01


def test_a_perpetual_stands_at_its_mark() -> None:
    own = file(held("BTC-PERPETUAL", mark_price=100_500.0), btc={"perpetual": {"mark": 100_100.0}})
    assert row(own, "BTC-PERPETUAL")["variable"] == 100_500.0
    market = file(held("BTC-PERPETUAL"), btc={"perpetual": {"mark": 100_100.0}})
    assert row(market, "BTC-PERPETUAL")["variable"] == 100_100.0
    assert row(file(held("BTC-PERPETUAL")), "BTC-PERPETUAL")["variable"] == SPOT


# Volatilities and marks


def price(volatility: float) -> float:
    return float(black.price(SPOT, SPOT, volatility, MONTH, True))


def test_a_quoted_volatility_holds_over_the_mark_and_the_mark_counts() -> None:
    found = row(file(held(mark_price=9_000.0, volatility=0.7)))
    assert found["volatility"] == 0.7
    assert found["offset"] == pytest.approx(9_000.0 - price(0.7), rel=1e-12)


@pytest.mark.parametrize("settlement", ["linear", "inverse"])
def test_a_mark_alone_gives_the_volatility(settlement: str) -> None:
    unit = SPOT if settlement == "inverse" else 1.0
    written = file(held(mark_price=price(0.9) / unit), btc={"settlement": settlement})
    found = row(written)
    assert found["volatility"] == pytest.approx(0.9, rel=1e-12)
    assert found["offset"] == pytest.approx(0.0, abs=1e-10 * SPOT)
    assert mc.margin(written).option_value == pytest.approx(price(0.9), rel=1e-14)


def test_what_no_volatility_gives_is_refused() -> None:
    deep = "BTC-20DEC26-50000-C"
    (fault,) = faults(file(held(deep, mark_price=49_000.0)))
    assert "which no volatility gives" in fault
    assert "50000" in fault


def test_the_underlyings_volatility_is_the_last_resort() -> None:
    assert row(file(held()))["volatility"] == 0.6
    (fault,) = faults(file(held(), btc={"volatility": None}))
    assert CALL in fault
    assert "volatility: 0.6" in fault


def test_a_surface_holds_over_the_underlyings_volatility() -> None:
    svi = {"a": 0.04, "b": 0.0, "rho": 0.0, "m": 0.0, "sigma": 0.1, "time": 0.25}
    btc = {"expiries": {"2026-12-20": {"svi": svi}}}
    assert row(file(held(), btc=btc))["volatility"] == pytest.approx(0.4, rel=1e-14)


def test_a_surface_that_is_none_is_refused() -> None:
    svi = {"a": -1.0, "b": 0.1, "rho": 0.0, "m": 0.0, "sigma": 0.1}
    (fault,) = faults(file(held(), btc={"expiries": {"2026-12-20": {"svi": svi}}}))
    assert "svi" in fault
    assert CALL in fault


# What is held


def test_a_future_books_its_profit_and_counts_on_from_there() -> None:
    written = file(held("BTC-20DEC26", 2.0, entry_price=90_000.0, unsettled=-300.0))
    report = mc.margin(written, mode="cross")
    assert report.unrealised == pytest.approx(19_700.0)
    assert report.equity == pytest.approx(20_700.0)
    found = margined(written, "cross").book
    assert found.instruments.kind[found.names.instruments.index("money")] == Kind.SETTLEMENT


def test_an_inverse_future_books_its_profit_in_coin() -> None:
    inverse = {"settlement": "inverse"}
    written = file(
        held("BTC-PERPETUAL", 50_000.0, entry_price=80_000.0, unsettled=0.1), btc=inverse
    )
    coin = 50_000.0 * (1.0 / 80_000.0 - 1.0 / SPOT) + 0.1
    assert mc.margin(written, mode="cross").unrealised == pytest.approx(coin * SPOT)
    own = written.model_copy(update={"currency": "BTC", "collateral": ()})
    assert mc.margin(own, mode="cross").equity == pytest.approx(coin)


def test_positions_that_cancel_leave_a_line_of_nothing() -> None:
    report = mc.margin(file(held(quantity=2.0), held(quantity=-2.0)))
    (line,) = report.positions
    assert (line.quantity, line.value) == (0.0, 0.0)
    assert line.mark_price == pytest.approx(price(0.6), rel=1e-14)
    assert any("netted" in note for note in report.notes)


def test_nothing_at_all_is_an_account() -> None:
    empty = {"as_of": "2026-11-20T08:00:00Z", "market": {"BTC": {"spot": SPOT}}}
    for mode in MODES:
        report = mc.margin(Portfolio.model_validate(empty), mode=mode)
        assert (report.equity, report.maintenance_margin) == (0.0, 0.0)
        assert (report.status, report.margin_ratio, report.pools) == ("healthy", None, ())


# Accounts kept in a coin


def coin(*deposits: Written, **market: Written) -> Portfolio:
    whole = {"BTC": {"spot": SPOT, "volatility": 0.6}, **market}
    return book(SPOT, [held()], currency="BTC", market=whole, collateral=deposits)


@pytest.mark.parametrize(
    ("deposit", "worth"),
    [
        ({"asset": "BTC", "quantity": 2.0}, 2.0),
        ({"asset": "USD", "quantity": 5_000.0}, 0.05),
        ({"asset": "GOLD", "quantity": 3.0, "price": 0.04}, 0.12),
        ({"asset": "BTC", "quantity": 2.0, "price": 1.0}, 2.0),
    ],
)
def test_prices_in_a_coin_account_are_in_coin(deposit: Written, worth: float) -> None:
    report = mc.margin(coin(deposit))
    assert report.collateral_value == pytest.approx(worth, rel=1e-14)
    assert report.option_value == pytest.approx(price(0.6) / SPOT, rel=1e-14)


def test_a_coin_account_holds_nothing_that_moves_with_another_coin() -> None:
    eth = {"ETH": {"spot": 4_000.0}}
    (fault,) = faults(coin({"asset": "ETH", "quantity": 10.0}, **eth))
    assert "collateral[0]" in fault
    assert "ETH" in fault
    (fault,) = faults(
        coin({"asset": "X", "quantity": 1.0, "price": 1.0, "moves_with": "ETH"}, **eth)
    )
    assert "currency: USD" in fault
    still = coin({"asset": "ETH", "quantity": 10.0, "price": 0.04, "moves_with": "none"}, **eth)
    assert mc.margin(still).collateral_value == pytest.approx(0.4)
    other = coin(**eth).model_copy(update={"positions": ()})
    mixed = Portfolio.model_validate(
        other.model_dump(by_alias=True) | {"positions": [held("ETH-PERPETUAL")]}
    )
    (fault,) = faults(mixed)
    assert "positions[0]" in fault


def test_rows_stand_in_canonical_order() -> None:
    deposits = [  # which other haircuts keep apart
        {"asset": "USD", "quantity": float(number + 1), "haircut": 0.01 * number}
        for number in range(11)
    ]
    written = file(held("BTC-PERPETUAL"), held(), held("BTC"), collateral=deposits)
    found = margined(written, "cross").book
    names = [found.names.instruments[number] for number in found.instrument]
    assert names == sorted(names)
    assert [float(q) for q in found.quantity[-11:]] == [float(n + 1) for n in range(11)]


# Extremes


def test_an_entry_price_of_nothing_is_a_price() -> None:
    found = mc.margin(file(held("BTC-PERPETUAL", entry_price=0.0)))
    free = mc.margin(file(held("BTC-PERPETUAL", entry_price=SPOT)))
    assert found.equity - free.equity == SPOT


def test_dividends_that_exceed_the_spot() -> None:
    dividends = [{"date": "2026-12-01", "amount": SPOT}]
    for terms in ({}, {"exercise": "american"}, {"settlement": "inverse"}):
        (fault,) = faults(file(held(), btc={"dividends": dividends, **terms}))
        assert "exceed the spot" in fault
    expiries = {"2026-12-20": {"forward": {"variable": 0.0}}}
    (fault,) = faults(file(held(), btc={"expiries": expiries}))
    assert "a forward greater than 0" in fault
    rates = {"rate": -2.0, "yield": 2.0}
    (fault,) = faults(file(held("BTC-20DEC99-100000-C"), btc=rates))
    assert "correct the rate and the yield" in fault


@pytest.mark.parametrize("quantity", [1.0, -1.0])
@pytest.mark.parametrize("name", ["BTC-20DEC99-100000000000000-C", "BTC-20DEC99-0d001-P", CALL])
def test_american_options_at_extremes_are_finite(name: str, quantity: float) -> None:
    dividends = [{"date": "2026-12-01", "amount": 500.0}]
    more = {"exercise": "american", "dividends": dividends, "rate": 2.0, "yield": -2.0}
    for terms in (more, more | {"rate": -2.0, "yield": -2.0}, more | {"rate": 0.0, "yield": 0.0}):
        written = file(held(name, quantity), btc=terms | {"volatility": 10.0})
        assert all(np.isfinite(value) for value in row(written, name).values() if value != np.inf)
        json.dumps(mc.margin(written).to_dict(), allow_nan=False)
