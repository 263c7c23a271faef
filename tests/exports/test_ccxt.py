"""What ccxt gives: the exchange's own answer under `info`, and its own where none is known."""

from pathlib import Path

import pytest

from margincalc.errors import InputError
from tests.exports.answers import TIME, loaded, position


def test_ccxt_balance_is_read_as_the_exchange_said_it(tmp_path: Path) -> None:
    """Of Deribit, ccxt's `total` is the equity, with the options' value in it: it counts once."""
    summary = {"currency": "BTC", "balance": 3.0, "equity": 2.808, "options_value": -0.192}
    summary |= {"initial_margin": 0.5, "maintenance_margin": 0.4, "margin_model": "segregated_pm"}
    own = {"jsonrpc": "2.0", "result": summary, "id": 1}
    balance = {"info": own, "timestamp": TIME, "free": {"BTC": 2.3}, "used": {"BTC": 0.5}}
    portfolio = loaded(tmp_path, {**balance, "total": {"BTC": 2.808}})
    assert [(held.asset, held.quantity) for held in portfolio.collateral] == [("BTC", 3.0)]
    assert portfolio.as_of is not None
    unknown = loaded(tmp_path, {**balance, "info": {"foo": 1}, "total": {"BTC": 2.808}})
    assert unknown.collateral[0].quantity == 2.808
    assert any("of some exchanges it includes" in remark for remark in unknown.remarks)


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
