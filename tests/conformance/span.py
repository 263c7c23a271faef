"""SPAN: McMillan's arrays, CME's scan range, and NSE's futures and spread.

Arrays are given to the model as a clearing house's, in its sign. The NSE cases name neither expiry
nor volatility: the day is that of their source, the options are the week's, and the underlying's
volatility is so low that the price scan range of the case, given as the floor, holds.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from margincalc.answers.account import Account
from margincalc.answers.breakdown import scenarios_report
from margincalc.answers.margining import Rules, margined
from margincalc.portfolio import Portfolio

Case = Mapping[str, Any]

EXPIRY = dt.date(2026, 12, 18)
AS_OF = "2026-11-20T10:00:00Z"
NSE_AS_OF = "2026-08-28T10:00:00Z"
NSE_WEEK = "2026-09-01T10:00:00Z"
NSE_MONTH = "2026-09-29"
NSE_SPOT = 24175.65  # of the broker's matrix of the same day
CALM = 0.05  # annual volatility, too low to move a scan range off its floor

NSE_RELIANCE = 1293.5  # of its future, as the broker's example of the same day has it

LEFT_OUT = {
    "nse_broker_matrix": "of options it has neither premiums nor volatilities to value them with",
}
RELATIVE = {
    "nse_broker_matrix": 0.01,
    "nse_nifty_fut_long.broker_total": 0.01,
    "nse_nifty_fut_short.broker_total": 0.01,
    "nse_reliance_fut.broker_total": 0.01,
    "nse_bear_call_spread.true_max_loss": 0.003,
    "nse_bear_call_spread.published_model_scan": 0.003,
    "nse_bear_call_spread.kite_final": 0.01,
    "nse_bear_call_spread.kite_required": 0.01,
}


def account(content: Mapping[str, Any], model: str, settings: Sequence[str]) -> Account:
    """Margin a portfolio."""
    return margined(Portfolio.model_validate(content), Rules(model=model, settings=tuple(settings)))


def detail(found: Account, name: str) -> float:
    """Return a figure of the only pool by the venue's name."""
    return float(found.result.details[name][0])


# Published arrays


def published_arrays(case: Case) -> dict[str, Any]:
    """Return the scan risk of every book that a case with arrays names, and its netted rows."""
    contracts = {_noun(name): _contract(case, name) for name in _arrays(case)}
    settings = [
        "commodities.SP={short_option_minimum=0.0}",
        f"arrays.contracts=[{', '.join(_listed(case, name) for name in _arrays(case))}]",
    ]
    computed: dict[str, Any] = {}
    for name, expected in case["expected"].items():
        positions = [
            {"instrument": contracts[noun], "quantity": quantity} for noun, quantity in _book(name)
        ]
        content = {
            "as_of": AS_OF,
            "market": {"SP": {"spot": 400.0, "volatility": 0.2}},
            "positions": positions,
        }
        found = account(content, "span", settings)
        risk = detail(found, "scan_risk")
        rows = [line.weighted_pnl for line in scenarios_report(found).lines]
        computed[name] = {"array": rows, "scan_risk": risk} if isinstance(expected, dict) else risk
    return computed


def _arrays(case: Case) -> list[str]:
    return [name for name, rows in case["risk_arrays"].items() if isinstance(rows, list)]


def _noun(name: str) -> str:
    """Return what expected books call a contract: `future`, `call` or `put`."""
    return "future" if name.endswith("FUT") else name.rpartition("_")[2].lower()


def _strike(name: str) -> float:
    found = re.search(r"_(\d+(?:\.\d+)?)_(?:CALL|PUT)$", name)
    return float(found[1]) if found else 0.0


def _contract(case: Case, name: str) -> dict[str, Any]:
    terms = case["inputs"]["contracts"]
    multiplier = next(own["multiplier"] for own in terms.values() if "multiplier" in own)
    written = {
        "kind": "future",
        "underlying": "SP",
        "expiry": EXPIRY.isoformat(),
        "multiplier": float(multiplier),
    }
    if _noun(name) != "future":
        written |= {"kind": "option", "strike": _strike(name), "type": _noun(name)}
    return written


def _listed(case: Case, name: str) -> str:
    """Write an array as a parameter: losses, where the case has profits."""
    rows = case["risk_arrays"][name]
    gains = case["risk_arrays"].get("sign", "").startswith("profit")
    loss = [float(-row if gains else row) for row in rows]
    noun = _noun(name)
    right = "" if noun == "future" else noun[0].upper()
    return (
        f'{{underlying="SP", right="{right}", strike={_strike(name)}, expiry="{EXPIRY:%Y-%m}", '
        f"loss={loss}, delta=0.0}}"
    )


def _book(name: str) -> Iterator[tuple[str, float]]:
    """Read a book's name: `long_1_future`, `long_future_short_call`."""
    sign, size = 1.0, 1.0
    for word in name.split("_"):
        if word in ("long", "short"):
            sign, size = (1.0 if word == "long" else -1.0), 1.0
        elif word.isdecimal():
            size = float(word)
        else:
            yield word, sign * size


# Scan range


def scan_range(case: Case) -> dict[str, Any]:
    """Return the price scan range in points, from the margin of the future alone."""
    inputs, rule = case["inputs"], case["parameters"]
    future = inputs["future"]
    size, money = float(future["cvf"]), float(rule["psr_usd"])
    settings = [
        f"rows.extreme_move={float(rule['extreme_mult'])}",
        f"rows.extreme_cover={float(rule['extreme_cover'])}",
        f"commodities.SP={{contract={size}, price_scan={{money={money}}}, "
        f"volatility_scan={{relative={float(rule['vsr_relative'])}}}, short_option_minimum=0.0}}",
    ]
    instrument = {
        "kind": "future",
        "underlying": "SP",
        "expiry": EXPIRY.isoformat(),
        "multiplier": size,
    }
    content = {
        "as_of": AS_OF,
        "market": {"SP": {"spot": float(future["price"])}},
        "positions": [{"instrument": instrument, "quantity": abs(float(future["qty"]))}],
    }
    found = account(content, "span", settings)
    return {"psr_points": detail(found, "scan_risk") / size}


# NSE


def nse_future(case: Case) -> dict[str, Any]:
    """Return the margin of a future."""
    inputs, rule = case["inputs"], case["parameters"]
    settings = [
        f"stock.price_floor={float(rule['price_scan_range'])}",
        f"stock.exposure={float(rule['exposure'])}",
        'indices=["NIFTY"]',
        'stocks=["X"]',
    ]
    quantity = float(inputs["quantity"]) * (-1.0 if case["id"].endswith("short") else 1.0)
    instrument = {"kind": "future", "underlying": "X", "expiry": NSE_MONTH}
    price = float(inputs["future_price"])
    content = {
        "as_of": NSE_AS_OF,
        "currency": "INR",
        "market": {"X": {"spot": price, "volatility": CALM}},
        "positions": [{"instrument": instrument, "quantity": quantity, "mark_price": price}],
    }
    total = detail(account(content, "nse-span", settings), "total")
    return {"broker_total": total, "published_model_total": total}


def nse_spread(case: Case) -> dict[str, Any]:
    """Return the margin of options of one expiry, as legs of right, strike, sign and price."""
    inputs = case["inputs"]
    size = float(inputs["quantity"])
    positions = [
        {
            "instrument": {
                "underlying": inputs["underlying"],
                "expiry": NSE_WEEK,
                "strike": float(strike),
                "type": "call" if right == "C" else "put",
            },
            "quantity": sign * size,
            "mark_price": float(price),
        }
        for right, strike, sign, price in inputs["legs"]
    ]
    content = {
        "as_of": NSE_AS_OF,
        "currency": "INR",
        "market": {inputs["underlying"]: {"spot": NSE_SPOT, "volatility": CALM}},
        "positions": positions,
    }
    found = account(content, "nse-span", ())
    return {
        "kite_required": detail(found, "required_to_open"),
        "kite_final": detail(found, "total"),
        "true_max_loss": detail(found, "scan_risk"),
        "published_model_scan": detail(found, "scan_risk"),
        "required_minus_final": detail(found, "short_premium"),
    }


def nse_matrix(case: Case) -> dict[str, Any]:
    """Return the rows of a broker's matrix that are futures, at their prices of its note and day.

    Its options have neither premium nor volatility; what remains of a row is nothing to compare.
    """
    index = re.search(r"SEP future (\d+\.\d+)", case["note"])
    assert index is not None
    prices = {"FUT": ("NIFTY", float(index[1])), "RELIANCE FUT": ("RELIANCE", NSE_RELIANCE)}
    computed = {}
    for row in case["rows"]:
        name, _, side = row["case"].rpartition(" ")
        if name not in prices:
            continue
        underlying, price = prices[name]
        instrument = {"kind": "future", "underlying": underlying, "expiry": NSE_MONTH}
        quantity = float(row["qty"]) * (-1.0 if side == "short" else 1.0)
        content = {
            "as_of": NSE_AS_OF,
            "currency": "INR",
            "market": {underlying: {"spot": price, "volatility": CALM}},
            "positions": [{"instrument": instrument, "quantity": quantity, "mark_price": price}],
        }
        found = account(content, "nse-span", ())
        computed[row["case"]] = {
            "span": detail(found, "scan_risk"),
            "total": detail(found, "total"),
        }
    return computed


ADAPTERS = {
    "nse_broker_matrix": nse_matrix,
    "span_mcmillan_sp500": published_arrays,
    "span_cme_deck_sp_2019": scan_range,
    "nse_nifty_fut_long": nse_future,
    "nse_nifty_fut_short": nse_future,
    "nse_reliance_fut": nse_future,
    "nse_bear_call_spread": nse_spread,
}
