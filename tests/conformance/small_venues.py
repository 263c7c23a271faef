"""Printed examples of Dederi, BIT, Thalex and Aevo."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from margincalc.answers.account import Account
from margincalc.answers.breakdown import scenarios_report
from margincalc.answers.margining import Rules, margined
from margincalc.answers.results import MarginReport
from margincalc.answers.statement import margin_report
from margincalc.answers.view_results import ScenarioLine
from margincalc.portfolio import Portfolio

Case = Mapping[str, Any]
AS_OF = dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC)
# What a venue does not print, where the example does not depend on it.
UNKNOWN_FACTOR = ("factors.initial=1.0",)
UNKNOWN_FLOOR = ("charges.short_options=0.0", "charges.delta_one=0.0")


def _account(content: Mapping[str, Any], model: str, settings: Sequence[str]) -> Account:
    portfolio = Portfolio.model_validate({"as_of": AS_OF.isoformat(), **content})
    return margined(portfolio, Rules(model=model, settings=tuple(settings)))


def _listed(values: Sequence[float]) -> str:
    """Write numbers as a TOML list."""
    return f"[{', '.join(repr(float(value)) for value in values)}]"


def _ladder(account: Account, volatility: float | None = None) -> list[ScenarioLine]:
    """Return scenarios by rising spot, of one move of volatility where there are several."""
    lines = scenarios_report(account).lines
    chosen = [line for line in lines if volatility is None or line.volatility == volatility]
    return sorted(chosen, key=lambda line: line.spot)


def dederi_future(case: Case) -> dict[str, Any]:
    """A future carried from the index at an annual basis."""
    inputs, parameters = case["inputs"], case["parameters"]
    size, index = float(inputs["size"]), float(inputs["index"])
    expiry = (AS_OF + dt.timedelta(days=float(inputs["days"]))).isoformat()
    future = {"kind": "future", "underlying": "ETH", "expiry": expiry}
    account = _account(
        {
            "market": {"ETH": {"spot": index, "rate": float(inputs["annual_basis"])}},
            "positions": [{"instrument": future, "quantity": size}],
        },
        "dederi-pm",
        (
            f"grid.spot={_listed(parameters['shocks'])}",
            f"charges.delta_one={float(parameters['future_contingency'])}",
            *UNKNOWN_FACTOR,
        ),
    )
    by_move = {line.spot: line.pnl for line in scenarios_report(account).lines}
    report = margin_report(account)
    return {
        "forward": report.positions[0].mark_price,
        "contingency": report.components["delta_one"],
        "pnl": [by_move[float(move)] for move in parameters["shocks"]],
    }


def bit_portfolio(case: Case) -> dict[str, Any]:
    """A perpetual and calls in coin; moves of volatility are added, unscaled."""
    inputs, parameters = case["inputs"], case["parameters"]
    price, move = float(inputs["perp_price"]), float(parameters["price_range"])
    up, down = float(parameters["vol_up_30d"]), -float(parameters["vol_down_30d"])
    call = {
        "kind": "option",
        "type": "call",
        "underlying": "BTC",
        "strike": float(inputs["strike"]),
        "expiry": inputs["expiry"],
        "settlement": "inverse",
    }
    perpetual = {"kind": "perpetual", "underlying": "BTC", "settlement": "inverse"}
    account = _account(
        {
            "currency": "BTC",
            "as_of": inputs["valuation"],
            "market": {"BTC": {"spot": price}},
            "positions": [
                {"instrument": perpetual, "quantity": float(inputs["perp_btc"]) * price},
                {
                    "instrument": call,
                    "quantity": float(inputs["calls"]),
                    "volatility": float(inputs["iv"]),
                },
            ],
        },
        "bit-pm",
        (
            f"grid.spot={_listed([move * step / 5.0 for step in range(-5, 6)])}",
            f"grid.volatility={_listed([up, 0.0, down])}",
            *UNKNOWN_FACTOR,
            *UNKNOWN_FLOOR,
        ),
    )
    worst = margin_report(account).worst_scenario
    assert worst is not None
    names = {up: "up", 0.0: "same", down: "down"}
    return {
        "worst_move": worst.spot,
        "worst_vol": names[worst.volatility] if worst.volatility is not None else None,
        "worst_loss_btc": -worst.pnl,
    }


def thalex_cover(case: Case) -> dict[str, Any]:
    """Shares with which a move of 20 % and one of 40 % count."""
    cover = float(case["parameters"]["full_cover_price"])
    account = _account(
        {
            "market": {"BTC": {"spot": 100.0}},
            "positions": [
                {"instrument": {"kind": "perpetual", "underlying": "BTC"}, "quantity": 1.0}
            ],
        },
        "thalex-pm",
        (f"tails={{spot=[0.2, 0.4], volatility=0.0, cover={cover}}}",),
    )
    weight = {line.spot: line.weight for line in scenarios_report(account).lines}
    return {"cover_20pct": weight[0.2], "cover_40pct": weight[0.4]}


def aevo_shocks(case: Case) -> dict[str, Any]:
    """The outermost spots of the scenarios; equity after buying an option with coin."""
    inputs, parameters = case["inputs"], case["parameters"]
    up, down = float(parameters["spot_up"]), float(parameters["spot_down"])
    spots = [step * (up if step > 0.0 else down) for step in map(float, parameters["spot_steps"])]
    volatility = [float(parameters["iv_up"]), 0.0, -float(parameters["iv_down"])]
    settings = (
        f"grid.spot={_listed(spots)}",
        f"grid.volatility={_listed(volatility)}",
        *UNKNOWN_FACTOR,
        *UNKNOWN_FLOOR,
    )
    spot = float(inputs["spot"])
    option = {
        "kind": "option",
        "type": "call",
        "underlying": "ETH",
        "expiry": (AS_OF + dt.timedelta(days=30)).isoformat(),
    }
    held = {"quantity": 1.0, "volatility": float(inputs["iv"])}
    ladder = _ladder(
        _account(
            {
                "market": {"ETH": {"spot": spot}},
                "positions": [{"instrument": {**option, "strike": spot}, **held}],
            },
            "aevo-pm",
            settings,
        ),
        0.0,
    )
    bought = _equity_after_purchase(inputs, option, settings)
    return {
        "spot_hi": spot * (1.0 + ladder[-1].spot),
        "spot_lo": spot * (1.0 + ladder[0].spot),
        "equity_after": bought.equity,
    }


def _equity_after_purchase(
    inputs: Mapping[str, Any], option: Mapping[str, Any], settings: Sequence[str]
) -> MarginReport:
    price, paid = float(inputs["eth_price"]), float(inputs["option_purchase"])
    call = {**option, "strike": price}
    priced = {"quantity": 1.0, "volatility": float(inputs["iv"]), "mark_price": paid}
    content = {
        "market": {"ETH": {"spot": price}},
        "collateral": [
            {"asset": "ETH", "quantity": float(inputs["eth_balance"])},
            {"asset": "USDC", "quantity": -paid},
        ],
        "positions": [{"instrument": call, **priced}],
    }
    return margin_report(_account(content, "aevo-pm", settings))


_PRINTED = "no printed figure depends on it"
UNREAD = {
    "aevo_pm_shocks.parameters.collateral_ratio": _PRINTED,
    "aevo_pm_shocks.parameters.iv_steps": "the moves of volatility are stated by name too",
    "bit_pm_coinm.parameters.scenarios": "the number follows from prices and volatilities",
    "bit_pm_coinm.parameters.term_scaling": "words",
    "thalex_pm_rules.parameters.approx_scenarios": _PRINTED,
    "thalex_pm_rules.parameters.full_cover_vol": _PRINTED,
    "thalex_pm_rules.parameters.mm_of_im": _PRINTED,
}

ADAPTERS = {
    "dederi_future_pm": dederi_future,
    "bit_pm_coinm": bit_portfolio,
    "thalex_pm_rules": thalex_cover,
    "aevo_pm_shocks": aevo_shocks,
}
