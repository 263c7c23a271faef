"""Feeds over a history of prices: what an engine sees, whom it closes wrongly, late or never.

Prices hold from their time until the next. A feed is a column of what is seen at each time; an
account is closed at the true price of the first time at which what is seen reaches its liquidation
price.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray


def known(time: FloatArray, seconds: float) -> IntArray:
    """Return the row that is seen at each time by who sees so late; at first the first one."""
    return np.maximum(np.searchsorted(time, time - seconds, side="right") - 1, 0)


def stepped(time: FloatArray, price: FloatArray, threshold: float, heartbeat: float) -> IntArray:
    """Return the row that a feed says at each time: it moves when the price has, or its time is up.

    Parameters
    ----------
    threshold : relative move after which it says a price anew
    heartbeat : seconds after which it does so anyway
    """
    said = np.empty(len(price), np.int64)
    last, moment, own = price[0], time[0], 0
    for row, (now, at) in enumerate(zip(price.tolist(), time.tolist(), strict=True)):
        if abs(now / last - 1.0) >= threshold or at - moment >= heartbeat:
            last, moment, own = now, at, row
        said[row] = own
    return said


def held(refused: BoolArray) -> IntArray:
    """Return the row of the last price that was not refused, at first the first one.

    An engine that has no price does nothing, and an engine that keeps the last one has done all.
    """
    return np.maximum.accumulate(np.where(refused, 0, np.arange(len(refused))))


def averaged(time: FloatArray, price: FloatArray, window: float) -> FloatArray:
    """Return the average over a window of time, of what there is of it."""
    held = np.concatenate([[0.0], np.cumsum(price[:-1] * np.diff(time))])
    start = np.maximum(time - window, time[0])
    at_start = np.interp(start, time, held)
    span = time - start
    mean: FloatArray = np.divide(held - at_start, span, out=price.copy(), where=span > 0.0)
    return mean


class Push(NamedTuple):
    """A price that someone holds away from the market: from when, for how long, how far."""

    start: float
    seconds: float
    move: float

    def on(self, time: FloatArray, price: FloatArray) -> FloatArray:
        """Return prices with it."""
        inside = (time >= self.start) & (time < self.start + self.seconds)
        return np.where(inside, price * (1.0 + self.move), price)


class Outcome(NamedTuple):
    """What an engine did to accounts, shape (A,) each, and T times where it never did.

    Attributes
    ----------
    due : first time at which the true price reached an account
    done : first time at which what the engine saw did
    """

    due: IntArray
    done: IntArray


def outcome(true: FloatArray, seen: FloatArray, price: FloatArray, *, up: bool = False) -> Outcome:
    """Find when accounts were due, and when they were closed.

    Parameters
    ----------
    true, seen : shape (T,)
    price : shape (A,), liquidation prices
    """
    return Outcome(_reached(true, price, up), _reached(seen, price, up))


def _reached(path: FloatArray, price: FloatArray, up: bool) -> IntArray:
    sign = -1.0 if up else 1.0
    return np.searchsorted(-np.minimum.accumulate(sign * path), -sign * price, side="left")


class Errors(NamedTuple):
    """What a feed's errors did.

    Attributes
    ----------
    liquidated : accounts
    false : closed before the true price reached them, or without it ever doing so
    late : closed after it had
    missed : never closed, though it had
    slipped : by which the true price was beyond the liquidation price when they were closed, money
    bad_debt : by which it was beyond bankruptcy, and is at the end of those missed, money
    past : shape (K,), relative distances past the liquidation price of those that were closed
    weight : shape (K,), money of each
    """

    liquidated: int
    false: int
    late: int
    missed: int
    slipped: float
    bad_debt: float
    past: FloatArray
    weight: FloatArray

    def buffer(self, bound: float) -> float:
        """Return the least buffer that keeps the average loss beyond it at most `bound`."""
        whole = float(np.sum(self.weight))
        order = np.argsort(-self.past)
        past, weight = self.past[order], self.weight[order]
        if not len(past) or past[0] <= 0.0:
            return 0.0
        # Between two distances the loss is a line in the buffer: find the one that holds the bound.
        held, owed = np.cumsum(weight), np.cumsum(weight * past)
        level = (owed - bound * whole) / held
        below = np.append(past[1:], -np.inf)
        place = int(np.argmax(level >= below))
        return max(float(level[place]), 0.0)


class Closed(NamedTuple):
    """Accounts to close, shape (A,) each: liquidation price, units, bankruptcy price."""

    price: FloatArray
    size: FloatArray
    bankrupt: FloatArray


def errors(true: FloatArray, seen: FloatArray, accounts: Closed, *, up: bool = False) -> Errors:
    """Close accounts as an engine that sees `seen` would, at true prices."""
    found = outcome(true, seen, accounts.price, up=up)
    end, sign = len(true), -1.0 if up else 1.0
    closed, missed = found.done < end, (found.done == end) & (found.due < end)
    at = true[np.minimum(found.done, end - 1)]
    past = np.where(closed, sign * (accounts.price - at), 0.0)
    owes = (closed | missed) & ~np.isnan(accounts.bankrupt)
    owed = np.where(owes, sign * (accounts.bankrupt - at), 0.0)
    return Errors(
        int(np.sum(closed)),
        int(np.sum(closed & (found.due > found.done))),
        int(np.sum(closed & (found.due < found.done))),
        int(np.sum(missed)),
        float(np.sum(np.maximum(past, 0.0) * accounts.size)),
        float(np.sum(np.maximum(owed, 0.0) * accounts.size)),
        (past / accounts.price)[closed],
        (accounts.price * accounts.size)[closed],
    )


def together(one: Errors, other: Errors) -> Errors:
    """Add what happened to longs and to shorts."""
    sums = (first + second for first, second in zip(one[:6], other[:6], strict=True))
    past, weight = (np.concatenate(pair) for pair in zip(one[6:], other[6:], strict=True))
    return Errors._make([*sums, past, weight])
