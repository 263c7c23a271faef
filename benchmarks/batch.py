"""Every account of a venue: what a whole run costs, and what reading and writing alone does."""

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import margincalc as mc
from benchmarks import venue
from benchmarks.clock import in_process, in_turns, walls
from benchmarks.processes import peak
from benchmarks.tables import Comparison, Table, compared
from margincalc.batch.piece import PACKED


class Sizes(NamedTuple):
    """How many accounts: of the whole run, of models, with liquidation prices, and growing."""

    turns: int = 3
    accounts: int = 1_000_000
    models: tuple[tuple[str, int], ...] = (("derive-pm2", 100_000), ("reg-t", 1_000))
    priced: int = 10_000
    growing: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    spread: int = 200_000
    files: int = 4


def tables(sizes: Sizes) -> list[Table]:
    """Time the whole run, models and prices, then threads and workers, then growth."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        return [_whole(folder, sizes), _spread(folder, sizes), _growth(folder, sizes)]


def run(folder: Path, **wishes: Any) -> Callable[[], object]:
    """Return a run, its results thrown away before the next."""
    output = folder / "out"

    def once() -> object:
        rmtree(output, ignore_errors=True)
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
    plain = read_and_written(large, use_dictionary=["status"])
    ours, alone, bare = _timed([run(large), read_and_written(large), plain], sizes.turns)
    memory = peak(_command(large))
    rows = [Comparison(f"{sizes.accounts:,}: generic-portfolio", ours, alone, "pyarrow alone", 5.0)]
    rows.append(Comparison("the same", ours, bare, "pyarrow, no dictionaries"))
    per = (sizes.accounts, sizes.accounts)
    for model, accounts in sizes.models:
        own = _venue(folder, accounts, model)
        (times,) = _timed([run(own, model=model)], sizes.turns)
        what = f"{accounts:,}: {model}"
        rows.append(Comparison(what, times, ours, "generic", None, (accounts, per[0])))
    priced = _venue(folder, sizes.priced)
    (times,) = _timed([run(priced, liquidation=list(venue.SPOTS))], sizes.turns)
    what = f"{sizes.priced:,}: with liquidation prices"
    rows.append(Comparison(what, times, ours, "without", None, (sizes.priced, per[0])))
    how = (
        f"Wall time of `batch()`, Parquet to Parquet, {sizes.turns} turns: accounts of "
        f"{venue.POSITIONS} positions from 2,000 instruments on five coins, balances in four "
        "assets; against pyarrow reading the same files and writing the same results. Other rows "
        "are per account against the first. Liquidation prices are along all five coins. The first "
        f"run, as a process of its own, took {memory / 2**20:,.0f} MB of memory at its peak."
    )
    return compared("Every account of a venue", how, rows)


def _command(folder: Path) -> list[str]:
    output = folder / "alone"
    return [sys.executable, "-m", "margincalc", "batch", str(folder), "-o", str(output)]


def _spread(folder: Path, sizes: Sizes) -> Table:
    own = _venue(folder, sizes.spread, None, sizes.files)
    wishes = [{"engine": e, "workers": n} for e in ("local", "dask") for n in (1, 2)]
    one, two, worker, workers = _timed([run(own, **each) for each in wishes], sizes.turns)
    rows = [
        Comparison("2 threads", two, one, "1 thread"),
        Comparison("1 dask worker", worker, one, "1 thread"),
        Comparison("2 dask workers", workers, worker, "1 dask worker"),
    ]
    how = (
        f"Wall time of the same run over {sizes.spread:,} accounts in {sizes.files} files, "
        f"{sizes.turns} turns; that of dask has the start of its cluster in it."
    )
    return compared("Threads and workers", how, rows)


def _growth(folder: Path, sizes: Sizes) -> Table:
    times = {}
    for accounts in sizes.growing:
        own = _venue(folder, accounts)
        (times[accounts],) = _timed([run(own)], sizes.turns)
    rows = [
        Comparison(
            f"{large:,} accounts", times[large], times[small], f"at {small:,}", None, (large, small)
        )
        for small, large in pairwise(sizes.growing)
    ]
    how = (
        f"Wall time per account, {sizes.turns} turns; each against the size before it, so 1 is "
        "flat, and below 1 a fixed cost shared by more."
    )
    return compared("Growth of a venue", how, rows)


def _timed(works: list[Callable[[], object]], turns: int) -> list[list[float]]:
    return [walls(cost) for cost in in_turns([in_process(work) for work in works], turns)]
