"""Cascades, oracles, margin over time, collateral over venues, and documented events."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import margincalc as mc
from margincalc.arrays import FloatArray, group_sum
from margincalc.assembly.assemble import assemble
from margincalc.book import Book, Pool
from margincalc.margin.base import MarginResult
from margincalc.margin.forms import LinearForm
from margincalc.risk import equity, greeks, now
from margincalc.scenarios import ScenarioGrid
from margincalc.simulation import deposits, events, feeds, procyclical
from margincalc.simulation.cascade import Impact, levels, queue
from margincalc.simulation.curves import halts, walk
from margincalc.simulation.firesale import deleverage

Case = Mapping[str, Any]
Figures = dict[str, Any]


def cascade(case: Case) -> Figures:
    """Linear books, the continuum, an option book and a fire sale."""
    book = case["linear_book"]
    found = _stops(book, lambda sold: 0.1 * sold, "linear_book")
    root = {**book, "cases": case["sqrt_impact"]["cases"]}
    found |= _stops(root, lambda sold: 100 * 0.04 * np.sqrt(sold / 1000), "sqrt_impact")
    return found | _continuum(case["uniform_continuum"]) | _option_book(case) | _fire_sale(case)


def _stops(book: Case, impact: Impact, path: str) -> Figures:
    line = queue(np.array(book["liq_prices"], float), np.array(book["qty"], float), impact)
    stops = line.stops(np.array([row["P_shock"] for row in book["cases"]], float))
    named = {"k": stops.accounts, "P": stops.price, "Q": stops.quantity}
    return {
        f"{path}.cases.{number}.{name}": float(column[number])
        for number, row in enumerate(book["cases"])
        for name, column in named.items()
        if name in row
    }


def _continuum(case: Case) -> Figures:
    """Accounts so dense that only their density matters: the multiplier of a level."""
    prices = np.arange(case["P0"], 0.0, -0.25)
    found = {}
    for number, row in enumerate(case["cases"]):
        slope = row["lambda"]
        size = np.full(len(prices), 0.25 * case["rho"])
        line = queue(prices, size, partial(np.multiply, slope))
        edges = np.array([case["P0"] - 1e-9, 0.2])  # as many accounts as steps between them
        level = levels(line, np.array([edges[0], edges[0] - 0.25 * (len(prices) - 1)]))
        stop = case["P0"] - case["shock"] * float(level.multiplier[0])
        if isinstance(row["P"], str):
            assert stop < 0.0, "the book should be exhausted"
        else:
            found[f"uniform_continuum.cases.{number}.P"] = stop
    return found


class _TenPerCent(NamedTuple):
    """The file's own requirement: a tenth of the value of the account's delta."""

    grids: tuple[ScenarioGrid, ...] = ()

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        delta = group_sum(
            book.quantity * greeks(book).delta[book.instrument], book.pool, book.pools
        )
        charge = 0.1 * np.abs(delta) * book.spot[0]
        return MarginResult(equity(book, now(book)), {"delta": charge}, {"delta": charge})

    def linear(self, book: Book) -> LinearForm:
        """Say that a size of a sum is no sum of sizes."""
        return LinearForm(without=("the size of a delta",))


def _option_book(case: Case) -> Figures:
    given = case["option_book"]
    book = _puts(given)
    model = _TenPerCent()
    result = model.margin(book)
    nodes = np.arange(100.0, 59.0, -1.0)
    way = walk(book, model, nodes / 100.0)
    shocks = np.array([row["P_shock"] for row in given["cases"]], float)
    stops = halts(way, shocks, lambda sold: 0.3 * sold)
    found: Figures = {}
    for number in range(len(given["cash"])):
        excess = result.equity - result.maintenance
        found[f"option_book.g0.{number}"] = float(excess[number])
        found[f"option_book.first_breach.{number}"] = float(nodes[way.breach[number]])
        found[f"option_book.flows.{number}"] = float(way.flow[number])
    for number in range(len(shocks)):
        found[f"option_book.cases.{number}.stop"] = float(way.node[stops.stop[number]])
        found[f"option_book.cases.{number}.Q"] = float(stops.quantity[number])
    return found


def _puts(given: Case) -> Book:
    """Return a pool per account, of one short put and cash; 0.1 years are 36.5 days."""
    expiry = "2026-12-26T20:00:00Z"
    put = {"underlying": "BTC", "expiry": expiry, "type": "put"}
    rows = list(zip(given["K"], given["q_puts"], given["cash"], strict=True))
    portfolio = mc.Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {"BTC": {"spot": 100.0, "volatility": given["vol"]}},
            "positions": [
                {"instrument": {**put, "strike": k}, "quantity": q, "venue": str(number)}
                for number, (k, q, _) in enumerate(rows)
            ],
            "collateral": [
                {"asset": "USD", "quantity": cash, "venue": str(number)}
                for number, (_, _, cash) in enumerate(rows)
            ],
        }
    )
    return assemble(portfolio, lambda item, _: Pool("", "account", item.venue or "")).book


def _fire_sale(case: Case) -> Figures:
    given = case["leverage_constrained_fire_sale"]
    depth = np.array([5000.0])
    sale = deleverage(
        np.array([[float(given["assets"])]]),
        np.array([float(given["equity"])]),
        given["max_lev"],
        depth,
        np.array([given["shock"]]),
    )
    path = "leverage_constrained_fire_sale"
    sold = float(sale.first[0, 0])
    return {
        f"{path}.lev_after": float(sale.leverage[0]),
        f"{path}.sell_value": sold,
        f"{path}.impact_depth_5000": float(sold / depth[0]),
    }


def oracle(case: Case) -> Figures:
    """Lags, averages, attacks, confidence and feeds."""
    found: Figures = {}
    for number, row in enumerate(case["lag"]["cases"]):
        buffer = feeds.lag(case["lag"]["sigma"], row["lag_s"], case["lag"]["confidence"])
        names = zip(("sd_pct", "buffer_pct", "es_pct"), buffer, strict=True)
        found |= {f"lag.cases.{number}.{name}": 100.0 * value for name, value in names}
    given = case["expected_shortfall_over_buffer"]
    for number, row in enumerate(given["cases"]):
        deviation = feeds.lag(row["sigma"], row["lag_s"]).deviation
        loss = 1e4 * feeds.beyond(deviation, given["buffer"])
        found[f"expected_shortfall_over_buffer.cases.{number}.bp"] = loss
    found["twap.sd_pct_30m_sigma80"] = 100.0 * feeds.average_deviation(0.8, 1800.0)
    given = case["twap_attack"]
    means: tuple[tuple[str, feeds.Mean], ...] = (("arith", "arithmetic"), ("geo", "geometric"))
    for name, mean in means:
        for blocks in given[name]:
            found[f"twap_attack.{name}.{blocks}"] = feeds.attack_multiple(
                given["target_move"],
                int(blocks),
                given["window_blocks"],
                mean,
            )
    for blocks in given["cpamm_quote_in_over_reserve"]:
        multiple = feeds.attack_multiple(given["target_move"], int(blocks), given["window_blocks"])
        found[f"twap_attack.cpamm_quote_in_over_reserve.{blocks}"] = feeds.attack_cost(multiple)
    found["pyth_laplace.q95_in_sd"] = feeds.confidence_multiple(0.95)
    given = case["deviation_feed"]
    buffer = feeds.lag(given["sigma"], given["lag_s"])
    found["deviation_feed.q99"] = feeds.deviation_feed(given["delta"], buffer.deviation, 0.99)
    found["deviation_feed.additive_bound"] = given["delta"] + buffer.quantile
    return found


def dynamic_margin(case: Case) -> Figures:
    """Responses to a step of volatility, tools against procyclicality, filtered history."""
    found: Figures = {}
    given = case["ewma_step_response"]
    for number, row in enumerate(given["cases"]):
        ratio = procyclical.step_response(row["lam"], row["n"], given["k"])
        found[f"ewma_step_response.cases.{number}.ratio"] = ratio
    z = float(str(case["apc_path"]["vol"]).rpartition("z99=")[2])  # as the file rounds it
    for name, path in _paths(z).items():
        leaps = procyclical.leaps(path, (1, 5))
        for number, value in enumerate(
            (leaps.peak_to_trough, leaps.rise[1], leaps.rise[5], leaps.mean)
        ):
            found[f"apc_path.{name}.{number}"] = value
    given = case["fhs"]
    returns = np.array(given["returns"])
    variance = procyclical.variances(returns, given["lam"])
    today = float(np.sqrt(variance[-1]))
    now = today * procyclical.filtered(returns, variance[:-1])
    found["fhs.sigma_T"] = today
    for number, value in enumerate(np.sort(now)[:3]):
        found[f"fhs.worst_scaled.{number}"] = float(value)
    found["fhs.es_worst2"] = procyclical.shortfall(now, 2)
    return found


def _paths(z: float) -> dict[str, FloatArray]:
    """Return the margins of the file's deterministic path of volatilities."""
    volatility = np.repeat([0.02, 0.06, 0.02], [250, 20, 230])
    raw = z * np.sqrt(procyclical.variances(volatility, 0.97))[:-1]
    return {
        "raw": raw,
        "floor_3pct": procyclical.floored(raw, z * 0.03),
        "stress_weight_25pct_6pctvol": procyclical.stressed(raw, z * 0.06),
        "buffer_25pct": procyclical.buffered(raw),
    }


def cross_venue(case: Case) -> Figures:
    """Distances at which to move money, loops, a de-peg, haircuts."""
    found: Figures = {}
    for number, row in enumerate(case["cases"]):
        distance = deposits.trigger_distance(case["sigma"], row["tau_s"], row["alpha"])
        found[f"cases.{number}.d_pct"] = 100.0 * distance
    share = deposits.loop(3.0, 1.0)
    found["loop_depeg.debt_over_collateral"] = share
    depeg = deposits.depeg_to_liquidation(share, case["loop_depeg"]["LT"])
    found["loop_depeg.depeg_to_liquidation"] = depeg
    given = case["usde"]
    for name, price in (("ratio_before", 1.0), ("ratio_after", 0.65)):
        found[f"usde.{name}"] = _counted(given, price) / given["MM"]
    for number, row in enumerate(case["haircut_rule"]["cases"]):
        found[f"haircut_rule.cases.{number}.h"] = deposits.haircut(
            row["z"], row["sigma"], row["days"]
        )
    return found


def _counted(given: Case, price: float) -> float:
    """Return what margin counts of a deposit at a price: its value less its haircut."""
    deposit = {"asset": "USDe", "quantity": given["collateral"], "price": price}
    account = {
        "as_of": "2025-10-10T21:00:00Z",
        "market": {},
        "positions": [],
        "collateral": [{**deposit, "haircut": given["haircut"]}],
    }
    report = mc.margin(mc.Portfolio.model_validate(account))
    return report.collateral_value - report.components["collateral_haircut"]


_REPORTED = (  # path in the file, event, figure, end of its range
    ("0.bitmex_fund_btc.0", events.MARCH_2020, "bitmex_fund_before"),
    ("0.bitmex_fund_btc.1", events.MARCH_2020, "bitmex_fund_after"),
    ("0.deribit_fund_btc.0", events.MARCH_2020, "deribit_fund_before"),
    ("0.deribit_fund_btc.1", events.MARCH_2020, "deribit_fund_after"),
    ("0.deribit_injection_btc", events.MARCH_2020, "deribit_injection"),
    ("0.maker_zero_bid_eth_usd", events.MARCH_2020, "maker_zero_bid_usd"),
    ("0.maker_undercollateralised_dai", events.MARCH_2020, "maker_undercollateralised"),
    ("1.cex_long_liq_usd", events.MAY_2021, "long_liquidations_usd"),
    ("1.defi_collateral_liq_usd", events.MAY_2021, "lending_liquidations_usd"),
    ("1.aave", events.MAY_2021, "aave_usd"),
    ("1.compound", events.MAY_2021, "compound_usd"),
    ("1.maker", events.MAY_2021, "maker_usd"),
    ("1.btc_path.0", events.MAY_2021, "btc_before"),
    ("1.btc_path.1", events.MAY_2021, "btc_low"),
    ("2.borrow_usd", events.NOVEMBER_2022, "borrowed_usd"),
    ("3.liq_usd", events.OCTOBER_2025, "liquidations_usd"),
    ("3.long_usd", events.OCTOBER_2025, "long_usd"),
    ("3.short_usd", events.OCTOBER_2025, "short_usd"),
    ("3.accounts", events.OCTOBER_2025, "accounts"),
    ("3.peak_minute_usd", events.OCTOBER_2025, "peak_minute_usd"),
    ("3.btc_peak_trough_pct", events.OCTOBER_2025, "btc_peak_trough_pct"),
    ("3.usde_low", events.OCTOBER_2025, "usde_low"),
    ("3.binance_fund_loss_usd", events.OCTOBER_2025, "binance_fund_loss_usd"),
    ("3.binance_compensation_usd", events.OCTOBER_2025, "binance_compensation_usd"),
    ("3.depth_collapse_pct", events.OCTOBER_2025, "depth_collapse_pct"),
)


def event_figures(case: Case) -> Figures:
    """The magnitudes that the product's documented events carry."""
    found: Figures = {}
    for path, event, figure in _REPORTED:
        number, _, rest = path.partition(".")
        given, ends = case["events"][int(number)].get(rest), event.figures[figure]
        if isinstance(given, list):
            found |= {f"events.{path}.{end}": value for end, value in enumerate(ends)}
        else:
            assert ends[0] == ends[1]
            found[f"events.{path}"] = ends[0]
    return found


ADAPTERS = {
    "cascade": cascade,
    "oracle": oracle,
    "dynamic_margin": dynamic_margin,
    "cross_venue": cross_venue,
    "event_figures": event_figures,
}
