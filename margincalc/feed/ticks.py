"""What a line of a feed says: changes of the market, or why it is refused.

The plain schema is a JSON object, or a list of them that is taken as one change:

    {"time": "2026-11-20T08:00:01Z", "underlying": "BTC", "spot": 100250}
    {"time": 1795248001000, "underlying": "BTC", "expiry": "2026-12-25", "forward": 100900}
    {"instrument": "BTC-25DEC26-90000-P", "mark": 0.021, "volatility": 0.61}
    {"instrument": "BTC-PERPETUAL", "mark": 100260, "funding": 0.0001}

Times are texts, or milliseconds since 1970. Volatilities are decimals per year; a mark is in the
unit in which the instrument is quoted. Deribit's `ticker` and `deribit_price_index` notifications
are recognised as such (Deribit API, "Subscriptions", docs.deribit.com, read 2026-11-26).
"""

import contextlib
import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from margincalc.errors import shown
from margincalc.portfolio.names import parse
from margincalc.times import expiry_key, instant

MOST_BYTES = 1 << 20  # of a line
MOST_TICKS = 100_000  # in one line
MOST_VOLATILITY = 20.0  # per year; what is above is no volatility
_NUMBERS = ("spot", "forward", "mark", "volatility", "funding")
_KNOWN = {"time", "underlying", "instrument", "expiry", *_NUMBERS}


class Refused(ValueError):
    """A line or tick that says nothing that can be used; its message is why."""


class Tick(NamedTuple):
    """A change of the market.

    Attributes
    ----------
    time : when, UTC; None where the feed does not say
    underlying, instrument : what it is about; one of them
    expiry : day of the forward's, where it is not an instrument's
    spot, forward : quote currency
    mark : in the unit in which the instrument is quoted
    volatility : decimal per year
    funding : what a perpetual's long pays per eight hours, as a share of the spot
    aside : said beside a quote of something else: left out where what it is about was quoted later
    """

    time: dt.datetime | None = None
    underlying: str | None = None
    instrument: str | None = None
    expiry: str | None = None
    spot: float | None = None
    forward: float | None = None
    mark: float | None = None
    volatility: float | None = None
    funding: float | None = None
    aside: bool = False

    @property
    def subject(self) -> str:
        """What it is about, for messages; an expiry where it says its forward and nothing else."""
        name = self.instrument or self.underlying or ""
        of_expiry = self.underlying is not None and self.spot is None and self.expiry is not None
        return f"{name} {self.expiry}" if of_expiry else name

    @property
    def quoted(self) -> tuple[str, ...]:
        """All that it quotes, as subjects: of a spot beside a forward, the expiry too."""
        both = self.spot is not None and self.forward is not None
        return (self.subject, f"{self.underlying} {self.expiry}") if both else (self.subject,)


def read_line(line: bytes) -> tuple[Tick, ...]:
    """Read a line: a tick, a list of ticks, or a notification.

    Other notifications and blank lines say nothing.

    Raises
    ------
    Refused
        If it is none of them, or a figure in it is impossible.
    """
    if len(line) > MOST_BYTES:
        raise Refused(f"a line of {len(line):,} bytes; wanted at most {MOST_BYTES:,}")
    try:
        text = str(line, "utf-8-sig")
        if not text.strip():
            return ()
        content = json.loads(text, parse_constant=_no_number, object_pairs_hook=_mapping)
    except UnicodeDecodeError as error:
        raise Refused(f"not UTF-8: {error.reason} at byte {error.start + 1:,}") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from None
    if isinstance(content, list):
        if len(content) > MOST_TICKS:
            raise Refused(f"{len(content):,} ticks in a line; wanted at most {MOST_TICKS:,}")
        return tuple(tick for each in content for tick in _read(each))
    return _read(content)


def _read(content: Any) -> tuple[Tick, ...]:
    if not isinstance(content, dict):
        raise Refused(f"{shown(content)}; wanted a JSON object")
    if "jsonrpc" in content:
        return _notification(content)
    return (_plain(content),)


def _plain(content: Mapping[str, Any]) -> Tick:
    """Read a tick of the plain schema."""
    for key in content:
        if key not in _KNOWN:
            raise Refused(
                f"an unknown key {shown(key)}; wanted some of {', '.join(sorted(_KNOWN))}"
            )
    tick = Tick(
        _time(content.get("time")),
        _name(content, "underlying"),
        _name(content, "instrument"),
        _expiry(content.get("expiry")),
        _number(content, "spot"),
        _number(content, "forward"),
        _number(content, "mark"),
        _number(content, "volatility"),
        _number(content, "funding"),
    )
    if (tick.underlying is None) == (tick.instrument is None):
        raise Refused("no `underlying` or `instrument`, or both; wanted one of them")
    if all(getattr(tick, key) is None for key in _NUMBERS):
        raise Refused(f"no figure for {tick.subject}; wanted one of {', '.join(_NUMBERS)}")
    return tick


def _notification(content: Mapping[str, Any]) -> tuple[Tick, ...]:
    """Read a notification of Deribit's; answers to requests and other channels say nothing."""
    if "error" in content:
        raise Refused(f"the venue answered with an error: {shown(str(content['error']), 200)}")
    parameters = content.get("params")
    if content.get("method") != "subscription" or not isinstance(parameters, dict):
        return ()
    channel, data = str(parameters.get("channel", "")), parameters.get("data")
    if not isinstance(data, dict):
        return ()
    if channel.startswith("ticker."):
        return _ticker(data)
    if channel.startswith("deribit_price_index."):
        base, _, quote = str(data.get("index_name", "")).upper().partition("_")
        name = base if quote in ("", "USD") else f"{base}_{quote}"
        return (Tick(_time(data.get("timestamp")), name, spot=_number(data, "price", "spot")),)
    return ()


def _ticker(data: Mapping[str, Any]) -> tuple[Tick, ...]:
    """Read Deribit's ticker: mark and volatility of an instrument; index and forward beside them.

    Instruments are quoted each on its own: what two of them say of their index comes in any order.
    """
    time, name = _time(data.get("timestamp")), _name(data, "instrument_name")
    if name is None:
        raise Refused("a ticker without `instrument_name`")
    percent = _number(data, "mark_iv", "volatility", most=100.0 * MOST_VOLATILITY)
    forward = None if percent is None else _number(data, "underlying_price", "forward")
    spot, base = _number(data, "index_price", "spot"), name.partition("-")[0]
    tick = Tick(
        time,
        instrument=name,
        mark=_number(data, "mark_price", "mark"),
        volatility=None if percent is None else percent / 100.0,
        funding=_number(data, "funding_8h", "funding"),
    )
    if forward is not None and (expiry := _day_of(name)) is None:
        tick, forward = tick._replace(forward=forward), None
    beside = [Tick(time, base, spot=spot, aside=True)] if spot is not None else []
    if forward is not None:
        beside.append(Tick(time, base, expiry=expiry, forward=forward, aside=True))
    return (*beside, tick)


def _day_of(name: str) -> str | None:
    """Return the day on which a contract expires, where its name says it."""
    with contextlib.suppress(ValueError):  # such as BTC-31FEB26-1-C
        terms = parse(name)
        if terms is not None and terms.expiry is not None:
            return terms.expiry.isoformat()
    return None


def _number(
    content: Mapping[str, Any], key: str, kind: str | None = None, most: float = MOST_VOLATILITY
) -> float | None:
    """Read a figure, refusing what cannot be one of its kind."""
    value, kind = content.get(key), kind or key
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{shown(value)} for `{key}`; wanted a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Refused(f"a `{key}` that is no finite number")
    least = {"mark": 0.0, "funding": -1.0}.get(kind, 1e-12)
    if number < least:
        raise Refused(f"{number:g} for `{key}`; wanted at least {least:g}")
    limit = {"volatility": most, "funding": 1.0}.get(kind, 1e15)
    if number > limit:
        raise Refused(f"{number:g} for `{key}`; wanted at most {limit:g}")
    return number


def _name(content: Mapping[str, Any], key: str) -> str | None:
    value = content.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > 100:
        raise Refused(f"{shown(value)} for `{key}`; wanted a name")
    return value


def _expiry(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return expiry_key(value)[: len("2026-12-25")]  # contracts are listed by their day
    except ValueError as error:
        raise Refused(f"{shown(value)} for `expiry`; wanted {error}") from None


def _time(value: Any) -> dt.datetime | None:
    """Read a time: a text, or milliseconds since 1970."""
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return dt.datetime.fromtimestamp(value / 1000.0, dt.UTC)
        return instant(value)
    except (ValueError, OverflowError, OSError):
        raise Refused(f"{shown(value)} for `time`; wanted a text or milliseconds") from None


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, unless it says something twice."""
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise ValueError(f"a key {shown(twice)} twice in one object")
    return content


def _no_number(text: str) -> float:
    raise Refused(f"{text} is no number")
