"""SPAN's risk arrays: sixteen rows of a price move and a volatility move, one day on.

Price moves are multiples of the price scan range (0, 1/3, 2/3 and the whole of it, up and down),
each with volatility up and down by its scan range; the last two rows are extreme moves, of which a
fraction counts. Arrays are per long contract; ours are gains, where SPAN's files hold losses.

Source: CME's description of SPAN (the rows, their order, the composite delta).
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Instruments, Kind
from margincalc.errors import ModelRefusal
from margincalc.margin.base import Worst, placed
from margincalc.margin.scope import Scope
from margincalc.margin.span_entries import ROWS, Entries, Key
from margincalc.pricing import black
from margincalc.risk import UNCHANGED
from margincalc.scenarios import ScenarioGrid, VolatilityRule
from margincalc.times import DAYS_PER_YEAR

CONTRACTS = (Kind.OPTION, Kind.FUTURE)
_BEYOND = {Kind.PERPETUAL: "perpetuals", Kind.SPOT: "holdings that are no collateral"}
_SCOPE = Scope(settlement="linear", coin_accounts=False, american=True)
_STEPS = np.array([0, 1, -1, 2, -2, 3, -3]) / 3.0
_PAIR = np.array([1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 14, 15])  # the other volatility
_NAMES = ("unchanged", "+1/3", "-1/3", "+2/3", "-2/3", "+1", "-1")


class Ranges(NamedTuple):
    """How far each contract is scanned, shape (I,).

    Attributes
    ----------
    price : of the forward, quote currency
    volatility : in points, decimal per year
    """

    price: FloatArray
    volatility: FloatArray


class Arrays(NamedTuple):
    """What scanning needs of a contract, account currency per long contract.

    Attributes
    ----------
    risk : gain in each row, before its weight, shape (I, 16)
    delta : composite delta in deltas of the commodity, shape (I,)
    """

    risk: FloatArray
    delta: FloatArray


def refuse_beyond(book: Book) -> None:
    """Refuse a book that holds what has no risk array.

    Raises
    ------
    ModelRefusal
    """
    _SCOPE.refuse_beyond(book)
    for kind, name in _BEYOND.items():
        if np.any(book.instruments.is_kind(kind)):
            raise ModelRefusal(f"it lists options and futures, and the book has {name}")


def beyond_span(option: FloatArray, span: FloatArray) -> FloatArray:
    """Value of options beyond SPAN, shape (A,): a requirement on cash is never negative."""
    return np.maximum(option - span, 0.0)


def rows(extreme_move: float, extreme_cover: float, look_ahead: float) -> ScenarioGrid:
    """Return the sixteen rows; moves are multiples of the scan ranges.

    Parameters
    ----------
    extreme_move : in price scan ranges
    extreme_cover : share of an extreme row that counts
    look_ahead : days that pass
    """
    names = [
        f"price {name}{' range' if number else ''}, IV {side}"
        for number, name in enumerate(_NAMES)
        for side in ("up", "down")
    ]
    extremes = [f"price {sign}{extreme_move:g} ranges" for sign in "+-"]
    weight = f", weight {extreme_cover * 100:g} %" if extreme_cover < 1.0 else ""
    return ScenarioGrid(
        np.concatenate([np.repeat(_STEPS, 2), [extreme_move, -extreme_move]]),
        np.concatenate([np.tile([1.0, -1.0], 7), [0.0, 0.0]]),
        np.concatenate([np.ones(14), [extreme_cover, extreme_cover]]),
        np.full(ROWS, look_ahead),
        VolatilityRule(),
        (*names, *(name + weight for name in extremes)),
    )


def valued(columns: Instruments, ranges: Ranges, grid: ScenarioGrid) -> FloatArray:
    """Gain of one long contract in each row by Black (1976) on its forward, shape (I, S).

    The forward does not drift as the day passes, and exercise is taken to be European.
    """
    return _worth(columns, ranges, grid) - _worth(columns, ranges, UNCHANGED)


def _worth(columns: Instruments, ranges: Ranges, grid: ScenarioGrid) -> FloatArray:
    forward = np.maximum(columns.forward[:, None] + ranges.price[:, None] * grid.spot, 0.0)
    option = np.flatnonzero(columns.is_kind(Kind.OPTION))
    if len(option):
        own, time = columns.take(option), _time_left(columns, grid)[option]
        moved = ranges.volatility[option][:, None] * grid.volatility
        shape = time.shape
        price = black.price_unchecked(
            forward[option],
            np.broadcast_to(own.strike[:, None], shape),
            np.maximum(own.volatility[:, None] + moved, 0.0),
            time,
            np.broadcast_to(own.call[:, None], shape),
        )
        forward[option] = np.exp(-own.rate[:, None] * time) * price
    return columns.multiplier[:, None] * forward


def _time_left(columns: Instruments, grid: ScenarioGrid) -> FloatArray:
    return np.maximum(columns.time[:, None] - grid.days_forward / DAYS_PER_YEAR, 0.0)


def composite_delta(
    columns: Instruments, ranges: Ranges, weights: tuple[float, ...], look_ahead: float
) -> FloatArray:
    """Weighted mean of the deltas at the seven price points, per unit of the underlying, (I,).

    Parameters
    ----------
    weights : of no move, and of each move of 1/3, 2/3 and the whole range
    """
    delta = np.ones(len(columns.kind))
    option = np.flatnonzero(columns.is_kind(Kind.OPTION))
    if not len(option):
        return delta
    own = columns.take(option)
    moved = own.forward[:, None] + ranges.price[option][:, None] * _STEPS
    shape = moved.shape
    time = np.maximum(own.time - look_ahead / DAYS_PER_YEAR, 0.0)
    points = black.greeks_unchecked(
        np.maximum(moved, 0.0),
        np.broadcast_to(own.strike[:, None], shape),
        np.broadcast_to(own.volatility[:, None], shape),
        np.broadcast_to(time[:, None], shape),
        np.broadcast_to(own.call[:, None], shape),
    ).delta
    each = np.repeat(np.array(weights), [1, 2, 2, 2])
    delta[option] = np.sum(points * each, axis=1) / np.sum(each)
    return delta


def days(book: Book, columns: Instruments) -> Any:
    """Return the day on which each contract expires, as numpy dates."""
    # A tenth of a second more, because years of 365 days round.
    day = np.floor(book.valued + columns.time * DAYS_PER_YEAR + 1e-6)
    return np.where(np.isnan(day), 0.0, day).astype(np.int64).astype("datetime64[D]")


def looked_up(book: Book, entries: Entries) -> Arrays:
    """Return the published arrays of instruments.

    Raises
    ------
    ModelRefusal
        If one has none.
    """
    columns = book.instruments
    names = {name: row for row, name in enumerate(dict.fromkeys(book.names.underlyings))}
    named = np.array([names[name] for name in book.names.underlyings], np.int64)
    option = columns.is_kind(Kind.OPTION)
    right = np.where(option, np.where(columns.call, 1, 2), 0)
    day = days(book, columns)
    first, labels = group_rows(named[columns.underlying], right, columns.strike, day)
    found = []
    for row in first:
        name = book.names.underlyings[columns.underlying[row]]
        key = Key(name, " CP"[right[row]].strip(), float(columns.strike[row]), str(day[row]))
        month = key._replace(expiry=key.expiry[:7])
        entry = entries[key] if key in entries else entries.get(month)
        if entry is None:
            listed = key in entries or month in entries
            reason = "several that differ" if listed else "none"
            contract = " ".join(str(part) for part in key if part)
            raise ModelRefusal(f"arrays has {reason} for {contract}")
        found.append(entry)
    risk = np.array([entry.gains for entry in found]).reshape(len(found), ROWS)
    return Arrays(risk[labels], np.array([entry.delta for entry in found])[labels])


class Scan(NamedTuple):
    """Profit and loss of what is scanned together (G groups of position rows).

    Attributes
    ----------
    pool, unit : whose, and which combined commodity, shape (G,)
    pnl : weighted, shape (G, 16)
    worst : the binding row of each
    """

    pool: IntArray
    unit: IntArray
    pnl: FloatArray
    worst: Worst

    @property
    def risk(self) -> FloatArray:
        """Scan risk: the worst weighted loss, and never a gain."""
        risk: FloatArray = np.maximum(-np.min(self.pnl, axis=1), 0.0)
        return risk

    @property
    def price_risk(self) -> FloatArray:
        """Loss by the price alone: less what volatility and the passing day add.

        The mean over both volatilities at the binding price, less that at the present price.
        """
        loss, each = -self.pnl, np.arange(len(self.pnl))
        binding = np.argmin(self.pnl, axis=1) if len(self.pnl) else np.zeros(0, np.int64)
        both = 0.5 * (loss[each, binding] + loss[each, _PAIR[binding]])
        risk: FloatArray = np.maximum(both - 0.5 * (loss[:, 0] + loss[:, 1]), 0.0)
        return risk


def scan(book: Book, arrays: Arrays, grid: ScenarioGrid, keys: tuple[IntArray, IntArray]) -> Scan:
    """Scan a book of contracts.

    Parameters
    ----------
    keys : combined commodity and scan tier of each position row, shape (P,)
    """
    unit, tier = keys
    first, labels = group_rows(book.pool, unit, tier)
    held = book.quantity[:, None] * arrays.risk[book.instrument]
    pnl = group_sum(held * grid.weight, labels, len(first))
    scenario = np.argmin(pnl, axis=1) if len(first) else np.zeros(0, np.int64)
    part, own = group_rows(book.pool, unit, tier, book.underlying)
    every = group_sum(held, own, len(part))
    chosen = scenario[labels[part]]
    worst = Worst(
        book.pool[part],
        book.underlying[part],
        np.zeros(len(part), np.int64),
        chosen,
        every[np.arange(len(part)), chosen] * grid.weight[chosen],
        cache(lambda: (held * grid.weight)[np.arange(len(labels)), scenario[labels]]),
        every,
    )
    return Scan(book.pool[first], unit[first], pnl, worst)


def spread_out(worst: Worst, rows: IntArray, positions: int) -> Worst:
    """Return a worst row of some position rows as one of all of them."""
    return worst._replace(by_position=placed(positions, (rows, worst.by_position)))
