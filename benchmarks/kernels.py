"""The compiled kernels against what the same work costs elsewhere."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import margincalc as mc
from benchmarks import libmvec, peers, venue
from benchmarks.clock import Cost, cpus, in_process, in_turns, walls
from benchmarks.tables import Comparison, Table, compared
from margincalc.answers.margining import Rules
from margincalc.arrays import FloatArray
from margincalc.batch.universe import universe
from margincalc.kernels import black, compiled
from margincalc.risk import now, risk_array
from margincalc.scenarios import ScenarioGrid

Costs = tuple[Cost, ...]
Keys = npt.NDArray[np.int32]
THREADS = 2
IN_A_ROW = 10
SCENARIOS = 64
PART = 10_000  # accounts that a thread takes at once, a few times a book of `batch`
OPTIONS_AT_ONCE = 10_000
AT_ONCE = 5_000  # accounts of one matrix: what they lose in every scenario stays in cache


class Sizes(NamedTuple):
    """How much: options to price; accounts; turns, and fewer beside SQL."""

    turns: int = 15
    options: int = 100_000
    accounts: int = 1_000_000
    slow_turns: int = 5


class Holdings(NamedTuple):
    """Who holds what, and what it makes in each scenario."""

    account: Keys
    instrument: Keys
    quantity: FloatArray
    risk: FloatArray
    accounts: int

    def part(self, first: int, stop: int) -> "Holdings":
        """Return some accounts, which are numbered from 0 then."""
        rows = slice(*np.searchsorted(self.account, [first, stop]).tolist())
        own = self.account[rows] - first
        held = self.instrument[rows], self.quantity[rows]
        return Holdings(own, *held, self.risk, stop - first)


def tables(sizes: Sizes) -> list[Table]:
    """Time the worst scenario of many accounts, then prices and Greeks."""
    return [_worst(sizes), _prices(sizes)]


def holdings(sizes: Sizes) -> Holdings:
    """Return the venue's accounts, and what its instruments make over a grid of scenarios."""
    listed = venue.contracts()
    chunks = [
        venue.drawn(first, min(venue.CHUNK, sizes.accounts - first), listed)
        for first in range(0, sizes.accounts, venue.CHUNK)
    ]
    return Holdings(
        np.concatenate([chunk.account for chunk in chunks]).astype(np.int32),
        np.concatenate([chunk.instrument for chunk in chunks]).astype(np.int32),
        np.concatenate([chunk.quantity for chunk in chunks]),
        _risk(listed),
        sizes.accounts,
    )


def _risk(listed: Sequence[venue.Contract]) -> FloatArray:
    """Return what one of each contract makes in every scenario: computed once, read by all."""
    market = mc.Portfolio.model_validate(venue.market())
    names = [each.name for each in listed]
    shared = universe(market, names, (), Rules(model="generic-portfolio"))
    moves, volatilities = np.linspace(-0.15, 0.15, 16), np.array([-0.25, 0.0, 0.25, 0.5])
    spot, volatility = np.repeat(moves, 4), np.tile(volatilities, 16)
    rule = shared.venue.model.grids[0].rule
    grid = ScenarioGrid(spot, volatility, np.ones(SCENARIOS), np.zeros(SCENARIOS), rule)
    risk = risk_array(shared.book, grid, now(shared.book))
    found = risk[np.array([shared.instruments[name] for name in names], np.int64)]
    found.flags.writeable = False
    return found


def ours(held: Holdings, threads: int = THREADS) -> Callable[[], FloatArray]:
    """Return the least profit and loss of each account, by the fused kernel, in threads."""
    sums = compiled().sums
    assert sums is not None
    found = np.empty(held.accounts)

    def part(first: int, own: Holdings) -> None:
        pair = (own.quantity, own.instrument)
        found[first : first + own.accounts] = sums.least(pair, own.risk, own.account, own.accounts)[
            1
        ]

    firsts = range(0, held.accounts, PART)
    parts = [held.part(first, min(first + PART, held.accounts)) for first in firsts]
    pool = ThreadPoolExecutor(threads)  # which stays, as the threads of DuckDB and Polars do

    def run() -> FloatArray:
        list(pool.map(part, firsts, parts))
        return found

    return run


def by_scipy(held: Holdings) -> Callable[[], FloatArray]:
    """Return the same by sparse matrices, made before: of few accounts each, which is fastest."""
    import scipy.sparse

    positions = len(held.account) // held.accounts
    starts = np.arange(0, len(held.account) + 1, positions, dtype=np.int32)
    cells = (held.quantity, held.instrument.astype(np.int32), starts)
    matrix = scipy.sparse.csr_matrix(cells, shape=(held.accounts, len(held.risk)))
    parts = [matrix[first : first + AT_ONCE] for first in range(0, held.accounts, AT_ONCE)]
    return lambda: np.concatenate([(part @ held.risk).min(axis=1) for part in parts])


def _frames(held: Holdings) -> tuple[Any, Any, list[str]]:
    import polars as pl

    names = [f"s{number}" for number in range(held.risk.shape[1])]
    risk = dict(zip(names, held.risk.T, strict=True))
    positions = {
        "account": held.account,
        "instrument": held.instrument,
        "quantity": held.quantity,
    }
    number = {"instrument": np.arange(len(held.risk), dtype=np.int32)}
    return pl.DataFrame(positions), pl.DataFrame({**number, **risk}), names


def by_polars(held: Holdings) -> Callable[[], FloatArray]:
    """Return the same by a join, sums by group and the least across."""
    import polars as pl

    positions, risk, names = _frames(held)
    sums = [(pl.col("quantity") * pl.col(name)).sum().alias(name) for name in names]

    def run() -> FloatArray:
        joined = positions.lazy().join(risk.lazy(), on="instrument").group_by("account").agg(sums)
        least = joined.select("account", pl.min_horizontal(names).alias("least")).sort("account")
        return np.asarray(least.collect()["least"])

    return run


def by_duckdb(held: Holdings) -> Callable[[], FloatArray]:
    """Return the same as SQL."""
    import duckdb

    positions, risk, names = _frames(held)
    connection = duckdb.connect()
    connection.register("positions_arrow", positions.to_arrow())
    connection.register("risk_arrow", risk.to_arrow())
    connection.execute("create table positions as select * from positions_arrow")
    connection.execute("create table risk as select * from risk_arrow")
    sums = ", ".join(f"sum(quantity * {name})" for name in names)
    query = (
        f"select least({sums}) as least from positions join risk using (instrument) "
        "group by account order by account"
    )
    return lambda: np.asarray(connection.execute(query).fetchnumpy()["least"])


def _worst(sizes: Sizes) -> Table:
    held = holdings(sizes)
    rough = held._replace(risk=held.risk.copy())  # which may be written to: nothing is kept of it
    own, full, scipy = _timed([ours(held), ours(rough), by_scipy(held)], sizes.turns)
    several = _in_a_row(ours(held), IN_A_ROW)
    again, polars, duckdb = _timed([several, by_polars(held), by_duckdb(held)], sizes.slow_turns)
    sparse, worst = ("scipy.sparse CSR", scipy), "worst scenario"
    rows = [
        *_against(sparse, (worst, own), 0.25),
        *_against(sparse, ("every sum in full", full), None),
        *_against(("DuckDB", duckdb), (worst, again), 0.02, IN_A_ROW),
        *_against(("Polars", polars), (worst, again), 0.02, IN_A_ROW),
    ]
    how = (
        f"Least of {SCENARIOS} scenario sums, {sizes.turns} turns, {sizes.slow_turns} beside SQL: "
        f"{sizes.accounts:,} accounts of {venue.POSITIONS} positions from {len(held.risk):,} "
        f"instruments of five coins, float64, keys of 32 bits for all, in {THREADS} threads. The "
        "worst scenario is found in few dimensions and summed in full, to the bit as where every "
        "sum is. scipy multiplies "
        f"in one thread, {AT_ONCE:,} accounts at once, its matrices made before; DuckDB and "
        "Polars join, group and sum with all their threads, from tables in memory; between their "
        f"turns ours runs {IN_A_ROW} times in a row."
    )
    return compared("Fused kernel", how, rows)


def _in_a_row(work: Callable[[], object], times: int) -> Callable[[], object]:
    """Return work that is done several times: one run is over before caches are its own again."""
    return lambda: [work() for _ in range(times)]


def _against(
    peer: tuple[str, Costs], own: tuple[str, Costs], target: float | None, runs: int = 1
) -> list[Comparison]:
    (name, theirs), (what, costs), units = peer, own, (runs, 1)
    wall = Comparison(f"{what}, wall", walls(costs), walls(theirs), name, target, units)
    return [wall, Comparison(f"{what}, cpu", cpus(costs), cpus(theirs), name, None, units)]


def _timed(works: Sequence[Callable[[], object]], turns: int) -> list[Costs]:
    return list(in_turns([in_process(work) for work in works], turns))


def compiled_greeks(options: peers.Options) -> FloatArray:
    """Our compiled price, delta, gamma, vega and theta."""
    return black.greeks((options[0], options[1], options[2], options[3], options.call))


def _prices(sizes: Sizes) -> Table:
    options = peers.realistic(sizes.options)
    firsts = range(0, sizes.options, OPTIONS_AT_ONCE)
    parts = [options.part(first, first + OPTIONS_AT_ONCE) for first in firsts]

    def each(greeks: Callable[[peers.Options], FloatArray]) -> Callable[[], object]:
        return lambda: sum(greeks(part).shape[1] for part in parts)

    with TemporaryDirectory() as folder:
        loop = libmvec.compiled(Path(folder))
        ways = [compiled_greeks, peers.numpy_greeks, *([loop] if loop is not None else [])]
        own, plain, *other = map(cpus, _timed([each(way) for way in ways], sizes.turns))
    what, every = "price and 4 Greeks", (sizes.options, sizes.options)
    rows = [Comparison(what, own, plain, "NumPy with ndtr", 0.2, every)]
    rows += [Comparison(what, own, times, "C with libmvec", 1.2, every) for times in other]
    how = (
        f"CPU time per option, {sizes.turns} turns, one thread: {sizes.options:,} options, "
        f"{OPTIONS_AT_ONCE:,} at once, so that nobody waits for fresh pages of memory, by the "
        "compiled kernel against the formula in NumPy, and against a C loop compiled here with "
        f"`{' '.join(libmvec.FLAGS[:4])}`, whose exp and log are glibc's vectors."
    )
    return compared("Compiled pricing", how, rows)
