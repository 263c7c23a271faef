"""`load`: formats agree, markets merge, and every path is found again."""

import io
import json
import pickle
from pathlib import Path

import pytest

from margincalc.errors import InputError
from margincalc.files import csv_text, json_text, load, tree

BOOK = """\
account: mine
as_of: 2026-11-20T08:00:00Z
market:
  BTC:
    spot: 1e5
    expiries:
      2026-12-25: {forward: 100500}
  BRK.B:
    spot: 500
quotes:
  BTC-25DEC26-110000-C: {mark: 2500}
collateral:
- {asset: USD, quantity: 1000}
positions:
- instrument: BTC-25DEC26-110000-C
  quantity: -1
-
  instrument: {kind: spot, underlying: BRK.B}
  quantity: 10
"""
MARKET = """\
as_of: 2026-11-21
market:
  BTC: {spot: 90000}
collateral:
- {asset: BTC, quantity: 2}
"""
POSITIONS = "instrument,quantity,entry_price\nBTC-PERPETUAL,-1.5,\n\nBTC,2,90000\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.yaml"
    path.write_text(BOOK)
    return path


@pytest.fixture
def market(tmp_path: Path) -> Path:
    path = tmp_path / "market.yaml"
    path.write_text(MARKET)
    return path


def test_yaml_and_json_say_the_same(book: Path) -> None:
    portfolio = load(book)
    written = portfolio.model_dump_json(by_alias=True, exclude_unset=True)
    again = load("-", stdin=io.BytesIO(written.encode()))
    assert again.model_dump() == portfolio.model_dump()
    assert portfolio.market["BTC"].spot == 100000.0
    assert list(portfolio.market["BTC"].expiries) == ["2026-12-25"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("account", 1),
        ("market", 3),
        ("market.BTC.expiries.2026-12-25.forward", 7),
        ("market.BTC.volatility", 4),
        ("market.BRK.B.spot", 9),
        ("market.BRK.A.spot", 3),
        ("quotes.BTC-25DEC26-110000-C.mark", 11),
        ("positions[0].quantity", 16),
        ("positions[0].mark_price", 15),
        ("positions[1].instrument.underlying", 18),
        ("positions[7].quantity", 14),
    ],
)
def test_places_in_yaml(book: Path, path: str, line: int) -> None:
    assert load(book).place(path) == f"{book}:{line}, {path}"


def test_places_in_json() -> None:
    text = '{"as_of": "2026-11-20",\n"market": {\n"BTC": {"spot": 1}},\n"positions": [\n' + (
        '{"instrument": "BTC",\n"quantity": 1}]}'
    )
    portfolio = load("-", stdin=io.BytesIO(text.encode()))
    assert portfolio.place("positions[0].quantity") == "standard input:6, positions[0].quantity"
    assert portfolio.place("market.BTC.spot") == "standard input:3, market.BTC.spot"
    assert portfolio.place("currency") == "standard input, currency"


def test_market_beside(book: Path, market: Path) -> None:
    portfolio = load(book, market=market)
    assert portfolio.as_of is not None
    assert portfolio.as_of.isoformat() == "2026-11-21T00:00:00+00:00"
    assert portfolio.market["BTC"].spot == 90000
    assert portfolio.market["BRK.B"].spot == 500
    assert [deposit.asset for deposit in portfolio.collateral] == ["USD", "BTC"]
    assert portfolio.place("market.BTC.spot") == f"{market}:3, market.BTC.spot"
    assert portfolio.place("market.BRK.B.spot") == f"{book}:9, market.BRK.B.spot"
    assert portfolio.place("positions[0].quantity") == f"{book}:16, positions[0].quantity"
    assert portfolio.place("collateral[0].asset") == f"{book}:13, collateral[0].asset"
    assert portfolio.place("collateral[1].asset") == f"{market}:5, collateral[0].asset"


def test_a_complete_portfolio_as_market_lends_its_market_alone(book: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"positions": [], "market": {"BTC": {"spot": 1}}}))
    portfolio = load(own, market=book)
    assert portfolio.market["BTC"].spot == 100000
    assert portfolio.account == "account"
    assert portfolio.positions == ()
    assert portfolio.collateral == ()


def test_time_given_holds(book: Path, market: Path) -> None:
    portfolio = load(book, market=market, as_of="2026-11-22T10:00:00+02:00")
    assert portfolio.as_of is not None
    assert portfolio.as_of.isoformat() == "2026-11-22T08:00:00+00:00"
    assert portfolio.place("positions[0].quantity").startswith(str(book))


def test_csv(tmp_path: Path, market: Path) -> None:
    path = tmp_path / "positions.csv"
    path.write_text(POSITIONS)
    portfolio = load(path, market=market)
    assert portfolio.account == "positions"
    assert [position.quantity for position in portfolio.positions] == [-1.5, 2]
    assert [position.entry_price for position in portfolio.positions] == [None, 90000]
    assert portfolio.place("positions[1].quantity") == f"{path}:4, column quantity"
    assert portfolio.place("market.BTC.spot") == f"{market}:3, market.BTC.spot"


def test_faults_of_both_files_and_of_the_time_come_together(tmp_path: Path) -> None:
    own, other = tmp_path / "own.yaml", tmp_path / "other.yaml"
    own.write_text("positions: 1")
    other.write_text("market: 2")
    with pytest.raises(InputError) as caught:
        load(own, market=other, as_of="noon")
    places = [fault.place for fault in caught.value.faults]
    assert places == [f"{own}:1, positions", f"{other}:1, market", "--as-of"]


def test_standard_input_cannot_be_both() -> None:
    with pytest.raises(InputError, match="standard input twice"):
        load("-", market="-")


def test_a_csv_is_no_market(tmp_path: Path, book: Path) -> None:
    path = tmp_path / "market.csv"
    path.write_text(POSITIONS)
    with pytest.raises(InputError, match="CSV is for positions alone"):
        load(book, market=path)


def test_many_faults_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    path.write_text(json.dumps({"positions": [{"instrument": "BTC", "quantity": "x"}] * 1200}))
    with pytest.raises(InputError) as caught:
        load(path)
    assert len(caught.value.faults) == 1000
    assert "201 more faults" in str(caught.value)


def test_a_portfolio_travels_with_its_places(book: Path, market: Path) -> None:
    portfolio = load(book, market=market)
    there = pickle.loads(pickle.dumps(portfolio))
    assert there == portfolio == load(book, market=market)
    assert there.place("market.BTC.spot") == f"{market}:3, market.BTC.spot"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("book.yaml", "a: [" + "[]," * 1000 + "]"),
        ("book.json", '{"a": [' + "[]," * 1000 + "[]]}"),
        ("book.csv", "instrument,quantity\n" + "BTC,1\n" * 501),
    ],
)
def test_too_many_values_are_no_account(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (tree, json_text, csv_text):
        monkeypatch.setattr(module, "MOST_VALUES", 1000)
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match="more than 1,000 values"):
        load(path, market="-", stdin=io.BytesIO(b"market: {}"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("book.yaml", "a: 1\n" * 3000),
        ("book.json", '{"a": 1' + ', "a": 1' * 3000 + "}"),
        ("book.csv", "instrument,quantity\n" + "BTC\n" * 3000),
    ],
)
def test_faults_without_end_are_cut(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match="more faults") as caught:
        load(path, market="-", stdin=io.BytesIO(b"market: {}"))
    assert len(str(caught.value).splitlines()) < 4000


@pytest.mark.parametrize("start", ["", "\n \n", "\ufeff"])
def test_csv_on_standard_input(market: Path, start: str) -> None:
    for header in ("instrument,quantity", "quantity, Instrument", '"instrument","quantity",group'):
        cells = {"instrument": "BTC", "quantity": "2", "group": ""}
        names = [name.strip(' "').lower() for name in header.split(",")]
        text = f"{start}{header}\n{','.join(cells[name] for name in names)}\n"
        portfolio = load("-", market=market, stdin=io.BytesIO(text.encode()))
        assert [(held.instrument, held.quantity) for held in portfolio.positions] == [("BTC", 2)]
        with pytest.raises(InputError, match="positions without a market"):
            load("-", stdin=io.BytesIO(text.encode()))
