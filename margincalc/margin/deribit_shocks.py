"""What Deribit's portfolio margin charges beside its tables: the roll of expiries, and size."""

from typing import Annotated

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Parameters, Share
from margincalc.pricing import black

Amount = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=1e12)]


class RollShock(Parameters):
    """Annualised move of a forward against the others, and the least move."""

    annualised_move_risk: Share
    min_annualised_move: Share


class DeltaShock(Parameters):
    """A charge on delta beyond a threshold, growing by `m_inc` per coin."""

    threshold_usd: Amount
    max_delta_shock: Share
    m_inc: Share


def roll_shock(book: Book, rows: IntArray, table: IntArray, parameters: RollShock) -> FloatArray:
    """Charge the net delta of each expiry with the move of its forward, shape (A,).

    The move is ``annualised_move_risk`` times the years to expiry, and at least the minimum, which
    is what a perpetual pays.

    Parameters
    ----------
    rows : position rows of contracts on one coin, shape (P,)
    table : which table each belongs to, shape (P,)
    """
    time = book.instruments.time[book.instrument[rows]]
    first, labels = group_rows(book.pool[rows], table, time)
    net = group_sum(_delta(book, rows), labels, len(first))
    years = parameters.annualised_move_risk * time[first]
    move = np.maximum(years, parameters.min_annualised_move)
    price = book.money(book.spot[book.underlying[rows[first]]], rows[first])
    return group_sum(np.abs(net) * move * price, book.pool[rows[first]], book.pools)


def delta_shock(book: Book, rows: IntArray, table: IntArray, parameters: DeltaShock) -> FloatArray:
    """Charge delta beyond a threshold with a move that grows with it, shape (A,).

    Delta is that of futures and short options; long options reduce it, at most to nothing.

    Parameters
    ----------
    rows, table : as of `roll_shock`
    """
    first, labels = group_rows(book.pool[rows], table)
    option = book.instruments.kind[book.instrument[rows]] == int(Kind.OPTION)
    bought = option & (book.quantity[rows] > 0.0)
    delta = _delta(book, rows)
    risk = group_sum(np.where(bought, 0.0, delta), labels, len(first))
    long_options = group_sum(np.where(bought, delta, 0.0), labels, len(first))
    relief = np.maximum(-np.sign(risk) * long_options, 0.0)
    size = np.maximum(np.abs(risk) - relief, 0.0)
    spot = book.spot[book.underlying[rows[first]]]
    beyond = np.maximum(size - parameters.threshold_usd / spot, 0.0)
    move = np.minimum(parameters.m_inc * beyond, parameters.max_delta_shock)
    charge = move * size * book.money(spot, rows[first])
    return group_sum(charge, book.pool[rows[first]], book.pools)


def _delta(book: Book, rows: IntArray) -> FloatArray:
    """Delta of position rows in coin: of an option on its forward, of an inverse future at mark."""
    columns = book.instruments.take(book.instrument[rows])
    forward = columns.forward
    unit = np.divide(1.0, forward, out=np.ones(len(rows)), where=columns.inverse & (forward > 0.0))
    option = np.flatnonzero(columns.is_kind(Kind.OPTION))
    own = columns.take(option)
    unit[option] = black.greeks_unchecked(
        own.forward, own.strike, own.volatility, own.time, own.call
    ).delta
    delta: FloatArray = book.quantity[rows] * columns.multiplier * unit
    return delta
