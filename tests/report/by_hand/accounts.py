"""Margins of accounts, of one pool and of several."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from margincalc.answers.results import (
    CheckReport,
    Liquidation,
    MarginReport,
    ModelInfo,
    PoolMargin,
    PositionLine,
    Sensitivity,
    WorstScenario,
)

AS_OF = "2026-11-20T08:00:00Z"

SCAN = ModelInfo("generic-portfolio", "2026-11-01", "own", "ab" * 32)

STANDARD = ModelInfo("generic-standard", "2026-11-01", "own", "cd" * 32)

HEAD: dict[str, Any] = {
    "as_of": AS_OF,
    "currency": "USD",
    "model": SCAN,
    "mode": "portfolio",
    "pricer": "numpy",
}
"""What most reports begin with."""


def figures(equity: float, maintenance: float, **changes: Any) -> dict[str, Any]:
    """Return the figures of an account that holds nothing but collateral."""
    initial = maintenance * 1.25
    status = "healthy" if equity >= initial else "restricted"
    return {
        "equity": equity,
        "collateral_value": equity,
        "option_value": 0.0,
        "spot_value": 0.0,
        "unrealised": 0.0,
        "shortfall": 0.0,
        "initial_margin": initial,
        "maintenance_margin": maintenance,
        "margin_ratio": maintenance / equity if equity > 0.0 else None,
        "available_funds": equity - initial,
        "excess": equity - maintenance,
        "status": status if equity >= maintenance else "liquidatable",
        "components": {"scenario_loss": maintenance, "delta_one": 0.0},
        "initial_components": {"scenario_loss": initial, "delta_one": 0.0},
        "worst_scenario": None,
        "liquidation": {"BTC": Liquidation(100000.0, 78528.31, 115580.02)},
        "greeks": {"BTC": Sensitivity(-0.41204, -0.000318042, -190420.0, 234366.5, -5211.4)},
        "details": {},
        **changes,
    }


def position(instrument: str, quantity: float, worst: float | None, **changes: Any) -> PositionLine:
    """Return a BTC option's line."""
    line = {
        "instrument": instrument,
        "pool": "desk",
        "kind": "option",
        "underlying": "BTC",
        "expiry": "2026-12-25T08:00:00Z",
        "strike": 90000.0,
        "type": "put",
        "settlement": "linear",
        "quantity": quantity,
        "entry_price": None,
        "mark_price": 2821.448,
        "volatility": 0.58,
        "value": quantity * 2821.448,
        "unrealised": None,
        "delta": -0.2424 * quantity,
        "gamma": 1.74e-05 * quantity,
        "vega": 9679.9 * quantity,
        "theta": -28152.7 * quantity,
        "rho": -2595.1 * quantity,
        "worst_pnl": worst,
    }
    return PositionLine(**{**line, **changes})


def account(account_figures: Mapping[str, Any], **changes: Any) -> MarginReport:
    """Return a report of one pool."""
    pool = PoolMargin(venue=None, model=SCAN, pool="desk", **account_figures)
    report: dict[str, Any] = {
        "account": "desk",
        **HEAD,
        "trapped_equity": 0.0,
        "greeks_by_expiry": {},
        "positions": (),
        "pools": (pool,),
        "notes": (),
    }
    return MarginReport(**account_figures, **{**report, **changes})


STRANGLE = account(
    figures(
        250000.0,
        102809.84,
        collateral_value=262340.55,
        option_value=-12340.55,
        components={"scenario_loss": 95973.11, "short_options": 6836.73, "delta_one": 0.0},
        initial_components={"scenario_loss": 119966.39, "short_options": 8545.91, "delta_one": 0.0},
        worst_scenario=WorstScenario(2, "BTC spot -15 %, IV +50 %", -0.15, 0.5, -95973.11),
    ),
    account="btc-short-strangle",
    positions=(
        position("BTC-25DEC26-90000-P", -10.0, -61204.1, entry_price=2900.0, unrealised=785.52),
        position("BTC-25DEC26-115000-C", -10.0, -34769.01, strike=115000.0, type="call"),
    ),
    greeks_by_expiry={"BTC": {"2026-12-25T08:00:00Z": Sensitivity(-0.4, -0.0003, -1.9e5, 2e5, 0)}},
    notes=("a position was netted: BTC-25DEC26-90000-P",),
)

CALENDAR = account(
    figures(
        52314.006,
        48000.0,
        liquidation={
            "BTC": Liquidation(100000.0, None, None),
            "ETH": Liquidation(3200.0, 3188.4, None),
            "DOGE": Liquidation(0.123456, 0.0871, 0.2054),
        },
        worst_scenario=WorstScenario(
            None,
            "BTC spot -15 %, IV +50 %; ETH spot -66 %, IV +50 %, weight 22.73 %; "
            "DOGE spot +15 %, IV -25 %",
            None,
            None,
            -39000.0,
        ),
        greeks={
            "BTC": Sensitivity(2.423168, -9.83e-05, -108437.4, 109460.0, -12731.9),
            "ETH": Sensitivity(47.309, -0.04318, -28834.5, 105279.8, -7135.6),
            "DOGE": Sensitivity(-250000.0, 0.0, 0.0, 0.0, 0.0),
        },
    ),
    account="a desk with an unusually long name, for instance that of a fund and its strategy",
    positions=(
        position("BTC-26MAR27-120000-C", -4.5, 2681.42),
        position("SPXW  261218P06300000", 5.0, -7372.86),
        position("DOGE-PERPETUAL", -250000.0, -14400.0, kind="perpetual", volatility=None,
                 value=None, entry_price=0.131, mark_price=0.123456, unrealised=1886.0),
    ),
    greeks_by_expiry={
        "BTC": {
            "2026-12-25T08:00:00Z": Sensitivity(2.568, -4.69e-05, -21860.0, 42084.5, 26130.0),
            "2027-03-26T08:00:00Z": Sensitivity(-1.345, -5.14e-05, -86570.0, 67379.0, -38870.0),
            "collateral": Sensitivity(1.2, 0.0, 0.0, 0.0, 0.0),
            "perpetual": Sensitivity(0.0, 0.0, 0.0, 0.0, 0.0),
        }
    },
)  # fmt: skip

COIN = account(
    figures(
        9.7272,
        0.76993848,
        collateral_value=10.0,
        option_value=-0.2728,
        liquidation={"BTC": Liquidation(100000.0, None, 107201.59)},
        greeks={"BTC": Sensitivity(-2.36e-05, -1.204e-09, -0.8961, 2.7036, -0.01)},
        worst_scenario=WorstScenario(3, "BTC spot +15 %, IV +50 %", 0.15, 0.5, -0.72993848),
    ),
    account="btc-covered-call",
    currency="BTC",
    positions=(
        position("BTC-25DEC26-110000-C", -8.0, -0.72993848, entry_price=0.0405,
                 mark_price=0.0341, value=-0.2728, unrealised=0.0512, settlement="inverse",
                 delta=-2.36e-05, gamma=-1.204e-09, vega=-0.8961, theta=2.7036, rho=-0.01),
    ),
)  # fmt: skip


def _pool(number: int, equity: float) -> PoolMargin:
    side = "C" if number % 2 else "P"
    prices = (
        Liquidation(100000.0, None, 101772.1) if number % 2 else Liquidation(1e5, 97706.6, None)
    )
    made = figures(equity, 20000.0, liquidation={"BTC": prices})
    return PoolMargin(
        venue=None, model=SCAN, pool=f"BTC-25DEC26-{90000 + number * 2500}-{side}", **made
    )


_POOLS = (
    *(_pool(number, 15000.0 + 3200.0 * number) for number in range(9)),
    PoolMargin(venue=None, model=SCAN, pool="broke", **figures(0.0, 5000.0, shortfall=1200.0)),
    PoolMargin(
        venue=None,
        model=STANDARD,
        pool="hedged",
        **figures(
            31000.0,
            12000.0,
            liquidation={
                "BTC": Liquidation(100000.0, 81166.9, None),
                "ETH": Liquidation(3200.0, None, 3262.28),
                "SOL": Liquidation(180.0, None, None),
            },
        ),
    ),
    PoolMargin(venue=None, model=SCAN, pool="unallocated", **figures(99000.0, 0.0, liquidation={})),
)

ISOLATED = account(
    figures(380200.0, 197000.0, shortfall=1200.0, status="liquidatable", margin_ratio=None),
    mode="isolated",
    model=STANDARD,
    pools=_POOLS,
    positions=tuple(position(pool.pool, -1.0, None) for pool in _POOLS),
)

VENUES = account(
    figures(350000.0, 197000.0, details={"adjusted_equity": 340000.0, "mark_to_market": -1234.5}),
    mode="cross",
    pools=tuple(
        PoolMargin(venue=None, model=SCAN, pool=name, **figures(equity, 60000.0))
        for name, equity in (("deribit", 250000.0), ("okx", 100000.0))
    ),
    positions=(position("BTC-25DEC26-90000-P", -1.0, None),),
)

MANY = replace(
    STRANGLE,
    account="market-maker",
    positions=tuple(
        position(f"BTC-25DEC26-{50000 + 100 * number}-P", -1.0, -((number * 37) % 1000) * 10.0)
        for number in range(1000)
    ),
)

EMPTY = account(
    figures(1000.0, 0.0, components={}, initial_components={}, liquidation={}, greeks={}),
    account="empty",
)

CHECK = CheckReport(
    account="desk",
    **HEAD,
    status="healthy",
    margin_ratio=0.800004,
    excess=1234567.891,
    above=0.8,
    failed=True,
    notes=(),
)
