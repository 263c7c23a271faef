"""Ticks of all sorts for a desk, and what margining everything anew says of its market."""

import datetime as dt
from dataclasses import replace
from random import Random

import numpy as np

from margincalc.book import Book, Kind
from margincalc.feed.desk import Desk, Figures, standing
from margincalc.feed.ticks import Refused, Tick
from margincalc.portfolio.names import parse
from margincalc.pricer import using
from margincalc.risk import now


def line(rng: Random, desk: Desk) -> list[Tick]:
    """Return some small changes of what a desk holds, in one line."""
    time = desk.time + dt.timedelta(seconds=rng.choice([0, 0, 0, 1, 5, 40]))
    return [_tick(rng, desk.book)._replace(time=time) for _ in range(rng.choice([1, 1, 1, 2, 4]))]


def _tick(rng: Random, book: Book) -> Tick:
    contracts = [row for row, name in enumerate(book.names.instruments) if parse(name)]
    if not contracts or rng.random() < 0.2:
        row = rng.randrange(len(book.names.underlyings))
        name, spot = book.names.underlyings[row], float(book.spot[row])
        return Tick(underlying=name, spot=spot * rng.uniform(0.97, 1.03))
    row = rng.choice(contracts)
    name, columns = book.names.instruments[row], book.instruments
    kind, forward = columns.kind[row], float(columns.forward[row]) * rng.uniform(0.99, 1.01)
    terms = parse(name)
    if kind in (Kind.OPTION, Kind.FUTURE) and terms and terms.expiry and rng.random() < 0.2:
        underlying = book.names.underlyings[columns.underlying[row]]
        return Tick(underlying=underlying, expiry=terms.expiry.isoformat(), forward=forward)
    if kind == Kind.PERPETUAL and rng.random() < 0.3:
        return Tick(instrument=name, funding=rng.uniform(-1e-3, 1e-3), mark=forward)
    if kind != Kind.OPTION:
        return Tick(instrument=name, mark=forward)
    return _of_option(rng, book, row)._replace(forward=forward if rng.random() < 0.2 else None)


def _of_option(rng: Random, book: Book, row: int) -> Tick:
    """Quote a volatility, a mark, or both."""
    columns, name = book.instruments, book.names.instruments[row]
    volatility = float(columns.volatility[row]) * rng.uniform(0.9, 1.1)
    part = replace(book, instruments=columns.take(np.array([row])))
    worth = max(float(now(part)[0]), 0.0) * rng.uniform(0.97, 1.03)
    spot = float(book.spot[columns.underlying[row]])
    unit = float(columns.multiplier[row]) * (spot if columns.inverse[row] else 1.0)
    mark = worth * (spot if book.coin else 1.0) / unit
    quoted = rng.choice(["volatility", "volatility", "mark", "both"])
    return Tick(
        instrument=name,
        volatility=None if quoted == "mark" else volatility,
        mark=None if quoted == "volatility" else mark,
    )


def anew(desk: Desk) -> Figures:
    """Margin everything in a desk's market, with nothing kept of what was worked out before."""
    book = replace(desk.book, instruments=replace(desk.book.instruments))
    with using(replace(desk.pricer, known=None)):
        return standing(book, desk.model.margin(book))


def follow(rng: Random, desk: Desk, lines: int) -> int:
    """Apply lines of ticks, check each to the last bit, and return how many were not refused."""
    used = 0
    for _ in range(lines):
        try:
            desk.apply(line(rng, desk))
            used += 1
        except Refused:  # a mark that no volatility gives, a forward below its fixed part
            pass
        for name, kept, fresh in zip(Figures._fields, desk.figures, anew(desk), strict=True):
            np.testing.assert_array_equal(kept, fresh, err_msg=name)
    return used
