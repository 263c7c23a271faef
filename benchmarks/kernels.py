"""The compiled kernels against what the same work costs elsewhere."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from benchmarks import libmvec, peers
from benchmarks.clock import Costed, in_process, in_turns, walls
from benchmarks.tables import Comparison, Table, compared
from margincalc.arrays import FloatArray, IntArray
from margincalc.kernels import black, compiled

THREADS = 2


class Sizes(NamedTuple):
    """How much: options to price; accounts of 20 positions, and fewer of them for SQL."""

    turns: int = 15
    options: int = 100_000
    accounts: int = 200_000
    few: int = 20_000
    positions: int = 20
    instruments: int = 2_000
    scenarios: int = 64


class Holdings(NamedTuple):
    """Who holds what, and what it makes in each scenario."""

    account: IntArray
    instrument: IntArray
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
    """Draw accounts, always the same ones."""
    rng = np.random.default_rng(11)
    shape = (sizes.accounts, sizes.positions)
    instrument = np.sort(rng.integers(0, sizes.instruments, shape), axis=1).ravel()
    quantity = rng.integers(-10, 11, instrument.size).astype(np.float64)
    account = np.repeat(np.arange(sizes.accounts), sizes.positions)
    risk = rng.normal(size=(sizes.instruments, sizes.scenarios))
    return Holdings(account, instrument, quantity, risk, sizes.accounts)


def ours(held: Holdings, threads: int = THREADS) -> Callable[[], FloatArray]:
    """Return the least profit and loss of each account, by the fused kernel, in threads."""
    sums = compiled().sums
    assert sums is not None

    def part(own: Holdings) -> FloatArray:
        pair = (own.quantity, own.instrument)
        return sums.least(pair, own.risk, own.account, own.accounts)[1]

    bounds = np.linspace(0, held.accounts, threads + 1).astype(int).tolist()
    parts = [held.part(first, stop) for first, stop in pairwise(bounds)]

    def run() -> FloatArray:
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(part, parts)))

    return run


def by_scipy(held: Holdings) -> Callable[[], FloatArray]:
    """Return the same by a sparse matrix, which is made before."""
    import scipy.sparse

    positions = len(held.account) // held.accounts
    starts = np.arange(0, len(held.account) + 1, positions, dtype=np.int32)
    cells = (held.quantity, held.instrument.astype(np.int32), starts)
    matrix = scipy.sparse.csr_matrix(cells, shape=(held.accounts, len(held.risk)))
    return lambda: np.asarray((matrix @ held.risk).min(axis=1))


def _frames(held: Holdings) -> tuple[Any, Any, list[str]]:
    import polars as pl

    names = [f"s{number}" for number in range(held.risk.shape[1])]
    risk = dict(zip(names, held.risk.T, strict=True))
    positions = {
        "account": held.account,
        "instrument": held.instrument,
        "quantity": held.quantity,
    }
    number = {"instrument": np.arange(len(held.risk))}
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
    few = held.part(0, sizes.few)
    works: list[Callable[[], object]] = [
        ours(held),
        ours(held, 1),
        by_scipy(held),
        ours(few),
        by_polars(few),
        by_duckdb(few),
    ]
    all_of, one, scipy, some, polars, duckdb = _timed(works, sizes.turns)
    rows = [
        Comparison(f"worst of {sizes.scenarios}", all_of, scipy, "scipy.sparse CSR", 0.25),
        Comparison("the same, one thread", one, scipy, "scipy.sparse CSR"),
        Comparison(f"{sizes.few:,} accounts", some, duckdb, "DuckDB", 0.02),
        Comparison(f"{sizes.few:,} accounts", some, polars, "Polars", 0.02),
    ]
    how = (
        f"Wall time of the least of {sizes.scenarios} scenario sums, {sizes.turns} turns: "
        f"{sizes.accounts:,} accounts of {sizes.positions} positions from {sizes.instruments:,} "
        f"instruments, float64, {THREADS} threads where nothing else is said. scipy multiplies in "
        "one thread, its matrix made before; DuckDB and Polars join, group and sum with all theirs."
    )
    return compared("Fused kernel", how, rows)


def _timed(works: list[Callable[[], object]], turns: int) -> Iterator[list[float]]:
    costed: list[Costed] = [in_process(work) for work in works]
    return (walls(cost) for cost in in_turns(costed, turns))


def compiled_greeks(options: peers.Options) -> FloatArray:
    """Our compiled price, delta, gamma, vega and theta."""
    return black.greeks((options[0], options[1], options[2], options[3], options.call))


def _prices(sizes: Sizes) -> Table:
    options = peers.realistic(sizes.options)
    with TemporaryDirectory() as folder:
        loop = libmvec.compiled(Path(folder))
        works: list[Callable[[], object]] = [
            lambda: compiled_greeks(options),
            lambda: peers.numpy_greeks(options),
            *([lambda: loop(options)] if loop is not None else []),
        ]
        own, plain, *other = _timed(works, sizes.turns)
    what, every = "price and 4 Greeks", (sizes.options, sizes.options)
    rows = [Comparison(what, own, plain, "NumPy with ndtr", 0.2, every)]
    rows += [Comparison(what, own, times, "C with libmvec", 1.2, every) for times in other]
    how = (
        f"Wall time per option, {sizes.turns} turns, one thread: {sizes.options:,} options by the "
        "compiled kernel against the formula in NumPy, and against a C loop compiled here with "
        f"`{' '.join(libmvec.FLAGS[:4])}`, whose exp and log are glibc's vectors."
    )
    return compared("Compiled pricing", how, rows)
