"""Answers of Deribit in practice: inverse or linear, nothing, texts, new fields, refusals."""

from pathlib import Path

import pytest

import margincalc as mc
from margincalc.errors import InputError
from margincalc.files.writer import content
from tests.exports.answers import TIME, Answer, deribit, holdings, loaded, position


def test_inverse_and_linear_contracts_of_one_coin(tmp_path: Path) -> None:
    """Inverse ones are counted in USD, linear ones in coin; the index in USD is the spot."""
    portfolio = loaded(
        tmp_path,
        deribit(
            position("BTC_USDC-PERPETUAL", direction="sell", size=-0.5, index_price=100_070.0),
            position("BTC-PERPETUAL", size=5_000.0),
            position("SOL_USDC-27NOV26-150-P", size=20.0, index_price=148.0),
        ),
    )
    assert holdings(portfolio) == [
        ("BTC_USDC-PERPETUAL", -0.5),
        ("BTC-PERPETUAL", 5_000.0),
        ("SOL_USDC-27NOV26-150-P", 20.0),
    ]
    kinds = {line.instrument: line.settlement for line in mc.margin(portfolio).positions}
    assert kinds["BTC_USDC-PERPETUAL"] == "linear"
    assert kinds["BTC-PERPETUAL"] == "inverse"
    assert kinds["SOL_USDC-27NOV26-150-P"] == "linear"


def test_an_index_in_usd_holds_over_one_in_a_stablecoin(tmp_path: Path) -> None:
    row = {"mark_price": 1.0, "creation_timestamp": TIME}
    rows = [
        {**row, "instrument_name": "BTC-PERPETUAL", "estimated_delivery_price": 100_000.0},
        {**row, "instrument_name": "BTC_USDC-PERPETUAL", "estimated_delivery_price": 100_070.0},
    ]
    for order in (rows, rows[::-1]):
        assert loaded(tmp_path, deribit(*order)).market["BTC"].spot == 100_000.0


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_does_not_apply_is_nothing(tmp_path: Path, nothing: object) -> None:
    plain = position("BTC-PERPETUAL")
    fields = ("initial_margin", "maintenance_margin", "floating_profit_loss", "total_profit_loss")
    empty = position("BTC-PERPETUAL", **dict.fromkeys(fields, nothing))
    assert content(loaded(tmp_path, deribit(empty))) == content(loaded(tmp_path, deribit(plain)))


def test_numbers_may_be_texts(tmp_path: Path) -> None:
    plain = position("BTC-PERPETUAL", size=50, mark_price=7476.65)
    texts = {key: str(value) for key, value in plain.items()}
    assert content(loaded(tmp_path, deribit(texts))) == content(loaded(tmp_path, deribit(plain)))


def test_a_closed_position_is_none(tmp_path: Path) -> None:
    closed = position("BTC-PERPETUAL", direction="zero", size=0)
    assert loaded(tmp_path, deribit(closed)).positions == ()


def test_new_fields_are_named_and_read_past(tmp_path: Path) -> None:
    plain = loaded(tmp_path, deribit(position("BTC-PERPETUAL")))
    new = loaded(tmp_path, deribit(position("BTC-PERPETUAL", margin_uplift=0.1, zeta=None)))
    assert holdings(new) == holdings(plain)
    assert any("not known, and not read: `margin_uplift`, `zeta`" in said for said in new.remarks)


def test_a_market_keeps_what_is_held_and_names_what_it_cannot_hold(tmp_path: Path) -> None:
    names = [
        "BTC-PERPETUAL",
        "ETH-PERPETUAL",
        *(f"BTC-FS-{day}DEC26_PERP" for day in range(10, 18)),
    ]
    row = {"mark_price": 100.0, "creation_timestamp": TIME}
    market = deribit(*({"instrument_name": name, **row} for name in names))
    portfolio = loaded(tmp_path, deribit(position("BTC-PERPETUAL")), market)
    assert [*portfolio.market] == ["BTC"]
    said = "\n".join(portfolio.remarks)
    assert "BTC-FS-15DEC26_PERP and 2 more" in said


def test_details_of_one_subaccount(tmp_path: Path) -> None:
    order: Answer = {"order_id": "1", "order_state": "open", "instrument_name": "BTC-PERPETUAL"}
    order |= {"direction": "sell", "amount": 70, "filled_amount": 20, "price": 104_000.0}
    one = {"uid": 7, "positions": [position("BTC-PERPETUAL", size=50)], "open_orders": [order]}
    portfolio = loaded(tmp_path, deribit(one))
    assert portfolio.account == "deribit-7"
    assert holdings(portfolio) == [("BTC-PERPETUAL", 50.0)]
    assert [(order.quantity, order.price) for order in portfolio.orders] == [(-50.0, 104_000.0)]
    with pytest.raises(InputError, match="a second account"):
        loaded(tmp_path, deribit(one, {"uid": 8, "positions": []}))


@pytest.mark.parametrize(
    "answer",
    [
        {"code": "50111", "msg": "Invalid OK-ACCESS-KEY"},
        {"code": 404, "msg": "Not Found"},
        {"retCode": 10003, "retMsg": "API key is invalid.", "result": {}, "time": TIME},
        {"jsonrpc": "2.0", "error": {"code": 13009, "message": "unauthorized"}, "id": 1},
    ],
)
def test_refusals_are_the_venue_s_words(tmp_path: Path, answer: Answer) -> None:
    with pytest.raises(InputError, match="the venue's refusal"):
        loaded(tmp_path, answer)
