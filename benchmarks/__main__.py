"""`python -m benchmarks [GROUP...]`: measure, print, and (all groups) write RESULTS.md."""

import sys
from collections.abc import Callable

from benchmarks import book, models, pricing, report, scaling, startup
from benchmarks.tables import Table

GROUPS: dict[str, Callable[[], list[Table]]] = {
    "startup": lambda: startup.tables(startup.Sizes()),
    "pricing": lambda: pricing.tables(pricing.Sizes()),
    "book": lambda: book.tables(book.Sizes()),
    "scaling": lambda: scaling.tables(scaling.Sizes()),
    "models": lambda: models.tables(models.Sizes()),
}


def main(names: list[str]) -> int:
    """Measure the named groups, or all of them, which also writes the results."""
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        print(f"no group {unknown[0]}: there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    tables = []
    for name in names or GROUPS:
        print(f"measuring {name} ...", file=sys.stderr)
        tables += GROUPS[name]()
    text = report.page(tables)
    if not names:
        report.write(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
