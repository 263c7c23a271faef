"""Tables and blocks of text that fit a width.

A block is a list of lines. A table leaves out the columns that matter least until it fits; a name
is cut only when nothing else helps.
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from margincalc.errors import printable

Block = list[str]
LONGEST_NAME = 60  # nobody's own names are longer, but a file may hold anything
GAP = 3  # between things that stand side by side


Row = Sequence[str]


class Column(NamedTuple):
    """The head of a column.

    Attributes
    ----------
    left : flush left, as names are; numbers are flush right
    rank : 0 is always shown; where there is no room, the highest is left out first
    """

    heading: str
    left: bool = False
    rank: int = 0


def table(columns: Sequence[Column], rows: Sequence[Row], width: int) -> Block:
    """Return a heading line and a line per row, with the columns that fit the width."""
    kept = list(range(len(columns)))
    lines = _drawn(columns, rows, kept)
    while width_of(lines) > width and any(columns[index].rank for index in kept):
        last = max(kept, key=lambda index: columns[index].rank)
        kept = [index for index in kept if index != last]
        lines = _drawn(columns, rows, kept)
    excess = width_of(lines) - width
    if excess <= 0:
        return lines
    return _drawn(columns, _with_cut_names(columns, rows, excess), kept)


def folded(columns: Sequence[Column], rows: Sequence[Row], width: int) -> Block:
    """Return a table whose columns, after the first, continue below where they find no room."""
    others = range(1, len(columns))
    for across in range(len(others), 1, -1):
        starts = range(0, len(others), across)
        parts = [_drawn(columns, rows, [0, *others[at : at + across]]) for at in starts]
        if all(width_of(part) <= width for part in parts):
            return [line for part in parts for line in ["", *part]][1:]
    single = [([columns[0], columns[at]], [(row[0], row[at]) for row in rows]) for at in others]
    return [line for heads, cells in single for line in ["", *table(heads, cells, width)]][1:]


def least_width(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """Return the width of a table's indispensable columns, nothing cut."""
    return width_of(
        _drawn(columns, rows, [i for i, column in enumerate(columns) if not column.rank])
    )


def _drawn(columns: Sequence[Column], rows: Sequence[Row], kept: Sequence[int]) -> Block:
    from tabulate import tabulate  # only tables need it

    # The headings are a row like any other: tabulate would pad its own.
    drawn = [[column.heading for column in columns], *rows]
    text = tabulate(
        [[row[index] for index in kept] for row in drawn],
        tablefmt="plain",
        colalign=["left" if columns[index].left else "right" for index in kept],
        disable_numparse=True,
        preserve_whitespace=True,
    )
    return [line.rstrip() for line in text.splitlines()]


def _with_cut_names(columns: Sequence[Column], rows: Sequence[Row], excess: int) -> list[Row]:
    """Shorten the first column of names by `excess` characters."""
    first = next((index for index, column in enumerate(columns) if column.left), 0)
    limit = max(width_of(row[first] for row in rows) - excess, 8)
    return [
        [shortened(cell, limit) if index == first else cell for index, cell in enumerate(row)]
        for row in rows
    ]


def shortened(text: str, limit: int) -> str:
    """Cut a name in its middle: contracts begin and end with what tells them apart."""
    if len(text) <= limit:
        return text
    tail = (limit - 2) // 2
    return f"{text[: limit - 2 - tail]}..{text[len(text) - tail :]}"


def name(text: str, limit: int = LONGEST_NAME) -> str:
    """Return a name from a file fit for a terminal."""
    return shortened(printable(text, max(limit, 200)), limit)


def width_of(lines: Iterable[str]) -> int:
    """Return the length of the longest line."""
    return max((len(line) for line in lines), default=0)


def beside(left: Block, right: Block) -> Block:
    """Put two blocks side by side."""
    height = max(len(left), len(right))
    margin = width_of(left) + GAP
    pairs = zip(_padded(left, height), _padded(right, height), strict=True)
    return [f"{first:{margin}}{second}".rstrip() for first, second in pairs]


def labelled(labels: Sequence[str], lines: Block, width: int) -> Block:
    """Set a label, never cut, before each line; above it where the line leaves it no room."""
    room = width - width_of(lines) - 2
    column = max((len(label) for label in labels if len(label) <= room), default=0)
    block = []
    for label, line in zip(labels, lines, strict=True):
        before = [] if len(label) <= column else [label]
        start = label if not before else ""
        block += [*before, *([f"{start:{column}}  {line}".rstrip()] if line or start else [])]
    return block


def packed(parts: Sequence[str], width: int, start: str = "", between: int = GAP) -> Block:
    """Set parts one after another, on as many lines as they need; `start` opens the first.

    A part that no line holds is broken between its words.
    """
    lines = [start]
    room = max(width - len(start), 1)
    for part in (line for whole in parts for line in wrapped(whole, room) or [""]):
        gap = "" if len(lines[-1]) <= len(start) else " " * between
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
