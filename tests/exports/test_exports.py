"""Every format converts, gives the equity and margins that it should, and survives a round trip.

The figures of `deribit_perpetual`, `bybit_positions`, `bybit_tickers` and `okx_builder_response`
are those that the venues' documentation prints; the other samples have the documented fields, and
figures whose margins are worked out beside them.
"""

import json
import math
from pathlib import Path
from typing import Any

import pytest

import margincalc as mc
from margincalc.errors import Fault, InputError
from margincalc.files.exports import VENUES
from margincalc.files.writer import content
from margincalc.pricing import black
from tests.cli import ROOT

HERE = Path(__file__).parent
SHOWN = ROOT / "sample_portfolios" / "exports"
DERIBIT = ("deribit_positions", "deribit_summaries", "deribit_book_summary")
SAMPLES: dict[str, tuple[str, ...]] = {
    "deribit": (*DERIBIT, "deribit_instruments"),
    "deribit ticker": ("deribit_perpetual", "deribit_ticker"),
    "okx": ("okx_positions", "okx_balance", "okx_opt_summary", "okx_mark_price", "okx_instruments"),
    "okx builder": ("okx_builder_response",),
    "bybit": ("bybit_option_positions", "bybit_tickers", "bybit_wallet"),
    "bybit inverse": ("bybit_positions",),
    "derive": ("derive_subaccount", "derive_ticker"),
    "ccxt": ("ccxt_positions", "ccxt_balance", "ccxt_option_chain"),
    "ibkr": ("ibkr_flex.xml",),
}


def path(name: str) -> Path:
    file = name if "." in name else f"{name}.json"
    return HERE / file if (HERE / file).exists() else SHOWN / file


def read(*names: str, **options: Any) -> mc.Portfolio:
    first, *join = map(path, names)
    return mc.load(first, join=join, **options)


def uncommented(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))


@pytest.mark.parametrize("names", SAMPLES.values(), ids=SAMPLES)
def test_a_converted_file_is_the_same_account(names: tuple[str, ...], tmp_path: Path) -> None:
    portfolio = read(*names)
    report = mc.margin(portfolio).to_dict()
    for to in ("yaml", "json"):
        written = tmp_path / f"book.{to}"
        written.write_text(mc.convert(*map(path, names), to=to), "utf-8")
        again = mc.load(written)
        assert content(again) == content(portfolio)
        assert mc.margin(again).to_dict() == report
        assert uncommented(mc.convert(written, to=to)) == uncommented(written.read_text("utf-8"))


@pytest.mark.parametrize("names", SAMPLES.values(), ids=SAMPLES)
def test_the_order_of_files_does_not_matter_to_the_figures(names: tuple[str, ...]) -> None:
    forth, back = mc.margin(read(*names)), mc.margin(read(*reversed(names)))
    assert forth.maintenance_margin == back.maintenance_margin
    assert forth.equity == back.equity


@pytest.mark.parametrize("venue", VENUES)
def test_a_format_can_be_named(venue: str) -> None:
    names = SAMPLES[venue]
    assert content(read(*names, format=venue)) == content(read(*names))


@pytest.mark.parametrize("names", [names for names in SAMPLES.values() if len(names) > 1])
def test_equity_is_what_the_venue_states(names: tuple[str, ...]) -> None:
    stated = mc.margin(read(*names)).stated
    if stated is None or stated.equity is None or names[0] == "okx_positions":
        return
    assert stated.equity.computed == pytest.approx(stated.equity.stated, rel=1e-9)


def test_deribit_documentation_position_has_its_documented_profit() -> None:
    line = mc.margin(read("deribit_perpetual")).positions[0]
    assert line.unrealised == pytest.approx(0.000032781 * 7466.79, abs=1e-9 * 7466.79)
    assert (line.quantity, line.settlement, line.mark_price) == (50.0, "inverse", 7476.65)


def test_margins_of_cross_collateral_are_not_added_up(tmp_path: Path) -> None:
    """Each currency's summary has those of the whole account, in its own currency."""
    answer = json.loads(path("deribit_summaries").read_text("utf-8"))
    for row, margin in zip(answer["result"]["summaries"], (0.5, 50_000.0), strict=True):
        row |= {"margin_model": "cross_pm", "cross_collateral_enabled": True}
        row |= {"initial_margin": margin, "maintenance_margin": 0.8 * margin}
    summaries = tmp_path / "summaries.json"
    summaries.write_text(json.dumps(answer), "utf-8")
    joined = [summaries, path("deribit_book_summary")]
    stated = mc.load(path("deribit_positions"), join=joined).stated
    assert stated is not None
    assert (stated.equity, stated.initial_margin) == (297_086.0, 50_000.0)


def test_what_a_session_has_paid_is_not_counted_twice() -> None:
    report = mc.margin(read(*DERIBIT))
    assert report.unrealised == pytest.approx(0.001 * 100_000, abs=1e-3)  # floating_profit_loss
    future = next(line for line in report.positions if line.kind == "future")
    assert future.unrealised == pytest.approx(0.007042534 * 100_000, abs=1e-3)


def test_bybit_documentation_position_has_its_documented_loss() -> None:
    portfolio = read("bybit_positions")
    line = mc.margin(portfolio).positions[0]
    spot = portfolio.market["BTC"].spot
    assert line.quantity == -300.0
    assert line.unrealised == pytest.approx(-0.00029413 * spot, abs=0.5e-8 * spot)
    stated = portfolio.stated
    assert stated is not None
    assert stated.initial_margin == pytest.approx(0.00010923 * 28224.5)


def test_bybit_documentation_ticker_reprices() -> None:
    """Its mark follows from its volatility, forward and hours left, within a minute's decay."""
    portfolio = read("bybit_option_positions", "bybit_tickers", "bybit_wallet")
    quote = portfolio.quotes["BTC_USDC-30DEC22-18000-C"]
    as_of = portfolio.as_of
    assert as_of is not None
    years = (8 * 3600 - (as_of.hour * 3600 + as_of.minute * 60 + as_of.second)) / 365 / 86400
    value = black.price(16590.42, 18000.0, quote.volatility or 0.0, years, True)
    assert quote.mark == 9e-8
    assert float(value) == pytest.approx(9e-8, abs=1e-8)


def test_okx_position_builder_gives_the_documented_margins() -> None:
    """The answer prints no index; with the marks in its place the rest follows within 1e-4."""
    report = mc.margin(read("okx_builder_response"), model="okx-pm")
    stated = report.stated
    assert stated is not None
    for figure in (stated.equity, stated.initial_margin, stated.maintenance_margin):
        assert figure is not None
        assert figure.difference == figure.computed - figure.stated
        assert figure.computed == pytest.approx(figure.stated, rel=1e-4)
    usd = report.details
    assert usd["BTC mr7"] == pytest.approx(43.67206660410001, rel=1e-9)
    assert usd["LTC mr4"] == pytest.approx(8.1562464, rel=1e-9)


def test_okx_request_and_response_are_the_same_positions() -> None:
    asked, answered = read("okx_builder_request"), read("okx_builder_response")
    assert [(held.instrument, held.quantity, held.entry_price) for held in asked.positions] == [
        (held.instrument, held.quantity, held.entry_price) for held in answered.positions
    ]
    assert answered.collateral[0].quantity == pytest.approx(asked.collateral[0].quantity)
    assert any("no spot of BTC" in remark for remark in asked.remarks)


def test_okx_contracts_are_counted_in_coin_and_loans_are_left_out_by_name() -> None:
    portfolio = read(*SAMPLES["okx"])
    assert [held.quantity for held in portfolio.positions] == [-10.0, -1.5, 30_000.0]
    assert portfolio.positions[1].isolated_margin == 12_000.0
    assert "left out: BTC-USDT: a margin loan; give its coin as collateral" in portfolio.remarks


def test_derive_states_what_is_left_and_the_requirement_is_the_rest() -> None:
    stated = read("derive_subaccount").stated
    assert stated is not None
    assert (stated.initial_margin, stated.maintenance_margin) == (1774.5, 975.5)


def test_derive_discount_factor_gives_its_rate_back() -> None:
    market = read(*SAMPLES["derive"]).market["ETH"]
    rate = market.expiries["2026-12-25"].rate
    assert rate is not None
    assert math.exp(-rate * 35 / 365) == pytest.approx(0.9962, rel=1e-12)


def test_flex_statement_is_margined_by_regulation_t() -> None:
    """A covered call: half of the stock's value, less what the call is worth."""
    portfolio = read("ibkr_flex.xml")
    report = mc.margin(portfolio, model="reg-t")
    assert report.equity == 270_000.0 - 95_000.0 + 500.0 * 1.08 - 5_850.0
    assert report.initial_margin == 0.5 * 270_000.0 - 5_850.0
    assert [held.quantity for held in portfolio.positions] == [1000.0, -10.0]
    assert any(remark.startswith("left out: T 4 1/8") for remark in portfolio.remarks)


def test_mapped_csv() -> None:
    portfolio = mc.load(
        HERE / "broker.csv",
        market=HERE / "spy_market.yaml",
        columns="Symbol=instrument,Qty=quantity,Cost=entry_price",
    )
    assert [held.quantity for held in portfolio.positions] == [-20.0, 20.0]
    names = [line.instrument for line in mc.margin(portfolio).positions]
    assert names == ["SPY   261218P00650000", "SPY   261218P00620000"]
    assert portfolio.remarks == (f"{HERE / 'broker.csv'}: columns not used: Description, Last",)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("Symbol", "pairs such as"),
        ("Symbol=instrument,Qty=quantty", "did you mean `quantity`?"),
        ("Symbl=instrument,Qty=quantity", "did you mean `Symbol`?"),
    ],
)
def test_wrong_columns(columns: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        mc.load(HERE / "broker.csv", market=HERE / "spy_market.yaml", columns=columns)


def test_an_export_can_be_the_market_of_a_native_file(tmp_path: Path) -> None:
    book = tmp_path / "book.yaml"
    book.write_text(
        "market: {BTC: {spot: 90000}}\n"
        "positions: [{instrument: BTC-25DEC26-115000-C, quantity: -1}]\n",
        "utf-8",
    )
    portfolio = mc.load(book, market=path("deribit_book_summary"))
    assert portfolio.market["BTC"].spot == 100_000.0
    assert mc.margin(portfolio).positions[0].volatility == 0.625
    assert any("book summary" in remark for remark in portfolio.remarks)


def test_unknown_format() -> None:
    with pytest.raises(InputError, match="did you mean `deribit`"):
        read("deribit_perpetual", format="derbit")


def test_a_file_of_another_venue_is_refused_by_what_it_wants() -> None:
    with pytest.raises(InputError, match="an answer of bybit"):
        read("okx_balance", format="bybit")


@pytest.mark.parametrize("names", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
def test_a_file_cut_short_is_a_located_fault(
    names: tuple[str, ...], share: float, tmp_path: Path
) -> None:
    whole = path(names[0])
    cut = tmp_path / whole.name
    text = whole.read_text("utf-8").rstrip()
    cut.write_text(text[: int(len(text) * share)], "utf-8")
    with pytest.raises(InputError) as caught:
        mc.load(cut)
    assert all(fault.place.startswith(str(cut)) and fault.wanted for fault in caught.value.faults)


def _paths(tree: Any, found: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    inner = [(*found, key) for key, _ in entries]
    deeper = [tree[where[-1]] for where in inner]
    return inner + [
        leaf
        for where, node in zip(inner, deeper, strict=True)
        if isinstance(node, dict | list)
        for leaf in _paths(node, where)
    ]


@pytest.mark.parametrize("names", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("damage", [None, "", True, [], {}, "NaN", -1, "<script>", 1e300])
def test_no_damage_is_a_traceback(names: tuple[str, ...], damage: Any, tmp_path: Path) -> None:
    """Each value in turn is replaced: the file is read with the rest, or refused with places."""
    whole = path(names[0])
    if whole.suffix != ".json":
        pytest.skip("attributes are texts; see the catalogue of errors")
    text = whole.read_text("utf-8")
    broken = tmp_path / "broken.json"
    for where in _paths(json.loads(text)):
        tree = json.loads(text)
        node = tree
        for key in where[:-1]:
            node = node[key]
        node[where[-1]] = damage
        broken.write_text(json.dumps(tree), "utf-8")
        assert all(fault.wanted for fault in _faults(broken))


def _faults(broken: Path) -> tuple[Fault, ...]:
    try:
        mc.convert(broken)
    except InputError as error:
        return error.faults
    return ()
