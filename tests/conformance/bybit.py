"""Examples of Bybit: options under cross margin."""

from typing import Any

import margincalc as mc
from margincalc.answers.results import MarginReport
from margincalc.portfolio import Portfolio
from tests.conformance.registry import Adapter

AS_OF = "2022-06-24T08:00:00Z"  # no case has a day, and cross margin does not depend on it
EXPIRY = "22JUL22"


def _margin(settings: list[str], **parts: Any) -> MarginReport:
    return mc.margin(
        Portfolio.model_validate({"as_of": AS_OF, **parts}),
        model="bybit-options",
        settings=settings,
    )


def _spread(case: dict[str, Any], settings: list[str]) -> MarginReport:
    """Margin a put sold and one bought."""
    positions = []
    for leg, sign in (("short_put", -1.0), ("long_put", 1.0)):
        own = case["inputs"][leg]
        entry = {"entry_price": float(own["entry"])} if "entry" in own else {}
        positions.append(
            {
                "instrument": f"BTC_USDC-{EXPIRY}-{own['strike']}-P",
                "quantity": sign * own.get("size", 1),
                "mark_price": float(own["mark"]),
                **entry,
            }
        )
    market = {"BTC": {"spot": float(case["inputs"]["index"])}}
    return _margin(settings, market=market, positions=positions)


def bear_put_spread(case: dict[str, Any]) -> dict[str, Any]:
    """Under cross margin only the put sold is margined."""
    parameters = case["parameters"]
    report = _spread(
        case,
        [
            f"initial={float(parameters['im_a'])}",
            f"initial_minimum={float(parameters['im_b'])}",
            f"maintenance={float(parameters['mm'])}",
            f"liquidation_fee={float(parameters['liquidation_fee'])}",
        ],
    )
    return {
        "mm": report.details["venue_maintenance_margin"],
        "im": report.details["venue_initial_margin"],
    }


def bear_put_spread_portfolio(case: dict[str, Any]) -> dict[str, Any]:
    """The net mark alone: ranges and valuation date of the venue's portfolio margin are missing."""
    return {"net_mark": _spread(case, []).details["options_value"]}


def option_cost(case: dict[str, Any]) -> dict[str, Any]:
    """What an order to buy freezes, with the fee and without."""
    inputs, parameters = case["inputs"], case["parameters"]
    name = f"BTC_USDC-{EXPIRY}-{inputs['index']}-C"
    order = {
        "instrument": name,
        "quantity": float(inputs["size"]),
        "price": float(inputs["price"]),
    }
    market = {"BTC": {"spot": float(inputs["index"]), "volatility": 0.6}}
    cap = f"orders.fee_cap={float(parameters['cap'])}"
    cost, premium = (
        _margin([cap, f"orders.fee={fee}"], market=market, orders=[order]).initial_components[
            "open_orders"
        ]
        for fee in (float(parameters["taker"]), 0.0)
    )
    return {"premium": premium, "fee": cost - premium, "cost": cost}


_NO_MODEL = "of Bybit's portfolio margin, of which there is no model"
UNREAD = {
    "bybit_bear_put_spread_pm.inputs.expiry": _NO_MODEL,
    "bybit_bear_put_spread_pm.parameters.scenarios": _NO_MODEL,
    "bybit_bear_put_spread_pm.parameters.price_and_vol_ranges": "words",
    "bybit_bear_put_spread_pm.parameters.valuation_date": "words",
}

ADAPTERS: dict[str, Adapter] = {
    "bybit_bear_put_spread_cross": bear_put_spread,
    "bybit_bear_put_spread_pm": bear_put_spread_portfolio,
    "bybit_option_buy_cost": option_cost,
}
