"""Hedge a book of fifty options with five hundred candidates, over two hundred markets.

The candidates are a real Deribit chain where MARGINCALC_DATA names a folder that holds one, and a
made-up chain of the same shape otherwise. The peer is the same programme with every scenario of
every market as a row from the start.
"""

import csv
import gzip
import math
import os
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import margincalc as mc
from benchmarks.clock import in_process, in_turns, walls
from benchmarks.tables import Comparison, Table, compared, duration
from margincalc.answers.margining import Rules, margined
from margincalc.assembly.pools import labels
from margincalc.hedge.aims import Request
from margincalc.hedge.catalogue import catalogue
from margincalc.hedge.cure import cure
from margincalc.hedge.optimum import Optimum
from margincalc.hedge.problem import Problem, problem_of
from margincalc.hedge.programme import Programme

FOLDER = "MARGINCALC_DATA"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
Quotes = dict[str, dict[str, Any]]


class Sizes(NamedTuple):
    """How many legs, candidates and moves of spot (each with five of volatility), how often."""

    legs: int = 50
    candidates: int = 500
    moves: int = 40
    turns: int = 3


class Chain(NamedTuple):
    """A market of options, and where it comes from."""

    source: str
    as_of: str
    spot: float
    expiries: dict[str, dict[str, float]]
    quotes: Quotes


def tables(sizes: Sizes) -> list[Table]:
    """Time the whole cure, and the programme alone against all of its rows at once."""
    chain = real_chain() or made_chain()
    problem = book_problem(chain, sizes)
    found = cure(problem)
    if found.z is None or found.solution is None:
        raise RuntimeError("the book has no hedge to time")
    programme = found.programme
    works = [
        in_process(lambda: cure(problem)),
        in_process(lambda: _programme(problem)),
        in_process(lambda: Optimum(programme).solve()),
        in_process(lambda: Optimum(programme, eager=True).solve()),
    ]
    whole, built, lazy, dense = (walls(costs) for costs in in_turns(works, sizes.turns))
    every = sum(scan.scenarios.size for node in programme.nodes for scan in node.scans)
    rows = [Comparison("programme solved", lazy, dense, "all rows at once")]
    how = (
        f"Wall time in one process, {sizes.turns} turns: {sizes.legs} legs, "
        f"{problem.candidates} candidates of {chain.source}, {len(programme.nodes)} markets, "
        f"`generic-portfolio`: {found.solution.rows:,} rows in {found.solution.rounds} rounds in "
        f"place of {every + len(programme.nodes):,} and more. Building the programme takes "
        f"{duration(sorted(built)[len(built) // 2])}, the whole cure, with deposit and reduction "
        f"alone and every answer margined anew, {duration(sorted(whole)[len(whole) // 2])}."
    )
    return [compared("A hedge over a range of markets", how, rows)]


def _programme(problem: Problem) -> Programme:
    programme = Programme(problem)
    programme.add(problem.aim.moves())
    return programme


def book_problem(chain: Chain, sizes: Sizes) -> Problem:
    """Return the problem of a book that is short of a third of the equity that it needs."""
    rng = Random(4)
    names = sorted(chain.quotes, key=lambda name: _distance(name, chain))[: sizes.candidates]
    legs = rng.sample(names, sizes.legs)
    positions = [{"instrument": name, "quantity": rng.choice((-4, -2, -1, 2))} for name in legs]
    market = {"BTC": {"spot": chain.spot, "settlement": "inverse", "expiries": chain.expiries}}
    written = {
        "as_of": chain.as_of,
        "market": market,
        "quotes": {name: chain.quotes[name] for name in names},
        "positions": positions,
    }
    bare = mc.margin(mc.Portfolio.model_validate(written))
    cash = bare.maintenance_margin - bare.equity
    collateral = [{"asset": "USD", "quantity": round(cash, 2)}]
    portfolio = mc.Portfolio.model_validate({**written, "collateral": collateral})
    account = margined(portfolio, Rules())
    aim = mc.Aim(spot=(-0.15, 0.15), volatility=(-0.2, 0.4), nodes=sizes.moves, between=1)
    request = Request(aim)
    found = catalogue(portfolio, labels("portfolio", "account"), names, fixed=True)
    return problem_of((account.book, 0, account.model), found, request)


def _distance(name: str, chain: Chain) -> float:
    return abs(math.log(float(name.split("-")[2]) / chain.spot))


def real_chain() -> Chain | None:
    """Read a chain of Deribit's BTC options, where there is one."""
    root = os.environ.get(FOLDER)
    files = sorted(Path(root, "deribit").glob("*.csv.gz")) if root else []
    if not files:
        return None
    quotes: Quotes = {}
    forwards: dict[str, dict[str, float]] = {}
    spot, as_of = 0.0, ""
    with gzip.open(files[0], "rt") as file:
        for row in csv.DictReader(file):
            volatility, mark = float(row["implied_volatility"]), float(row["mark_price"])
            if row["currency"] != "BTC" or mark < 1e-4 or volatility < 0.05:
                continue
            spot = float(row["index_price"] or spot)
            as_of = row["timestamp"]
            forwards[row["expiry_datetime"][:10]] = {"forward": float(row["underlying"])}
            sides = {"bid": row["bid_price"], "ask": row["ask_price"]}
            known = {side: float(price) for side, price in sides.items() if price}
            quotes[row["instrument_name"]] = {"volatility": volatility, **known}
    return Chain(f"Deribit's chain of {as_of[:10]}", as_of, spot, forwards, quotes)


def made_chain() -> Chain:
    """Make a chain of ten expiries and sixty strikes with a smile."""
    quotes = {}
    for month in range(10):
        day = f"28{MONTHS[month + 1]}26"
        for step in range(60):
            strike = 40_000 + 2_000 * step
            away = math.log(strike / 90_000.0)
            smile = {"volatility": round(0.5 + 0.3 * away * away - 0.05 * away, 4)}
            quotes[f"BTC-{day}-{strike}-C"] = smile
            quotes[f"BTC-{day}-{strike}-P"] = smile
    return Chain("a made-up chain", "2026-01-17T09:14:01Z", 90_000.0, {}, quotes)
