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
    "nse_broker_matrix": "of combinations whose strikes it does not state",
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
    """Return the rows of a broker's matrix that are one contract, or the straddle at the money.

    The matrix states no volatility: `ASSUMED` is, and the requirement of an option sold hardly
    depends on it (a third more of it is less than 1 %), being what it is worth after the move. The
    other combinations of the matrix state no strikes.
    """
    index = re.search(r"SEP future (\d+\.\d+)", case["note"])
    assert index is not None
    computed = {}
    for row in case["rows"]:
        underlying, legs = _legs(row["case"])
        if not legs:
            continue
        price = float(index[1]) if underlying == "NIFTY" else NSE_RELIANCE
        found = _of_matrix(underlying, price, legs, float(row["qty"]) / len(legs))
        computed[row["case"]] = {
            "span": detail(found, "span_requirement"),
            "total": detail(found, "span_requirement") + detail(found, "exposure_margin"),
        }
    return computed


ASSUMED = {"NIFTY": 0.12, "RELIANCE": 0.22}  # annual volatility, of no source
_MONTHS = {"OCT": "2026-10-27", "NOV": "2026-11-24", None: NSE_MONTH}
_AT_THE_MONEY = 24200.0
_ROW = re.compile(
    r"(?:(?P<month>OCT|NOV) )?(?:(?P<stock>RELIANCE) )?"
    r"(?:(?P<strike>\d+)(?P<right>CE|PE)|FUT) (?P<side>long|short)"
)


def _legs(name: str) -> tuple[str, list[dict[str, Any]]]:
    """Read a row's name: its underlying, and contracts with the sign of what is held."""
    if name == "short straddle ATM":
        sides = [{"kind": "option", "type": right} for right in ("call", "put")]
        return "NIFTY", [side | {"strike": _AT_THE_MONEY, "sign": -1.0} for side in sides]
    match = _ROW.fullmatch(name)
    if match is None:
        return "NIFTY", []
    leg: dict[str, Any] = {"kind": "future", "expiry": _MONTHS[match["month"]]}
    if match["strike"]:
        right = "call" if match["right"] == "CE" else "put"
        leg |= {"kind": "option", "strike": float(match["strike"]), "type": right}
    return match["stock"] or "NIFTY", [leg | {"sign": 1.0 if match["side"] == "long" else -1.0}]


def _of_matrix(
    underlying: str, price: float, legs: Sequence[Mapping[str, Any]], size: float
) -> Account:
    """Margin contracts of the matrix's day, at the future's price and carry."""
    spot = NSE_SPOT if underlying == "NIFTY" else price
    positions = []
    for leg in legs:
        terms = {"expiry": NSE_MONTH, **leg, "underlying": underlying}
        held: dict[str, Any] = {"quantity": terms.pop("sign") * size, "instrument": terms}
        if terms["kind"] == "future":
            held["mark_price"] = price
        else:
            held["volatility"] = ASSUMED[underlying]
        positions.append(held)
    future = any(leg["kind"] == "future" for leg in legs)
    own = {
        "spot": price if future else spot,
        "volatility": CALM,
        "expiries": {NSE_MONTH: {"forward": price}},
    }
    content = {
        "as_of": NSE_AS_OF,
        "currency": "INR",
        "market": {underlying: own},
        "positions": positions,
    }
    return account(content, "nse-span", ())


_RULE = "the rule in words; its value is stated too"
_ARRAYS = "the arrays are given, and not made"
UNREAD = {
    "nse_nifty_fut_long.parameters.psr_rule": _RULE,
    "nse_nifty_fut_short.parameters.psr_rule": _RULE,
    "nse_reliance_fut.parameters.psr_rule": _RULE,
    "span_cme_deck_sp_2019.inputs.option": "no printed figure is of it",
    "span_cme_deck_sp_2019.parameters.psr_points": "it is computed",
    **{
        f"span_mcmillan_sp500.parameters.{name}": _ARRAYS
        for name in ("extreme_points", "extreme_usd", "psr_points", "psr_usd", "scenario_order")
    },
}

ADAPTERS = {
    "nse_broker_matrix": nse_matrix,
    "span_mcmillan_sp500": published_arrays,
    "span_cme_deck_sp_2019": scan_range,
    "nse_nifty_fut_long": nse_future,
    "nse_nifty_fut_short": nse_future,
    "nse_reliance_fut": nse_future,
    "nse_bear_call_spread": nse_spread,
}
