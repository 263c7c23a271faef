"""A book of any size, always the same: options on one or two underlyings, a few futures.

It sells more than it buys, of calls and puts, so that a large book has both liquidation prices.
"""

import json
import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import yaml

from margincalc.portfolio.names import MONTHS

AS_OF = date(2026, 11, 20)
SPOTS = {"BTC": 100_000, "ETH": 3_200}
EXPIRIES = tuple(
    date.fromisoformat(day)
    for day in (
        "2026-11-27",
        "2026-12-04",
        "2026-12-11",
        "2026-12-25",
        "2027-01-29",
        "2027-02-26",
        "2027-03-26",
        "2027-06-25",
        "2027-09-24",
        "2027-12-31",
        "2028-03-31",
        "2028-06-30",
    )
)
CARRY = 0.04  # per year
STRIKES = 1_000  # per expiry, from 0.4 to 2.2 of spot
ONE_FUTURE_IN = 50
MONEY = 0.06  # of spot, per position
SPOT_MOVES = tuple(round(-0.21 + 0.03 * step, 2) for step in range(15))
VOLATILITY_MOVES = (-0.25, 0.0, 0.5)
SETTINGS = (  # 15 x 3 scenarios, and the model's 5 tails
    f"grid.spot={list(SPOT_MOVES)}",
    f"grid.volatility={list(VOLATILITY_MOVES)}",
)
SCENARIOS = len(SPOT_MOVES) * len(VOLATILITY_MOVES) + 5

Written = dict[str, Any]


def book(positions: int, underlyings: int = 1) -> Written:
    """Return a portfolio as its file would say it."""
    names = list(SPOTS)[:underlyings]
    share = [positions // underlyings + (n < positions % underlyings) for n in range(underlyings)]
    held = [line for name, size in zip(names, share, strict=True) for line in _held(name, size)]
    money = sum(MONEY * SPOTS[name] * size for name, size in zip(names, share, strict=True))
    return {
        "account": f"bench-{positions}",
        "currency": "USD",
        "as_of": f"{AS_OF}T08:00:00Z",
        "market": {name: _market(SPOTS[name]) for name in names},
        "positions": held,
        "collateral": [{"asset": "USD", "quantity": round(money, 2)}],
    }


def write(folder: Path, written: Written, forms: Sequence[str] = ("yaml", "json")) -> list[Path]:
    """Write a portfolio in each form, and return the files."""
    paths = [folder / f"{written['account']}.{form}" for form in forms]
    for path in paths:
        path.write_text(_text(written, path.suffix), "utf-8")
    return paths


def _text(written: Written, suffix: str) -> str:
    if suffix == ".json":
        return json.dumps(written, indent=1) + "\n"
    flow: str = yaml.safe_dump(written, sort_keys=False, default_flow_style=None, width=200)
    return flow


def _market(spot: float) -> Written:
    expiries = {
        day.isoformat(): {"forward": round(spot * math.exp(CARRY * _years(day)), 2), "rate": CARRY}
        for day in EXPIRIES
    }
    return {"spot": spot, "expiries": expiries}


def _held(name: str, size: int) -> list[Written]:
    """Return positions of one underlying: futures, a perpetual, and options drawn from a chain."""
    draw = Random(f"{name} {size}")
    futures = [f"{name}-{_day(day)}" for day in EXPIRIES] + [f"{name}-PERPETUAL"]
    plain = futures[-1:] + futures[:-1]
    chosen = plain[: min(size // ONE_FUTURE_IN, len(plain))]
    chain = draw.sample(range(len(EXPIRIES) * STRIKES), size - len(chosen))
    spot = SPOTS[name]
    lines: list[Written] = [
        {"instrument": each, "quantity": draw.choice((-0.5, 0.5)), "entry_price": spot}
        for each in chosen
    ]
    return lines + [_option(name, EXPIRIES[n // STRIKES], n % STRIKES, draw) for n in chain]


def _option(name: str, expiry: date, number: int, draw: Random) -> Written:
    """Return an option, sold more often than bought, and more often out of the money."""
    spot, years = SPOTS[name], _years(expiry)
    reach = 0.4 * (2.2 / 0.4) ** (number / (STRIKES - 1))
    strike = round(spot * reach, 1 if spot < 10_000 else 0)
    call = (reach >= 1.0) == (draw.random() < 0.8)
    sold = draw.random() < 0.6
    volatility = 0.5 + 0.12 * abs(math.log(reach)) / math.sqrt(years)
    strike_text = f"{strike:.1f}".removesuffix(".0").replace(".", "d")
    return {
        "instrument": f"{name}-{_day(expiry)}-{strike_text}-{'C' if call else 'P'}",
        "quantity": round(draw.uniform(0.1, 2.0), 1) * (-1 if sold else 1),
        "volatility": round(min(volatility, 2.0), 4),
        "entry_price": round(spot * draw.uniform(0.001, 0.1), 2),
    }


def _day(expiry: date) -> str:
    return f"{expiry.day}{MONTHS[expiry.month - 1]}{expiry.year % 100}"


def _years(expiry: date) -> float:
    return (expiry - AS_OF).days / 365.0
