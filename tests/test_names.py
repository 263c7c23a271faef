"""Names of instruments: read, refused, and always written alike."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margincalc.portfolio.contracts.terms import canonical
from margincalc.portfolio.names import Terms, day_text, name_of, parse, strike_text

DAY = dt.date(2026, 12, 25)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("BTC-25DEC26-110000-C", Terms("option", "BTC", None, DAY, 110000.0, True)),
        ("BTC-25DEC26-110000-P", Terms("option", "BTC", None, DAY, 110000.0, False)),
        ("BTC_USDC-25DEC26-110000-C", Terms("option", "BTC", "USDC", DAY, 110000.0, True)),
        ("BTC_USDT-25DEC26-1.5-C", Terms("option", "BTC", "USDT", DAY, 1.5, True)),
        (
            "XRP_USDC-30JUN26-0d625-C",
            Terms("option", "XRP", "USDC", dt.date(2026, 6, 30), 0.625, True),
        ),
        ("BTC-PERPETUAL", Terms("perpetual", "BTC")),
        ("BTC_USDC-PERPETUAL", Terms("perpetual", "BTC", "USDC")),
        ("BTC-25DEC26", Terms("future", "BTC", None, DAY)),
        ("ETH-6FEB26", Terms("future", "ETH", None, dt.date(2026, 2, 6))),
        ("ETH-06FEB26", Terms("future", "ETH", None, dt.date(2026, 2, 6))),
        ("ETH-29FEB28", Terms("future", "ETH", None, dt.date(2028, 2, 29))),
        ("BRK.B-25DEC26", Terms("future", "BRK.B", None, DAY)),
        (
            "SPY   261225P00500000",
            Terms("option", "SPY", None, DAY, 500.0, False, listed=True),
        ),
        ("SPY261225C00500500", Terms("option", "SPY", None, DAY, 500.5, True, listed=True)),
        ("SPY1261225C00000500", Terms("option", "SPY1", None, DAY, 0.5, True, listed=True)),
    ],
)
def test_read(name: str, terms: Terms) -> None:
    assert parse(name) == terms


@pytest.mark.parametrize(
    "name",
    [
        *("", "BTC", "BTC-", "BTC-PERP", "btc-perpetual\n", "BTC-25DEC2026", "BTC-25dec26-1-C"),
        *("BTC-25DEC26-110000", "BTC-25DEC26-110000-X", "BTC-25DEC26--1-C", "BTC-25DEC26-1e5-C"),
        *(
            "-25DEC26",
            "BTC_usdc-25DEC26",
            "BTC-٢5DEC26",
            "SPY 26121P00500000",
            "S P261218P00500000",
        ),
        *(
            "SPY   261218X00500000",
            "TOOLONG261218P00500000",
            "BTC-25DEC26-110000-C ",
            "BTC-123DEC26",
        ),
        "BTC-25DEC26-" + "9" * 400 + "-C",
    ],
)
def test_no_name(name: str) -> None:
    assert parse(name) is None


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("BTC-31FEB26-110000-C", "31FEB26"),
        ("BTC-0JAN26", "0JAN26"),
        ("ETH-29FEB26", "29FEB26"),
        ("SPY   261318P00500000", "261318"),
        ("BTC-25DEC26-0-C", "strike"),
        ("SPY   261218P00000000", "strike"),
    ],
)
def test_impossible(name: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        parse(name)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("BTC-06FEB26", "BTC-6FEB26"),
        ("BTC-25DEC26-110000.0-C", "BTC-25DEC26-110000-C"),
        ("XRP_USDC-30JUN26-0.625-C", "XRP_USDC-30JUN26-0d625-C"),
        ("SPY261218P00500000", "SPY   261218P00500000"),
        ("BTC_USDT-PERPETUAL", "BTC_USDT-PERPETUAL"),
    ],
)
def test_one_name(written: str, name: str) -> None:
    terms = parse(written)
    assert terms is not None
    assert name_of(terms) == name
    assert parse(name) == terms


def test_names_beyond_the_shapes() -> None:
    assert name_of(Terms("spot", "BTC")) == "BTC"
    assert day_text(dt.date(2126, 12, 25)) == "25DEC2126"
    assert strike_text(1e-7) == "0d0000001"
    assert strike_text(1e15) == "1000000000000000"
    far = Terms("option", "SPY", None, dt.date(2126, 1, 2), 500.0, True, listed=True)
    assert name_of(far) == "SPY-2JAN2126-500-C"
    fine = Terms("option", "SPY", None, DAY, 0.12345, True, listed=True)
    assert name_of(fine) == "SPY-25DEC26-0d12345-C"
    long = Terms("option", "TOOLONG", None, DAY, 500.0, True, listed=True)
    assert name_of(long) == "TOOLONG-25DEC26-500-C"


days = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))
strikes = st.integers(1, 10**8 - 1).map(lambda thousandths: thousandths / 1000)


@given(days, strikes, st.booleans(), st.booleans(), st.sampled_from([None, "USDC", "USDT"]))
def test_round_trip(
    day: dt.date, strike: float, call: bool, listed: bool, quote: str | None
) -> None:
    terms = Terms("option", "BTC", None if listed else quote, day, strike, call, listed)
    assert parse(name_of(terms)) == terms


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        return


def test_a_name_is_read_once() -> None:
    terms = parse("BTC-25DEC26-110000-C")
    assert parse("BTC-25DEC26-110000-C") is terms
    assert canonical("BTC-06FEB26") is canonical("BTC-06FEB26")
