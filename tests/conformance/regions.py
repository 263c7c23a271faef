"""Liquidation regions of option books and prices of perpetuals, through `mc.liquidation`."""

import datetime as dt
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import margincalc as mc
from margincalc.answers.liquidation_results import LiquidationReport

Case = Mapping[str, Any]
SPOT = 100_000.0
AS_OF = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
EVERYWHERE = "liquidated at every spot"


class Book:
    """A case's book under its own scenarios: forward at spot, no rates.

    The contingency, a share of one unit of spot, is charged on the notional of a long and a short
    contract that cancel each other, since that is what a scan model charges for.
    """

    def __init__(self, case: Case, cash: float | None = None) -> None:
        self.case, self.cash = case, float(case["cash"]) if cash is None else cash
        self.perp = float(case.get("perp", 0.0))
        self.spot = float(case.get("spot", SPOT))

    def portfolio(self) -> mc.Portfolio:
        """Write the book as a portfolio."""
        expiries: dict[str, Any] = {}
        positions = []
        for quantity, strike, years, volatility, kind in self.case.get("options", ()):
            expiry = AS_OF + dt.timedelta(days=years * 365.0)
            key = expiry.isoformat()
            expiries[key] = {"forward": self.spot}
            terms = {"expiry": key, "strike": strike, "type": "put" if kind == "P" else "call"}
            instrument = {"kind": "option", "underlying": "BTC", "settlement": "linear", **terms}
            positions.append(
                {"instrument": instrument, "quantity": quantity, "volatility": volatility}
            )
        if self.perp:
            entry = self.case.get("entry", self.spot)
            own = {"instrument": "BTC-PERPETUAL", "quantity": self.perp, "entry_price": entry}
            positions.append(own)
        if self.case["cont"]:
            expiries["2099-12-25"] = expiries["2099-12-18"] = {"forward": self.spot}
            positions += [
                {"instrument": "BTC-25DEC99", "quantity": 0.5},
                {"instrument": "BTC-18DEC99", "quantity": -0.5},
            ]
        return mc.Portfolio.model_validate(
            {
                "as_of": AS_OF.isoformat(),
                "market": {"BTC": {"spot": self.spot, "expiries": expiries}},
                "positions": positions,
                "collateral": [{"asset": "USD", "quantity": self.cash}],
            }
        )

    def model(self) -> str:
        """Write the scenarios as a scan model."""
        charge = float(self.case["cont"]) / (abs(self.perp) + 1.0)
        rows = "".join(
            f"[[parameters.rows]]\nspot = {float(m) - 1.0!r}\nvolatility = {float(dv)!r}\n"
            for m, dv in self.case["scenarios"]
        )
        return (
            'name = "case"\ntitle = "Case"\nfamily = "scan"\nmode = "portfolio"\n'
            'effective = 2026-11-01\nproof = "own"\n'
            '[[sources]]\nwhat = "the case"\nurl = "https://example.org"\nread = 2026-11-01\n'
            f"{rows}"
            '[parameters.volatility]\nrule = "relative"\n'
            f"[parameters.charges]\ndelta_one = {charge!r}\n"
        )

    def liquidation(self, **wanted: Any) -> LiquidationReport:
        """Ask the product."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case.toml"
            path.write_text(self.model(), "utf-8")
            return mc.liquidation(self.portfolio(), model=str(path), **wanted)


def regions(case: Case) -> dict[str, Any]:
    """Every figure of every book of the file."""
    found: dict[str, Any] = {}
    for number, own in enumerate(case["cases"]):
        compute = _touching if "double_root_near" in own else _book
        arguments = (case["cases"], own) if compute is _touching else (own,)
        figures = compute(*arguments)
        found |= {f"cases.{number}.{path}": value for path, value in figures.items()}
    return found


def _book(case: Case) -> dict[str, Any]:
    frontier = case.get("frontier", {})
    multiples = sorted(float(c) for c in frontier)
    report = Book(case).liquidation(frontier=bool(frontier), multiples=multiples)
    pool = report.pools[0]
    found: dict[str, Any] = {}
    if "regions" in case:
        assert pool.regions[0].certified
        found |= _ends(pool.regions[0].intervals, case["domain"], case["regions"])
    for key in ("g_at_100k", "g_now"):
        if key in case:
            found[key] = pool.excess
    if "V_at_100k" in case:
        found["V_at_100k"] = pool.equity
    if "vol_multiplier_at_liquidation_spot_100k" in case:
        found["vol_multiplier_at_liquidation_spot_100k"] = pool.volatility["up"]
    if "expected_days" in case:
        found["expected_days"] = pool.days
    for line in pool.frontiers[0].lines if frontier else ():
        found |= _safe(line.intervals, frontier, line.volatility)
    return found


def _ends(
    intervals: Sequence[Any], domain: Sequence[float], expected: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    """Name the ends of intervals inside a domain; as many as the file has, or it is no match."""
    low, high = domain
    inside = [
        (
            None if one.low_price is None or one.low_price < low else one.low_price,
            None if one.high_price is None or one.high_price > high else one.high_price,
        )
        for one in intervals
        if (one.low_price or 0.0) < high and (one.high_price or math.inf) > low
    ]
    if [[end is None for end in pair] for pair in inside] != [
        [end is None for end in pair] for pair in expected
    ]:
        raise ValueError(f"intervals {inside}, expected {expected}")
    pairs = enumerate(inside)
    return {
        f"regions.{number}.{side}": end
        for number, pair in pairs
        for side, end in enumerate(pair)
        if end is not None
    }


def _safe(intervals: Sequence[Any], frontier: Mapping[str, Any], c: float) -> dict[str, Any]:
    """Name the ends of what is safe at a multiple of volatility."""
    key = next(key for key in frontier if float(key) == c)
    if frontier[key] == EVERYWHERE:
        if len(intervals) != 1 or intervals[0][:2] != (None, None):
            raise ValueError(f"not liquidated everywhere at {c}: {intervals}")
        return {}
    ends = [end for one in intervals for end in one[2:] if end is not None]
    return {f"frontier.{key}.{number}": end for number, end in enumerate(ends)}


def _touching(cases: Sequence[Case], case: Case) -> dict[str, Any]:
    """Find the cash at which the best spot is just not liquidated.

    The file names no book; its double root is that of the first one's value without any shock.
    """
    book = {**cases[0], "scenarios": [[1.0, 0.0]], "cont": 0.0}

    def safe(cash: float) -> list[float]:
        region = Book(book, cash).liquidation(frontier=False).pools[0].regions[0]
        places = [*region.crossings]
        touching = [one.low_price for one in region.unresolved]
        return [float(place.price or 0.0) for place in places] + [float(x or 0.0) for x in touching]

    low, high = 0.0, float(book["cash"])
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if safe(middle) else (middle, high)
    near = safe(high)
    region = Book(book, high + float(case["cash_minus"])).liquidation(frontier=False)
    intervals = region.pools[0].regions[0].intervals
    if not near or len(intervals) != 1 or intervals[0][:2] != (None, None):
        raise ValueError(f"touches at {near}; with less cash {intervals}")
    return {"double_root_near": sum(near) / len(near)}


def perpetuals(case: Case) -> dict[str, Any]:
    """Every printed price."""
    found = {}
    for number, own in enumerate(case["cases"]):
        compute = next(rule for key, rule in _RULES if key in own)
        found[f"cases.{number}.expected"] = compute(own)
    return found


def _price(report: LiquidationReport) -> float:
    (crossing,) = report.pools[0].regions[0].crossings
    assert report.pools[0].regions[0].certified
    return float(crossing.price or 0.0)


def _linear(
    position: Mapping[str, Any], spot: float, deposits: Sequence[Mapping[str, Any]], rate: float
) -> float:
    portfolio = mc.Portfolio.model_validate(
        {
            "as_of": AS_OF.isoformat(),
            "market": {"BTC": {"spot": spot}},
            "positions": [{"instrument": "BTC-PERPETUAL", **position}],
            "collateral": list(deposits),
        }
    )
    settings = (f"delta_one.maintenance={rate!r}",)
    return _price(mc.liquidation(portfolio, mode="cross", settings=settings, frontier=False))


def _usd(quantity: float) -> dict[str, Any]:
    return {"asset": "USD", "quantity": quantity}


def _leveraged(own: Case) -> float:
    position = {"quantity": own["side"] * own["size"]}
    return _linear(position, own["price"], [_usd(own["equity"])], 1.0 / own["mm_leverage"])


def _bracketed(own: Case) -> float:
    """What a bracket deducts from the maintenance margin does what cash does."""
    position = {"quantity": own["side"] * own["size"], "entry_price": own["entry"]}
    return _linear(position, own["entry"], [_usd(own["WB"] + own["cum"])], own["mmr"])


def _bankrupt(own: Case) -> float:
    """Without a maintenance margin, the price at which an inverse position has lost its margin."""
    entry, quantity = own["entry"], 10_000.0
    portfolio = mc.Portfolio.model_validate(
        {
            "as_of": AS_OF.isoformat(),
            "currency": "BTC",
            "market": {"BTC": {"spot": entry, "settlement": "inverse"}},
            "positions": [
                {"instrument": "BTC-PERPETUAL", "quantity": quantity, "entry_price": entry}
            ],
            "collateral": [{"asset": "BTC", "quantity": quantity / entry / own["leverage"]}],
        }
    )
    settings = ("delta_one.maintenance=0.0",)
    return _price(mc.liquidation(portfolio, mode="cross", settings=settings, frontier=False))


def _multi_collateral(own: Case) -> float:
    coin = {"asset": "BTC", "quantity": own["coin_collateral"], "haircut": own["haircut"]}
    return _linear({"quantity": own["q"], "entry_price": own["S0"]}, own["S0"], [coin], own["m"])


def _money(own: Case) -> float:
    position = {"quantity": own["q"], "entry_price": own["S0"]}
    return _linear(position, own["S0"], [_usd(own["usd"])], own["m"])


_RULES = (
    ("mm_leverage", _leveraged),
    ("mmr", _bracketed),
    ("leverage", _bankrupt),
    ("coin_collateral", _multi_collateral),
    ("usd", _money),
)

ADAPTERS = {"option_liquidation_regions": regions, "perp_liquidation_price": perpetuals}
