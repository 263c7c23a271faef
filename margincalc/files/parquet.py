"""Parquet files and the columns that are wanted of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from margincalc.errors import MissingExtraError, did_you_mean, input_error, shown

Table = Any
"""A `pyarrow.Table`, or a column of one."""


class Wanted(NamedTuple):
    """A column: what it holds, and whether a file may lack it."""

    holds: str
    optional: bool = False


POSITIONS = {
    "account": Wanted("key"),
    "instrument": Wanted("text"),
    "quantity": Wanted("number"),
    "venue": Wanted("text", optional=True),
    "pool": Wanted("text", optional=True),
    "entry_price": Wanted("number", optional=True),
}
BALANCES = {
    "account": Wanted("key"),
    "asset": Wanted("text"),
    "amount": Wanted("number"),
    "venue": Wanted("text", optional=True),
}
_NAMES = {"key": "names or whole numbers", "text": "names", "number": "numbers"}


def arrow() -> Any:
    """Return pyarrow with its parts that are used here.

    Raises
    ------
    MissingExtraError
    """
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        message = "Parquet files need pyarrow: pip install 'margincalc[scale]'"
        raise MissingExtraError(message) from None
    return pyarrow


def files_of(path: str, option: str) -> tuple[str, ...]:
    """Return a Parquet file, or those of a folder in the order of their names.

    Raises
    ------
    InputError
        Where there is none.
    """
    place = Path(path)
    if place.is_file():
        return (str(place),)
    if not place.is_dir():
        raise input_error(option, f"{shown(path)}, which is not there", "a Parquet file or folder")
    found = sorted(str(each) for each in place.rglob("*.parquet") if each.is_file())
    if not found:
        raise input_error(option, f"{path} without a file *.parquet", "a folder of Parquet files")
    return tuple(found)


class Found(NamedTuple):
    """What a folder has of a venue; `positions` is what was given where it is no such folder."""

    positions: str
    balances: str | None = None
    instruments: str | None = None
    market: str | None = None


def found_in(path: str) -> Found:
    """Return a venue's files in a folder: each a Parquet file or a folder, beside its market."""
    folder = Path(path)

    def named(*names: str) -> str | None:
        return next((str(folder / name) for name in names if (folder / name).exists()), None)

    positions = named("positions", "positions.parquet")
    if positions is None:
        return Found(path)
    return Found(
        positions,
        named("balances", "balances.parquet"),
        named("instruments", "instruments.parquet"),
        named("market.yaml", "market.yml", "market.json"),
    )


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a Parquet file; what cannot be read is an error that names the file.

    Raises
    ------
    InputError
    """
    pa = arrow()
    try:
        with pa.parquet.ParquetFile(path) as file:
            yield file
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        reason = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        found = f"what is no complete Parquet file ({reason})"
        remedy = "it may be cut short or damaged: write it again"
        raise input_error(path, found, "a Parquet file", remedy) from None


def columns_of(file: Any, path: str, wanted: dict[str, Wanted]) -> list[str]:
    """Return which of the wanted columns a file has.

    Raises
    ------
    InputError
        Where one is missing, or holds something else.
    """
    schema, found = file.schema_arrow, []
    for name, column in wanted.items():
        if name not in schema.names:
            if column.optional:
                continue
            remedy = did_you_mean(name, schema.names) or f"it has {', '.join(schema.names[:20])}"
            raise input_error(path, f"no column {name}", f"columns {', '.join(wanted)}", remedy)
        if schema.names.count(name) > 1:
            remedy = "leave out or rename the others"
            raise input_error(path, f"several columns {name}", "one of each name", remedy)
        kind = schema.field(name).type
        empty = column.optional and arrow().types.is_null(kind)
        if not empty and not _CHECKS[column.holds](kind):
            place = f"{path}, column {name}"
            raise input_error(place, f"the type {kind}", _NAMES[column.holds], "convert the column")
        found.append(name)
    return found


def read(file: Any, groups: Sequence[int], columns: Sequence[str]) -> Table:
    """Read row groups; a damaged one is an error of `opened`."""
    return file.read_row_groups(list(groups), columns=list(columns), use_threads=False)


def account_keys(column: Table, path: str) -> Any:
    """Return the accounts of a file's rows as `keys`.

    Raises
    ------
    InputError
        For numbers of more than 63 bits.
    """
    try:
        return keys(column)
    except arrow().ArrowInvalid as error:
        found, wanted = f"what is none ({error})", f"names, or whole numbers below {1 << 63:,}"
        raise input_error(f"{path}, column account", found, wanted) from None


def keys(column: Table) -> Any:
    """Return accounts as one array of texts, or of whole numbers where they are written so."""
    pa = arrow()
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    if pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_decode()
    return whole.cast(pa.int64() if pa.types.is_integer(whole.type) else pa.string())


def _text(kind: Any) -> bool:
    types = arrow().types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _number(kind: Any) -> bool:
    types = arrow().types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "key": lambda kind: _text(kind) or bool(arrow().types.is_integer(kind)),
    "text": _text,
    "number": _number,
}
