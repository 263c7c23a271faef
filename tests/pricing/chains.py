"""Read the real option chains that lie beside the reference material; never part of the project."""

import csv
import gzip
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from margincalc.arrays import BoolArray, FloatArray
from margincalc.pricing import black

YEAR = 365.0 * 86400.0  # seconds
HALF_DIGIT = {"BTC": 0.5e-8, "ETH": 0.5e-6}  # of the published coin prices
VOLATILITY_HALF_DIGIT = 0.5e-4


@dataclass(frozen=True)
class Chain:
    """One Deribit chain, arrays of shape (I,); prices in coin, time from the chain's timestamp."""

    name: npt.NDArray[np.str_]
    currency: npt.NDArray[np.str_]
    expiry: npt.NDArray[np.str_]
    underlying: FloatArray
    strike: FloatArray
    time: FloatArray
    call: BoolArray
    mark: FloatArray
    volatility: FloatArray

    def half_digit(self) -> FloatArray:
        """Half of the last published digit of each mark, in coin."""
        return np.array([HALF_DIGIT[currency] for currency in self.currency.tolist()])


def folder() -> Path:
    return Path(os.environ["MARGINCALC_REFERENCE"]).parent / "data"


def deribit_files() -> list[Path]:
    return sorted((folder() / "deribit").glob("*.csv.gz"))


def read_deribit(path: Path) -> Chain:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def numbers(name: str) -> FloatArray:
        return np.array([float(row[name]) for row in rows])

    def words(name: str) -> npt.NDArray[np.str_]:
        return np.array([row[name] for row in rows])

    return Chain(
        name=words("instrument_name"),
        currency=words("currency"),
        expiry=words("expiry_datetime"),
        underlying=numbers("underlying"),
        strike=numbers("strike"),
        time=np.array([_years(row["timestamp"], row["expiry_datetime"]) for row in rows]),
        call=words("option_type") == "call",
        mark=numbers("mark_price"),
        volatility=numbers("implied_volatility"),
    )


def _years(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / YEAR


def parity_forward(chain: Chain) -> FloatArray:
    """``K / (1 - (C - P))`` of each strike's own pair, else of the nearest pair of its expiry."""
    forward = np.zeros(chain.strike.size)
    for rows in _groups(zip(chain.currency, chain.expiry, strict=True)).values():
        pairs = _pairs(chain, rows)
        strikes, forwards = np.array([*pairs]), np.array([*pairs.values()])
        for row in rows:
            forward[row] = forwards[np.argmin(np.abs(strikes - chain.strike[row]))]
    return forward


def _pairs(chain: Chain, rows: list[int]) -> dict[float, float]:
    calls = {float(chain.strike[row]): row for row in rows if chain.call[row]}
    puts = {float(chain.strike[row]): row for row in rows if not chain.call[row]}
    return {
        strike: strike / (1.0 - float(chain.mark[calls[strike]] - chain.mark[puts[strike]]))
        for strike in calls.keys() & puts.keys()
    }


def _groups(keys: Iterable[Any]) -> dict[Any, list[int]]:
    groups: dict[Any, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        groups[key].append(row)
    return groups


@dataclass(frozen=True)
class Listed:
    """Published prices and volatilities of listed options, arrays of shape (I,)."""

    forward: FloatArray
    discount: FloatArray
    strike: FloatArray
    time: FloatArray
    call: BoolArray
    price: FloatArray
    volatility: FloatArray

    def repriced(self) -> FloatArray:
        """Present values at the published volatilities."""
        undiscounted = black.price(self.forward, self.strike, self.volatility, self.time, self.call)
        return self.discount * undiscounted


def read_spx(valuation: date) -> Listed:
    """Read the SPX table: by expiry, rows of strike, then price and volatility of call and put.

    The author's time is one day less than the calendar says, over 365.25.
    """
    text = (folder() / "equity" / "spx_implied_vols_reference.txt").read_text(encoding="utf-8")
    rows: list[tuple[float, ...]] = []
    for block in text.partition("ATM vol summary")[0].split("expiry:")[1:]:
        head, _, body = block.partition("\n")
        expiry, forward, discount = re.findall(r"[\d.-]+", head)
        time = ((date.fromisoformat(expiry) - valuation).days - 1) / 365.25
        for line in body.splitlines()[1:]:
            rows += _options((float(forward), float(discount), time), line.split())
    columns = np.array([row for row in rows if not np.isnan(row[-2])]).T
    forwards, discounts, times, strikes, kinds, prices, volatilities = columns
    return Listed(forwards, discounts, strikes, times, kinds == 1.0, prices, volatilities / 100.0)


def _options(expiry: tuple[float, float, float], words: list[str]) -> list[tuple[float, ...]]:
    if len(words) != 6:
        return []
    strike, call, call_volatility, put, put_volatility, _ = map(float, words)
    return [
        (*expiry, strike, 1.0, call, call_volatility),
        (*expiry, strike, 0.0, put, put_volatility),
    ]
