"""Examples of OKX: portfolio margin by risk unit, and options margined one by one."""

from collections.abc import Mapping
from typing import Any

import margincalc as mc
from margincalc.answers.results import MarginReport
from margincalc.portfolio import Portfolio
from tests.conformance.registry import Adapter

AS_OF = "2024-05-31T08:00:00Z"  # most cases have no day, and none depends on it
RELATIVE = {"okx_position_builder_pm": 1e-12}  # the venue prints the noise of its own sums


def position_builder(case: dict[str, Any]) -> dict[str, Any]:
    """Swaps on several underlyings in an account that owes money."""
    inputs, parameters = case["inputs"], case["parameters"]
    rates = {name: table for name, table in parameters.items() if isinstance(table, dict)}
    held = [
        {
            "instrument": f"{_base(position['inst'])}_USDT-PERPETUAL",
            "quantity": float(position["contracts"] * position["ctVal"]),
            "entry_price": float(position["avg"]),
        }
        for position in inputs["positions"]
    ]
    profit = sum(
        position["contracts"] * position["ctVal"] * (position["mark"] - position["avg"])
        for position in inputs["positions"]
    )
    market = {
        name: {"spot": float(index), "perpetual": {"mark": _mark(inputs, name)}}
        for name, index in inputs["index_usdt"].items()
    }
    balance = inputs["usdt_equity"] - profit
    written = {
        "as_of": AS_OF,
        "currency": "USDT",
        "stable_price": float(inputs["usdt_usd"]),
        "market": market,
        "collateral": [{"asset": "USDT", "quantity": float(balance)}],
        "positions": held,
    }
    settings = [
        f"initial_factor={float(parameters['im_factor'])}",
        f"extreme_share={float(parameters['mr6_share'])}",
        f"borrow.maintenance={float(parameters['borrow_mmr'])}",
        f"borrow.initial={float(parameters['borrow_imr'])}",
        _classes(rates),
    ]
    report = mc.margin(Portfolio.model_validate(written), model="okx-pm", settings=settings)
    return _account(report) | {
        f"{_base(line.instrument, '_').lower()}_upl": (line.unrealised or 0.0) * inputs["usdt_usd"]
        for line in report.positions
    }


def _base(name: str, sign: str = "-") -> str:
    return name.partition(sign)[0]


def _mark(inputs: Mapping[str, Any], name: str) -> float:
    marks = [each["mark"] for each in inputs["positions"] if _base(each["inst"]) == name]
    return float(marks[0] if marks else inputs["index_usdt"][name])


def _classes(rates: Mapping[str, Mapping[str, Any]]) -> str:
    """Write each underlying of a case as an asset class of its own, as a setting."""
    tables = []
    for name, own in rates.items():
        moves = [float(move) for move in own["mr1_moves"] if move]
        tables.append(
            f'{name} = {{underlyings = ["{name}"], moves = {moves}, '
            f"extreme_move = {float(own['mr6'])}, annualised_basis = 0.0, "
            f"least_basis = {float(own['mr4'])}, closing = {{rate = {float(own['mr7_rate'])}}}}}"
        )
    return f"classes={{{', '.join(tables)}}}"


def _account(report: MarginReport) -> dict[str, Any]:
    """Return the venue's figures by the names of the examples: `btc_mr4`, `total_mmr`."""
    figures = dict(report.details)
    found: dict[str, Any] = {
        "deriv_mmr": figures["derivatives_mmr"],
        "borrow_mmr": figures["mr8"],
        "borrow_imr": figures["borrow_imr"],
        "total_mmr": figures["mmr"],
        "total_imr": figures["imr"],
    }
    for key, value in figures.items():
        name, space, term = key.partition(" ")
        if space:
            found[f"{name.lower()}_{term}"] = value
    return found


def spot_and_perpetual(case: dict[str, Any]) -> dict[str, Any]:
    """Spot hedged with a perpetual: before basis risk was charged, and after.

    The price is not printed: where the inputs have none, it is what the printed MR4 implies.
    """
    inputs, parameters = case["inputs"], case["parameters"]
    rate, size = float(parameters["mr4_rate_each_leg"]), inputs["perp_contracts"] * inputs["ctVal"]
    spot = float(inputs["spot_btc"])
    price = inputs.get("price", case["expected"]["mr4"] / (rate * (abs(spot) + abs(size))))
    written = {
        "as_of": AS_OF,
        "currency": "USDT",
        "market": {"BTC": {"spot": float(price)}},
        "positions": [
            {"instrument": "BTC", "quantity": spot},
            {"instrument": "BTC_USDT-PERPETUAL", "quantity": float(size)},
        ],
    }
    portfolio = Portfolio.model_validate(written)
    reports = [
        mc.margin(
            portfolio,
            model="okx-pm",
            settings=[
                f"classes.first.least_basis={basis}",
                f"classes.first.closing.rate={float(parameters['mr7_rate'])}",
            ],
        )
        for basis in (0.0, rate)
    ]
    before, after = (report.details for report in reports)
    return {
        "mr4": after["BTC mr4"],
        "mr7": after["BTC mr7"],
        "mmr_after": after["mmr"],
        "mmr_before": before["mmr"],
    }


def simple_option(case: dict[str, Any]) -> dict[str, Any]:
    """An inverse call sold, and orders to sell and to buy it."""
    inputs, parameters = case["inputs"], case["parameters"]
    name = f"BTC-28JUN24-{inputs['underlying'] + inputs['otm_usd']}-C"
    base: dict[str, Any] = {
        "as_of": AS_OF,
        "currency": "BTC",
        "market": {
            "BTC": {
                "spot": float(inputs["underlying"]),
                "settlement": "inverse",
                "multiplier": float(inputs["multiplier"]),
            }
        },
        "quotes": {name: {"mark": float(inputs["mark_btc"])}},
    }
    settings = [
        f"initial={float(parameters['b'])}",
        f"initial_minimum={float(parameters['a'])}",
        f"factor={float(inputs['margin_factor'])}",
        f"orders.fee={inputs['fee_btc'] / inputs['multiplier']!r}",
        f"orders.minimum={float(parameters['min_order_margin'])}",
    ]
    count = float(inputs["contracts"])
    sell = {"instrument": name, "quantity": -count, "price": float(inputs["order_price_btc"])}
    buy = {"instrument": name, "quantity": count, "price": float(inputs["buy_price"])}
    sold = {"positions": [{"instrument": name, "quantity": -1.0}]}
    held, selling, buying = (
        mc.margin(Portfolio.model_validate(base | own), model="okx-options", settings=settings)
        for own in (sold, {"orders": [sell]}, {"orders": [buy]})
    )
    return {
        "position_margin_per_contract": held.details["venue_initial_margin"],
        "sell_open_margin": selling.initial_components["open_orders"],
        "buy_open_margin": buying.initial_components["open_orders"],
    }


UNREAD = {
    "okx_mr4_spot_perp.inputs.spot_buy_order_btc": "orders take no part in the terms printed",
}

ADAPTERS: dict[str, Adapter] = {
    "okx_position_builder_pm": position_builder,
    "okx_mr4_spot_perp": spot_and_perpetual,
    "okx_simple_option_margin": simple_option,
}
