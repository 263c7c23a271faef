"""A desk that follows ticks, against one that computes everything again."""

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

import margincalc as mc
from benchmarks import books, models
from benchmarks.tables import NONE, Table, duration
from margincalc.answers.margining import Rules, margined
from margincalc.book import Book
from margincalc.feed.desk import Desk
from margincalc.feed.market import listing, ticked
from margincalc.feed.reach import Reach
from margincalc.feed.ticks import Tick
from margincalc.kernels import compiled
from margincalc.margin.base import MarginModel
from margincalc.margin.load import load_model
from margincalc.pricer import using

START = dt.datetime.combine(books.AS_OF, dt.time(8), dt.UTC)
ONE_SPOT_IN = 20  # ticks; the others quote one instrument
MODEL = "generic-portfolio"


class Sizes(NamedTuple):
    """How large the book and the exchange are, and how many ticks each follows."""

    positions: int = 1_000
    accounts: int = 10_000
    ticks: int = 2_000
    recomputed: int = 40


def tables(sizes: Sizes) -> list[Table]:
    """Follow ticks on a book and on an exchange, then compute some of them anew."""
    with TemporaryDirectory() as folder:
        (path,) = books.write(Path(folder), books.book(sizes.positions), ("json",))
        one = margined(mc.load(path), Rules(settings=books.SETTINGS))
    model = load_model(MODEL, books.AS_OF).model
    works = (
        (f"a book of {sizes.positions:,} positions", one.book, one.model),
        (f"{sizes.accounts:,} accounts", models.exchange(MODEL, sizes.accounts), model),
    )
    rows = [_row(what, book, rules, sizes) for what, book, rules in works]
    header = (
        *("what", "ticks/s", "median", "99th percentile"),
        *("all anew, median", "times faster", "on average"),
    )
    how = (
        f"Latency of each of {sizes.ticks:,} ticks, one in {ONE_SPOT_IN} a spot and the others a "
        "volatility of one option, from the tick to where every account stands, in one process "
        "with compiled kernels; "
        f"against applying the tick and margining everything anew, {sizes.recomputed} times, with "
        "the same share of spots. Times faster is by the medians; on average spots, which touch "
        "nearly everything, weigh more. Both give the same figures to the last bit "
        f"({MODEL})."
    )
    return [Table("Watching", how, header, tuple(rows))]


def _row(what: str, book: Book, model: MarginModel, sizes: Sizes) -> tuple[str, ...]:
    desk = Desk(book, model, START, compiled())
    ticks = draw(book, sizes.ticks)
    took = []
    for tick in ticks:
        began = time.perf_counter()
        desk.apply([tick])
        took.append(time.perf_counter() - began)
    anew = _anew(book, model, ticks[: sizes.recomputed])
    return (
        what,
        f"{len(took) / sum(took):,.0f}",
        duration(float(np.median(took))),
        duration(float(np.quantile(took, 0.99))),
        duration(float(np.median(anew))) if anew else NONE,
        f"{np.median(anew) / np.median(took):.1f}" if anew else NONE,
        f"{np.mean(anew) / np.mean(took):.1f}" if anew else NONE,
    )


def _anew(book: Book, model: MarginModel, ticks: Sequence[Tick]) -> list[float]:
    """Return what each tick takes without keeping anything."""
    where, took = listing(book), []
    for tick in ticks:
        began = time.perf_counter()
        with using(compiled()):
            book, _ = ticked(_nothing_kept(book), where, tick, Reach())
            result = model.margin(book)
        _ = result.maintenance, result.initial
        took.append(time.perf_counter() - began)
    return took


def _nothing_kept(book: Book) -> Book:
    """Return the book without what was worked out of its holdings and terms before."""
    return replace(book, instruments=replace(book.instruments))


def draw(book: Book, count: int) -> list[Tick]:
    """Return small changes of what a book holds, always the same."""
    rng = Random(count)
    options = np.flatnonzero(book.instruments.strike > 0.0).tolist()
    spot = book.spot.tolist()
    ticks = []
    for number in range(count):
        moment = START + dt.timedelta(milliseconds=10 * number)
        if number % ONE_SPOT_IN == 0:
            row = rng.randrange(len(spot))
            spot[row] *= rng.uniform(0.999, 1.001)
            ticks.append(Tick(moment, book.names.underlyings[row], spot=spot[row]))
            continue
        row = rng.choice(options)
        volatility = float(book.instruments.volatility[row]) * rng.uniform(0.98, 1.02)
        ticks.append(Tick(moment, instrument=book.names.instruments[row], volatility=volatility))
    return ticks
