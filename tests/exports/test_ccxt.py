"""What ccxt gives: the exchange's own answer under `info`, and its own where none is known."""

from pathlib import Path

import pytest

from margincalc.errors import InputError
from tests.exports.answers import TIME, Answer, loaded, position

SUMMARY = {"currency": "BTC", "balance": 3.0, "equity": 2.808, "options_value": -0.192}
SUMMARY |= {"initial_margin": 0.5, "maintenance_margin": 0.4, "margin_model": "segregated_pm"}


@pytest.mark.parametrize(
    "own",
    [SUMMARY, {"id": 1, "summaries": [SUMMARY]}, {"jsonrpc": "2.0", "result": SUMMARY, "id": 1}],
    ids=["summary", "summaries", "envelope"],
)
def test_ccxt_balance_is_read_as_the_exchange_said_it(tmp_path: Path, own: Answer) -> None:
    """Of Deribit, ccxt's `total` is the equity, with the options' value in it: it counts once."""
    balance = {"info": own, "timestamp": TIME, "free": {"BTC": 2.3}, "used": {"BTC": 0.5}}
    portfolio = loaded(tmp_path, {**balance, "total": {"BTC": 2.808}})
    assert [(held.asset, held.quantity) for held in portfolio.collateral] == [("BTC", 3.0)]
    assert portfolio.as_of is not None


def test_ccxt_balance_of_another_exchange_is_its_total(tmp_path: Path) -> None:
    balance = {"info": {"foo": 1}, "free": {}, "used": {}, "total": {"BTC": 2.808}}
    portfolio = loaded(tmp_path, balance)
    assert portfolio.collateral[0].quantity == 2.808
    assert any("of some exchanges it includes" in remark for remark in portfolio.remarks)


def test_ccxt_spot_order_is_no_contract_of_the_same_name(tmp_path: Path) -> None:
    info = {"orderId": "1", "symbol": "BTCUSDT", "side": "Buy", "price": "9", "leavesQty": "1"}
    info["orderStatus"] = "New"
    sizes = {"price": 9, "amount": 1, "remaining": 1}
    order = {"info": info, "id": "1", "status": "open", "side": "buy", **sizes}
    assert loaded(tmp_path, [{**order, "symbol": "BTC/USDT"}]).orders == ()
    assert len(loaded(tmp_path, [{**order, "symbol": "BTC/USDT:USDT"}]).orders) == 1


def test_faults_of_the_exchange_s_own_answer_are_located(tmp_path: Path) -> None:
    info = position("BTC-PERPETUAL", size="many")
    row = {"info": info, "symbol": "BTC/USD:BTC", "contracts": None, "side": "long"}
    with pytest.raises(InputError, match=r"0\.json:1, \[0\]\.info\.size"):
        loaded(tmp_path, [row])


def test_ccxt_debts_are_taken_off(tmp_path: Path) -> None:
    balance = {"info": {}, "free": {}, "used": {}, "total": {"USDT": 100, "BTC": None}}
    held = loaded(tmp_path, {**balance, "debt": {"USDT": 30, "ETH": 2}}).collateral
    assert [(deposit.asset, deposit.quantity) for deposit in held] == [
        ("USDT", 70.0),
        ("ETH", -2.0),
    ]
