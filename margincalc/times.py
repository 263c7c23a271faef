"""Times as people write them: instants, expiry days, and the hour at which contracts expire.

The clock is never read. A year is 365 days.
"""

import datetime as dt
import re

DAYS_PER_YEAR = 365.0
SECONDS_PER_DAY = 86_400.0
SECONDS_PER_YEAR = DAYS_PER_YEAR * SECONDS_PER_DAY
TIME = "a time such as 2026-11-20T08:00:00Z"
EXPIRY = "a day such as 2026-12-25, or a day and time such as 2026-12-25T08:00:00Z"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def instant(text: object) -> dt.datetime:
    """Read a day or a day and time; without a zone it is UTC.

    Raises
    ------
    ValueError
        If `text` is not such a text; its message is what was wanted.
    """
    if isinstance(text, str):
        try:
            text = dt.datetime.fromisoformat(text.strip())
        except ValueError:
            raise ValueError(TIME) from None
    if not isinstance(text, dt.datetime):
        raise ValueError(TIME)
    moment = text.replace(tzinfo=dt.UTC) if text.tzinfo is None else text
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:  # the first or last day of the calendar, in another zone
        raise ValueError(TIME) from None


def expiry_key(text: object) -> str:
    """Read an expiry as `2026-12-25`, or with its time as `2026-12-25T08:00:00+00:00`.

    Raises
    ------
    ValueError
        If `text` is neither; its message is what was wanted.
    """
    if isinstance(text, dt.date) and not isinstance(text, dt.datetime):
        return text.isoformat()
    try:
        if isinstance(text, str) and _DAY.fullmatch(text.strip()):
            return dt.date.fromisoformat(text.strip()).isoformat()
        return instant(text).isoformat()
    except ValueError:
        raise ValueError(EXPIRY) from None


def expiry_instant(key: str, *, listed: bool) -> dt.datetime:
    """Return when an expiry happens.

    A key that names its time has it; a day alone means 08:00 UTC for crypto contracts, and
    16:00 in New York for listed equity options.

    Parameters
    ----------
    key : as `expiry_key` returns it
    """
    if len(key) > len("2026-12-25"):
        return dt.datetime.fromisoformat(key)
    day = dt.date.fromisoformat(key)
    if not listed:
        return dt.datetime.combine(day, dt.time(8), dt.UTC)
    return dt.datetime.combine(day, dt.time(20 if _summer_time(day) else 21), dt.UTC)


def years_between(start: dt.datetime, end: dt.datetime) -> float:
    """Return the time from `start` to `end` in years of 365 days."""
    return (end - start).total_seconds() / SECONDS_PER_YEAR


def _summer_time(day: dt.date) -> bool:
    """Whether New York keeps summer time, by the rule in force since 2007.

    Written out because a machine may lack the time zone database.
    """
    starts = _sunday_from(dt.date(day.year, 3, 8))
    return starts <= day < _sunday_from(dt.date(day.year, 11, 1))


def _sunday_from(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=(6 - day.weekday()) % 7)


def zulu(moment: dt.datetime) -> str:
    """Write a time in UTC as `2026-11-20T08:00:00Z`."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
