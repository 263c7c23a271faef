"""`simulate oracle`: what each kind of feed would have done to accounts over a price history."""

from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.study import Fact, Field, Study, Table
from margincalc.arrays import FloatArray
from margincalc.errors import input_error, shown
from margincalc.files.prices import Prices
from margincalc.simulation import feeds, replay
from margincalc.simulation.population import Line

FEEDS = (
    Field("feed", "feed", "text"),
    Field("mean_error", "mean error", "share", 3),
    Field("worst_error", "worst", "share", 2),
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


class OracleTerms(NamedTuple):
    """Feeds to compare.

    Attributes
    ----------
    lag : seconds
    threshold, heartbeat : of a feed that moves by steps: relative, and seconds
    window : of an average, seconds
    attack : relative move held by an attacker in the average's window, 0 for none
    attacked : share of that window for which it is held
    interval : confidence interval of the price, relative; 0 for none
    confidence : of a price's confidence interval, and of buffers by model
    bound : expected loss that a buffer must keep to, relative
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
        Fact("from", "From", str(prices.moments()[0]), "text"),
        Fact("to", "To", str(prices.moments()[-1]), "text"),
        Fact("volatility", "Realised volatility", volatility, "share"),
        Fact("low", "Low", float(np.min(prices.price)), "price"),
        Fact("high", "High", float(np.max(prices.price)), "price"),
        Fact("heartbeat", "Steps at least every", terms.heartbeat, "seconds"),
        Fact("confidence", "Interval used with", terms.confidence, "share"),
        Fact("bound", "Expected loss kept under", terms.bound, "share"),
    )
    tables = [Table("feeds", FEEDS, tuple(rows))]
    if terms.attack:
        tables.append(Table("attacks", ATTACKS, tuple(_attacks(terms))))
    notes = (
        "false: closed before the true price was there; late: after; missed: never, though it was",
        "buffer needed: beyond the liquidation price, for this history and these accounts",
    )
    name = f"{title}; {prices.symbol or 'price'}"
    return Study("oracle", name, "USD", facts, tuple(tables), notes)


def annual(prices: Prices) -> float:
    """Realised volatility of a history, decimal per year."""
    moves = np.diff(np.log(prices.price))
    years = float(prices.time[-1] - prices.time[0]) / feeds.SECONDS
    return float(np.sqrt(np.sum(moves**2) / years))


class _Feed(NamedTuple):
    name: str
    low: FloatArray  # what a long is judged by
    high: FloatArray  # what a short is
    model: float | None = None


def _feeds(prices: Prices, terms: OracleTerms, volatility: float) -> list[_Feed]:
    time, price = prices.time, prices.price
    lag = feeds.lag(volatility, terms.lag, 0.99)
    average = feeds.average_deviation(volatility, terms.window)
    step = feeds.deviation_feed(terms.threshold, lag.deviation, 0.99)

    def one(name: str, seen: FloatArray, model: float | None = None) -> _Feed:
        return _Feed(name, seen, seen, model)

    late = replay.lagged(time, price, terms.lag)
    found = [
        one("true price", price),
        one(f"lag {terms.lag:g} s", late, lag.quantile),
        one(
            f"steps {terms.threshold * 100.0:.3g} %",
            replay.lagged(
                time, replay.stepped(time, price, terms.threshold, terms.heartbeat), terms.lag
            ),
            step,
        ),
        one(
            f"average {terms.window:g} s",
            replay.averaged(time, price, terms.window),
            average * feeds.lag(1.0, feeds.SECONDS, 0.99).quantile,
        ),
    ]
    if terms.interval:
        width = feeds.confidence_multiple(terms.confidence) * terms.interval
        name = f"interval {terms.interval * 100.0:.3g} %"
        found.append(_Feed(name, price * (1.0 - width), price * (1.0 + width)))
    if prices.own is not None:
        found.append(one("own price", prices.own))
    if terms.attack:
        found.append(one(f"attack {terms.attack * 100.0:+.3g} %", _attacked(prices, terms)))
    return found


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
    error = np.abs(feed.low / prices.price - 1.0)
    found = replay.together(
        *(
            replay.errors(prices.price, seen, _accounts(line, up=up), up=up)
            for up, seen in ((False, feed.low), (True, feed.high))
        )
    )
    return (
        feed.name,
        float(np.mean(error)),
        float(np.max(error)),
        *found[:6],
        found.buffer(terms.bound),
        feed.model,
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
    limits = {
        "lag": (0.0, 1e7),
        "threshold": (1e-6, 1.0),
        "heartbeat": (0.0, 1e8),
        "window": (0.0, 1e7),
        "attack": (-0.95, 10.0),
        "attacked": (0.01, 1.0),
        "interval": (0.0, 0.2),
        "confidence": (0.5, 0.9999),
        "bound": (0.0, 1.0),
    }
    for name, (least, most) in limits.items():
        value = getattr(terms, name)
        if not least <= value <= most:
            wanted = f"a number from {least:g} to {most:g}"
            raise input_error(f"--{name.replace('_', '-')}", shown(value), wanted)
