"""Liquidation engines: Derive's auction, dYdX's prices and fee, lenders with a fixed spread."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from margincalc.answers.margining import Rules, margined
from margincalc.portfolio import Portfolio
from margincalc.simulation.costs import Costs
from margincalc.simulation.desk import desk_of
from margincalc.simulation.dutch import DutchAuction
from margincalc.simulation.engine import Run, Scene, Standing, run
from margincalc.simulation.engines import load_engine
from margincalc.simulation.fillable import (
    Position,
    bankruptcy_quote,
    fillable_price,
    fund_delta,
)
from margincalc.simulation.lenders import Discount, FixedSpread, Pledge, pledged
from margincalc.simulation.lending import Loan, toxic_threshold, two_step

Case = Mapping[str, Any]
Computed = dict[str, Any]
DAY = dt.date(2026, 11, 20)
AS_OF = "2026-11-20T08:00:00Z"


def scene(content: Case, settings: Sequence[str]) -> Scene:
    """Return one account under per-position rules, in a market in which trading moves nothing."""
    portfolio = Portfolio.model_validate({"account": "a", "as_of": AS_OF, **content})
    rules = Rules(model="generic-standard", settings=("borrow.maintenance=0.0", *settings))
    account = margined(portfolio, rules)
    desk = desk_of(account.book, account.model, 0, np.zeros(0, np.int64))
    return Scene(desk, Costs(None, 0.0, 0.0), fund=1e9)


# Derive


def auction(parameters: Case) -> DutchAuction:
    """Return the auction with a file's parameters."""
    names = {
        "start": "start",
        "fast_cut": "fast_cut",
        "fast_len_s": "fast_seconds",
        "slow_len_s": "slow_seconds",
        "insolvent_len_s": "insolvent_seconds",
        "buffer": "buffer",
    }
    settings = [f"{own}={float(parameters[name])!r}" for name, own in names.items()]
    engine = load_engine("derive-auction", DAY, settings).engine
    assert isinstance(engine, DutchAuction)
    return engine


def dutch_auction(case: Case) -> Computed:
    """Buffer margin, discount, largest share and price; bids of the insolvent."""
    sets = {"test": auction(case["test_params"]), "prod": auction(case["production_params"])}
    found: Computed = {}
    for number, row in enumerate(case["solvent"]):
        engine, standing = sets[row["params"]], _standing(row)
        discount, reserved = engine.discount(row["t"]), float(row.get("R", 0.0))
        price = engine.price(standing.equity, discount, reserved)
        own = {
            "BM": engine.buffer_margin(standing),
            "d": discount,
            "bid_price": price,
            "f_max": engine.most(standing, discount, reserved),
            "cash_paid": row.get("bid_fraction", 0.0) * price,
        }
        found |= {f"solvent.{number}.expect.{name}": own[name] for name in row["expect"]}
    for number, row in enumerate(case["insolvent"]):
        engine = sets["test"].model_copy(update={"insolvent_seconds": float(row["length"])})
        found[f"insolvent.{number}.expected_bid"] = engine.insolvent_bid(_standing(row), row["t"])
    part = case["insolvent_partial"]
    bid = sets["test"].insolvent_bid(_standing(case["insolvent"][0]), part["t"])
    found["insolvent_partial.paid_to_bidder"] = -part["fraction"] * bid
    return found


def _standing(row: Case) -> Standing:
    return Standing(float(row["MtM"]), float(row["MtM"] - row["MM_net"]))


# dYdX


def _perpetuals(case: Case, rate: float) -> Scene:
    """Return an account of perpetuals bought at their oracle price."""
    held = case["positions"]
    worth = sum(own["size"] * own["oracle"] for own in held.values())
    content = {
        "market": {name: {"spot": float(own["oracle"])} for name, own in held.items()},
        "positions": [
            {"instrument": f"{name}-PERPETUAL", "quantity": float(own["size"])}
            for name, own in held.items()
        ],
        "collateral": [{"asset": "USD", "quantity": float(case["quote_balance"] + worth)}],
    }
    settings = (f"delta_one.maintenance={float(rate)!r}", f"delta_one.initial={float(rate)!r}")
    return scene(content, settings)


def _target(case: Case, at: Scene) -> Position:
    row = at.desk.names.index(f"{case['target']}-PERPETUAL")
    quantity = at.desk.book.quantity
    own = float(at.desk.alone(quantity)[row])
    return Position(float(quantity[row]), float(at.desk.notional[row]), own)


def fillable(case: Case) -> Computed:
    """The price at which a liquidation order may fill."""
    found = {}
    for number, row in enumerate(case["cases"]):
        config = row["config"]
        at = _perpetuals(row, config["mm_fraction"])
        found[f"cases.{number}.expected_fillable_price"] = fillable_price(
            _target(row, at),
            at.start().standing,
            config["bankruptcy_adjustment"],
            config["spread_to_mm_ratio"],
        )
    return found


def bankruptcy(case: Case) -> Computed:
    """What a change of a position must bring."""
    found = {}
    for number, row in enumerate(case["cases"]):
        at = _perpetuals(row, row["mm_fraction"])
        quote = bankruptcy_quote(_target(row, at), at.start().standing, float(row["delta"]))
        found[f"cases.{number}.expected_bankruptcy_quote"] = quote
    return found


def insurance_fee(case: Case) -> Computed:
    """What the fund receives of a fill."""
    return {
        f"cases.{number}.expected": fund_delta(
            float(row["fill_quote"]), float(row["bankruptcy_quote"]), row["max_fee"]
        )
        for number, row in enumerate(case["cases"])
    }


# Lenders


def _loan(collateral: float, debt: float, threshold: float, charge: float = 1.0) -> Scene:
    """Return a loan; a deposit's haircut is 1 less its threshold."""
    content = {
        "market": {"COIN": {"spot": 1.0}},
        "collateral": [
            {"asset": "COIN", "quantity": float(collateral), "haircut": 1.0 - threshold},
            {"asset": "USDC", "quantity": -float(debt)},
        ],
    }
    return scene(content, (f"borrow.maintenance={charge - 1.0!r}", "borrow.initial=1.0"))


def _liquidated(at: Scene, bonus: float, factor: float, *more: str) -> Run:
    settings = (
        f"bonus={bonus}",
        f"close_factor={factor}",
        "full_below=0.0",
        "protocol_fee=0.0",
        "least=0.0",
        *more,
    )
    engine = load_engine("aave-v3", DAY, settings).engine
    assert isinstance(engine, FixedSpread)
    return run(engine, at)


def _pledge(at: Scene, quantity: Any) -> Pledge:
    found = pledged(at, at.start()._replace(quantity=quantity))
    assert found is not None
    return found


def _repaid(at: Scene, ran: Run) -> list[float]:
    row = _pledge(at, ran.start.quantity).debt
    return [float(step.move.size[row] * at.desk.unit[row]) for step in ran.steps]


def fixed_spread(case: Case) -> Computed:
    """A close factor and bonus, the best two steps, the toxic spiral, a growing discount."""
    return {
        **_close_factor(case),
        **{
            f"toxic_threshold.{bonus}": toxic_threshold(float(bonus))
            for bonus in case["toxic_threshold"]
        },
        **_spiral(case["toxic_spiral"]),
        **_euler(case["euler_v1"]),
    }


def _close_factor(case: Case) -> Computed:
    given = case["fixed_spread"]
    at = _loan(given["C"], given["D"], given["LT"])
    ran = _liquidated(at, given["LS"], given["CF"])
    before = _pledge(at, ran.start.quantity).loan
    after = _pledge(at, ran.steps[0].after.quantity).loan
    best = _liquidated(at, given["LS"], given["CF"], 'strategy="two steps"')
    steps = _repaid(at, best)
    exact = two_step(Loan(given["C"], given["D"], given["LT"]), given["LS"], given["CF"])
    return {
        "fixed_spread.HF": before.health,
        "fixed_spread.max_repay": _repaid(at, ran)[0],
        "fixed_spread.profit": ran.steps[0].move.liquidator,
        "fixed_spread.HF_after": after.health,
        "fixed_spread.repay_to_HF1": before.to_health(1.0, given["LS"]),
        "fixed_spread.repay_to_HF1_05": before.to_health(1.05, given["LS"]),
        "two_step_optimal.first": exact.first,
        "two_step_optimal.second": steps[1],
        "two_step_optimal.total": sum(steps),
        "two_step_optimal.profit": sum(step.move.liquidator for step in best.steps),
    }


def _spiral(given: Case) -> Computed:
    at = _loan(given["C"], given["LTV0"] * given["C"], 0.8)
    ran = _liquidated(at, given["LS"], given["CF"])
    return {
        f"toxic_spiral.LTV_path.{number}": _pledge(at, step.after.quantity).loan.loan_to_value
        for number, step in enumerate(ran.steps[: len(given["LTV_path"])])
    }


def _euler(given: Case) -> Computed:
    found = {}
    for number, row in enumerate(given["cases"]):
        at = _loan(row["cv"] / row["cf"], row["lv"] * row["bf"], row["cf"], 1.0 / row["bf"])
        engine = load_engine("euler-v1", DAY, _discounts(given["params"], row)).engine
        assert isinstance(engine, Discount)
        offer = engine.offer(_pledge(at, at.desk.book.quantity), at.start())
        found[f"euler_v1.cases.{number}.discount"] = 1.0 - 1.0 / (1.0 + offer.bonus)
        found[f"euler_v1.cases.{number}.repay_ref"] = offer.most
    return found


def _discounts(params: Case, row: Case) -> list[str]:
    values = {
        "fee": params["fee"],
        "most_discount": params["max_discount"],
        "most_boost": params["booster_max"],
        "target_health": params["target_health"],
        "booster": row["booster"],
    }
    return [f"{name}={float(value)!r}" for name, value in values.items()]


ADAPTERS = {
    "derive_dutch_auction": dutch_auction,
    "dydx_v4_fillable_price": fillable,
    "dydx_v4_bankruptcy_price": bankruptcy,
    "dydx_v4_insurance_fee": insurance_fee,
    "lending_fixed_spread": fixed_spread,
}
