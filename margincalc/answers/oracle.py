"""`simulate oracle`: what each kind of feed would have done to accounts over a price history."""

import datetime as dt
from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.study import Fact, Field, Study, Table, refuse_outside
from margincalc.arrays import FloatArray, IntArray
from margincalc.errors import input_error, shown
from margincalc.files.prices import Prices
from margincalc.simulation import feeds, replay
from margincalc.simulation.linear_accounts import Line
from margincalc.times import SECONDS_PER_YEAR, zulu

FEEDS = (
    Field("feed", "feed", "text"),
    Field("mean_error", "mean error", "share", 3),
    Field("worst_error", "worst", "share", 2),
    Field("refused", "refused", "share", 2),
    Field("liquidated", "liquidated", "count"),
    Field("false", "false", "count"),
    Field("late", "late", "count"),
    Field("missed", "missed", "count"),
    Field("slipped", "late loss", "money", 1),
    Field("bad_debt", "bad debt", "money"),
    Field("buffer", "buffer needed", "share"),
    Field("model_buffer", "by model", "share", 4),
)
ATTACKS = (
    Field("blocks", "window held", "share"),
    Field("arithmetic", "arithmetic", "factor"),
    Field("geometric", "geometric", "factor"),
    Field("cost", "quote in / reserve", "factor"),
)
LIMITS = {
    "lag": (0.0, 1e7),
    "deviation": (1e-6, 1.0),
    "heartbeat": (0.0, 1e8),
    "twap": (0.0, 1e7),
    "attack": (-0.95, 10.0),
    "attacked": (0.01, 1.0),
    "interval": (0.0, 0.2),
    "confidence": (0.5, 0.9999),
    "bound": (0.0, 1.0),
    "reject": (0.0, 1.0),
    "max-age": (0.0, 1e9),
}
MOST_JUMPS = (1e6, 1.0, 1.0)  # a year, mean and deviation of their size


class OracleTerms(NamedTuple):
    """Feeds to compare.

    Attributes
    ----------
    lag : seconds
    threshold, heartbeat : of a feed that moves by steps: relative, and seconds
    window : of an average, seconds
    attack : relative move held by an attacker in the average's window, 0 for none
    attacked : share of that window for which it is held
    interval : confidence interval of the price, relative; 0 for that of the history, if it has one
    confidence : with which an interval is used
    bound : expected loss that a buffer must keep to, relative
    reject : widest interval of a price that is used, relative
    oldest : age of the oldest price that is used, seconds; None without limit
    jumps : falls beside the normal moves, of the buffer by model
    """

    lag: float = 60.0
    threshold: float = 0.005
    heartbeat: float = 3600.0
    window: float = 1800.0
    attack: float = 0.0
    attacked: float = 0.1
    interval: float = 0.0
    confidence: float = 0.95
    bound: float = 1e-4
    reject: float = 0.02
    oldest: float | None = None
    jumps: feeds.Jumps = feeds.NO_JUMPS


def oracle_study(prices: Prices, line: Line, title: str, terms: OracleTerms) -> Study:
    """Replay every feed over a history.

    Raises
    ------
    InputError
        If a term is no possible one.
    """
    _check(terms)
    volatility = annual(prices)
    rows = [_row(prices, line, feed, terms) for feed in _feeds(prices, terms, volatility)]
    facts = (
        Fact("prices", "Prices", len(prices.price), "count"),
        Fact("from", "From", _moment(prices, 0), "text"),
        Fact("to", "To", _moment(prices, -1), "text"),
        Fact("volatility", "Realised volatility", volatility, "share"),
        Fact("low", "Low", float(np.min(prices.price)), "price"),
        Fact("high", "High", float(np.max(prices.price)), "price"),
        Fact("heartbeat", "Steps at least every", terms.heartbeat, "seconds"),
        Fact("confidence", "Interval used with", terms.confidence, "share"),
        Fact("bound", "Expected loss kept under", terms.bound, "share"),
        Fact("reject", "Refused from an interval over", terms.reject, "share"),
        Fact("oldest", "and an age over", terms.oldest, "seconds"),
    )
    tables = [Table("feeds", FEEDS, tuple(rows))]
    if terms.attack:
        tables.append(Table("attacks", ATTACKS, tuple(_attacks(terms))))
    notes = (
        "false: closed before the true price was there; late: after; missed: never, though it was",
        "buffer needed: beyond the liquidation price, for this history and these accounts; by "
        "model: of normal moves, and of jumps where they are stated",
    )
    name = f"{title}; {prices.symbol or 'price'}"
    return Study("oracle", name, "USD", facts, tuple(tables), notes)


def annual(prices: Prices) -> float:
    """Realised volatility of a history, decimal per year."""
    moves = np.diff(np.log(prices.price))
    years = float(prices.time[-1] - prices.time[0]) / SECONDS_PER_YEAR
    return float(np.sqrt(np.sum(moves**2) / years))


def _moment(prices: Prices, row: int) -> str:
    return zulu(dt.datetime.fromtimestamp(float(prices.time[row]), dt.UTC))


class _Feed(NamedTuple):
    name: str
    low: FloatArray  # what a long is judged by
    high: FloatArray  # what a short is
    error: feeds.Error | None = None
    refused: float = 0.0  # share of the times at which its price is


def _feeds(prices: Prices, terms: OracleTerms, volatility: float) -> list[_Feed]:
    """Return what each feed says over a history."""
    time, price, jumps = prices.time, prices.price, terms.jumps
    late = replay.known(time, terms.lag)
    said = replay.stepped(time, price, terms.threshold, terms.heartbeat)[late]
    lag = feeds.Error(feeds.lag(volatility, terms.lag).deviation, terms.lag, 0.0, jumps)
    window = feeds.average_deviation(volatility, terms.window)
    # A jump is in an average for its mean lag of half the window, no more.
    mean = feeds.Error(window, 0.5 * terms.window, 0.0, jumps)
    average = replay.averaged(time, price, terms.window)
    found = [
        _Feed("true price", price, price),
        _accepted(f"lag {terms.lag:g} s", prices, late, terms)._replace(error=lag),
        _accepted(f"steps {terms.threshold * 100.0:.3g} %", prices, said, terms)._replace(
            error=lag._replace(threshold=terms.threshold)
        ),
        _Feed(f"average {terms.window:g} s", average, average, mean),
    ]
    if terms.interval or prices.interval is not None:
        name = f"interval {terms.interval * 100.0:.3g} %" if terms.interval else "interval"
        multiple = feeds.confidence_multiple(terms.confidence)
        found.append(_accepted(name, prices, np.arange(len(price)), terms, multiple))
    if prices.own is not None:
        found.append(_Feed("own price", prices.own, prices.own))
    if terms.attack:
        pushed = _attacked(prices, terms)
        found.append(_Feed(f"attack {terms.attack * 100.0:+.3g} %", pushed, pushed))
    return found


def _accepted(
    name: str, prices: Prices, row: IntArray, terms: OracleTerms, multiple: float = 0.0
) -> _Feed:
    """Return a feed that says the prices of these rows, of which the venue refuses some.

    Parameters
    ----------
    multiple : of a price's interval, by which longs are judged lower and shorts higher
    """
    limits = feeds.Limits(terms.reject, np.inf if terms.oldest is None else terms.oldest)
    interval, age = _interval(prices, terms), prices.time - prices.time[row]
    refused = limits.refused(prices.price[row], interval[row], age)
    kept = row[replay.held(refused)]
    low, high = feeds.confident(prices.price[kept], interval[kept], multiple)
    return _Feed(name, low, high, refused=float(np.mean(refused)))


def _interval(prices: Prices, terms: OracleTerms) -> FloatArray:
    """Return the interval that each price states, in its unit; nothing where none is known."""
    if terms.interval or prices.interval is None:
        return terms.interval * prices.price
    return prices.interval


def _attacked(prices: Prices, terms: OracleTerms) -> FloatArray:
    """Return the average while its price is held away, for a part of one window."""
    time, price = prices.time, prices.price
    middle = float(time[len(time) // 2])
    held = terms.attacked * terms.window
    # What moves the average by the attack has to move the price by so much more.
    multiple = feeds.attack_multiple(terms.attack, 1, 1) - 1.0
    push = replay.Push(middle, held, multiple / terms.attacked)
    return replay.averaged(time, push.on(time, price), terms.window)


def _row(prices: Prices, line: Line, feed: _Feed, terms: OracleTerms) -> tuple[Any, ...]:
    off = np.abs(feed.low / prices.price - 1.0)
    found = replay.together(
        *(
            replay.errors(prices.price, seen, _accounts(line, up=up), up=up)
            for up, seen in ((False, feed.low), (True, feed.high))
        )
    )
    return (
        feed.name,
        float(np.mean(off)),
        float(np.max(off)),
        feed.refused,
        *found[:6],
        found.buffer(terms.bound) if found.liquidated else None,
        None if feed.error is None else feeds.buffer_for(feed.error, terms.bound),
    )


def _accounts(line: Line, *, up: bool) -> replay.Closed:
    price = line.above if up else line.below
    rows = np.flatnonzero(price > 0.0)
    return replay.Closed(price[rows], line.size[rows], line.bankrupt[rows])


def _attacks(terms: OracleTerms) -> list[tuple[Any, ...]]:
    """Return what holding a part of the window takes."""
    rows = []
    for share in (0.01, 0.05, 0.1, 0.25, 0.5, 1.0):
        parts = max(round(share * 100), 1), 100
        multiple = feeds.attack_multiple(terms.attack, *parts)
        geometric = feeds.attack_multiple(terms.attack, *parts, "geometric")
        cost = feeds.attack_cost(multiple) if multiple > 0.0 else None
        rows.append((share, multiple, geometric, cost))
    return rows


def _check(terms: OracleTerms) -> None:
    """Refuse terms that no feed has."""
    words = {"threshold": "deviation", "window": "twap", "oldest": "max-age"}  # of the options
    refuse_outside(
        {words.get(name, name): value for name, value in terms._asdict().items()}, LIMITS
    )
    for value, most in zip(terms.jumps, MOST_JUMPS, strict=True):
        if not 0.0 <= value <= most:
            raise input_error("--jumps", shown(value), f"a number from 0 to {most:g}")
