"""A book of a thousand positions against the smallest sample: the same command, the same rules."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import margincalc as mc
from benchmarks import books
from benchmarks.clock import cpus, in_process, in_turns, walls
from benchmarks.processes import SAMPLES, margincalc, output, process
from benchmarks.tables import Comparison, Table, compared
from margincalc.report import render

TARGET = 3.0


class Sizes(NamedTuple):
    """How many positions, and how often."""

    positions: int = 1_000
    turns: int = 7
    library_turns: int = 7


def tables(sizes: Sizes) -> list[Table]:
    """Time the whole command, then its parts through the library."""
    with TemporaryDirectory() as folder:
        one = books.write(Path(folder), books.book(sizes.positions))
        two = books.write(Path(folder), _renamed(books.book(sizes.positions, 2)))
        return [_processes(sizes, one, two), _library(sizes, one)]


def smallest_sample() -> Path:
    """Return the portfolio sample whose file is smallest; a market alone is none."""
    portfolios = [
        path for path in SAMPLES.glob("*.yaml") if "positions:" in path.read_text("utf-8")
    ]
    return min(portfolios, key=lambda path: (path.stat().st_size, path.name))


def full_report(path: Path) -> list[str]:
    """Return the command whose report has everything."""
    settings = [part for setting in books.SETTINGS for part in ("--set", setting)]
    return margincalc("margin", str(path), "--format", "json", *settings)


def _renamed(written: books.Written) -> books.Written:
    return {**written, "account": f"{written['account']}-two"}


def _processes(sizes: Sizes, one: list[Path], two: list[Path]) -> Table:
    sample = smallest_sample()
    for path, underlyings in ((one[0], 1), (two[0], 2)):
        check_complete(output(full_report(path)), sizes.positions, underlyings)
    paths = (sample, *one, *two)
    small, *large = in_turns([process(full_report(path)) for path in paths], sizes.turns)
    rows = []
    for costs, path in zip(large, paths[1:], strict=True):
        what = f"{path.suffix[1:].upper()}, {'2 underlyings' if path in two else '1 underlying'}"
        rows += [
            Comparison(f"{what}, wall", walls(costs), walls(small), "sample", TARGET),
            Comparison(f"{what}, cpu", cpus(costs), cpus(small), "sample", TARGET),
        ]
    how = (
        f"Whole processes, {sizes.turns} turns: `margincalc margin FILE --format json`, with "
        f"liquidation prices, of {sizes.positions:,} positions under {books.SCENARIOS} scenarios "
        f"against the smallest sample, {sample.name}, under the same scenarios."
    )
    return compared(f"A book of {sizes.positions:,} positions", how, rows)


def check_complete(text: str, positions: int, underlyings: int) -> None:
    """Refuse to time a report that lacks something.

    Raises
    ------
    RuntimeError
        If it lacks positions, or liquidation prices of an underlying or of all.
    """
    report = json.loads(text)
    prices = [
        price[side] for price in report["liquidation"].values() for side in ("below", "above")
    ]
    known = [price for price in prices if price is not None]
    if len(report["positions"]) < positions or len(prices) < 2 * underlyings or not known:
        raise RuntimeError("the report of the book lacks positions or liquidation prices")


def _library(sizes: Sizes, forms: list[Path]) -> Table:
    """Time the parts of the command, in one process."""
    sample = smallest_sample()
    parts: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        (f"load {path.suffix[1:].upper()}", _loader(path), _loader(sample)) for path in forms
    ]
    parts += [
        ("margin", _marginer(forms[0]), _marginer(sample)),
        ("report as JSON", _reporter(forms[0]), _reporter(sample)),
    ]
    works = [in_process(work) for _, large, small in parts for work in (large, small)]
    costs = [walls(cost) for cost in in_turns(works, sizes.library_turns)]
    rows = [
        Comparison(name, costs[2 * number], costs[2 * number + 1], "sample")
        for number, (name, _, _) in enumerate(parts)
    ]
    how = (
        f"Wall time in one process, everything imported, {sizes.library_turns} turns: the same "
        "book, of 1 underlying, and the same sample, through the library."
    )
    return compared("The same through the library", how, rows)


def _loader(path: Path) -> Callable[[], object]:
    return lambda: mc.load(path)


def _marginer(path: Path) -> Callable[[], object]:
    portfolio = mc.load(path)
    return lambda: mc.margin(portfolio, settings=books.SETTINGS)


def _reporter(path: Path) -> Callable[[], object]:
    report = mc.margin(mc.load(path), settings=books.SETTINGS)
    return lambda: render(report, "json")
