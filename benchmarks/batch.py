"""Every account of a venue: what a whole run costs, and what reading and writing alone does."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import margincalc as mc
from benchmarks import venue
from benchmarks.clock import Cost, Costed, in_process, in_turns
from benchmarks.processes import peak
from benchmarks.tables import Spent, Table, duration, spent
from margincalc.batch.piece import PACKED
from margincalc.portfolio.contracts.terms import canonical
from margincalc.portfolio.names import parse

FEW = 1_000  # accounts that are margined first: what is loaded once is not what is timed


class Sizes(NamedTuple):
    """How many accounts: of the whole run, of models, with liquidation prices, and growing."""

    turns: int = 3
    accounts: int = 1_000_000
    models: tuple[tuple[str, int], ...] = (("derive-pm2", 1_000_000), ("reg-t", 100_000))
    priced: int = 100_000
    growing: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    spread: int = 1_000_000
    files: int = 8


def tables(sizes: Sizes) -> list[Table]:
    """Time the whole run, models and prices, then threads and workers, then growth."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        return [_whole(folder, sizes), _spread(folder, sizes), _growth(folder, sizes)]


def run(folder: Path, **wishes: Any) -> Callable[[], object]:
    """Return a run that knows no name yet, its results thrown away before the next."""
    output = folder / "out"

    def once() -> object:
        rmtree(output, ignore_errors=True)
        parse.cache_clear()
        canonical.cache_clear()
        return mc.batch(folder, output=output, **wishes)

    return once


def read_and_written(folder: Path, **how: Any) -> Callable[[], object]:
    """Return what pyarrow alone does with the same files, writing by its defaults or as told."""
    import pyarrow.parquet as pq

    made = pq.read_table(folder / "out" / "accounts")

    def once() -> object:
        name = "positions" if (folder / "positions").exists() else "positions.parquet"
        tables = [pq.read_table(folder / each) for each in (name, "balances.parquet")]
        pq.write_table(made, folder / "copy.parquet", **PACKED, **how)
        return tables

    return once


def _venue(folder: Path, accounts: int, model: str | None = None, files: int = 1) -> Path:
    """Write a venue, unless it is there."""
    own = folder / f"{model} {accounts} {files}"
    if not own.exists():
        venue.write(own, accounts, files, model)
    return own


def _whole(folder: Path, sizes: Sizes) -> Table:
    large = _venue(folder, sizes.accounts)
    run(large)()
    works = [
        run(large),
        read_and_written(large),
        read_and_written(large, use_dictionary=["status"]),
    ]
    ours, alone, like = _timed(works, sizes.turns)
    rows = [Spent(f"{sizes.accounts:,}: generic-portfolio", ours, alone, "pyarrow alone", 5.0)]
    rows.append(Spent("the same", ours, like, "pyarrow, written as ours"))
    for model, accounts in sizes.models:
        times = _long(folder, accounts, sizes.turns, model)
        units = accounts, sizes.accounts
        rows.append(Spent(f"{accounts:,}: {model}", times, ours, "generic", None, units))
    priced = _venue(folder, sizes.priced)
    (times,) = _timed([run(priced, liquidation=list(venue.SPOTS))], 1)
    what = f"{sizes.priced:,}: with liquidation prices"
    units = sizes.priced, sizes.accounts
    rows.append(Spent(what, times, ours[: len(times)], "without", None, units))
    how = (
        f"Wall time of `batch()`, Parquet to Parquet, {sizes.turns} turns, and processor time of "
        f"all its threads: accounts of {venue.POSITIONS} positions from 2,000 instruments on five "
        "coins, balances in four assets; against pyarrow reading the same files, on all cores, "
        "and writing the same results, by its defaults and with the dictionaries that ours have "
        "(of `status` alone). Other rows are per account against the first. Liquidation prices "
        "are along all five coins, of one turn."
    )
    return spent("Every account of a venue", how, rows)


def _memory(folder: Path) -> str:
    """Return the most memory that a run took, as a process of its own."""
    output = folder / "alone"
    command = [sys.executable, "-m", "margincalc", "batch", str(folder), "-o", str(output)]
    return f"{peak(command) / 2**20:,.0f} MB"


def _spread(folder: Path, sizes: Sizes) -> Table:
    own = _venue(folder, sizes.spread, None, sizes.files)
    threads = [in_process(_with_pool(run(own, workers=count), count)) for count in (1, 2)]
    begun = time.perf_counter()
    with _cluster(1) as single, _cluster(2) as double:
        started = time.perf_counter() - begun
        workers = [_on(own, each) for each in (single, double)]
        first = workers[1]().wall
        one, two, worker, both = in_turns([*threads, *workers], sizes.turns)
    rows = [
        Spent("2 threads", two, one, "1 thread"),
        Spent("1 dask worker", worker, one, "1 thread"),
        Spent("2 dask workers", both, worker, "1 dask worker"),
    ]
    how = (
        f"Wall time of the same run over {sizes.spread:,} accounts in {sizes.files} files, "
        f"{sizes.turns} turns, pyarrow's own pool no larger than ours; processor time is of "
        "workers too. Clusters of one and of two local workers, a thread each, were there before: "
        f"to start both took {duration(started)}, and the first run on two, which load what they "
        f"compute with, {duration(first)}."
    )
    return spent("Threads and workers", how, rows)


def _with_pool(work: Callable[[], object], count: int) -> Callable[[], object]:
    """Return the work with no more threads of pyarrow's own than of ours."""
    import pyarrow as pa

    def once() -> object:
        before = pa.cpu_count()
        pa.set_cpu_count(count)
        try:
            return work()
        finally:
            pa.set_cpu_count(before)

    return once


class _Cluster(NamedTuple):
    """Where its scheduler answers, and what its workers have spent, in seconds."""

    address: str
    spent: Callable[[], float]


@contextmanager
def _cluster(workers: int) -> Iterator[_Cluster]:
    import dask
    from distributed import Client, LocalCluster

    from margincalc.batch.connection import SETTINGS

    started: Any = LocalCluster
    connected: Any = Client
    with (
        dask.config.set(SETTINGS),  # as of workers that the command starts
        started(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as made,
        connected(made, set_as_default=False) as client,
    ):
        yield _Cluster(made.scheduler_address, lambda: sum(client.run(time.process_time).values()))


def _on(folder: Path, cluster: _Cluster) -> Costed:
    """Return a run on a cluster as a work, with what its workers spend on it."""
    work = in_process(run(folder, engine="dask", scheduler=cluster.address))

    def costed() -> Cost:
        before = cluster.spent()
        cost = work()
        return Cost(cost.wall, cost.cpu + cluster.spent() - before)

    return costed


def _growth(folder: Path, sizes: Sizes) -> Table:
    times = {accounts: _long(folder, accounts, sizes.turns) for accounts in sizes.growing}
    rows = [
        Spent(
            f"{large:,} accounts", times[large], times[small], f"at {small:,}", None, (large, small)
        )
        for small, large in pairwise(sizes.growing)
    ]
    peaks = " and ".join(
        f"{_memory(_venue(folder, accounts))} of memory at {accounts:,}"
        for accounts in sizes.growing[-2:]
    )
    how = (
        f"Wall time per account, {sizes.turns} turns; each against the size before it, so 1 is "
        "flat, and below 1 a fixed cost shared by more. As a process of its own, a run took at its "
        f"peak {peaks}."
    )
    return spent("Growth of a venue", how, rows)


def _long(folder: Path, accounts: int, turns: int, model: str | None = None) -> tuple[Cost, ...]:
    """Time a venue under a model, or under the generic one, after a small one."""
    wishes = {"model": model} if model is not None else {}
    run(_venue(folder, min(accounts, FEW), model), **wishes)()
    work = in_process(run(_venue(folder, accounts, model), **wishes))
    return tuple(work() for _ in range(turns))


def _timed(works: Sequence[Callable[[], object]], turns: int) -> list[tuple[Cost, ...]]:
    return in_turns([in_process(work) for work in works], turns)
