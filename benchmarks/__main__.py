"""`python -m benchmarks [--dry] [GROUP...]`: measure groups, and replace them in RESULTS.md.

What is not named stays in the page as it was last measured; `--dry` leaves all of the page.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    batch,
    book,
    cascade,
    engines,
    hedge,
    kernels,
    liquidation,
    models,
    passage,
    pricing,
    report,
    scaling,
    startup,
    watch,
)
from benchmarks.tables import Table

DRY = "--dry"
GROUPS: dict[str, Callable[[], list[Table]]] = {
    "startup": lambda: startup.tables(startup.Sizes()),
    "pricing": lambda: pricing.tables(pricing.Sizes()),
    "book": lambda: book.tables(book.Sizes()),
    "scaling": lambda: scaling.tables(scaling.Sizes()),
    "models": lambda: models.tables(models.Sizes()),
    "liquidation": lambda: liquidation.tables(liquidation.Sizes()),
    "passage": lambda: passage.tables(passage.Sizes()),
    "hedge": lambda: hedge.tables(hedge.Sizes()),
    "kernels": lambda: kernels.tables(kernels.Sizes()),
    "batch": lambda: batch.tables(batch.Sizes()),
    "watch": lambda: watch.tables(watch.Sizes()),
    "cascade": lambda: cascade.tables(cascade.Sizes()),
    "engines": lambda: engines.tables(engines.Sizes()),
}

EXTRAS = {
    "kernels": ("numba", "duckdb", "polars"),
    "batch": ("numba", "pyarrow", "dask"),
    "watch": ("numba",),
}


def main(arguments: list[str], results: Path = report.RESULTS) -> int:
    """Measure the named groups, or all; each enters the page as soon as it is measured."""
    names = [argument for argument in arguments if argument != DRY] or list(GROUPS)
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        print(f"no group {unknown[0]}: there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        text = report.section(GROUPS[name](), EXTRAS.get(name, ()))
        if DRY not in arguments:
            report.replace({name: text}, list(GROUPS), results)
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
