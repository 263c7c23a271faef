"""One part, from its files to its files: read, margined book by book, written whole or not at all.

A part leaves `accounts/part-N.parquet`, unless it is nobody's, `quarantine/part-N.parquet` where
rows were set aside, and last `done/part-N.json`, which says what it wrote. That file makes it done:
what is without one is done again.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.margining import pooled
from margincalc.arrays import IntArray
from margincalc.assembly.funding import Funding
from margincalc.assembly.keys import as_columns
from margincalc.batch.aside import Bad, as_table, refuse, together
from margincalc.batch.books import Unit, unit, units
from margincalc.batch.holdings import Accounts, accounts_in
from margincalc.batch.parts import Part
from margincalc.batch.rows import AMOUNTS, Columns, Components, Margined, columns_of, table_of
from margincalc.batch.universe import Universe
from margincalc.errors import ModelRefusal, OutputError
from margincalc.files.parquet import Table, arrow
from margincalc.files.unchanged import States, unchanged
from margincalc.files.whole import drafted
from margincalc.kernels import pricer_named
from margincalc.liquidation.nearest import nearest
from margincalc.margin.base import STATUSES
from margincalc.pricer import PricerName, using

PACKED: dict[str, Any] = {"compression": "zstd", "compression_level": 1}
CLOSEST = 100  # accounts that are listed
_DONE = "margincalc.batch.part/1"


class Job(NamedTuple):
    """What all parts share; it goes to every worker once.

    Attributes
    ----------
    output : the folder of results
    run : what its manifest says that it is of
    liquidation : underlyings whose liquidation prices are wanted, rows of the book
    strict : a bad row is an error
    known : digests of accounts with positions, where some have none
    values : values of instruments that are known already; see `known.remembered`
    states : of the files that are read, as they were looked at first
    """

    universe: Universe
    components: Components
    pricer: PricerName
    output: str
    run: str
    liquidation: tuple[int, ...]
    strict: bool
    known: IntArray | None
    values: dict[bytes, Any]
    states: States


def run_part(part: Part, job: Job) -> dict[str, Any]:
    """Margin a part and write its files; return what `done` says of it.

    Raises
    ------
    InputError
        For a file that cannot be read, or changed, and in a strict run for bad rows.
    OutputError
        If a result could not be written.
    """
    with using(replace(pricer_named(job.pricer), known=job.values)):
        with unchanged({file: job.states[file] for file in part.files}):
            accounts = accounts_in(part, job.universe, job.known)
        if job.strict:
            refuse(accounts.bad)
        made = _Made(accounts, job)
        for each in units(accounts, job.universe, moved=bool(job.liquidation)):
            made.add(each)
    table = made.table()
    wrote = {} if part.nobody else {"accounts": _wrote(job, "accounts", part, table)}
    bad = made.bad()
    if bad.num_rows:
        wrote["quarantine"] = _wrote(job, "quarantine", part, bad)
    done = _summary(part, table, bad.num_rows) | {"wrote": wrote}
    write(Path(job.output, "done", f"{name_of(part)}.json"), json.dumps(done).encode())
    return done


class _Made:
    """The rows of a part as they come, without the accounts that a model refuses."""

    def __init__(self, accounts: Accounts, job: Job) -> None:
        self.accounts, self.job = accounts, job
        self.refused: list[Bad] = []
        self.columns: list[Columns] = []
        self.kept: list[IntArray] = []

    def add(self, each: Unit) -> None:
        """Margin a book; where the model refuses it, find the accounts that it refuses."""
        try:
            self.columns.append(self._margined(each))
            self.kept.append(np.arange(each.first, each.stop))
        except ModelRefusal as error:
            if each.stop - each.first == 1:
                self._refused(each, str(error))
                return
            middle = (each.first + each.stop) // 2
            for first, stop in ((each.first, middle), (middle, each.stop)):
                self.add(unit(self.accounts, self.job.universe, first, stop))

    def _margined(self, each: Unit) -> Columns:
        universe, asked = self.job.universe, self.job.liquidation
        book = pooled(each.book, universe.venue, universe.mode, Funding({}, "balances"))
        result = universe.venue.model.margin(book)
        owner, prices = as_columns(book.names.keys).owner, None
        if asked:
            prices = nearest(book, universe.venue.model, np.array(asked), result)
        made = Margined(each.stop - each.first, owner, book, result, prices, asked)
        return columns_of(made, self.job.components, universe.venue)

    def _refused(self, each: Unit, reason: str) -> None:
        account = str(self.accounts.names[each.first])
        bad = Bad("", 0, account, None, None, f"{self.job.universe.venue.name}: {reason}")
        if self.job.strict:
            refuse(as_table((bad,)))
        self.refused.append(bad)

    def bad(self) -> Table:
        """Return the rows that were set aside, then the accounts that the model refused."""
        return together([self.accounts.bad, as_table(self.refused)])

    def table(self) -> Any:
        """Return the accounts that were margined."""
        pa = arrow()
        kept = np.concatenate([np.zeros(0, np.int64), *self.kept])
        counts = {
            "positions": self.accounts.positions.sizes(len(self.accounts.names))[kept],
            "quarantined": self.accounts.set_aside[kept],
        }
        names = self.accounts.names.take(pa.array(kept))
        columns = self.columns or [self._nothing()]
        return table_of(names, columns, counts)

    def _nothing(self) -> Columns:
        """Return columns of no account."""
        return self._margined(Unit(0, 0, self.job.universe.book))


def _summary(part: Part, table: Table, quarantined: int) -> dict[str, Any]:
    status = np.asarray(table.column("status").combine_chunks().indices)
    counts = np.bincount(status, minlength=len(STATUSES)).tolist()
    return {
        "schema": _DONE,
        "part": part.number,
        "accounts": table.num_rows,
        "positions": int(np.sum(table.column("positions").to_numpy())),
        "quarantined": quarantined,
        "incomplete": incomplete(table, status),
        "statuses": dict(zip(STATUSES, counts, strict=True)),
        "totals": {name: float(np.add.reduce(table.column(name).to_numpy())) for name in AMOUNTS},
        "closest": _closest(table, status),
    }


def incomplete(table: Any, status: IntArray) -> dict[str, int]:
    """Count the accounts of which rows were set aside, by the status that the rest gives them."""
    lacking = table.column("quarantined").to_numpy() > 0
    counts = np.bincount(status[lacking], minlength=len(STATUSES)).tolist()
    return dict(zip(STATUSES, counts, strict=True))


def _closest(table: Any, status: IntArray) -> list[dict[str, Any]]:
    """Return the accounts that stand, and are nearest to not doing so: of the highest ratio."""
    pa = arrow()
    ratio = table.column("margin_ratio").to_numpy(zero_copy_only=False).copy()
    ratio[(status == STATUSES.index("liquidatable")) | np.isnan(ratio)] = -np.inf
    least = np.partition(ratio, -CLOSEST)[-CLOSEST] if len(ratio) > CLOSEST else -np.inf
    near = np.flatnonzero((ratio >= least) & (ratio > 0.0))
    chosen = near[np.argsort(-ratio[near], kind="stable")[:CLOSEST]]
    named = [name for name in table.column_names if name.startswith("liquidation.")]
    columns = ["account", "status", *AMOUNTS, "margin_ratio", *named]
    rows: list[dict[str, Any]] = table.select(columns).take(pa.array(chosen)).to_pylist()
    return rows


def name_of(part: Part) -> str:
    """Return the name of a part's files."""
    return f"part-{part.number:06d}"


def _wrote(job: Job, kind: str, part: Part, table: Any) -> dict[str, Any]:
    """Write a table, and say what it is to be known by."""
    path = Path(job.output, kind, f"{name_of(part)}.parquet")
    with _drafted(path) as draft:
        # Amounts hardly repeat: dictionaries of them are dear to make, and make files larger.
        arrow().parquet.write_table(table, draft, use_dictionary=_words(table), **PACKED)
        known = content_of(draft)
    return {"file": f"{kind}/{path.name}", **known}


def content_of(path: Path) -> dict[str, Any]:
    """Return what the content of a file is known by: its length, and BLAKE2b of 16 bytes."""
    content = path.read_bytes()
    return {"bytes": len(content), "blake2b": hashlib.blake2b(content, digest_size=16).hexdigest()}


def _words(table: Any) -> list[str]:
    """Name the columns of texts."""
    number = arrow().types.is_primitive
    return [field.name for field in table.schema if not number(field.type)]


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    OutputError
    """
    with _drafted(path) as draft:
        draft.write_bytes(content)


@contextmanager
def _drafted(path: Path) -> Iterator[Path]:
    """Give a name to write to, which becomes the file, in a folder that is made for it.

    Raises
    ------
    OutputError
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafted(path) as draft:
            yield draft
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{path} could not be written: {reason}; what is done stays: make room, and run it "
            "again with --resume"
        ) from None
