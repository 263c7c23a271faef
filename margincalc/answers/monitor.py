"""`simulate monitor`: the systemic risk of a population on one page."""

from typing import Any

import numpy as np

from margincalc.answers.accounts import Accounts
from margincalc.answers.cascade import LEVELS, run_of
from margincalc.answers.contagion import holdings
from margincalc.answers.stress import Terms, depth_of
from margincalc.answers.study import Fact, Field, Study, Table
from margincalc.answers.walked import Run
from margincalc.arrays import FloatArray
from margincalc.pricing.impact import Impact
from margincalc.simulation import firesale
from margincalc.simulation.linear_accounts import Line, is_linear, line_of

TOP = 10
FARTHEST = 1e4  # of the spot: prices beyond are one level
COVER = (
    Field("shock", "shock", "move"),
    Field("liquidated", "liquidated", "count"),
    Field("move", "ends at", "move"),
    Field("bad_debt", "bad debt", "money"),
    Field("cover", "fund / bad debt", "factor"),
)
EXPOSED = (
    Field("account", "most exposed to others", "text"),
    Field("risk", "risk index", "share"),
    Field("indirect", "loss by others' sales", "money"),
    Field("gross", "gross", "money", 1),
)


def monitor_study(accounts: Accounts, terms: Terms, run: Run | None = None) -> Study:
    """Put concentration, shelves, overlap and fund cover on one page; `run` as of a cascade's."""
    spot = accounts.spot
    run = run or run_of(accounts, terms)
    line = _line(accounts)
    near = _concentration(line, spot) if line is not None else ()
    exposed, overlap = _overlap(accounts, terms.law)
    shelf = [price for price in run.shelf if price is not None]
    nearest = min(shelf, key=lambda price: abs(price - spot)) if shelf else None
    facts = (
        Fact("spot", "Spot", spot, "price"),
        *near,
        Fact("shelf", "Nearest shelf (R over 1)", nearest, "price"),
        Fact("shelf_distance", "at", None if nearest is None else nearest / spot - 1.0, "move"),
        Fact("critical_fall", "Critical fall", run.critical[0], "move"),
        Fact("critical_rise", "Critical rise", run.critical[1], "move"),
        *overlap,
        Fact("fund", "Insurance fund", terms.fund, "money"),
    )
    cover = tuple(_cover(row, terms.fund) for row in run.curve)
    tables = [
        Table("levels", LEVELS, tuple(run.levels), shown=16),
        Table("cover", COVER, cover, shown=9),
    ]
    if exposed:
        tables.append(Table("exposed", EXPOSED, exposed))
    notes = ("R: units forced by the impact of one forced unit; over 1 liquidation feeds itself",)
    return Study("monitor", accounts.title, accounts.currency, facts, tuple(tables), notes)


def _line(accounts: Accounts) -> Line | None:
    if accounts.line is not None:
        return accounts.line
    population, venue = accounts.population, accounts.venue
    if population is None or venue is None or not is_linear(population.book):
        return None
    return line_of(population.book, venue.model)


def _concentration(line: Line, spot: float) -> tuple[Fact, ...]:
    """Say how much of all positions is liquidated near the spot, and how bunched."""
    price = np.where(np.isnan(line.below), line.above, line.below)
    size, far = line.size, np.abs(price / spot - 1.0)
    whole = float(np.sum(size))
    shares = [float(np.sum(size[far <= reach])) / whole if whole else 0.0 for reach in (0.05, 0.1)]
    reached = np.minimum(np.nan_to_num(price / spot, nan=-1.0), FARTHEST)
    place = np.floor(reached / 0.01).astype(np.int64)
    held = np.bincount(place - place.min(), weights=np.where(np.isnan(price), 0.0, size))
    known = float(np.sum(held))
    bunched = float(np.sum((held / known) ** 2)) if known else 0.0
    largest = float(np.max(size, initial=0.0)) / whole if whole else 0.0
    return (
        Fact("open", "Open positions", whole * spot, "money"),
        Fact("within_5", "liquidated within 5 %", shares[0], "share"),
        Fact("within_10", "within 10 %", shares[1], "share"),
        Fact("bunched", "Concentration of prices (HHI, 1 % levels)", bunched, "number"),
        Fact("largest", "Largest account", largest, "share"),
    )


def _cover(row: tuple[Any, ...], fund: float) -> tuple[Any, ...]:
    owed = row[8]
    return row[1], row[2], row[6], owed, fund / owed if owed > 0.0 else None


def _overlap(
    accounts: Accounts, law: Impact
) -> tuple[tuple[tuple[Any, ...], ...], tuple[Fact, ...]]:
    """Measure what accounts hold in common, of a population whose positions are known."""
    if accounts.population is None:
        return (), ()
    holding = holdings(accounts)
    depth = np.full(holding.shape[1], depth_of(law))
    found = firesale.contagion(np.abs(holding), depth)
    # Who sells what a holder has sold short does it no harm: overlap is of one side.
    signed = firesale.contagion(np.maximum(holding, 0.0), depth)
    order = np.argsort(-found.indirect, kind="stable")[:TOP].tolist()
    gross = np.sum(np.abs(holding), axis=1)
    rows = tuple(
        (
            accounts.population.names[row],
            float(found.risk[row]),
            float(found.indirect[row]),
            float(gross[row]),
        )
        for row in order
    )
    facts = (
        Fact("overlap", "Overlap (leading eigenvalue)", found.eigenvalue, "money"),
        Fact("overlap_long", "of longs", signed.eigenvalue, "money"),
        Fact("top_risk", "Ten largest risk indices", _top(found.risk), "share"),
    )
    return rows, facts


def _top(risk: FloatArray) -> float:
    return float(np.sum(np.sort(risk)[-TOP:]))
