"""A joint history of several underlyings: their prices at common times.

Either a column for each underlying (`time,BTC,ETH`), or a row for each time and symbol
(`date,symbol,close`), where `BTC/USD` and `BTC-USD` are prices of BTC. CSV or Parquet.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import did_you_mean, input_error, printable
from margincalc.files.columns import Columns, read_columns
from margincalc.files.prices import TIMES, Prices, read_prices, times_of
from margincalc.portfolio import LEAST
from margincalc.times import SECONDS_PER_YEAR

LEAST_BARS = 30


class History(NamedTuple):
    """Prices at the same times, evenly spaced but for gaps.

    Attributes
    ----------
    years : between two neighbours, the median
    price : shape (B, U), a column for each underlying asked for
    """

    years: float
    price: FloatArray


def read_history(source: str | Path, underlyings: Sequence[str]) -> History:
    """Read the prices of some underlyings at the times at which all have one.

    Raises
    ------
    InputError
        If the file is no history, lacks an underlying, or has fewer than 30 common times.
    """
    table = read_columns(source)
    wide = all(name.casefold() in table.cells for name in underlyings)
    own = _columns(table, underlyings) if wide else _symbols(source, table, underlyings)
    common = own[0].time
    for one in own[1:]:
        common = np.intersect1d(common, one.time)
    if len(common) < LEAST_BARS:
        found = f"{len(common)} times at which {', '.join(underlyings)} have prices"
        raise input_error(table.name, found, f"at least {LEAST_BARS}")
    price = [one.price[np.searchsorted(one.time, common)] for one in own]
    spacing = float(np.median(np.diff(common))) / SECONDS_PER_YEAR
    return History(spacing, np.stack(price, axis=1))


def _columns(table: Columns, underlyings: Sequence[str]) -> list[Prices]:
    """Read a file that has a column for each underlying; their case does not matter."""
    when = table.first_of(*TIMES)
    if when is None:
        table.need("time", example="time," + ",".join(underlyings))
    assert when is not None
    time = times_of(table, when)
    late = np.flatnonzero(np.diff(time) <= 0.0)
    if len(late):
        place = table.place(int(late[0]) + 1)
        raise input_error(place, "a time that is not later", "times in order")
    return [Prices(name, time, table.numbers(name.casefold(), least=LEAST)) for name in underlyings]


def _symbols(source: str | Path, table: Columns, underlyings: Sequence[str]) -> list[Prices]:
    """Read a file that has a row for each time and symbol; without symbols it is of one."""
    found = {each.symbol: each for each in read_prices(source)}
    if list(found) == [""] and len(underlyings) == 1:
        return list(found.values())
    based = {symbol.replace("-", "/").partition("/")[0]: own for symbol, own in found.items()}
    missing = [name for name in underlyings if name not in found and name not in based]
    if missing:
        wanted = f"prices of {', '.join(map(printable, missing))}, in a column or under a symbol"
        known = ", ".join(map(printable, list(found)[:10])) or "no symbol"
        remedy = did_you_mean(missing[0], found)
        raise input_error(table.name, f"prices of {known}", wanted, remedy)
    return [found.get(name) or based[name] for name in underlyings]
