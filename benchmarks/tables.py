"""What a group of benchmarks answers: a table of text, with the sentence that says how."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from benchmarks.clock import Cost, Ratio, cpus, ratio, walls

HEADER = ("what", "ours", "peer", "ratio", "range", "target", "met")
SPENT = ("what", "ours", "CPU", "peer", "its CPU", *HEADER[3:])
NONE = "-"
REACHED, MISSED = "yes", "NO"  # whether a target was met
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


class Table(NamedTuple):
    """One group.

    Attributes
    ----------
    how : how it was measured, in a sentence
    met : for each row with a target, whether it was met
    """

    title: str
    how: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    met: tuple[bool, ...] = ()

    def text(self) -> str:
        """Return the table in Markdown, in aligned columns."""
        lines = (self.header, *self.rows)
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        rule = tuple("-" * width for width in widths)
        body = [_line(cells, widths) for cells in (self.header, rule, *self.rows)]
        return "\n".join([f"## {self.title}", "", self.how, "", *body]) + "\n"


class Comparison(NamedTuple):
    """Ours against a peer: times in seconds, in turns, and the target of their ratio.

    Attributes
    ----------
    units : of what is timed in one of our runs and one of the peer's, such as options; the times
        compared and shown are per unit
    """

    what: str
    ours: Sequence[float]
    peer: Sequence[float]
    peer_name: str
    target: float | None = None
    units: tuple[int, int] = (1, 1)

    @property
    def ratio(self) -> Ratio:
        """Return the ratio of the times per unit."""
        return ratio(*self._each())

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        found = self.ratio
        ours, peer = (duration(median(times)) for times in self._each())
        return (
            self.what,
            ours,
            f"{peer} {self.peer_name}",
            factor(found.median),
            f"{factor(found.low)} to {factor(found.high)}",
            NONE if self.target is None else f"at most {self.target:g}",
            NONE if self.target is None else REACHED if self.met else MISSED,
        )

    @property
    def met(self) -> bool:
        """Whether the ratio is within its target."""
        return self.target is None or self.ratio.median <= self.target

    def _each(self) -> tuple[list[float], list[float]]:
        mine, others = self.units
        return [time / mine for time in self.ours], [time / others for time in self.peer]


class Spent(NamedTuple):
    """A comparison of wall times, each with the processor time of all threads beside it."""

    what: str
    ours: Sequence[Cost]
    peer: Sequence[Cost]
    peer_name: str
    target: float | None = None
    units: tuple[int, int] = (1, 1)

    @property
    def by_wall(self) -> Comparison:
        """Return the comparison of wall times."""
        return Comparison(
            self.what, walls(self.ours), walls(self.peer), self.peer_name, self.target, self.units
        )

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        what, ours, peer, *rest = self.by_wall.cells()
        own, other = (
            duration(median(cpus(costs)) / units)
            for costs, units in zip((self.ours, self.peer), self.units, strict=True)
        )
        return what, ours, own, peer, other, *rest


def spent(title: str, how: str, rows: Sequence[Spent]) -> Table:
    """Put comparisons into a table, with processor times."""
    met = tuple(row.by_wall.met for row in rows if row.target is not None)
    return Table(title, how, SPENT, tuple(row.cells() for row in rows), met)


def compared(title: str, how: str, rows: Sequence[Comparison]) -> Table:
    """Put comparisons into a table."""
    met = tuple(row.met for row in rows if row.target is not None)
    return Table(title, how, HEADER, tuple(row.cells() for row in rows), met)


def duration(seconds: float) -> str:
    """Write a time with three digits and its unit."""
    size, unit = next((pair for pair in _UNITS if seconds >= pair[0]), _UNITS[-1])
    return f"{_three(seconds / size)} {unit}"


def factor(number: float) -> str:
    """Write a ratio with three digits."""
    return _three(number)


def _three(number: float) -> str:
    """Write a number, not negative, with three digits and never with an exponent."""
    exponent = int(f"{number:.2e}".partition("e")[2])
    return f"{number:.{max(2 - exponent, 0)}f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
