"""Answers of simulations for the golden tables: small populations, fixed seeds, the samples."""

from collections.abc import Callable
from functools import cache

import margincalc as mc
from margincalc.answers.accounts import Source
from margincalc.answers.collateral import CollateralTerms
from margincalc.answers.oracle import OracleTerms
from margincalc.answers.routes import Routes
from margincalc.answers.venues import TransferTerms
from margincalc.report import Report
from margincalc.simulation.feeds import Jumps
from margincalc.simulation.transfers import Route
from tests.cli import SAMPLES

DRAWN = Source(accounts=200, seed=3)
FEEDS = OracleTerms(
    lag=120.0, attack=0.2, interval=0.001, oldest=300.0, jumps=Jumps(10.0, 0.06, 0.06)
)
ROUTES = Routes((Route("okx", "derive", 7200.0, 0.001, 50_000.0),), ((("okx", ""), 6000.0),))


def _account(name: str) -> mc.Portfolio:
    return mc.load(SAMPLES / f"{name}.yaml")


COMPUTED: dict[str, Callable[[], Report]] = {
    "simulate_liquidation": lambda: mc.simulate_liquidation(_account("just_under_maintenance")),
    "simulate_liquidation_loan": lambda: mc.simulate_liquidation(
        _account("loan"), engine="aave-v3"
    ),
    "simulate_waterfall": lambda: mc.waterfall(SAMPLES / "venue_gap.yaml", policy="bitmex"),
    "simulate_cascade": lambda: mc.cascade(
        DRAWN, depth_left=0.02, fund=1e5, margin_response=5.0, deleverage=10.0
    ),
    "simulate_cascade_options": lambda: mc.cascade(
        Source(accounts=40, seed=3, kind="options"), depth_left=0.01, shocks="-0.2:0.2:5"
    ),
    "simulate_cascade_two_assets": lambda: mc.cascade(
        Source(accounts=40, seed=3, kind="two-assets"),
        depth_left=0.01,
        shocks="-0.2:0.2:5",
        against_isolated=True,
    ),
    "simulate_monitor": lambda: mc.monitor(DRAWN, depth_left=0.02, fund=1e5),
    "simulate_oracle": lambda: mc.oracle(SAMPLES / "minute_prices.csv", DRAWN, FEEDS),
    "simulate_dynamic": lambda: mc.dynamic(SAMPLES / "daily_prices.csv"),
    "simulate_transfer": lambda: mc.transfer(
        _account("two_venues"), TransferTerms(volatility=0.8, routes=ROUTES)
    ),
    "simulate_collateral": lambda: mc.collateral(
        _account("two_underlyings_three_collaterals"),
        CollateralTerms(queue=(("stETH", 0.02),), turns=3.0),
    ),
}


@cache
def report(name: str) -> Report:
    """Return a simulation's answer, computed once."""
    return COMPUTED[name]()
