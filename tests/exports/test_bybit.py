"""Bybit's and Derive's answers in practice: symbols, spot pairs, coins, and a map of tickers."""

from pathlib import Path

import pytest

from margincalc.errors import InputError
from tests.exports.answers import TIME, bybit, holdings, loaded


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("BTC-25DEC26-115000-C", "BTC_USDC-25DEC26-115000-C"),
        ("BTC-25DEC26-115000-C-USDT", "BTC_USDT-25DEC26-115000-C"),
        ("XRP-27NOV26-0.6-P-USDT", "XRP_USDT-27NOV26-0d6-P"),
        ("BTC-25DEC26", "BTC_USDC-25DEC26"),
        ("BTCUSDT-25DEC26", "BTC_USDT-25DEC26"),
        ("BTCPERP", "BTC_USDC-PERPETUAL"),
        ("1000PEPEUSDT", "1000PEPE_USDT-PERPETUAL"),
        ("ETHUSD", "ETH-PERPETUAL"),
    ],
)
def test_bybit_symbols(tmp_path: Path, symbol: str, name: str) -> None:
    row = {"symbol": symbol, "side": "Sell", "size": "2", "avgPrice": "1", "positionValue": "2"}
    portfolio = loaded(tmp_path, bybit({**row, "positionIM": "", "positionMM": ""}))
    assert holdings(portfolio) == [(name, -2.0)]
    assert portfolio.stated is None, "under portfolio margin positions state none"


def test_bybit_profit_that_a_session_has_paid_is_in_the_wallet(tmp_path: Path) -> None:
    row = {"symbol": "BTCPERP", "side": "Buy", "size": "2", "avgPrice": "90000"}
    row |= {"positionValue": "2", "markPrice": "100100", "sessionAvgPrice": "100000"}
    assert loaded(tmp_path, bybit(row)).positions[0].entry_price == 100_000.0
    row["sessionAvgPrice"] = ""
    assert loaded(tmp_path, bybit(row)).positions[0].entry_price == 90_000.0


def test_bybit_dated_inverse_future_expires_when_its_ticker_says(tmp_path: Path) -> None:
    row = {"symbol": "BTCUSDZ26", "side": "Buy", "size": "500", "avgPrice": "1"}
    row["positionValue"] = "2"
    alone = loaded(tmp_path, bybit(row, category="inverse"))
    assert alone.positions == ()
    assert any("left out: BTCUSDZ26" in remark for remark in alone.remarks)
    prices = {"markPrice": "101000", "indexPrice": "100000", "lastPrice": "101000"}
    ticker = {"symbol": "BTCUSDZ26", **prices, "deliveryTime": "1798185600000"}
    both = loaded(tmp_path, bybit(row, category="inverse"), bybit(ticker, category="inverse"))
    assert holdings(both) == [("BTC-25DEC26", 500.0)]


def test_bybit_spot_orders_are_no_perpetuals(tmp_path: Path) -> None:
    row = {"orderId": "1", "symbol": "BTCUSDT", "side": "Buy", "price": "90000", "leavesQty": "1"}
    row["orderStatus"] = "New"
    assert loaded(tmp_path, bybit(row, category="spot")).orders == ()
    assert loaded(tmp_path, bybit(row)).orders[0].instrument == "BTC_USDT-PERPETUAL"
    waiting = {**row, "orderStatus": "Untriggered", "price": "0"}
    assert loaded(tmp_path, bybit(waiting)).orders == ()


def test_bybit_coin_that_is_no_collateral_is_named(tmp_path: Path) -> None:
    coin = {"coin": "XYZ", "walletBalance": "10", "equity": "10", "usdValue": "0"}
    wallet = {
        "totalEquity": "",
        "accountType": "UNIFIED",
        "coin": [{**coin, "collateralSwitch": False}],
    }
    portfolio = loaded(tmp_path, bybit(wallet))
    assert portfolio.stated is None
    said = "\n".join(portfolio.remarks)
    assert "XYZ is no collateral at the venue" in said
    assert "no price of XYZ" in said


def test_derive_map_of_tickers(tmp_path: Path) -> None:
    priced = {"i": "0.8", "f": "2512.5", "df": "0.9962", "m": "60", "bi": "0.79", "ai": "0.81"}
    slim = {"A": "3", "B": "3", "I": "2500", "M": "60", "a": "62", "b": "58", "t": TIME}
    perpetual = {
        "I": "2500",
        "M": "2501",
        "a": "2502",
        "b": "2500",
        "t": TIME,
        "option_pricing": None,
    }
    tickers = {"ETH-20261225-3000-C": {**slim, "option_pricing": priced}, "ETH-PERP": perpetual}
    portfolio = loaded(tmp_path, {"id": "1", "result": {"tickers": tickers}})
    quote = portfolio.quotes["ETH-25DEC26-3000-C"]
    assert (quote.mark, quote.volatility, quote.bid, quote.ask) == (60.0, 0.8, 58.0, 62.0)
    market = portfolio.market["ETH"]
    assert market.spot == 2500.0
    assert market.expiries["2026-12-25"].forward == 2512.5
    assert market.perpetual is not None
    assert market.perpetual.mark == 2501.0


def test_derive_subaccount_that_was_not_loaded_is_refused(tmp_path: Path) -> None:
    empty = {"positions": [], "collaterals": [], "subaccount_value": "0", "subaccount_id": 1}
    result = {**empty, "initial_margin": "0", "maintenance_margin": "0"}
    assert loaded(tmp_path, {"id": "1", "result": result}).account == "derive-1"
    with pytest.raises(InputError, match="not loaded"):
        loaded(tmp_path, {"id": "1", "result": {**result, "failed_to_fetch": True}})
