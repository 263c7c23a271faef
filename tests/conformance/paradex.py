"""Paradex's printed examples: margins, and the profits and Greeks that its pages work out.

An example that states deltas or Greeks and no market is given a market in which its options have
them. Partial liquidation is computed as far as it is margin; the rest of it, and socialised losses,
belong to liquidation.
"""

import datetime as dt
import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from margincalc.answers.margining import Rules, margined
from margincalc.answers.results import MarginReport
from margincalc.answers.statement import margin_report
from margincalc.portfolio import Portfolio

Case = Mapping[str, Any]
NORMAL = NormalDist()
AS_OF = dt.datetime(2026, 8, 31, 8, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
YEARS = 0.25  # to expiry, where an example states none
VOLATILITY = 0.5


def _report(content: Mapping[str, Any], model: str, *settings: str) -> MarginReport:
    portfolio = Portfolio.model_validate({"as_of": AS_OF.isoformat(), **content})
    return margin_report(margined(portfolio, Rules(model=model, settings=settings)))


def _perpetual(underlying: str) -> dict[str, str]:
    return {"kind": "perpetual", "underlying": underlying}


def _option(underlying: str, strike: float, years: float, *, call: bool = True) -> dict[str, Any]:
    return {
        "kind": "option",
        "type": "call" if call else "put",
        "underlying": underlying,
        "strike": strike,
        "expiry": (AS_OF + years * YEAR).isoformat(),
    }


def _strike(spot: float, delta: float, deviation: float) -> float:
    """Strike at which a call has a delta, `deviation` being that of the log price at expiry."""
    return spot * math.exp(deviation * (deviation / 2.0 - NORMAL.inv_cdf(delta)))


def minimum_delta(case: Case) -> dict[str, Any]:
    """Positions by their deltas: of 1 a perpetual, else an option that has the delta."""
    inputs, parameters = case["inputs"], case["parameters"]
    spot = float(inputs["spot"])
    positions: list[dict[str, Any]] = []
    for position in inputs["positions"]:
        delta, quantity = float(position["delta"]), float(position["size"])
        if delta == 1.0:
            positions.append({"instrument": _perpetual("BTC"), "quantity": quantity})
            continue
        of_call = delta if delta > 0.0 else 1.0 + delta
        strike = _strike(spot, of_call, VOLATILITY * math.sqrt(YEARS))
        option = _option("BTC", strike, YEARS, call=delta > 0.0)
        positions.append({"instrument": option, "quantity": quantity})
    report = _report(
        {"market": {"BTC": {"spot": spot, "volatility": VOLATILITY}}, "positions": positions},
        "paradex-pm",
        f"minimum_delta.unhedged={parameters['unhedged']}",
        f"minimum_delta.hedged={parameters['hedged']}",
    )
    net = report.details["net_delta_value"] / spot
    hedged = report.details["hedged_delta_value"] / spot
    return {
        "net_delta": net,
        "gross_delta": 2.0 * hedged + abs(net),
        "hedged_delta": hedged,
        "min_delta_risk": report.details["minimum_delta_requirement"],
    }


def open_orders(case: Case) -> dict[str, Any]:
    """A perpetual with orders on both sides, at the mark."""
    inputs, mark = case["inputs"], float(case["inputs"]["mark"])
    rate = float(case["parameters"]["imf"])
    sides = (float(inputs["buy_orders"]), -float(inputs["sell_orders"]))
    report = _report(
        {
            "market": {"BTC": {"spot": mark}},
            "positions": [{"instrument": _perpetual("BTC"), "quantity": float(inputs["position"])}],
            "orders": [
                {"instrument": _perpetual("BTC"), "quantity": side, "price": mark} for side in sides
            ],
        },
        "paradex-cross",
        f"delta_one={{initial={rate}, maintenance={rate / 2.0}}}",
    )
    return {
        "buy_open": report.details["buy_open_value"] / mark,
        "sell_open": report.details["sell_open_value"] / mark,
        "net_imr": report.initial_margin,
    }


def greeks_cash(case: Case) -> dict[str, Any]:
    """What a call with the given Greeks makes when the spot and the volatility move by one percent.

    From ``delta = N(d1)``, ``gamma = n(d1) / (S s)`` and ``vanna = -n(d1) d2 / sigma`` follow the
    deviation s to expiry, the volatility and the time; vanna is stated per point.
    """
    inputs = case["inputs"]
    spot, delta, gamma = (float(inputs[name]) for name in ("spot", "delta", "gamma"))
    point, move = 0.01, float(inputs["move"]) * spot
    first = NORMAL.inv_cdf(delta)
    deviation = NORMAL.pdf(first) / (spot * gamma)
    volatility = NORMAL.pdf(first) * (deviation - first) / (float(inputs["vanna"]) / point)
    call = _option("BTC", _strike(spot, delta, deviation), (deviation / volatility) ** 2)

    def at(shift: float) -> Any:
        market = {"BTC": {"spot": spot, "volatility": volatility + shift}}
        held = [{"instrument": call, "quantity": 1.0}]
        return _report({"market": market, "positions": held}, "paradex-cross").greeks["BTC"]

    small = volatility * 1e-4
    vanna = (at(small).delta - at(-small).delta) / (2.0 * small)
    return {
        "cash_delta": at(0.0).delta * move,
        "cash_gamma": at(0.0).gamma * move**2 / 2.0,
        "vanna_pnl": vanna * point * move,
    }


def perpetual_option(case: Case) -> dict[str, Any]:
    """A perpetual that is worth an option; what its other side would pay in funding, it earns."""
    inputs = case["inputs"]
    size, entry = float(inputs["size"]), float(inputs["entry"])
    spot, mark = float(inputs["avg_spot"]), float(inputs["mark_after_12h"])

    def with_profit(unsettled: float) -> float:
        held = {"instrument": _perpetual("BTC"), "quantity": size, "unsettled": unsettled}
        priced = {**held, "entry_price": entry, "mark_price": mark}
        market = {"BTC": {"spot": spot}}
        return _report({"market": market, "positions": [priced]}, "paradex-cross").unrealised

    other = _report(
        {
            "market": {
                "BTC": {
                    "spot": spot,
                    "perpetual": {"funding_rate": float(inputs["avg_8h_funding"])},
                }
            },
            "positions": [{"instrument": _perpetual("BTC"), "quantity": -size}],
        },
        "paradex-pm",
        f"funding_hours={float(inputs['hours'])}",
    )
    funding = other.components["funding_provision"]
    total = with_profit(funding)
    return {
        "option_pnl": with_profit(0.0),
        "funding": funding,
        "total": total,
        "pct": 100.0 * total / (abs(size) * entry),
    }


def partial_liquidation(case: Case) -> dict[str, Any]:
    """The account before anything is sold."""
    inputs, rate = case["inputs"], float(case["parameters"]["mmf"])
    market: dict[str, Any] = {}
    positions: list[dict[str, Any]] = []
    for position in inputs["positions"]:
        underlying, mark = str(position["i"]).partition("-")[0], float(position["mark"])
        market[underlying] = {"spot": mark}
        positions.append(
            {
                "instrument": _perpetual(underlying),
                "quantity": float(position["size"]),
                "entry_price": float(position["entry"]),
            }
        )
    deposit = {"asset": "USDC", "quantity": float(inputs["collateral"])}
    report = _report(
        {"market": market, "positions": positions, "collateral": [deposit]},
        "paradex-cross",
        f"delta_one={{initial={2.0 * rate}, maintenance={rate}}}",
    )
    return {"mmr": report.maintenance_margin, "account_value": report.equity}


ADAPTERS = {
    "paradex_min_delta": minimum_delta,
    "paradex_cross_imr_orders": open_orders,
    "paradex_greeks_cash": greeks_cash,
    "paradex_perp_option_short_call": perpetual_option,
    "paradex_partial_liquidation": partial_liquidation,
}
