"""What each shipped model can express, and accounts of it: always the same for the same seed.

Values that a venue does not publish are given as settings here, plausible and no venue's.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from random import Random
from typing import Any, NamedTuple

from benchmarks.books import AS_OF
from margincalc.portfolio.names import MONTHS

EXPIRIES = tuple(
    date.fromisoformat(day)
    for day in ("2026-11-27", "2026-12-25", "2027-01-29", "2027-03-26", "2027-06-25")
)
REACHES = tuple(0.7 + 0.05 * step for step in range(14))  # strikes over spot
LISTED_REACHES = tuple(0.8 + 0.03 * step for step in range(14))
RATE = 0.04  # per year
SIZE = 100_000.0  # account currency: of the average position, about

COINS = {"BTC": 100_000.0, "ETH": 4_000.0}
FUNDS = {"SPY": 690.0, "QQQ": 600.0, "AAPL": 270.0}
INDICES = {"NIFTY": 24_100.0, "RELIANCE": 1_400.0}

Written = dict[str, Any]


class Expresses(NamedTuple):
    """What a model has rules for.

    Attributes
    ----------
    spots : of its underlyings
    beside : kinds of contracts beside options
    settlement : of its contracts
    listed : equity options of an exchange, and shares
    volatility : of the money, per year
    settings : values that its file leaves open
    """

    spots: Mapping[str, float] = COINS
    beside: tuple[str, ...] = ("future", "perpetual", "spot")
    settlement: str = "linear"
    listed: bool = False
    volatility: float = 0.6
    settings: tuple[str, ...] = ()


_SHORT = "charges.short_options=0.01"
_DELTA_ONE = "charges.delta_one=0.006"
_INITIAL = "factors.initial=1.3"
_RANGES = "price_scan={share=0.1}, volatility_scan={relative=0.35}, short_option_minimum=20.0"
PERPETUALS = ("perpetual", "spot")
EXPRESSED: dict[str, Expresses] = {
    "aevo-pm": Expresses({"ETH": 4_000.0}, PERPETUALS, settings=(_SHORT, _DELTA_ONE, _INITIAL)),
    "bit-options": Expresses(
        settlement="inverse", settings=("delta_one.initial=0.1", "delta_one.maintenance=0.05")
    ),
    "bit-pm": Expresses(
        {"BTC": 100_000.0}, settlement="inverse", settings=(_SHORT, _DELTA_ONE, _INITIAL)
    ),
    "bybit-options": Expresses(beside=("spot",)),
    "dederi-pm": Expresses(
        settings=(
            _SHORT,
            _INITIAL,
            "grid.volatility=[0.45, 0.0, -0.25]",
            "volatility.short_power=0.3",
            "volatility.long_power=0.13",
        )
    ),
    "deribit-pm": Expresses(settlement="inverse"),
    "deribit-sm": Expresses(settlement="inverse"),
    "derive-pm1": Expresses(beside=("perpetual",)),
    "derive-pm2": Expresses(beside=("perpetual",)),
    "derive-sm": Expresses(beside=("perpetual",)),
    "generic-portfolio": Expresses(),
    "generic-standard": Expresses(),
    "nse-span": Expresses(INDICES, ("future",), volatility=0.2),
    "occ-tims": Expresses(FUNDS, ("spot",), listed=True, volatility=0.25),
    "okx-options": Expresses(beside=("spot",), settlement="inverse"),
    "okx-pm": Expresses(settings=("term_structure.moves=[0.05]", "rates.moves=[[0.01]]")),
    "paradex-cross": Expresses(beside=PERPETUALS),
    "paradex-pm": Expresses(beside=PERPETUALS),
    "reg-t": Expresses(FUNDS, ("spot",), listed=True, volatility=0.25),
    "span": Expresses(
        INDICES,
        ("future",),
        volatility=0.2,
        settings=tuple(f"commodities.{name}={{{_RANGES}}}" for name in INDICES),
    ),
    "thalex-pm": Expresses(settings=(_SHORT, "charges.roll=0.002")),
}


class Leg(NamedTuple):
    """A contract of a chain, with the quantity of an average position."""

    instrument: str
    unit: float
    worth: float  # notional of that, account currency
    volatility: float | None = None


def chain(model: str) -> list[Leg]:
    """List the contracts of a model's market, options first."""
    rules = EXPRESSED[model]
    options = [leg for name in rules.spots for leg in _options(rules, name)]
    return options + [leg for name in rules.spots for leg in _beside(rules, name)]


def market(model: str) -> Written:
    """Return the head of a portfolio file: time, underlyings, quotes."""
    rules = EXPRESSED[model]
    quoted = ((leg.instrument, leg.volatility) for leg in chain(model))
    return {
        "currency": "USD",
        "as_of": f"{AS_OF}T08:00:00Z",
        "market": {name: _underlying(rules, name) for name in rules.spots},
        "quotes": {name: {"volatility": sigma} for name, sigma in quoted if sigma is not None},
    }


def account(model: str, legs: int, seed: int = 0) -> Written:
    """Return an account of so many different contracts, and money beside them."""
    held, money = drawn(model, legs, Random(f"{model} {legs} {seed}"))
    return market(model) | {"account": f"{model} {seed}", "positions": held, "collateral": money}


def drawn(
    model: str, legs: int, rng: Random, venue: str | None = None
) -> tuple[list[Written], list[Written]]:
    """Draw positions and deposits; a quarter of the positions, at most, are no options."""
    listed = chain(model)
    options = [leg for leg in listed if leg.volatility is not None]
    others = [leg for leg in listed if leg.volatility is None]
    few = min(len(others), (legs + 2) // 4)
    chosen = rng.sample(options, legs - few) + rng.sample(others, few)
    held = [
        {"instrument": leg.instrument, "quantity": leg.unit * rng.choice((-3, -2, -1, 1, 2))}
        for leg in chosen
    ]
    gross = math.fsum(leg.worth for leg in chosen)
    money = [{"asset": "USD", "quantity": round(gross * rng.uniform(0.1, 0.8), 2)}]
    for entry in held + money if venue else []:
        entry["venue"] = venue
    return held, money


def _options(rules: Expresses, name: str) -> Iterator[Leg]:
    spot = rules.spots[name]
    unit, worth = _unit(rules, spot)
    for expiry in EXPIRIES:
        for reach in LISTED_REACHES if rules.listed else REACHES:
            strike = float(f"{spot * reach:.3g}")
            smile = rules.volatility * (1.0 + 0.5 * abs(math.log(reach)))
            for side in "CP":
                text = _option_name(rules, (name, expiry, strike, side))
                yield Leg(text, unit, worth, round(smile, 4))


def _option_name(rules: Expresses, terms: tuple[str, date, float, str]) -> str:
    name, expiry, strike, side = terms
    if rules.listed:
        return f"{name:<6}{expiry:%y%m%d}{side}{round(strike * 1000):08d}"
    return f"{name}-{_day(expiry)}-{strike:g}-{side}".replace("e+05", "00000")


def _beside(rules: Expresses, name: str) -> Iterator[Leg]:
    spot = rules.spots[name]
    unit, worth = _unit(rules, spot)
    for kind in rules.beside:
        if kind == "spot":
            yield Leg(name, 100.0 * unit if rules.listed else unit, worth)
            continue
        own = SIZE if rules.settlement == "inverse" else unit
        names = [_day(day) for day in EXPIRIES] if kind == "future" else ["PERPETUAL"]
        yield from (Leg(f"{name}-{each}", own, worth) for each in names)


def _unit(rules: Expresses, spot: float) -> tuple[float, float]:
    """Return the quantity of an average option position, whole where contracts are; its worth."""
    unit = 1.0 if rules.listed else float(f"{SIZE / spot:.1g}")
    return unit, unit * spot * (100.0 if rules.listed else 1.0)


def _underlying(rules: Expresses, name: str) -> Written:
    spot = rules.spots[name]
    said: Written = {"spot": spot, "rate": RATE, "volatility": rules.volatility}
    if rules.listed:
        return said | {"listed": True}
    forwards = {
        day.isoformat(): {"forward": round(spot * math.exp(RATE * _years(day)), 2)}
        for day in EXPIRIES
    }
    return said | {"settlement": rules.settlement, "expiries": forwards}


def _day(expiry: date) -> str:
    return f"{expiry.day}{MONTHS[expiry.month - 1]}{expiry.year % 100}"


def _years(expiry: date) -> float:
    return (expiry - AS_OF).days / 365.0


def exchange(model: str, accounts: int, legs: Sequence[int], seed: int = 0) -> Written:
    """Return one file of many accounts, each a venue of its own, of as many legs as are given."""
    rng = Random(f"{model} {accounts} {seed}")
    positions, deposits = [], []
    for number in range(accounts):
        held, money = drawn(model, rng.choice(legs), rng, f"account {number}")
        positions += held
        deposits += money
    return market(model) | {"positions": positions, "collateral": deposits}
