"""A venue's accounts as Parquet, always the same: options, futures and perpetuals of five coins.

`python -m benchmarks.venue FOLDER [ACCOUNTS]` writes `market.json`, `positions.parquet` and
`balances.parquet`. The first accounts of a large venue are those of a small one.
"""

import json
import math
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import accounts
from benchmarks.books import AS_OF
from margincalc.portfolio.names import MONTHS

SPOTS = {"BTC": 100_000.0, "ETH": 4_000.0, "SOL": 180.0, "XRP": 2.5, "BNB": 900.0}
EXPIRIES = tuple(
    date.fromisoformat(day)
    for day in (
        "2026-11-27",
        "2026-12-11",
        "2026-12-25",
        "2027-01-29",
        "2027-03-26",
        "2027-06-25",
        "2027-12-31",
    )
)
REACHES = tuple(0.55 + 0.035 * step for step in range(28))  # strikes over spot
POSITIONS = 20  # of an account
ASSETS = ("USD", "USDC", "BTC", "ETH")
CHUNK = 50_000  # accounts drawn at once, and of a row group
CARRY = 0.04  # per year
SIZE = 20_000.0  # account currency, of the average position
Written = dict[str, Any]


class Contract(NamedTuple):
    """An instrument, and the quantity of an average position."""

    name: str
    unit: float
    volatility: float | None


def contracts(model: str | None = None) -> list[Contract]:
    """List 2,000 instruments, 400 of each coin; or those that a model has rules for."""
    if model is not None:
        return [Contract(leg.instrument, leg.unit, leg.volatility) for leg in accounts.chain(model)]
    found = []
    for name, spot in SPOTS.items():
        unit = float(f"{SIZE / spot:.2g}")
        found.append(Contract(f"{name}-PERPETUAL", unit, None))
        for expiry in EXPIRIES:
            day = f"{expiry.day}{MONTHS[expiry.month - 1]}{expiry:%y}"
            found.append(Contract(f"{name}-{day}", unit, None))
            for reach in REACHES:
                strike = f"{float(f'{spot * reach:.4g}'):.8g}".replace(".", "d")
                smile = round(0.6 * (1.0 + 0.5 * abs(math.log(reach))), 4)
                found += [Contract(f"{name}-{day}-{strike}-{side}", unit, smile) for side in "CP"]
    return found


def market(model: str | None = None) -> Written:
    """Return the market, as a portfolio file says it."""
    if model is not None:
        return accounts.market(model)
    return {
        "as_of": f"{AS_OF}T08:00:00Z",
        "currency": "USD",
        "market": {
            name: {
                "spot": spot,
                "volatility": 0.6,
                "expiries": {
                    day.isoformat(): {
                        "forward": round(spot * math.exp(CARRY * (day - AS_OF).days / 365.0), 6)
                    }
                    for day in EXPIRIES
                },
            }
            for name, spot in SPOTS.items()
        },
        "quotes": {
            each.name: {"volatility": each.volatility}
            for each in contracts()
            if each.volatility is not None
        },
        "collateral": [
            {"asset": "BTC", "quantity": 1.0, "haircut": 0.1},
            {"asset": "ETH", "quantity": 1.0, "haircut": 0.15},
        ],
    }


class Drawn(NamedTuple):
    """Columns of some accounts: positions, then balances."""

    account: npt.NDArray[np.int64]
    instrument: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.float64]
    holder: npt.NDArray[np.int64]
    asset: npt.NDArray[np.int64]
    amount: npt.NDArray[np.float64]


def drawn(first: int, count: int, listed: Sequence[Contract]) -> Drawn:
    """Draw a chunk of accounts; those of one chunk do not depend on any other."""
    rng = np.random.default_rng([7, first])
    size = len(listed)
    step = rng.choice(np.array([n for n in range(1, size) if math.gcd(n, size) == 1]), count)
    instrument = (rng.integers(0, size, count) + step * np.arange(POSITIONS)[:, None]).T % size
    unit = np.array([each.unit for each in listed])[instrument]
    quantity = unit * rng.choice(np.array([-3.0, -2.0, -1.0, -1.0, 1.0, 1.0, 2.0]), unit.shape)
    ids = np.arange(first, first + count)
    worth = SIZE * POSITIONS * np.exp(rng.normal(0.1, 0.6, count))
    share = rng.dirichlet(np.ones(len(ASSETS)), count) * worth[:, None]
    price = np.array([1.0, 1.0, SPOTS["BTC"], SPOTS["ETH"]])
    return Drawn(
        np.repeat(ids, POSITIONS).astype(np.int64),
        instrument.ravel().astype(np.int64),
        quantity.ravel(),
        np.repeat(ids, len(ASSETS)),
        np.tile(np.arange(len(ASSETS)), count),
        np.round(share / price, 8).ravel(),
    )


def write(folder: Path, count: int, files: int = 1, model: str | None = None) -> None:
    """Write the files of a venue; with several files, its positions are a folder.

    Parameters
    ----------
    model : draw from what it has rules for, and keep deposits in money
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "market.json").write_text(json.dumps(market(model)))
    listed = contracts(model)
    names = pa.array([each.name for each in listed])
    assets = pa.array(ASSETS if model is None else ["USD"] * len(ASSETS))
    chunks = [(first, min(CHUNK, count - first)) for first in range(0, count, CHUNK)]
    per_file = -(-len(chunks) // files)
    balances = None
    for number in range(0, len(chunks), per_file):
        path = folder / "positions.parquet"
        if files > 1:
            path = folder / "positions" / f"part-{number // per_file:04d}.parquet"
            path.parent.mkdir(exist_ok=True)
        writer = None
        for first, some in chunks[number : number + per_file]:
            own = drawn(first, some, listed)
            held = pa.table(
                {
                    "account": own.account,
                    "instrument": _named(own.instrument, names),
                    "quantity": own.quantity,
                }
            )
            owned = pa.table(
                {
                    "account": own.holder,
                    "asset": _named(own.asset, assets),
                    "amount": own.amount,
                }
            )
            writer = writer or pq.ParquetWriter(path, held.schema)
            balances = balances or pq.ParquetWriter(folder / "balances.parquet", owned.schema)
            writer.write_table(held, row_group_size=len(own.account))
            balances.write_table(owned, row_group_size=len(own.holder))
        if writer is not None:
            writer.close()
    if balances is not None:
        balances.close()


def _named(codes: npt.NDArray[np.int64], names: Any) -> Any:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int16)), names)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
