"""Paradex's printed examples: margins, and the profits and Greeks that its pages work out.

An example that states deltas or Greeks and no market is given a market in which its options have
them. Partial liquidation is the engine's, and losses are those of the waterfall.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.answers.results import MarginReport
from margincalc.answers.statement import margin_report
from margincalc.portfolio import Portfolio
from margincalc.simulation import waterfall
from margincalc.simulation.closing import close
from margincalc.simulation.costs import Costs
from margincalc.simulation.deleveraging import Market, Policy
from margincalc.simulation.desk import desk_of
from margincalc.simulation.engine import Scene, run
from margincalc.simulation.engines import load_engine
from margincalc.simulation.pro_rata import ProRata
from margincalc.simulation.rankings import Holders

Case = Mapping[str, Any]
NORMAL = NormalDist()
AS_OF = dt.datetime(2026, 8, 31, 8, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
YEARS = 0.25  # to expiry, where an example states none
VOLATILITY = 0.5


def _account(content: Mapping[str, Any], model: str, settings: Sequence[str]) -> Account:
    portfolio = Portfolio.model_validate({"as_of": AS_OF.isoformat(), **content})
    return margined(portfolio, Rules(model=model, settings=tuple(settings)))


def _report(content: Mapping[str, Any], model: str, *settings: str) -> MarginReport:
    return margin_report(_account(content, model, settings))


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
            "positions": [{"instrument": _perpetual("BTC"), "quantity": float(inputs["position"])}][
                : bool(inputs["position"])
            ],
            "orders": [
                {"instrument": _perpetual("BTC"), "quantity": side, "price": mark}
                for side in sides
                if side
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
    """Every share that the engine tries, and the one that it takes.

    The table is worked out with another penalty than the page's text states (which is the case's
    parameter): it is read off its first row.
    """
    inputs, parameters = case["inputs"], case["parameters"]
    account = _account(_perpetuals(inputs), "paradex-cross", _rates(float(parameters["mmf"])))
    desk = desk_of(account.book, account.model, 0, np.zeros(0, np.int64))
    scene = Scene(desk, Costs(None, 0.0, 0.0), fund=1e9)
    start, step = scene.start(), float(parameters["share_step"])
    penalty = case["expected"]["penalty"][0] / (step * start.standing.maintenance)
    settings = (
        f"step={step}",
        f"target={float(parameters['target_margin_ratio'])}",
        f"penalty={float(penalty)}",
    )
    engine = load_engine("paradex", AS_OF.date(), settings).engine
    assert isinstance(engine, ProRata)
    tried = engine.tried(scene, start)
    steps = run(engine, scene).steps  # none of an account that is not liquidated
    closed = np.abs(steps[0].move.size[:-1]) if steps else np.zeros(len(start.quantity) - 1)
    held = np.abs(start.quantity[:-1])
    return {
        "mmr": start.standing.maintenance,
        "account_value": start.standing.equity,
        "new_mmr": tried.maintenance[:-1].tolist(),
        "penalty": tried.penalty[:-1].tolist(),
        "new_account_value": tried.equity[:-1].tolist(),
        "new_ratio_pct": (100.0 * tried.ratio[:-1]).tolist(),
        "chosen_share": float(np.max(closed / np.where(held > 0.0, held, 1.0))),
    }


def _perpetuals(inputs: Case) -> dict[str, Any]:
    """Write perpetuals by their entries and marks, and money."""
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
    return {"market": market, "positions": positions, "collateral": [deposit]}


def _rates(rate: float) -> tuple[str, ...]:
    return (f"delta_one={{initial={2.0 * rate}, maintenance={rate}}}",)


def socialised_loss(case: Case) -> dict[str, Any]:
    """What the fund leaves of a bankrupt account's loss, as a share of what is owed to all others.

    That is the formula of the example's page; the example itself divides by less. Who is on the
    other side of the position is not said: the second of the traders is.
    """
    inputs, unit = case["inputs"], 0.01
    position, money = inputs["position"], inputs["traders"]
    size, entry, mark = (float(position[key]) for key in ("size", "entry", "mark"))
    quantity = np.array([size, -size, *(0.0 for _ in list(money)[2:])])
    column = np.ones(len(quantity))
    profit, balance = quantity * (mark - entry), np.array(list(money.values()), np.float64)
    holders = Holders(quantity, entry * column, mark * column, balance, profit, 0.0 * column)
    nobody = np.zeros(len(quantity), np.int64)
    closed = close(holders, 0.0, unit)
    fund = waterfall.Fund(float(inputs["insurance_fund"]))
    policy = Policy.named("socialised")
    paid = waterfall.run(Market(holders, nobody, nobody), closed, fund, policy, unit)
    left = unit * float(np.sum(closed.deficit) - np.sum(paid.fund))
    factor = left / float(np.sum(np.maximum(holders.value, 0.0)))
    first, *_, last = money
    return {
        f"{first}_upnl": float(profit[0]),
        "bankruptcy_amount": unit * float(np.sum(closed.deficit)),
        "exchange_bankruptcy": left,
        "factor_printed": factor,
        f"{last}_receives_printed": float(inputs["withdrawal"]) * (1.0 - factor),
    }


UNREAD = {
    "paradex_min_delta.inputs.positions.instrument": "a position is written by its delta",
    "paradex_partial_liquidation.parameters.liquidation_fee_stated": "the table has another",
}

ADAPTERS = {
    "paradex_min_delta": minimum_delta,
    "paradex_cross_imr_orders": open_orders,
    "paradex_greeks_cash": greeks_cash,
    "paradex_perp_option_short_call": perpetual_option,
    "paradex_partial_liquidation": partial_liquidation,
    "paradex_socialised_loss": socialised_loss,
}
