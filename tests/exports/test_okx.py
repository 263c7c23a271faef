"""Answers of OKX in practice: contracts, signs and sides, risk units, orders, position builder."""

from pathlib import Path
from typing import Any

import pytest

from margincalc.errors import InputError
from tests.exports.answers import TIME, Answer, holdings, loaded, okx


def swap(name: str, pos: str, **said: Any) -> Answer:
    """Return a position of OKX."""
    kind = "OPTION" if name[-2:] in ("-C", "-P") else "SWAP"
    plain = {"instId": name, "instType": kind, "pos": pos, "avgPx": "100", "posSide": "net"}
    return {**plain, "mgnMode": "cross", "markPx": "100", "idxPx": "100", **said}


@pytest.mark.parametrize(
    ("row", "quantity"),
    [
        (swap("BTC-USDT-SWAP", "-150"), -1.5),
        (swap("BTC-USDT-SWAP", "150", posSide="short"), -1.5),
        (swap("BTC-USDT-SWAP", "150", posSide="long"), 1.5),
        (swap("BTC-USD-SWAP", "3"), 300.0),
        (swap("ETH-USD-SWAP", "3"), 30.0),
        (swap("BTC-USD-261225-115000-C", "-100"), -1.0),
        (swap("BTC-USD_UM-261225-115000-C", "-100"), -1.0),
        (swap("PEPE-USDT-SWAP", "2", notionalUsd="2000000000"), 20_000_000.0),
    ],
)
def test_okx_contracts(tmp_path: Path, row: Answer, quantity: float) -> None:
    assert [held.quantity for held in loaded(tmp_path, okx(row)).positions] == [quantity]


def test_okx_margins_of_a_risk_unit_count_once(tmp_path: Path) -> None:
    """Under portfolio margin each position of a unit has those of the whole; isolated ones own."""
    unit = {"imr": "900", "mmr": "600"}
    rows = [
        swap("BTC-USD-SWAP", "3", **unit),
        swap("BTC-USDT-SWAP", "150", **unit),
        swap("ETH-USDT-SWAP", "10", imr="90", mmr="60"),
        swap("ETH-USDT-SWAP", "10", mgnMode="isolated", imr="", mmr="7", ccy="USDT"),
    ]
    stated = loaded(tmp_path, okx(*rows)).stated
    assert stated is not None
    assert (stated.initial_margin, stated.maintenance_margin) == (990.0, 667.0)


def test_okx_contract_of_unknown_size_is_asked_for(tmp_path: Path) -> None:
    row = swap("NEW-USDT-SWAP", "2")
    with pytest.raises(InputError, match="public/instruments"):
        loaded(tmp_path, okx(row))
    terms = {"instId": "NEW-USDT-SWAP", "instType": "SWAP", "ctVal": "10", "ctMult": "1"}
    assert loaded(tmp_path, okx(row), okx(terms)).positions[0].quantity == 20.0


def test_okx_orders_that_are_not_open_or_have_no_price_are_named(tmp_path: Path) -> None:
    row = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "ordId": "1", "side": "sell"}
    rows = [
        {**row, "sz": "100", "accFillSz": "40", "px": "104000", "state": "partially_filled"},
        {**row, "sz": "100", "accFillSz": "100", "px": "104000", "state": "filled"},
        {**row, "sz": "100", "accFillSz": "", "px": "", "state": "live"},
    ]
    portfolio = loaded(tmp_path, okx(*rows))
    assert [(order.quantity, order.price) for order in portfolio.orders] == [(-0.6, 104_000.0)]
    said = [remark for remark in portfolio.remarks if remark.startswith("left out")]
    assert len(said) == 2


def test_a_position_builder_beside_real_positions_says_so(tmp_path: Path) -> None:
    request = {"simPos": [{"instId": "BTC-USDT-SWAP", "pos": "1", "avgPx": "1"}]}
    said = loaded(tmp_path, request).remarks
    assert any("adds to the account's real positions" in remark for remark in said)


def test_okx_position_builder_of_options_in_coin(tmp_path: Path) -> None:
    """An asset's equity has its options in it: 3 coins deposited, 10 calls sold at 0.0192."""
    held = {"instId": "BTC-USD-261225-115000-C", "instType": "OPTION", "amt": "-1000"}
    held |= {"avgPx": "0.024", "markPx": "0.0192", "floatPnl": "0.048", "posSide": "net"}
    spot = {"instId": "BTC", "instType": "SPOT", "amt": "1", "avgPx": "", "markPx": "100000"}
    unit = {"riskUnit": "BTC", "portfolios": [held, spot]}
    answer = {"riskUnitData": [unit], "assets": [{"ccy": "BTC", "availEq": "2.808"}]}
    answer |= {"eq": "280800", "totalImr": "1", "totalMmr": "1", "ts": str(TIME)}
    portfolio = loaded(tmp_path, okx(answer))
    assert holdings(portfolio) == [("BTC-25DEC26-115000-C", -10.0)]
    assert portfolio.collateral[0].quantity == pytest.approx(3.0, abs=1e-12)
    assert portfolio.currency == "USD"


def test_okx_contract_of_no_size_is_a_fault(tmp_path: Path) -> None:
    terms = {"instId": "NEW-USDT-SWAP", "instType": "SWAP", "ctVal": "-10", "ctMult": "1"}
    with pytest.raises(InputError, match="a number above 0"):
        loaded(tmp_path, okx(terms))
