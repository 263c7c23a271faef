"""Ticks far ahead of the feed wait until others are as late: one alone moves no status."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import pytest

import margincalc as mc
from tests.cli import SAMPLES, STRANGLE

Event = dict[str, Any]
START = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
LINES = (SAMPLES / "ticks.ndjson").read_bytes().splitlines()
SAMPLE = [line for line in LINES if b"2026-11-21" not in line]  # which is such a fault
CALL = "BTC-25DEC26-115000-C"


def spot(seconds: float, price: float, underlying: str = "BTC") -> bytes:
    time = (START + dt.timedelta(seconds=seconds)).isoformat()
    return json.dumps({"time": time, "underlying": underlying, "spot": price}).encode()


def watched(lines: Iterable[bytes], **wishes: Any) -> list[Event]:
    """Follow lines from the short strangle, healthy and due in 35 days."""
    return [*mc.watch(mc.load(STRANGLE), latency=False, **wishes).events(lines)]


def statuses(events: list[Event]) -> list[tuple[Any, ...]]:
    """Return all that a reader of statuses and states acts on."""
    kept = ("event", "time", "status", "equity", "maintenance_margin", "failed")
    used = [each for each in events if each["event"] in ("start", "status", "state", "end")]
    return [tuple(each.get(key) for key in kept) for each in used]


FAULTS = [
    seconds for far in (180, 3600, 86_400, 6 * 86_400, 365 * 86_400) for seconds in (far, -far)
]


@pytest.mark.parametrize("seconds", FAULTS)
@pytest.mark.parametrize("position", range(len(SAMPLE) + 1))
def test_one_tick_of_an_impossible_time_changes_nothing(position: int, seconds: float) -> None:
    for fault in (
        spot(seconds, 118_000.0),
        spot(seconds, 84_000.0, "BTC_USDC"),
        spot(seconds, 84_000.0).replace(
            b'"underlying": "BTC", "spot": 84000.0',
            b'"instrument": "' + CALL.encode() + b'", "volatility": 1.4',
        ),
    ):
        lines = [*SAMPLE[:position], fault, *SAMPLE[position:]]
        said = watched(lines, every=1)
        assert statuses(said) == statuses(watched(SAMPLE, every=1))
        assert said[-1]["refused"] == 3


def test_a_fault_said_twice_is_still_one() -> None:
    fault = spot(3600, 118_000.0)
    said = watched([fault, fault, spot(1, 100_100.0)])
    assert [each["event"] for each in said] == ["start", "held", "refused", "refused", "end"]
    assert [each["line"] for each in said[1:4]] == [1, 2, 1]
    assert said[-1]["time"] == "2026-11-20T08:00:01Z"


def test_after_a_silence_nothing_is_lost() -> None:
    said = watched([spot(3600, 108_000.0), spot(3601, 108_000.0), spot(3602, 100_000.0)])
    assert [(each["event"], each["time"]) for each in said] == [
        ("start", "2026-11-20T08:00:00Z"),
        ("held", "2026-11-20T08:00:00Z"),
        ("status", "2026-11-20T09:00:00Z"),
        ("status", "2026-11-20T09:00:02Z"),
        ("end", "2026-11-20T09:00:02Z"),
    ]
    assert (said[-1]["ticks"], said[-1]["refused"], said[1]["line"]) == (3, 0, 1)
    assert "3,600 s ahead of the feed; used if the next line is as late" in said[1]["reason"]


def test_a_line_that_names_no_time_neither_confirms_nor_refutes() -> None:
    timeless = b'{"underlying": "BTC", "spot": 100001}'
    said = watched([spot(3600, 99_000.0), timeless, b"", b"no JSON", spot(3600, 99_500.0)], every=1)
    assert [each["event"] for each in said] == [
        "start", "held", "state", "refused", "state", "state", "end",
    ]  # fmt: skip
    assert [each["liquidation"]["BTC"]["spot"] for each in said if each["event"] == "state"] == [
        100_001.0, 99_000.0, 99_500.0,
    ]  # fmt: skip


def test_bars_need_a_longer_reach() -> None:
    bars = [spot(3600 * hour, 100_000.0 + 1_000.0 * hour) for hour in range(1, 9)]
    late = watched(bars, every=1)
    assert late[-1]["time"] == "2026-11-20T15:00:00Z"  # of the last but one
    assert (late[-1]["ticks"], late[-1]["refused"]) == (7, 1)
    assert "far ahead of the feed, and it ended" in late[-2]["reason"]
    said = watched(bars, every=1, ahead=3600.0)
    assert {each["event"] for each in said} == {"start", "state", "status", "end"}
    assert said[-1]["time"] == "2026-11-20T16:00:00Z"


def test_a_reach_beyond_the_calendar_holds_nothing() -> None:
    said = watched([spot(3600, 99_000.0), spot(-3600, 98_000.0, "BTC_USDC")], ahead=9e11)
    assert [said[-1][key] for key in ("ticks", "refused")] == [2, 0]


def test_what_is_released_may_still_be_refused() -> None:
    said = watched([spot(3600, 1e9), spot(3600, 99_000.0)])
    assert [each["event"] for each in said] == ["start", "held", "refused", "end"]
    assert "at once" in said[2]["reason"]
    assert (said[2]["line"], said[-1]["ticks"]) == (1, 1)


def test_no_desk_is_silent_for_a_week() -> None:
    said = watched([spot(8 * 86_400, 99_000.0)] * 2 + [spot(8 * 86_400 + 1, 99_000.0)])
    assert [each["event"] for each in said] == ["start", "refused", "refused", "refused", "end"]
    assert (
        "8.0 days ahead of the feed; wanted at most 7.0 days, or another --as-of"
        in (said[1]["reason"])
    )


def test_a_replay_says_the_same_again() -> None:
    lines = [spot(100 * each, 100_000.0 + 100 * each) for each in (1, 2, 4, 3, 90, 5, 6, 7)]
    assert watched(lines, every=1) == watched(lines, every=1)
