"""Prices, Greeks and implied volatilities against other people's: how fast, and how right."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks import peers
from benchmarks.clock import in_process, in_turns, walls
from benchmarks.exact import exact_greeks, worst_error
from benchmarks.peers import Options
from benchmarks.tables import NONE, Comparison, Table, compared
from margincalc.arrays import FloatArray
from margincalc.pricing import black, implied

TARGET = 1.5


class Sizes(NamedTuple):
    """How many options, and of these how many for the slow; `proof` is for mpmath."""

    turns: int = 31
    options: int = 100_000
    quantlib: int = 5_000
    vollib: int = 1_000
    proof: int = 400


def tables(sizes: Sizes) -> list[Table]:
    """Time prices and Greeks, then implied volatility, then measure errors."""
    return [_speed(sizes), _errors(sizes)]


def our_greeks(options: Options) -> FloatArray:
    """Our own price, delta, gamma, vega and theta, shape (5, N)."""
    found = black.greeks(*options)
    return np.stack([getattr(found, name) for name in peers.GREEKS])


def our_implied(options: Options, price: FloatArray) -> FloatArray:
    """Our own implied volatilities."""
    terms = (options.forward, options.strike, options.time, options.call)
    return implied.implied_volatility(price, *terms).volatility


def _speed(sizes: Sizes) -> Table:
    options = peers.realistic(sizes.options)
    quantlib, vollib = options.first(sizes.quantlib), options.first(sizes.vollib)
    quoted = peers.out_of_the_money(options)
    price = black.price(*quoted)
    some, some_price = quoted.first(sizes.vollib), price[: sizes.vollib]
    works: list[Callable[[], object]] = [
        lambda: black.greeks(*options),
        lambda: peers.numpy_greeks(options),
        lambda: peers.quantlib_greeks(quantlib),
        lambda: peers.vollib_greeks(vollib),
        lambda: our_implied(quoted, price),
        lambda: peers.vollib_implied(some, some_price),
    ]
    costs = in_turns([in_process(work) for work in works], sizes.turns)
    ours, plain, ql, loop, volatility, loop_volatility = (walls(cost) for cost in costs)
    every = sizes.options
    greeks, inverse = "price and 4 Greeks", "implied volatility"
    rows = [
        Comparison(greeks, ours, plain, "NumPy with ndtr", TARGET, (every, every)),
        Comparison(greeks, ours, ql, "QuantLib loop", None, (every, sizes.quantlib)),
        Comparison(greeks, ours, loop, "vollib loop", None, (every, sizes.vollib)),
        Comparison(
            inverse, volatility, loop_volatility, "vollib loop", None, (every, sizes.vollib)
        ),
    ]
    how = (
        f"Wall time per option in one process, {sizes.turns} turns: price, delta, gamma, vega and "
        f"theta of {every:,} options by `black.greeks`, arguments checked, against the formula "
        f"written plainly in NumPy; QuantLib's BlackCalculator and vollib price one option at a "
        f"time, so {sizes.quantlib:,} and {sizes.vollib:,} of the same options were timed and "
        "their time scaled per option."
    )
    return compared("Pricing", how, rows)


def _errors(sizes: Sizes) -> Table:
    """Measure the largest relative error of everyone, of ordinary options and in the tails."""
    greeks = {
        "margincalc": our_greeks,
        "NumPy with ndtr": peers.numpy_greeks,
        "QuantLib": peers.quantlib_greeks,
        "vollib": peers.vollib_greeks,
    }
    inverses = {"margincalc": our_implied, "vollib": peers.vollib_implied}
    rows = []
    for where, options in (
        ("ordinary", peers.realistic(sizes.proof)),
        ("tails", peers.tails(sizes.proof)),
    ):
        quoted = peers.out_of_the_money(options)
        exact, price = exact_greeks(options), exact_greeks(quoted)[0]
        for name, formula in greeks.items():
            errors = map(worst_error, formula(options), exact)
            inverse = inverses.get(name)
            last = NONE
            if inverse is not None:
                last = _error(worst_error(inverse(quoted, price), options.volatility))
            rows.append((f"{name}, {where}", *map(_error, errors), last))
    how = (
        f"Largest relative error against mpmath of {sizes.proof} ordinary options and of "
        f"{sizes.proof} that are out of the money by 6 to 35 deviations; implied volatilities are "
        "of exact prices of the out-of-the-money kind."
    )
    header = ("largest relative error", *peers.GREEKS, "implied volatility")
    return Table("Accuracy", how, header, tuple(rows))


def _error(number: float) -> str:
    return f"{number:.1e}"
