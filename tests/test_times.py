"""Times as people write them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margincalc.times import expiry_instant, expiry_key, instant, years_between, zulu

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        (" 2026-11-20T08:00:00Z ", "2026-11-20T08:00:00+00:00"),
        ("2026-11-20 08:00", "2026-11-20T08:00:00+00:00"),
        ("2026-11-20T03:00:00-05:00", "2026-11-20T08:00:00+00:00"),
        (dt.datetime(2026, 11, 20, 8), "2026-11-20T08:00:00+00:00"),
    ],
)
def test_instant(text: object, moment: str) -> None:
    assert instant(text).isoformat() == moment


@pytest.mark.parametrize(
    "text", ["", "12:30", "noon", "2026-02-31", 20261120, None, "0001-01-01T00:00+14:00", "９"]
)
def test_no_time(text: object) -> None:
    with pytest.raises(ValueError, match="such as 2026-11-20T08:00:00Z"):
        instant(text)
    with pytest.raises(ValueError, match="such as 2026-12-25"):
        expiry_key(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2026-12-25", "2026-12-25"),
        (" 2026-12-25 ", "2026-12-25"),
        (dt.date(2026, 12, 25), "2026-12-25"),
        ("2026-12-25T08:00Z", "2026-12-25T08:00:00+00:00"),
        ("2026-12-25T16:00-05:00", "2026-12-25T21:00:00+00:00"),
    ],
)
def test_expiry_key(text: object, key: str) -> None:
    assert expiry_key(text) == key


def test_hour_of_expiry() -> None:
    assert expiry_instant("2026-12-25", listed=False).isoformat() == "2026-12-25T08:00:00+00:00"
    assert expiry_instant("2026-12-18", listed=True).isoformat() == "2026-12-18T21:00:00+00:00"
    assert expiry_instant("2026-06-19", listed=True).isoformat() == "2026-06-19T20:00:00+00:00"
    stated = "2026-12-18T14:30:00+00:00"
    assert expiry_instant(stated, listed=True).isoformat() == stated


@given(st.dates(dt.date(2007, 1, 1), dt.date(2037, 12, 31)))
def test_new_york_closes_as_the_time_zone_database_says(day: dt.date) -> None:
    close = dt.datetime.combine(day, dt.time(16), NEW_YORK)
    assert expiry_instant(day.isoformat(), listed=True) == close


def test_a_year_has_365_days() -> None:
    assert years_between(instant("2024-01-01"), instant("2025-01-01")) == 366 / 365


def test_zulu() -> None:
    assert zulu(instant("2026-11-20T09:00+01:00")) == "2026-11-20T08:00:00Z"
