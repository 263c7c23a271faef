"""Histories of prices: CSV or Parquet, a row for each time, perhaps of several symbols."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from margincalc.arrays import FloatArray, IntArray
from margincalc.errors import InputError, input_error, printable, shown
from margincalc.files.columns import Columns, read_columns
from margincalc.portfolio import LEAST
from margincalc.times import instant

TIMES = ("time", "timestamp", "date", "open_time")
PRICES = ("price", "mark", "close")
_MILLISECONDS = 1e11  # a larger number of an epoch counts thousandths
_FIRST, _LAST = -6.2e10, 1e11  # seconds since 1970, from the year 6 to the year 5138
_ZONE = re.compile(r":\d\d(?:\.\d+)?[+-]\d\d:?\d\d$", re.ASCII)
_EXAMPLE = "time,price"


class Prices(NamedTuple):
    """One symbol's prices, in time order.

    Attributes
    ----------
    symbol : "" where the file says none
    time : shape (T,), seconds since 1970, UTC
    price : shape (T,), positive
    own : shape (T,), a venue's own price of the same, where the file has a column `venue_price`
    interval : shape (T,), confidence interval that each price states, in its unit, where the file
        has a column `interval`
    """

    symbol: str
    time: FloatArray
    price: FloatArray
    own: FloatArray | None = None
    interval: FloatArray | None = None

    def moments(self) -> npt.NDArray[np.datetime64]:
        """Return the times as dates."""
        return self.time.astype("datetime64[s]")


def read_prices(source: str | Path, symbol: str | None = None) -> tuple[Prices, ...]:
    """Read a history: every symbol of the file, or the one asked for.

    Raises
    ------
    InputError
        If a column is missing, a cell is wrong, or times are not in order.
    """
    table = read_columns(source)
    when, what = table.first_of(*TIMES), table.first_of(*PRICES)
    if when is None or what is None:
        table.need("time" if when is None else "price", example=_EXAMPLE)
    assert when is not None
    assert what is not None
    time, price = times_of(table, when), table.numbers(what, least=LEAST)
    own, interval = (
        table.numbers(name, least=0.0) if name in table.cells else None
        for name in ("venue_price", "interval")
    )
    names = np.array(table.texts("symbol") if "symbol" in table.cells else [""] * len(price))
    symbols = list(dict.fromkeys(names.tolist()))
    if symbol is not None:
        if symbol not in symbols:
            known = ", ".join(map(printable, symbols))
            raise input_error("--symbol", shown(symbol), f"a symbol of {table.name}: {known}")
        symbols = [symbol]
    return tuple(
        _one(table, Prices(name, time, price, own, interval), np.flatnonzero(names == name))
        for name in symbols
    )


def _one(table: Columns, every: Prices, rows: IntArray) -> Prices:
    """Return the rows of one symbol.

    Parameters
    ----------
    every : the columns of all symbols, by the name of the one asked for
    """
    time = every.time[rows]
    if len(time) < 3:
        raise input_error(table.name, f"{len(time)} prices of {every.symbol or 'it'}", "at least 3")
    late = np.flatnonzero(np.diff(time) <= 0.0)
    if len(late):
        place = table.place(int(rows[late[0] + 1]))
        raise input_error(place, "a time that is not later", "times in order")
    own, interval = (None if one is None else one[rows] for one in (every.own, every.interval))
    return Prices(every.symbol, time, every.price[rows], own, interval)


def times_of(table: Columns, column: str) -> FloatArray:
    """Read a column of times: seconds or milliseconds since 1970, or dates.

    Raises
    ------
    InputError
        With the first that is none, or beyond the calendar.
    """
    cells = table.cells[column]
    try:
        number = np.array([float(cell) for cell in cells])
    except (TypeError, ValueError):
        return _dates(table, column)
    time = np.where(number > _MILLISECONDS, number / 1000.0, number)
    beyond = np.flatnonzero(~((time >= _FIRST) & (time <= _LAST)))
    if len(beyond):
        raise _no_time(table, column, int(beyond[0]))
    return time


def _dates(table: Columns, column: str) -> FloatArray:
    found = np.empty(table.rows)
    for row, cell in enumerate(table.texts(column)):
        try:
            found[row] = _milliseconds(cell.removesuffix("Z").removesuffix(" UTC"))
        except ValueError:
            raise _no_time(table, column, row) from None
    return found / 1000.0


def _milliseconds(text: str) -> float:
    """Read a date, or a date and time, perhaps with its zone; NumPy's own would warn of one."""
    if _ZONE.search(text):
        return instant(text).timestamp() * 1000.0
    moment = np.datetime64(text, "ms")
    if np.isnat(moment):  # as NumPy reads an empty text
        raise ValueError
    return float(moment.astype(np.float64))


def _no_time(table: Columns, column: str, row: int) -> InputError:
    cell = table.cells[column][row]
    found = "nothing" if cell is None or cell == "" else shown(cell)
    return input_error(table.place(row, column), found, "a time such as 2025-10-10 21:15:00")


def one_history(source: str | Path, symbol: str | None = None) -> Prices:
    """Read a history of one symbol.

    Raises
    ------
    InputError
        As `read_prices`, or if there are several symbols.
    """
    found = read_prices(source, symbol)
    if len(found) > 1:
        names = ", ".join(printable(each.symbol) for each in found)
        wanted = "one symbol"
        raise input_error(str(source), f"{len(found)} symbols", wanted, f"--symbol one of {names}")
    return found[0]
