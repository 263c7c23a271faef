"""Deribit: the printed responses of its account calls, its worked figures, and its older rules.

A case becomes a portfolio and the tables of a model, with the case's own parameters, and takes the
way that every account takes.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

from margincalc.answers.margining import Rules, margined
from margincalc.answers.results import MarginReport
from margincalc.answers.statement import margin_report
from margincalc.assembly.assemble import assemble
from margincalc.assembly.pools import labels
from margincalc.book import Book, Kind
from margincalc.margin.charges import long_and_short, net_short_options, short_option_charge
from margincalc.margin.deribit import Deribit, build
from margincalc.margin.lots import held
from margincalc.portfolio import Portfolio
from margincalc.risk import now
from margincalc.scenarios import VolatilityRule
from margincalc.times import DAYS_PER_YEAR

Case = Mapping[str, Any]
Computed = dict[str, Any]

AS_OF = "2026-11-20T08:00:00Z"
FAR = "2026-12-25"
# Printed with the noise of their last digits, a unit of which a sum of rounded figures may miss.
RELATIVE = {
    "deribit_pme_simulate_docs_btc": 1e-12,
    "deribit_simulate_portfolio_identities.available_funds": 1e-15,
    "deribit_simulate_portfolio_identities.session_upl": 1e-10,
}


def _book(content: Mapping[str, Any]) -> Book:
    """Assemble one account's book."""
    portfolio = Portfolio.model_validate({"account": "account", **content})
    return assemble(portfolio, labels("portfolio", "account")).book


def _report(content: Mapping[str, Any], rules: Rules) -> MarginReport:
    return margin_report(margined(Portfolio.model_validate(content), rules))


def simulate(case: Case) -> Computed:
    """A segregated portfolio margin account of futures: risk vectors, charges and margins."""
    inputs = case["inputs"]
    coin = next(iter(inputs["mark"])).partition("-")[0]
    model = _portfolio_margin(coin, case)
    book = _simulated(coin, inputs)
    result = model.margin(book)
    (part,) = model.parts(book, now(book))
    counted = model.counted(book, part)[0]
    kind = book.kind[part.rows]
    perpetual = np.sum(part.by_position[kind == int(Kind.PERPETUAL)], axis=0)
    future = np.sum(part.by_position[kind == int(Kind.FUTURE)], axis=0)
    main = 3 * (2 * case["parameters"]["buckets_count"] + 1)
    assert result.worst is not None
    return {
        "perp_standard_9": perpetual[1:main:3].tolist(),
        "future_standard_9": future[1:main:3].tolist(),
        "perp_extended_8": perpetual[main:].tolist(),
        "aggregated_standard_9": counted[1:main:3].tolist(),
        "aggregated_extended_8": counted[main:].tolist(),
        "worst_case": -float(result.worst.pnl[0]),
        **{name: float(result.initial_components[name][0]) for name in _CHARGES},
        "risk_matrix_margin": float(result.details["risk_matrix_margin"][0]),
        "initial_margin": float(result.initial[0]),
        "maintenance_margin": float(result.maintenance[0]),
    }


_CHARGES = ("roll_shock", "delta_shock", "correlation_contingency")


def _simulated(coin: str, inputs: Case) -> Book:
    """Write the account of a case; sizes are in coin, and quantities in USD at the mark."""
    moment = dt.datetime.fromtimestamp(inputs["valuation_ms"] / 1000.0, dt.UTC)
    sizes, marks = inputs["positions_base_ccy"], inputs["mark"]
    return _book(
        {
            "currency": coin,
            "as_of": moment.isoformat(),
            "market": {coin: {"spot": float(inputs["index_price"]), "settlement": "inverse"}},
            "quotes": {name: {"mark": float(mark)} for name, mark in marks.items()},
            "positions": [
                {"instrument": name, "quantity": float(size * marks[name])}
                for name, size in sizes.items()
                if size
            ],
        }
    )


def _portfolio_margin(coin: str, case: Case) -> Deribit:
    """Build the model with a case's parameters; a floor of days is of no use without options."""
    given, reserved = case["parameters"], case["inputs"]
    return build(
        {
            "tables": "segregated",
            "equity_side_impact": given["equity_side_impact"],
            "mm_factor": given["mm_factor"],
            "rows": {
                "buckets_count": given["buckets_count"],
                "extended_moves": given["extended_moves"],
            },
            "reserved": {
                name: reserved[name] for name in ("open_orders_margin", "mmp_margin", "spot_margin")
            },
            "underlyings": {coin: _tables(given)},
        }
    )


def _tables(given: Case) -> dict[str, Any]:
    """Write the parameters of one currency as a model file does."""
    return {
        "price_range": given["price_range"],
        "volatility": {
            "range_up": given["volatility_range_up"],
            "range_down": given["volatility_range_down"],
            "short_term_power": given["short_term_vega_power"],
            "long_term_power": given["long_term_vega_power"],
            "minimum_for_shock_up": given["min_volatility_for_shock_up"],
            "floor_days": 1.0,
        },
        "extended": {
            "factor": given["extended_table_factor"],
            "dampener_usd": given["extended_dampener_usd"],
        },
        "offset": {
            "pnl_offset": given["pnl_offset"],
            "max_offsetable_pnl_usd": given["max_offsetable_pnl"],
        },
        "roll_shock": {
            "annualised_move_risk": given["annualised_move_risk"],
            "min_annualised_move": given["min_annualised_move"],
        },
        "delta_shock": {
            "threshold_usd": given["delta_total_liq_shock_threshold_usd"],
            "max_delta_shock": given["max_delta_shock"],
            "m_inc": given["m_inc"],
        },
    }


def identities(case: Case) -> Computed:
    """Equity, available funds and sums of profits as our account has them, in coin.

    The index is what turns the account's margins from coin into the printed USD.
    """
    given = {name: float(value) for name, value in case["inputs"].items()}
    held = _settled(given["futures_session_upl"] + given["futures_session_rpl"])
    if given["options_value"]:
        option = {"instrument": "BTC-25DEC26-100000-C", "mark_price": 0.1}
        held.append(option | {"quantity": given["options_value"] / 0.1})
    whole = _in_coin(given["balance"], held)
    index = given["total_initial_margin_usd"] / given["initial_margin"]
    required = _in_coin(
        given["margin_balance"],
        [{"instrument": "BTC-PERPETUAL", "quantity": given["initial_margin"] * SPOT}],
        "delta_one.initial=1.0",
        f"delta_one.maintenance={given['maintenance_margin'] / given['initial_margin']!r}",
    )
    return {
        "equity": whole.equity,
        "available_funds": required.available_funds,
        "session_upl": _in_coin(
            0.0, _settled(given["futures_session_upl"], given["options_session_upl"])
        ).unrealised,
        "total_pl": _in_coin(0.0, _settled(given["futures_pl"], given["options_pl"])).unrealised,
        "usd_index": index * required.maintenance_margin / given["maintenance_margin"],
    }


SPOT = 100_000.0


def _settled(*profits: float) -> list[dict[str, Any]]:
    """Hold a perpetual and futures that have made these profits, in coin."""
    names = ("BTC-PERPETUAL", "BTC-25DEC26")
    return [
        {"instrument": name, "quantity": 1.0, "unsettled": profit}
        for name, profit in zip(names, profits, strict=False)
    ]


def _in_coin(balance: float, positions: list[dict[str, Any]], *settings: str) -> MarginReport:
    """Report an account in coin, by rules of which equity and profits take nothing."""
    content = {
        "currency": "BTC",
        "as_of": AS_OF,
        "market": {"BTC": {"spot": SPOT, "settlement": "inverse"}},
        "collateral": [{"asset": "BTC", "quantity": balance}] if balance else [],
        "positions": positions,
    }
    return _report(content, Rules(model="generic-standard", settings=settings))


def linear_perpetual(case: Case) -> Computed:
    """Initial and maintenance margin of linear perpetuals by size."""
    found = {}
    for entry in case["inputs"]["cases"]:
        pair, _, which = entry["case"].rpartition("_")
        coin, given = pair.partition("_")[0], case["parameters"][pair]
        rates = {
            "initial": given["im_base"],
            "maintenance": given["mm_base"],
            "slope": given["slope_per_coin"],
        }
        settings = [f"underlyings.{coin}.delta_one.{key}={rate}" for key, rate in rates.items()]
        settings += [f'underlyings.{coin}.delta_one.price="index"', f'scope.underlyings=["{coin}"]']
        price = float(case["inputs"][f"{coin.lower()}_price"])
        content = {
            "as_of": AS_OF,
            "market": {pair: {"spot": price}},
            "positions": [{"instrument": f"{pair}-PERPETUAL", "quantity": float(entry["size"])}],
        }
        report = _report(content, Rules(model="deribit-sm", settings=tuple(settings)))
        margins = {"IM": report.initial_margin, "MM": report.maintenance_margin}
        found[f"{entry['case']}_{entry['size']}"] = margins[which]
    return found


def inverse_settlement(case: Case) -> Computed:
    """Payoff and profit of inverse options in coin, valued a microsecond before they expire."""
    payoffs, profits = [], []
    for entry in case["inputs"]["cases"]:
        instrument = {
            "kind": "option",
            "underlying": "BTC",
            "expiry": FAR,
            "strike": float(entry["strike"]),
            "type": entry["type"],
        }
        content = {
            "currency": "BTC",
            "as_of": f"{FAR}T07:59:59.999999Z",
            "market": {
                "BTC": {
                    "spot": float(entry["delivery"]),
                    "settlement": "inverse",
                    "volatility": 0.01,
                }
            },
            "positions": [{"instrument": instrument, "quantity": float(entry["side"])}],
        }
        value = _report(content, Rules(mode="cross")).option_value
        payoffs.append(value * entry["side"])
        profits.append(value - entry["side"] * entry["premium_btc"])
    return {"payoff_btc": payoffs, "pnl_btc": profits}


def legacy_rules(case: Case) -> Computed:
    """The charges of the models before 2024, by the blocks that families share."""
    inputs, newer, older = case["inputs"], case["parameters"]["v_new"], case["parameters"]["v_old"]
    legs = inputs["net_short_strike_X"]
    sizes = {"BTC-25DEC26-100000-C": legs["calls"], "BTC-25DEC26-100000-P": legs["puts"]}
    sizes["BTC-25DEC26"] = inputs["futures_long_btc"]
    sizes["BTC-PERPETUAL"] = -inputs["futures_short_btc"]
    book = _book(
        {
            "currency": "BTC",
            "as_of": AS_OF,
            "market": {"BTC": {"spot": 100_000.0, "volatility": 0.5}},
            "positions": [
                {"instrument": name, "quantity": float(size)}
                for name, size in sizes.items()
                if size
            ],
        }
    )
    futures = held(book, Kind.FUTURE, Kind.PERPETUAL)
    longs, shorts = long_and_short(futures.quantity, futures.pool, book.pools)
    hedged = float(np.minimum(longs, shorts)[0])
    power = VolatilityRule(short_power=older["vega_power"])
    years = np.array([inputs["days"] / DAYS_PER_YEAR])
    return {
        "iv_change_15d_old": older["iv_move_30d"] * float(power.scale(years)[0]),
        "net_short": float(np.sum(net_short_options(book).units)),
        "option_contingency_btc": float(
            short_option_charge(book, newer["option_contingency_btc"])[0]
        ),
        "futures_contingency_new_btc": newer["futures_contingency"] * hedged,
        "futures_contingency_old_btc": older["futures_contingency"] * hedged,
        "option_contingency_old_btc": older["option_contingency"] * older["options_abs"],
    }


_PRINTED = "no printed figure depends on it"
UNREAD = {
    "deribit_legacy_pm_rules.parameters.v_new.iv_move_30d": _PRINTED,
    "deribit_legacy_pm_rules.parameters.v_new.price_move": _PRINTED,
    "deribit_legacy_pm_rules.parameters.v_new.vega_power": _PRINTED,
    "deribit_legacy_pm_rules.parameters.v_old.price_move": _PRINTED,
    "deribit_legacy_pm_rules.parameters.v_old.vega_contingency": _PRINTED,
    "deribit_pme_simulate_docs_btc.parameters.haircut": "the account holds its own coin",
    "deribit_pme_simulate_docs_btc.parameters.vol_scenarios_count": "always three",
}

ADAPTERS = {
    "deribit_pme_simulate_docs_btc": simulate,
    "deribit_simulate_portfolio_identities": identities,
    "deribit_standard_linear_perp": linear_perpetual,
    "deribit_inverse_option_settlement": inverse_settlement,
    "deribit_legacy_pm_rules": legacy_rules,
}
