"""Parquet files and the columns that are wanted of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray
from margincalc.errors import InputError, MissingExtraError, did_you_mean, input_error

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
LONGEST = 1 << 26  # rows of a row group: they are in memory at once
LARGEST = 2 << 30  # bytes, unpacked, of a table that is read whole: some ten million accounts
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
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if "Invalid UTF8" in str(error):  # of dictionaries with an index of other than 32 bits
            raise _not_utf8(path) from None
        reason = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        found = f"what is no complete Parquet file ({reason})"
        remedy = "it may be cut short or damaged: write it again"
        raise input_error(path, found, "a Parquet file", remedy) from None


def _not_utf8(path: str) -> InputError:
    wanted, remedy = "names and texts in UTF-8", "convert the column to UTF-8, and write it again"
    return input_error(path, "bytes that are not UTF-8 in a column of texts", wanted, remedy)


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


def sizes_of(file: Any, path: str) -> list[int]:
    """Return how many rows each row group has.

    Raises
    ------
    InputError
        For one of more than `LONGEST`.
    """
    groups = range(file.num_row_groups)
    sizes: list[int] = [file.metadata.row_group(number).num_rows for number in groups]
    if max(sizes, default=0) > LONGEST:
        found, remedy = f"a row group of {max(sizes):,} rows", "write it in smaller row groups"
        raise input_error(path, found, f"at most {LONGEST:,}", remedy)
    return sizes


def read_whole(file: Any, path: str, most: int) -> Table:
    """Read a file that is to have at most so many cells.

    Raises
    ------
    InputError
        For a larger one.
    """
    head = file.metadata
    found, wanted = f"{head.num_rows:,} rows of {head.num_columns:,} columns", f"{most:,} cells"
    size = sum(head.row_group(number).total_byte_size for number in range(head.num_row_groups))
    if size > LARGEST:
        found, wanted = f"{size:,} bytes, unpacked", f"{LARGEST:,}"
    if head.num_rows * head.num_columns > most or size > LARGEST:
        remedy = "leave out columns that are not read, or rows"
        raise input_error(path, found, f"at most {wanted}", remedy)
    return file.read(use_threads=False)


def read(file: Any, groups: Sequence[int], columns: Sequence[str]) -> Table:
    """Read row groups; a damaged one is an error of `opened`."""
    return file.read_row_groups(list(groups), columns=list(columns), use_threads=False)


class Legible(NamedTuple):
    """A table, of which what is not UTF-8 was made null.

    Attributes
    ----------
    written : the table as it was read
    lost : the columns that had any, and which rows, shape (P,)
    """

    table: Table
    written: Table
    lost: tuple[tuple[str, BoolArray], ...]


def legible(written: Table) -> Legible:
    """Make null what a table has for texts and is not UTF-8."""
    table, lost = written, []
    for at, name in enumerate(written.column_names):
        column = written.column(at)
        texts = readable(column)
        if texts is not column:
            table = table.set_column(at, name, texts)
            own: BoolArray = _missing(texts) & ~_missing(column)
            lost.append((name, own))
    return Legible(table, written, tuple(lost))


def _missing(column: Table) -> BoolArray:
    found: BoolArray = np.asarray(column.is_null().to_numpy(), bool)
    return found


def readable(column: Table, *, escaped: bool = False) -> Table:
    """Return a column, of whose texts those that are not UTF-8 are null or, to be shown, escaped.

    A Parquet file may have any bytes for a text, and pyarrow hands them on as they are.
    """
    pa = arrow()
    if not _text(column.type):
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return _decoded(column, escaped)
    return column


def _decoded(column: Table, escaped: bool) -> Table:
    pa = arrow()
    if isinstance(column, pa.ChunkedArray):
        parts = [_decoded(part, escaped) for part in column.chunks]
        return pa.chunked_array(parts, column.type)
    if pa.types.is_dictionary(column.type):
        words = _decoded(column.dictionary, escaped)
        known = pa.compute.take(words.is_valid(), column.indices)
        code = pa.compute.if_else(known, column.indices, pa.scalar(None, column.indices.type))
        return pa.DictionaryArray.from_arrays(code, words)
    found = column.cast(pa.large_binary()).to_pylist()
    return pa.array([each and _text_of(each, escaped) for each in found], column.type)


def _text_of(content: bytes, escaped: bool) -> str | None:
    try:
        return content.decode("utf-8", "backslashreplace" if escaped else "strict")
    except UnicodeDecodeError:
        return None


def account_keys(column: Table, path: str, *, as_written: bool = False) -> Any:
    """Return the accounts of a file's rows as `keys`; those that are not UTF-8 too, `as_written`.

    Raises
    ------
    InputError
        For numbers of more than 63 bits.
    """
    try:
        return flat(column) if as_written else keys(column)
    except arrow().ArrowInvalid as error:
        found, wanted = f"what is none ({error})", f"names, or whole numbers below {1 << 63:,}"
        raise input_error(f"{path}, column account", found, wanted) from None


def keys(column: Table) -> Any:
    """Return accounts as one array of texts, or of whole numbers where they are written so.

    What is not UTF-8, or has no letter, is nobody's name: null.
    """
    accounts, pa = flat(readable(column)), arrow()
    if pa.types.is_integer(accounts.type):
        return accounts
    length = pa.compute.binary_length(accounts)
    if pa.compute.min(length).as_py() != 0:
        return accounts
    named = pa.compute.greater(length, 0)
    return pa.compute.if_else(named, accounts, pa.scalar(None, accounts.type))


def flat(column: Table) -> Any:
    """Return texts or whole numbers as one array without a dictionary."""
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
    # Of no type is a column that has nothing.
    "key": lambda kind: (
        _text(kind) or bool(arrow().types.is_integer(kind) or arrow().types.is_null(kind))
    ),
    "text": _text,
    "number": _number,
}
