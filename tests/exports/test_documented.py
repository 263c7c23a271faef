"""What venues print in their documentation, or answered to others, is read as they mean it.

Each answer is read alone: instruments and days of different ones do not belong together. Expected
figures are the venue's own, of another field of the same answer or of the request beside it.
`documented/SOURCES.md` says where each was read and what was changed.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

import margincalc as mc
from margincalc.files.exports import VENUES
from margincalc.pricing import black
from margincalc.times import years_between
from tests.exports.test_exports import LATER, read

DOCUMENTED = Path(__file__).parent / "documented"
FILES = sorted(path for path in DOCUMENTED.iterdir() if path.suffix != ".md")
REFUSAL = "ibkr_refusal.xml"
SMALL = 0.5e-8  # half of the last digit that venues print of coins


def documented(*names: str, **options: Any) -> mc.Portfolio:
    return read(*(f"documented/{name}" for name in names), **options)


def answer(name: str) -> Any:
    return json.loads((DOCUMENTED / f"{name}.json").read_text("utf-8"))


def years(portfolio: mc.Portfolio, expiry: str) -> float:
    assert portfolio.as_of is not None
    return years_between(portfolio.as_of, dt.datetime.fromisoformat(f"{expiry}T08:00+00:00"))


def test_every_answer_says_where_it_was_read() -> None:
    rows = [
        line.split(" | ") for line in (DOCUMENTED / "SOURCES.md").read_text("utf-8").splitlines()
    ]
    listed = {row[0].lstrip("| "): row[1] for row in rows if len(row) > 2 and "." in row[0]}
    assert {*listed} == {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_answer_is_recognised_and_has_no_unknown_field(path: Path) -> None:
    if path.name == REFUSAL:
        with pytest.raises(mc.InputError, match="Token has expired"):
            mc.load(path)
        return
    venue = path.name.partition("_")[0]
    portfolio = mc.load(path)
    said = "\n".join(portfolio.remarks)
    assert f"read as {venue}, " in said or "under `info` of ccxt's" in said
    assert "not known" not in said
    if venue in VENUES:
        assert content_of(mc.load(path, format=venue)) == content_of(portfolio)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_answer_cut_short_or_replaced_by_a_page_is_refused(
    path: Path, tmp_path: Path
) -> None:
    text = path.read_text("utf-8").rstrip()
    file = tmp_path / path.name
    for damaged in (text[: int(0.7 * len(text))], f"<!DOCTYPE html><html>{text}</html>"):
        file.write_text(damaged, "utf-8")
        with pytest.raises(mc.InputError) as caught:
            mc.load(file)
        assert all(fault.place.startswith(str(file)) for fault in caught.value.faults)


def content_of(portfolio: mc.Portfolio) -> dict[str, Any]:
    return portfolio.model_dump()


# Deribit


def test_deribit_position_has_its_profit() -> None:
    line = mc.margin(documented("deribit_positions", **LATER)).positions[0]
    assert line.unrealised == pytest.approx(0.000032781 * 7466.79, abs=1e-9 * 7466.79)
    assert (line.quantity, line.settlement, line.mark_price) == (50.0, "inverse", 7476.65)


def test_deribit_equity_is_the_deposit_and_what_positions_add() -> None:
    """Both currencies: equity = deposit + options' value + the session's profit of futures."""
    deposits = {held.asset: held.quantity for held in documented("deribit_summaries").collateral}
    for row in answer("deribit_summaries")["result"]["summaries"]:
        added = row["options_value"] + row["futures_session_upl"]
        assert deposits[row["currency"]] + added == pytest.approx(row["equity"], abs=4 * SMALL)


def test_a_single_summary_is_read_like_several(tmp_path: Path) -> None:
    whole = answer("deribit_summaries")
    file = tmp_path / "summary.json"
    file.write_text(json.dumps({**whole, "result": whole["result"]["summaries"][0]}), "utf-8")
    assert mc.load(file).collateral == documented("deribit_summaries").collateral[:1]


def test_deribit_cross_margin_is_stated_once_and_in_usd() -> None:
    stated = documented("deribit_summaries_cross").stated
    assert stated is not None
    figures = (stated.equity, stated.initial_margin, stated.maintenance_margin)
    assert figures == (25.710502678, 0.806292412, 0.2671726792)


def test_deribit_quotes_and_terms() -> None:
    book = documented("deribit_book_summary")
    quote = book.quotes["ETH-22FEB19-140-P"]
    assert (quote.mark, quote.bid, quote.ask, quote.volatility) == (80.0, 0.1488, 0.34, None)
    assert book.market["ETH"].expiries["2019-02-22"].forward == 121.38
    market = documented("deribit_ticker").market["BTC"]
    assert market.perpetual is not None
    assert (market.spot, market.perpetual.mark) == (36297.02, 36288.31)
    assert market.perpetual.funding_rate == 0.00002203
    held = documented("deribit_positions", "deribit_instruments").instruments["BTC-PERPETUAL"]
    assert (held.lot, held.fee) == (10.0, 0.0005)


# OKX


def test_okx_margin_loan_is_left_out_by_name() -> None:
    portfolio = documented("okx_positions")
    assert portfolio.positions == ()
    assert portfolio.as_of is None, "when a position changed is no time of a valuation"
    assert "left out: BTC-USDT: a margin loan; give its coin as collateral" in portfolio.remarks


def test_okx_equity_of_a_coin_is_its_deposit_and_profit() -> None:
    """150 USDT are in trading bots: part of the venue's equity, and named."""
    coin = answer("okx_balance")["data"][0]["details"][0]
    portfolio = documented("okx_balance")
    deposit = portfolio.collateral[0].quantity
    assert deposit + float(coin["upl"]) + 150.0 == pytest.approx(float(coin["eq"]), abs=1e-9)
    assert any(remark.startswith("left out: 150 USDT (stgyEq)") for remark in portfolio.remarks)


def test_okx_margin_of_isolated_positions_is_part_of_the_deposit() -> None:
    coin = answer("okx_balance_isolated")["data"][0]["details"][0]
    portfolio = documented("okx_balance_isolated")
    deposit = portfolio.collateral[0].quantity
    assert deposit + float(coin["isoUpl"]) == pytest.approx(float(coin["eq"]), abs=1e-9)
    assert portfolio.stated is not None
    assert portfolio.stated.equity == float(coin["eq"]), 'totals are "" in futures mode'


@pytest.mark.parametrize("side", [0, 1], ids=["call", "put"])
def test_okx_volatility_and_forward_give_the_printed_greeks(side: int) -> None:
    """Delta and vega of Black's formula; the venue's vega is per point of volatility."""
    portfolio = documented("okx_opt_summary")
    row = answer("okx_opt_summary")["data"][side]
    quote = portfolio.quotes[f"BTC-9MAR22-33000-{'CP'[side]}"]
    forward = portfolio.market["BTC"].expiries["2022-03-09"].forward
    assert isinstance(forward, float)
    assert quote.volatility is not None
    left = years(portfolio, "2022-03-09")
    found = black.greeks(forward, 33000.0, quote.volatility, left, side == 0)
    assert float(found.delta) == pytest.approx(float(row["deltaBS"]), abs=2e-4)
    assert float(found.vega) / 100.0 == pytest.approx(float(row["vegaBS"]), rel=5e-3)


def test_okx_contracts_are_what_the_venue_says() -> None:
    for row in answer("okx_instruments")["data"]:
        assert float(row["ctVal"]) * float(row["ctMult"]) == 0.01
    assert documented("okx_mark_price").quotes["BTC_USDT-PERPETUAL"].mark == 200.0


def test_okx_position_builder_holds_what_was_asked_for() -> None:
    asked, answered = documented("okx_builder_request"), documented("okx_builder")
    assert [(held.instrument, held.quantity, held.entry_price) for held in asked.positions] == [
        (held.instrument, held.quantity, held.entry_price) for held in answered.positions
    ]
    assert [held.asset for held in answered.collateral] == ["USDT"]
    assert answered.collateral[0].quantity == pytest.approx(asked.collateral[0].quantity, abs=1e-9)
    assert any("no spot of BTC" in remark for remark in asked.remarks)


def test_okx_position_builder_gives_the_printed_margins() -> None:
    """The answer prints no index; with the marks in its place margins follow within 1e-4."""
    report = mc.margin(documented("okx_builder"), model="okx-pm")
    stated = report.stated
    assert stated is not None
    assert stated.equity is not None
    assert stated.equity.computed == pytest.approx(stated.equity.stated, rel=1e-12)
    for figure in (stated.initial_margin, stated.maintenance_margin):
        assert figure is not None
        assert figure.difference == figure.computed - figure.stated
        assert figure.computed == pytest.approx(figure.stated, rel=1e-4)
    assert report.details["BTC mr7"] == pytest.approx(43.67206660410001, rel=1e-9)
    assert report.details["LTC mr4"] == pytest.approx(8.1562464, rel=1e-9)


# Bybit


def test_bybit_position_has_its_loss() -> None:
    portfolio = documented("bybit_positions")
    line = mc.margin(portfolio).positions[0]
    spot = portfolio.market["BTC"].spot
    assert line.quantity == -300.0
    assert line.unrealised == pytest.approx(-0.00029413 * spot, abs=SMALL * spot)
    stated = portfolio.stated
    assert stated is not None
    assert stated.initial_margin == pytest.approx(0.00010923 * 28224.5)


def test_bybit_option_reprices() -> None:
    """Its mark follows from its volatility, forward and hours left, within a minute's decay."""
    portfolio = documented("bybit_tickers_option")
    quote = portfolio.quotes["BTC_USDC-30DEC22-18000-C"]
    left = years(portfolio, "2022-12-30")
    value = black.price(16590.42, 18000.0, quote.volatility or 0.0, left, True)
    assert quote.mark == 9e-8
    assert float(value) == pytest.approx(9e-8, abs=1e-8)


def test_bybit_markets() -> None:
    inverse = documented("bybit_tickers_inverse").market["BTC"]
    assert (inverse.spot, inverse.settlement) == (16598.54, "inverse")
    spot = documented("bybit_tickers_spot").market["BTC"]
    assert spot.spot == 20784.12009279, "the index, as the pair is in USDT"


def test_bybit_coins_are_worth_what_the_wallet_says() -> None:
    held = documented("bybit_wallet").collateral[0]
    assert held.quantity * (held.price or 0.0) == pytest.approx(12920.95352538, rel=1e-12)
    coin = answer("bybit_wallet_borrowed")["result"]["list"][0]["coin"][0]
    owing = documented("bybit_wallet_borrowed").collateral[0]
    assert owing.quantity == float(coin["equity"]), "what was borrowed is taken off"


# Derive


def test_derive_value_is_deposit_and_unpaid_profit() -> None:
    report = mc.margin(documented("derive_subaccount", **LATER))
    assert report.equity == pytest.approx(45.894651148427, abs=1e-12)


def test_derive_states_what_is_left_and_the_requirement_is_the_rest() -> None:
    """The margins of positions, of which there is one, and money that counts in full."""
    stated = documented("derive_subaccount").stated
    assert stated is not None
    assert stated.initial_margin == pytest.approx(44.951666892242, abs=1e-3)
    assert stated.maintenance_margin == pytest.approx(34.805466288178, abs=1e-3)
    made = read("derive_subaccount").stated
    assert made is not None
    assert (made.initial_margin, made.maintenance_margin) == (1774.5, 975.5)


def test_derive_open_orders_are_read_and_their_margin_named() -> None:
    portfolio = documented("derive_subaccount_orders")
    order = portfolio.orders[0]
    assert (order.instrument, order.quantity, order.price) == ("ETH-PERPETUAL", 0.1, 2050.03)
    assert any("open orders hold 44.8427" in remark for remark in portfolio.remarks)


# Open orders


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("deribit_open_orders", ("BTC-15FEB19-3250-P", 10.0, 0.0028)),
        ("okx_orders_swap", ("BTC_USDT-PERPETUAL", 0.001, 103500.0)),
        ("bybit_orders", ("ETH_USDT-PERPETUAL", 0.1, 1600.0)),
    ],
)
def test_open_orders(name: str, order: tuple[str, float, float]) -> None:
    read_order = documented(name).orders[0]
    found = read_order.instrument, read_order.quantity, read_order.price
    assert found == pytest.approx(order)


@pytest.mark.parametrize("name", ["okx_orders", "ccxt_orders"])
def test_spot_orders_are_left_out_by_name(name: str) -> None:
    portfolio = documented(name)
    assert portfolio.orders == ()
    assert any(remark.startswith("left out: ") for remark in portfolio.remarks)


# ccxt and Interactive Brokers


def test_ccxt_position_is_the_exchange_s_own() -> None:
    """Of Deribit, ccxt leaves out how many contracts there are."""
    own = mc.margin(documented("deribit_positions", **LATER)).positions
    assert mc.margin(documented("ccxt_positions_deribit", **LATER)).positions == own
    line = mc.margin(documented("ccxt_positions", **LATER)).positions[0]
    assert line.unrealised == pytest.approx(-2.057, abs=1e-9)


def test_ccxt_chain_of_deribit_has_no_volatilities_and_its_marks_imply_them(tmp_path: Path) -> None:
    """The marks lie between bid and ask, and so does what the implied volatilities give."""
    chain = documented("ccxt_option_chain_deribit")
    assert all(quote.volatility is None for quote in chain.quotes.values())
    assert chain.market["BTC"].spot in (65479.26, 65444.72), "the index, of two answers"
    rows = [{"instrument": name, "quantity": -1.0} for name in chain.quotes]
    book = tmp_path / "book.json"
    book.write_text(json.dumps({"positions": rows}), "utf-8")
    market = DOCUMENTED / "ccxt_option_chain_deribit.json"
    for line in mc.margin(mc.load(book, market=market)).positions:
        quote = chain.quotes[line.instrument]
        assert line.mark_price == quote.mark
        assert line.volatility is not None
        assert 0.5 < line.volatility < 1.2


def test_flex_statement() -> None:
    """A short position is worth what the statement says, and lost what it says."""
    report = mc.margin(documented("ibkr_flex.xml"), model="reg-t")
    assert report.equity == pytest.approx(51.730897778 - 3553.0)
    assert report.positions[0].quantity * (35.53 - 34.405) == pytest.approx(-112.5)
