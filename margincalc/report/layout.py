"""Tables and blocks of text that fit a width.

A block is a list of lines. A table leaves out the columns that matter least until it fits; a name
is cut only when nothing else helps.
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from margincalc.errors import printable

Block = list[str]
GAP = 3  # between things that stand side by side


@dataclass(frozen=True)
class Column:
    """A column of finished cells.

    Attributes
    ----------
    left : flush left, as names are; numbers are flush right
    rank : 0 is always shown; where there is no room, the highest is left out first
    """

    heading: str
    cells: Sequence[str]
    left: bool = False
    rank: int = 0


def table(columns: Sequence[Column], width: int) -> Block:
    """Return a heading line and a line per row, with the columns that fit the width."""
    kept = list(columns)
    lines = _drawn(kept)
    while width_of(lines) > width and any(column.rank for column in kept):
        last = max(kept, key=lambda column: column.rank)
        kept = [column for column in kept if column is not last]
        lines = _drawn(kept)
    excess = width_of(lines) - width
    return lines if excess <= 0 else _drawn(_with_cut_names(kept, excess))


def _drawn(columns: Sequence[Column]) -> Block:
    from tabulate import tabulate  # only tables need it

    rows = list(zip(*(column.cells for column in columns), strict=True))
    text = tabulate(
        rows,
        headers=[column.heading for column in columns],
        tablefmt="plain",
        colalign=["left" if column.left else "right" for column in columns],
        disable_numparse=True,
    )
    return [line.rstrip() for line in text.splitlines()]


def _with_cut_names(columns: list[Column], excess: int) -> list[Column]:
    """Shorten the widest column of names by `excess` characters."""
    names = [column for column in columns if column.left]
    if not names:
        return columns
    widest = max(names, key=lambda column: width_of(column.cells))
    limit = max(width_of(widest.cells) - excess, 8)
    cut = replace(widest, cells=[shortened(cell, limit) for cell in widest.cells])
    return [cut if column is widest else column for column in columns]


def shortened(text: str, limit: int) -> str:
    """Cut a name in its middle: contracts begin and end with what tells them apart."""
    if len(text) <= limit:
        return text
    tail = (limit - 2) // 2
    return f"{text[: limit - 2 - tail]}..{text[len(text) - tail :]}"


def name(text: str) -> str:
    """Return a name from a file fit for a terminal."""
    return printable(text)


def width_of(lines: Iterable[str]) -> int:
    """Return the length of the longest line."""
    return max((len(line) for line in lines), default=0)


def beside(left: Block, right: Block) -> Block:
    """Put two blocks side by side."""
    height = max(len(left), len(right))
    margin = width_of(left) + GAP
    pairs = zip(_padded(left, height), _padded(right, height), strict=True)
    return [f"{first:{margin}}{second}".rstrip() for first, second in pairs]


def beside_or_under(left: Block, right: Block, width: int) -> Block:
    """Put two blocks side by side where there is room, else one under the other."""
    together = beside(left, right)
    return together if width_of(together) <= width else [*left, "", *right]


def packed(parts: Sequence[str], width: int, start: str = "") -> Block:
    """Set parts one after another, on as many lines as they need; `start` opens the first."""
    lines = [start]
    for part in parts:
        gap = "" if len(lines[-1]) <= len(start) else " " * GAP
        if gap and len(lines[-1]) + len(gap) + len(part) > width:
            lines.append(" " * len(start))
            gap = ""
        lines[-1] += gap + part
    return [line.rstrip() for line in lines]


def wrapped(text: str, width: int, indent: str = "") -> Block:
    """Break a sentence into lines; what has no spaces, such as an address, is not broken."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def sections(blocks: Iterable[Block]) -> str:
    """Join blocks by blank lines; empty ones vanish."""
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _padded(lines: Block, height: int) -> Block:
    return lines + [""] * (height - len(lines))
