"""Instruments as Parquet: terms and quotes of one a row, laid over those of the market file.

Columns are `instrument`, its name, and any of the fields of `instruments` and of `quotes` in a
portfolio file, with `spot` of its underlying, and `forward` and `rate` of its expiry.
"""

from typing import Any

import numpy as np

from margincalc.errors import input_error, shown
from margincalc.files.folders import files_of
from margincalc.files.parquet import Table, Wanted, columns_of, legible, opened, read_whole
from margincalc.files.reader import market_of
from margincalc.portfolio import Instrument, Portfolio, Quote
from margincalc.portfolio.names import parse

TERMS = tuple(Instrument.model_fields)
QUOTES = tuple(Quote.model_fields)
MOST = 10_000_000  # cells of one file: what a venue lists is a hundredth of it
_OF_THE_MARKET = ("spot", "forward", "rate")
_WANTED = {"instrument": Wanted("text")}


def with_instruments(market: Portfolio, path: str | None) -> Portfolio:
    """Return a market with the instruments of a Parquet file laid over its own.

    Raises
    ------
    InputError
        For a file that cannot be read, a column that means nothing, or a row that is wrong.
    """
    if path is None:
        return market
    rows: list[dict[str, Any]] = []
    places: list[str] = []
    for file_name in files_of(path, "--instruments"):
        with opened(file_name) as file:
            columns_of(file, file_name, _WANTED)
            table = _table(file, file_name)
            rows += table.to_pylist()
            places += [f"{file_name} row {number:,}" for number in range(1, table.num_rows + 1)]
    known = {"instrument", *TERMS, *QUOTES, *_OF_THE_MARKET}
    unknown = [name for name in (rows[0] if rows else ()) if name not in known]
    if unknown:
        wanted = f"columns among {', '.join(sorted(known))}"
        raise input_error(path, f"the unknown column {shown(unknown[0])}", wanted)
    tree: dict[str, Any] = {"instruments": {}, "quotes": {}, "market": {}}
    for place, row in zip(places, rows, strict=True):
        said = {key: _plain(value) for key, value in row.items() if value is not None}
        if "instrument" not in said:
            raise input_error(place, "no instrument", "its name")
        _add(tree, market, said, place)
    return market.with_market(market_of(tree, _Place(path)))


def _table(file: Any, name: str) -> Table:
    """Read a file, and refuse texts in it that are none."""
    read = legible(read_whole(file, name, MOST))
    for column, lost in read.lost:
        place = f"{name} row {int(np.flatnonzero(lost)[0]) + 1:,}, column {column}"
        raise input_error(
            place, "bytes that are not UTF-8", "a text in UTF-8", "convert the column"
        )
    return read.table


class _Place:
    """Where a path of the tree stands: somewhere in the file."""

    def __init__(self, file: str) -> None:
        self._file = file

    def __call__(self, path: str) -> str:
        return f"{self._file}, {path}"

    def line(self, path: str) -> int:
        """Return no line: a Parquet file has none."""
        return 0


def _plain(value: Any) -> Any:
    """Return a day or a time as a portfolio file writes it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _add(tree: dict[str, Any], market: Portfolio, said: dict[str, Any], place: str) -> None:
    name = said["instrument"]
    terms = {key: said[key] for key in TERMS if key in said}
    quote = {key: said[key] for key in QUOTES if key in said}
    if terms:
        tree["instruments"][name] = terms
    if quote:
        tree["quotes"][name] = quote
    if any(key in said for key in _OF_THE_MARKET):
        _add_market(tree["market"], market, said, place)


def _add_market(tree: dict[str, Any], market: Portfolio, said: dict[str, Any], place: str) -> None:
    """Add the spot of an instrument's underlying, and the forward and rate of its expiry."""
    underlying, expiry = _where(said, market, place)
    spot = said.get("spot", market.market[underlying].spot if underlying in market.market else None)
    if spot is None:
        remedy = "add a column `spot`, or the underlying to the market file"
        raise input_error(place, f"{underlying} without a spot", "its spot", remedy)
    own = tree.setdefault(underlying, {"spot": spot})
    of_expiry = {key: said[key] for key in ("forward", "rate") if key in said}
    if expiry is not None and of_expiry:
        own.setdefault("expiries", {})[expiry] = of_expiry


def _where(said: dict[str, Any], market: Portfolio, place: str) -> tuple[str, str | None]:
    """Return underlying and expiry, from the columns or else the name."""
    try:
        named = parse(said["instrument"])
    except ValueError as error:
        raise input_error(place, f"{shown(said['instrument'])} ({error})", "a contract") from None
    underlying, expiry = said.get("underlying"), said.get("expiry")
    if named is not None and underlying is None:
        quoted = f"{named.base}_{named.quote}"
        underlying = quoted if quoted in market.market else named.base
    if named is not None and expiry is None and named.expiry is not None:
        expiry = named.expiry.isoformat()
    return underlying or said["instrument"], expiry
