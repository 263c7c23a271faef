"""Every format converts, gives the equity and margins that it should, and survives a round trip.

The joined accounts of `made` were made here: they have the documented fields, and figures whose
margins are worked out beside them. What venues print in their documentation is in `documented`, and
is read answer by answer in `test_documented`.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import margincalc as mc
from margincalc.errors import Fault, InputError
from margincalc.files.exports import VENUES
from margincalc.files.writer import content
from tests.cli import ROOT

HERE = Path(__file__).parent
MADE, SHOWN = HERE / "made", ROOT / "sample_portfolios" / "exports"
DERIBIT = ("deribit_positions", "deribit_summaries", "deribit_book_summary")
SAMPLES: dict[str, tuple[str, ...]] = {
    "deribit": (*DERIBIT, "deribit_instruments", "deribit_open_orders"),
    "deribit ticker": ("documented/deribit_positions", "documented/deribit_ticker"),
    "okx": (
        "okx_positions",
        "okx_balance",
        "okx_opt_summary",
        "okx_mark_price",
        "okx_instruments",
        "documented/okx_orders_swap",
    ),
    "okx builder": ("documented/okx_builder",),
    "bybit": ("bybit_option_positions", "documented/bybit_tickers_option", "bybit_wallet"),
    "bybit inverse": ("documented/bybit_positions",),
    "derive": ("derive_subaccount", "derive_ticker"),
    "derive documented": ("documented/derive_subaccount",),
    "ccxt": ("ccxt_positions", "ccxt_balance", "ccxt_option_chain", "ccxt_open_orders"),
    "ccxt of deribit": ("documented/ccxt_positions_deribit",),
    "ibkr": ("ibkr_flex.xml",),
}
LATER = {"as_of": "2025-07-04T08:00:00Z"}  # of answers that do not say when they were given


def path(name: str) -> Path:
    file = name if "." in name else f"{name}.json"
    places = (HERE / file, MADE / file, SHOWN / file)
    return next(place for place in places if place.exists())


def read(*names: str, **options: Any) -> mc.Portfolio:
    first, *join = map(path, names)
    return mc.load(first, join=join, **options)


def timed(*names: str) -> mc.Portfolio:
    """Return what files say, at a time if they say none."""
    portfolio = read(*names)
    return portfolio if portfolio.as_of is not None else read(*names, **LATER)


def uncommented(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))


@pytest.mark.parametrize("names", SAMPLES.values(), ids=SAMPLES)
def test_a_converted_file_is_the_same_account(names: tuple[str, ...], tmp_path: Path) -> None:
    portfolio = timed(*names)
    report = mc.margin(portfolio).to_dict()
    for to in ("yaml", "json"):
        written = tmp_path / f"book.{to}"
        written.write_text(mc.convert(*map(path, names), to=to), "utf-8")
        again = mc.load(written, as_of=None if read(*names).as_of else LATER["as_of"])
        assert content(again) == content(portfolio)
        assert mc.margin(again).to_dict() == report
        assert uncommented(mc.convert(written, to=to)) == uncommented(written.read_text("utf-8"))


@pytest.mark.parametrize("names", SAMPLES.values(), ids=SAMPLES)
def test_the_order_of_files_does_not_matter_to_the_figures(names: tuple[str, ...]) -> None:
    forth, back = mc.margin(timed(*names)), mc.margin(timed(*reversed(names)))
    assert forth.maintenance_margin == back.maintenance_margin
    assert forth.equity == back.equity


@pytest.mark.parametrize("venue", VENUES)
def test_a_format_can_be_named(venue: str) -> None:
    names = SAMPLES[venue]
    assert content(read(*names, format=venue)) == content(read(*names))


@pytest.mark.parametrize("names", [names for names in SAMPLES.values() if len(names) > 1])
def test_equity_is_what_the_venue_states(names: tuple[str, ...]) -> None:
    stated = mc.margin(timed(*names)).stated
    if stated is None or stated.equity is None:
        return
    assert stated.equity.computed == pytest.approx(stated.equity.stated, rel=1e-9)


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


def test_okx_contracts_are_counted_in_coin_and_loans_are_left_out_by_name() -> None:
    portfolio = read(*SAMPLES["okx"])
    assert [held.quantity for held in portfolio.positions] == [-10.0, -1.5, 30_000.0]
    assert portfolio.positions[1].isolated_margin == 12_000.0
    assert "left out: BTC-USDT: a margin loan; give its coin as collateral" in portfolio.remarks


def test_bybit_options_need_what_their_rules_say() -> None:
    """Two calls sold at 120, worth nothing: 10 % of the index and what was got for them; then 3 %.

    Maintenance has 0.2 % for a liquidation on top. The option bought is part of our equity and of
    our requirement; the venue leaves it out of both.
    """
    stated = mc.margin(read(*SAMPLES["bybit"]), model="bybit-options").stated
    assert stated is not None
    assert stated.initial_margin is not None
    assert stated.maintenance_margin is not None
    assert stated.initial_margin.stated == pytest.approx(2 * (0.1 * 16600.55 + 120), abs=0.005)
    assert stated.initial_margin.difference == pytest.approx(1.5, abs=0.005)
    assert stated.maintenance_margin.stated == pytest.approx(2 * 0.032 * 16600.55, abs=0.005)
    assert stated.maintenance_margin.difference == pytest.approx(1.5, abs=0.005)


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
        MADE / "broker.csv",
        market=MADE / "spy_market.yaml",
        columns="Symbol=instrument,Qty=quantity,Cost=entry_price",
    )
    assert [held.quantity for held in portfolio.positions] == [-20.0, 20.0]
    names = [line.instrument for line in mc.margin(portfolio).positions]
    assert names == ["SPY   261218P00650000", "SPY   261218P00620000"]
    assert portfolio.remarks == (f"{MADE / 'broker.csv'}: columns not used: Description, Last",)


def test_mapped_csv_as_a_broker_writes_it() -> None:
    """Money signs, grouped thousands, parentheses, plain strikes, cash, and a note at the end."""
    file = MADE / "broker_statement.csv"
    columns = "Symbol=instrument,Quantity=quantity,Average Cost Basis=entry_price"
    portfolio = mc.load(file, market=MADE / "spy_market.yaml", columns=columns)
    assert [(held.instrument, held.quantity, held.entry_price) for held in portfolio.positions] == [
        ("SPY", 1000.0, 512.1),
        ("SPY261218P00650000", -20.0, 4.1),
        ("SPY261218C00702500", -10.0, 3.0),
    ]
    said = [remark for remark in portfolio.remarks if remark.startswith("left out")]
    assert [remark.partition(", ")[2].partition(":")[0] for remark in said] == [
        "SPAXX**",
        "Date downloaded Nov-20-2026",
    ]


EMPTIED = {
    "deribit_positions": r'("size": )-?[0-9.]+',
    "okx_positions": r'("pos": )"-?[0-9.]+"',
    "bybit_option_positions": r'("size": )"[0-9.]+"',
    "derive_subaccount": r'("amount": )"-?[0-9.]+"',
    "ccxt_positions": r'("contracts": )[0-9.]+',
    "ibkr_flex.xml": r'( position=)"-?[0-9.]+"',
}


@pytest.mark.parametrize("name", EMPTIED)
def test_positions_of_nothing_are_left_out_by_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / path(name).name
    file.write_text(re.sub(EMPTIED[name], r'\1"0"', path(name).read_text("utf-8")), "utf-8")
    portfolio = mc.load(file)
    assert portfolio.positions == ()
    left_out = [remark for remark in portfolio.remarks if "quantity is 0" in remark]
    assert len(left_out) == 1
    assert left_out[0].count(",") >= len(read(name).positions)
    assert "positions:" not in mc.convert(file)


def test_rows_of_nothing_in_a_broker_s_table_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "broker.csv"
    file.write_text("Symbol,Qty\nSPY,0.00\nSPY261218P650,-20\nSPY261218P620,false\n", "utf-8")
    terms: Any = {"market": MADE / "spy_market.yaml", "columns": "Symbol=instrument,Qty=quantity"}
    with pytest.raises(InputError, match=r"broker\.csv:4"):  # a slip, and no row of nothing
        mc.load(file, **terms)
    file.write_text(file.read_text("utf-8").replace("false", "20"), "utf-8")
    portfolio = mc.load(file, **terms)
    assert [held.quantity for held in portfolio.positions] == [-20.0, 20.0]
    assert portfolio.remarks == (f"left out: {file}:2, SPY: its quantity is 0",)


def test_what_a_file_holds_nothing_of_is_not_written(tmp_path: Path) -> None:
    book = tmp_path / "book.yaml"
    book.write_text(
        """
as_of: 2026-11-20T08:00:00Z
market: {BTC: {spot: 100000}}
positions:
  - {instrument: BTC-PERPETUAL, quantity: -0.0}
  - {instrument: BTC-25DEC26, quantity: 2}
orders:
  - {instrument: BTC-25DEC26, quantity: 0, price: 90000}
"""
    )
    text = mc.convert(book)
    again = tmp_path / "again.yaml"
    again.write_text(text, "utf-8")
    assert [held.quantity for held in mc.load(again).positions] == [2.0]
    assert mc.margin(mc.load(again)).status == "liquidatable"
    for line, place in ((5, "positions[0]"), (8, "orders[0]")):
        assert f"# left out: {book}:{line}, {place}: its quantity is 0" in text.splitlines()


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
        mc.load(MADE / "broker.csv", market=MADE / "spy_market.yaml", columns=columns)


def test_a_table_of_positions_is_read_alone() -> None:
    table, market = MADE / "broker.csv", MADE / "spy_market.yaml"
    with pytest.raises(InputError, match=r"deribit_positions\.json; wanted a CSV file alone"):
        mc.load(table, market=market, columns="Symbol=instrument", join=[path("deribit_positions")])
    with pytest.raises(InputError, match="columns of CSV beside --from deribit"):
        mc.load(table, market=market, columns="Symbol=instrument", format="deribit")


def test_a_line_break_in_an_export_ends_no_comment(tmp_path: Path) -> None:
    order = {"instrument_name": "BTC-PERPETUAL", "direction": "buy", "order_id": "1", "amount": 1}
    state = "shut\npositions: [{instrument: BTC-PERPETUAL, quantity: 99}]"
    file = tmp_path / "orders.json"
    file.write_text(json.dumps({"jsonrpc": "2.0", "result": [order | {"order_state": state}]}))
    written = mc.convert(file)
    assert "quantity: 99" in written, "what was left out is said"
    assert not mc.load(_saved(tmp_path, written)).positions


def _saved(folder: Path, text: str) -> Path:
    book = folder / "book.yaml"
    book.write_text(text, "utf-8")
    return book


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
        read("deribit_positions", format="derbit")


def test_a_file_of_another_venue_is_refused_by_what_it_wants() -> None:
    with pytest.raises(InputError, match="an answer of bybit") as caught:
        read("okx_balance", format="bybit")
    assert caught.value.faults[0].remedy == "it is okx's balance: --from okx"


def test_the_same_answer_twice_is_read_once() -> None:
    twice = read("deribit_positions", "deribit_positions")
    assert twice.positions == read("deribit_positions").positions
    assert any("read once" in remark for remark in twice.remarks)


def test_accounts_at_two_venues_are_not_one() -> None:
    with pytest.raises(InputError, match="accounts at okx and bybit; wanted"):
        read("okx_balance", "documented/bybit_positions")
    assert read("documented/bybit_positions", "okx_mark_price").positions, (
        "a market may be another's"
    )


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


TREES = {name: files for name, files in SAMPLES.items() if path(files[0]).suffix == ".json"}


@pytest.mark.parametrize("names", TREES.values(), ids=TREES)
@pytest.mark.parametrize("damage", [None, "", True, [], {}, "NaN", -1, "<script>", 1e300])
def test_no_damage_is_a_traceback(names: tuple[str, ...], damage: Any, tmp_path: Path) -> None:
    """Each value in turn is replaced: the file is read with the rest, or refused with places."""
    text = path(names[0]).read_text("utf-8")
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
