"""Rows that are set aside, as a table: whose they are, what they say, what is wrong with them.

They stay columns, as a file may be wrong from its first row to its last.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import IntArray
from margincalc.batch.lines import Reasons
from margincalc.errors import Fault, InputError
from margincalc.files.parquet import Table, arrow, flat, readable

MOST_SHOWN = 20  # bad rows in an error of a strict run
_SET_ASIDE = "without --strict it is set aside, and counted"


class Bad(NamedTuple):
    """A row set aside; `row` is counted from 1, 0 of an account that a model refuses."""

    file: str
    row: int
    account: str | None
    name: str | None
    quantity: float | None
    reason: str


def _types() -> tuple[Any, ...]:
    pa = arrow()
    few = pa.dictionary(pa.int32(), pa.string())  # a text that many rows share
    return few, pa.int64(), pa.string(), pa.string(), pa.float64(), few


def as_table(bad: Sequence[Bad]) -> Table:
    """Return some bad rows as a table."""
    pa = arrow()
    columns = zip(*bad, strict=True) if bad else ((),) * len(Bad._fields)
    made = [pa.array(column, kind) for column, kind in zip(columns, _types(), strict=True)]
    return pa.table(made, names=Bad._fields)


def together(tables: Iterable[Table]) -> Table:
    """Return tables of bad rows as one, each of its columns in one piece."""
    some = [table for table in tables if table.num_rows] or [as_table(())]
    return some[0] if len(some) == 1 else arrow().concat_tables(some).combine_chunks()


def rows_of(
    table: Table, places: Sequence[tuple[str, int, int]], rows: IntArray, reasons: Reasons
) -> Table:
    """Return the given rows of a table that was read, with what is wrong with them.

    Parameters
    ----------
    places : where each run of the table's rows comes from: file, number of its first row, how many
    """
    pa = arrow()
    file, first, count = zip(*places, strict=True)
    ends = np.cumsum(count)
    place = np.searchsorted(ends, rows, side="right")
    number = rows + (np.array(first) - (ends - count) + 1)[place]
    account, name, amount, *_ = table.column_names
    chosen = table.select([account, name, amount]).unify_dictionaries().take(pa.array(rows))
    columns = (
        _shared(file, place),
        pa.array(number),
        flat(readable(chosen.column(account), escaped=True)).cast(pa.string()),
        flat(readable(chosen.column(name), escaped=True)),
        chosen.column(amount).cast(pa.float64(), safe=False),
        _shared(reasons.texts, reasons.code[rows]),
    )
    return pa.table(columns, names=Bad._fields)


def _shared(texts: Sequence[str], code: IntArray) -> Any:
    """Return a column of texts that many rows share, given by number.

    Each is there once: of a word that comes again, Parquet would get memory that nobody wrote to.
    """
    pa = arrow()
    place = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    number = np.array([place[text] for text in texts], np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(number[code]), pa.array(list(place)))


def refuse(bad: Table, remedy: str = _SET_ASIDE) -> None:
    """Raise an error that names the first bad rows, if there are any."""
    faults = []
    for each in (Bad(**row) for row in bad.slice(0, MOST_SHOWN).to_pylist()):
        place = f"{each.file} row {each.row:,}" if each.row else f"account {each.account}"
        found, _, wanted = each.reason.partition("; wanted ")
        faults.append(Fault(place, found, wanted or "a row that can be margined", remedy))
    if faults:
        raise InputError(faults)
