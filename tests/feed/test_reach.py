"""A price that jumps has to be said twice, by quotes that are not the same word for word."""

import datetime as dt
import json

import pytest

import margincalc as mc
from margincalc.errors import InputError
from tests import books
from tests.cli import STRANGLE
from tests.cli.conftest import Run, run
from tests.feed.test_held import Event, spot, watched

__all__ = ["run"]


def refused(events: list[Event]) -> list[int]:
    return [each["line"] for each in events if each["event"] == "refused"]


def test_one_far_price_moves_nothing() -> None:
    said = watched([spot(1, 40_000.0), spot(2, 100_100.0), spot(3, 210_000.0)], every=1)
    assert [each["event"] for each in said] == ["start", "refused", "state", "refused", "end"]
    assert "-60.0 % at once; used if the next quote is near it" in said[1]["reason"]
    assert said[-1]["status"] == "healthy"


def test_a_market_that_fell_while_nothing_was_heard_is_followed() -> None:
    said = watched([spot(1, 40_000.0), spot(2, 39_000.0), spot(3, 41_000.0)])
    assert (refused(said), said[-1]["status"], said[-1]["ticks"]) == ([1], "liquidatable", 2)


def test_far_prices_that_differ_do_not_confirm_each_other() -> None:
    said = watched([spot(1, 40_000.0), spot(2, 210_000.0), spot(3, 40_000.0), spot(4, 100_000.0)])
    assert (refused(said), said[-1]["status"]) == ([1, 2, 3], "healthy")


def test_what_is_said_again_word_for_word_confirms_nothing() -> None:
    said = watched([spot(1, 40_000.0)] * 5)
    assert (refused(said), said[-1]["status"]) == ([1, 2, 3, 4, 5], "healthy")


@pytest.mark.parametrize("price", [1_000_000.0, 1e9, 9_000.0, 1.0])
def test_another_unit_is_no_price_however_often_it_is_said(price: float) -> None:
    said = watched([spot(second, price + second) for second in range(20)])
    assert said[-1]["ticks"] == 0
    assert all("wanted less than ten times" in each["reason"] for each in said[1:-1])


def test_a_usual_price_between_two_far_ones_forgets_the_first() -> None:
    said = watched([spot(1, 40_000.0), spot(2, 100_000.0), spot(3, 40_001.0), spot(4, 100_000.0)])
    assert (refused(said), said[-1]["status"]) == ([1, 3], "healthy")


def test_how_far_is_far_can_be_said(run: Run) -> None:
    lines = [spot(1, 108_000.0), spot(2, 109_000.0)]
    assert refused(watched(lines)) == []
    assert refused(watched(lines, jump=0.05)) == [1]
    assert refused(watched([spot(1, 95_000.0), spot(2, 100_000.0)], jump=0.05)) == []
    outcome = run("watch", STRANGLE, "--jump", "95%")
    assert outcome.status == 2
    assert "--jump" in outcome.err
    assert "at most 0.9" in outcome.err
    for wrong in (0.0, -0.1, float("nan"), 0.91):
        with pytest.raises(InputError, match="a share above 0"):
            mc.watch(mc.load(STRANGLE), jump=wrong)


def test_a_doubling_is_as_far_as_a_halving() -> None:
    for price in (50_000.0, 200_000.0):
        assert refused(watched([spot(1, price)])) == []
    for price in (49_999.0, 200_001.0):
        assert refused(watched([spot(1, price)])) == [1]


def test_forwards_and_tickers_are_followed_where_the_market_went() -> None:
    session, start = mc.watch(mc.load(STRANGLE), latency=False), books.AS_OF

    def ticker(second: int, name: str, index: float) -> bytes:
        data = {
            "timestamp": int((start + dt.timedelta(seconds=second)).timestamp() * 1000),
            "instrument_name": name,
            "index_price": index,
            "underlying_price": index + 100.0,
            "mark_iv": 90.0,
        }
        params = {"channel": f"ticker.{name}.100ms", "data": data}
        return json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params}).encode()

    put, call = "BTC-25DEC26-90000-P", "BTC-25DEC26-115000-C"
    lines = [ticker(1, put, 40_000.0), ticker(2, call, 40_010.0), ticker(3, put, 40_020.0)]
    said = [*session.events(lines)]
    assert (refused(said), said[-1]["ticks"]) == ([1], 6)
    assert session.desk.book.spot.tolist() == [40_020.0]
    assert set(session.desk.book.instruments.forward[:2].tolist()) == {40_120.0}


def test_what_is_kept_in_mind_is_of_what_is_held() -> None:
    session = mc.watch(mc.load(STRANGLE))
    lines = [
        f'{{"instrument": "BTC-25DEC26-{strike}-C", "mark": 1, "forward": 1}}'.encode()
        for strike in range(1, 2000)
    ]
    list(session.events([*lines, spot(1, 1.0), spot(2, 40_000.0)]))
    assert list(session.desk.reach.far) == ["spot BTC"]
