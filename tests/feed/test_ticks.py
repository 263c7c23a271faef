"""What a line of a feed says, and what is refused."""

import contextlib
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margincalc.feed.ticks import Refused, Tick, read_line

TIME = dt.datetime(2026, 11, 20, 8, 0, 1, tzinfo=dt.UTC)


def line(**content: object) -> bytes:
    return json.dumps(content).encode()


def test_a_spot() -> None:
    text = line(time="2026-11-20T08:00:01Z", underlying="BTC", spot=100250)
    assert read_line(text) == (Tick(TIME, "BTC", spot=100250.0),)


def test_a_time_may_be_milliseconds() -> None:
    milliseconds = int(TIME.timestamp() * 1000)
    assert read_line(line(time=milliseconds, underlying="BTC", spot=1))[0].time == TIME


def test_a_list_is_one_change() -> None:
    text = b'[{"underlying": "BTC", "spot": 1}, {"instrument": "BTC-PERPETUAL", "mark": 2}]'
    assert read_line(text) == (
        Tick(None, "BTC", spot=1.0),
        Tick(None, None, "BTC-PERPETUAL", mark=2.0),
    )


def notification(channel: str, data: dict[str, object]) -> bytes:
    params = {"channel": channel, "data": data}
    return line(jsonrpc="2.0", method="subscription", params=params)


def test_deribits_ticker_of_an_option() -> None:
    data = {
        "timestamp": int(TIME.timestamp() * 1000),
        "instrument_name": "BTC-25DEC26-90000-P",
        "index_price": 100_000.5,
        "underlying_price": 100_400.25,
        "mark_price": 0.0231,
        "mark_iv": 58.25,
        "best_bid_price": None,
        "greeks": {"delta": -0.2},
    }
    spot, forward, quote = read_line(notification("ticker.BTC-25DEC26-90000-P.100ms", data))
    assert spot == Tick(TIME, "BTC", spot=100_000.5, aside=True)
    assert forward == Tick(TIME, "BTC", expiry="2026-12-25", forward=100_400.25, aside=True)
    assert quote == Tick(TIME, instrument="BTC-25DEC26-90000-P", mark=0.0231, volatility=0.5825)


@pytest.mark.parametrize("name", ["ours", "BTC-31FEB26-1-C"])
def test_a_forward_of_no_day_is_the_instruments(name: str) -> None:
    data = {"instrument_name": name, "underlying_price": 1.0, "mark_iv": 50.0}
    assert read_line(notification(f"ticker.{name}.100ms", data)) == (
        Tick(instrument=name, forward=1.0, volatility=0.5),
    )


def test_deribits_ticker_of_a_perpetual() -> None:
    data = {
        "timestamp": int(TIME.timestamp() * 1000),
        "instrument_name": "BTC-PERPETUAL",
        "index_price": 36441.64,
        "mark_price": 36446.51,
        "funding_8h": 0.0000211,
    }
    spot, quote = read_line(notification("ticker.BTC-PERPETUAL.100ms", data))
    assert spot.spot == 36441.64
    assert quote == Tick(TIME, instrument="BTC-PERPETUAL", mark=36446.51, funding=0.0000211)


@pytest.mark.parametrize(("index", "underlying"), [("btc_usd", "BTC"), ("btc_usdc", "BTC_USDC")])
def test_deribits_index(index: str, underlying: str) -> None:
    data = {"index_name": index, "price": 3937.89, "timestamp": int(TIME.timestamp() * 1000)}
    assert read_line(notification(f"deribit_price_index.{index}", data)) == (
        Tick(TIME, underlying, spot=3937.89),
    )


@pytest.mark.parametrize(
    "text",
    [
        line(jsonrpc="2.0", id=1, result=["ticker.BTC-PERPETUAL.100ms"]),
        line(jsonrpc="2.0", method="heartbeat", params={"type": "test_request"}),
        notification("trades.BTC-PERPETUAL.raw", {"price": 1}),
    ],
)
def test_what_says_nothing_of_the_market_is_no_fault(text: bytes) -> None:
    assert read_line(text) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"hello", "not JSON"),
        (b"\xff\xfe", "not UTF-8: invalid start byte at byte 1"),
        (b'{"underlying": "BTC", "spot": \x00100}', "not JSON"),
        (b'{"underlying": "BTC", "spot": 1, "spot": 2}', "a key 'spot' twice in one object"),
        (b'[{"jsonrpc": "2.0", "params": {"a": 1, "a": 1}}]', "a key 'a' twice"),
        (b"[" * 100_000, "not JSON"),
        (b"12", "wanted a JSON object"),
        (b"[3]", "wanted a JSON object"),
        (b'{"underlying": "BTC", "spot": NaN}', "NaN is no number"),
        (b'{"underlying": "BTC", "spot": 1e999}', "no finite number"),
        (b'{"underlying": "BTC", "spot": -1}', "-1 for `spot`"),
        (b'{"underlying": "BTC", "spot": 0}', "0 for `spot`"),
        (b'{"underlying": "BTC", "spot": "100"}', "wanted a number"),
        (b'{"underlying": "BTC", "spot": true}', "wanted a number"),
        (b'{"underlying": "BTC"}', "no figure for BTC"),
        (b'{"spot": 1}', "no `underlying`"),
        (b'{"underlying": "BTC", "instrument": "BTC-PERPETUAL", "mark": 1}', "or both"),
        (b'{"underlying": "BTC", "spto": 1}', "an unknown key 'spto'"),
        (b'{"instrument": "BTC-PERPETUAL", "volatility": 60}', "60 for `volatility`"),
        (b'{"underlying": "BTC", "spot": 1, "time": "noon"}', "'noon' for `time`"),
        (b'{"underlying": "BTC", "forward": 1, "expiry": "someday"}', "'someday' for `expiry`"),
        (b'{"jsonrpc": "2.0", "id": 1, "error": {"message": "bad"}}', "answered with an error"),
        (b'{"underlying": "' + b"B" * (1 << 20) + b'", "spot": 1}', "bytes; wanted at most"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_line(text)
    assert reason in str(refusal.value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_line_does_more_than_be_refused(text: bytes) -> None:
    with contextlib.suppress(Refused):
        assert all(isinstance(tick, Tick) for tick in read_line(text))


@pytest.mark.parametrize("text", [b"", b"\n", b"  \r\n", b"\xef\xbb\xbf\n"])
def test_a_blank_line_says_nothing(text: bytes) -> None:
    assert read_line(text) == ()


def test_a_forward_is_of_a_day() -> None:
    """Whatever hour of it is named: subjects are as many as there are days."""
    for expiry in ("2026-12-25", "2026-12-25T08:00:00Z", "2026-12-26T01:00:00+09:00"):
        assert read_line(line(underlying="BTC", expiry=expiry, forward=1))[0].subject == (
            "BTC 2026-12-25"
        )
