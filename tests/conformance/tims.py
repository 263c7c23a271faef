"""OCC's TIMS: Cboe's rows of February 2007, its press examples, and brokers' long stock.

The rows do not print rate, yield and days. They are those that the case calls plausible, which were
fitted to nothing; else a rate of the time and the third Friday of the month. A fund beside an index
is of the index's class.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from margincalc.answers.margining import Rules, margined
from margincalc.portfolio import Portfolio

Case = Mapping[str, Any]

UNKNOWN = "XYZ"  # the underlying, where a case names none
RATE = 0.052  # of early 2007, where a case states none
VALUED = "2007-04-02"  # the first day of the rules, where a case states no day
RANGES = ("equity", "broad_index", "high_cap_index")
INDICES = ("SPX", "OEX", "NDX", "RUT", "DJX")  # of European exercise, but for OEX long ago
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

EQUITY_ROWS = (
    "covered_call",
    "long_straddle",
    "long_vertical_call_spread",
    "protective_put",
    "short_call",
    "short_put",
    "synthetic_long",
)
INDEX_ROWS = (
    "long_straddle",
    "long_vertical_call_spread",
    "protective_put",
    "risk_reversal",
    "short_put",
    "synthetic_long",
)
PRESS = ("covered_write", "nonconforming_debit_spread", "protective_put", "synthetic_straddle")
MINIMUMS = ("ibm_long_straddle", "spx_long_straddle")  # which are exact

RELATIVE = {
    **{f"cboe2007_ibm_{row}.portfolio_margin": 0.0025 for row in EQUITY_ROWS},
    **{f"cboe2007_spx_{row}.portfolio_margin": 0.02 for row in INDEX_ROWS},
    **{f"cboe2007_{row}.portfolio_margin": 0.0 for row in MINIMUMS},
}


def compute(case: Case) -> dict[str, Any]:
    """Return the portfolio margin of a case, and the Reg T margin of one that is stock alone."""
    portfolio = Portfolio.model_validate(written(case))
    tims = Rules(model="occ-tims", settings=settings(case))
    computed = {"portfolio_margin": float(margined(portfolio, tims).result.initial[0])}
    if "reg_t_initial" in case["expected"]:
        account = margined(portfolio, Rules(model="reg-t"))
        computed["reg_t_initial"] = float(account.result.initial[0])
    return computed


def settings(case: Case) -> tuple[str, ...]:
    """Return the case's parameters as changes of the model's."""
    own = case["parameters"].get("tims", case["parameters"])
    points = own.get("valuation_points") or _points(own)
    name = case["inputs"].get("underlying", UNKNOWN)
    changes = [f"ranges.{each}={list(points)}" for each in RANGES]
    changes.append(f'classes.{name}={{range = "equity", underlyings = ["{_fund(name)}"]}}')
    if "min_per_contract" in own:
        multiplier = case["inputs"]["options"][0]["multiplier"]
        changes.append(f"contract_minimum={own['min_per_contract'] / multiplier}")
    return tuple(changes)


def _points(own: Case) -> list[float]:
    """Return points from low to high, as many on either side of zero, zero left out."""
    half = int(own["points"]) // 2
    share = np.arange(1, half + 1) / half
    return [*(own["low"] * share[::-1]).tolist(), *(own["high"] * share).tolist()]


def _fund(name: str) -> str:
    return f"{name} fund"


def written(case: Case) -> dict[str, Any]:
    """Return the portfolio of a case as a file would hold it."""
    inputs = case["inputs"]
    name, stock = inputs.get("underlying", UNKNOWN), _stock(inputs.get("stock"))
    spot = inputs.get("spot", stock[1] if stock else None)
    plausible = case.get("reproduction", {}).get("pm_rel_error_plausible_inputs", {})
    rates = {"rate": plausible.get("r", RATE), "yield": plausible.get("q", 0.0)}
    market = {name: {"spot": spot, "listed": True, **rates}}
    valued = dt.date.fromisoformat(case.get("valuation_date", VALUED))
    days = plausible.get("days")
    positions = [_option(name, leg, valued, days) for leg in inputs.get("options", ())]
    if stock:
        own = name if stock[1] == spot else _fund(name)
        market.setdefault(own, {"spot": stock[1], "listed": True})
        positions.append({"instrument": own, "quantity": float(stock[0])})
    return {"as_of": f"{valued}T21:00:00Z", "market": market, "positions": positions}


def _stock(stock: Any) -> Sequence[float] | None:
    """Return quantity and price; a case writes them as a pair or by name."""
    if not stock:
        return None
    return (stock["qty"], stock["price"]) if isinstance(stock, Mapping) else tuple(stock)


def _option(name: str, leg: Case, valued: dt.date, days: float | None) -> dict[str, Any]:
    expiry = _third_friday(leg["expiry"], valued)
    if days is not None:
        expiry = valued + dt.timedelta(days=days)
    return {
        "instrument": {
            "kind": "option",
            "listed": True,
            "underlying": name,
            "expiry": f"{expiry}T21:00:00Z",
            "strike": float(leg["strike"]),
            "type": leg["type"],
            "multiplier": float(leg["multiplier"]),
            "exercise": "european" if name in INDICES else "american",
        },
        "quantity": float(leg["contracts"]),
        "mark_price": float(leg["price"]),
    }


def _third_friday(text: str, valued: dt.date) -> dt.date:
    """Return the third Friday of a month such as `APR` or `April 2007`, after the valuation."""
    month = _MONTHS.index(text[:3].upper()) + 1
    year = valued.year + (month < valued.month)
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)


UNREAD = {
    f"cboe2007_{name}_{row}.parameters.tims.vol": "words: implied, and held"
    for name, rows in (("ibm", EQUITY_ROWS), ("spx", INDEX_ROWS))
    for row in rows
}

ADAPTERS = {
    **{f"cboe2007_ibm_{row}": compute for row in EQUITY_ROWS},
    **{f"cboe2007_spx_{row}": compute for row in INDEX_ROWS},
    **{f"cboe2007_press_{row}": compute for row in PRESS},
    "thinkmoney_pm_long_stock": compute,
    "schwab_pm_long_stock": compute,
}
