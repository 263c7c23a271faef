"""Results written by hand, with numbers that look like an account's but were never computed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from margincalc.answers.engine_results import (
    EngineReport,
    LoanLine,
    OptimumLine,
    PoolRun,
    StepLine,
    TradeLine,
)
from margincalc.answers.explain_results import (
    ChangeLine,
    ChangeReport,
    ExplainLine,
    ExplainPool,
    ExplainReport,
    GreekTerms,
)
from margincalc.answers.liquidation_results import (
    CliffLine,
    Crossing,
    Drifts,
    FrontierLine,
    FrontierReport,
    Interval,
    LikelyPoint,
    LiquidationReport,
    PoolLiquidation,
    RegionLine,
)
from margincalc.answers.model_results import (
    DiffLine,
    DiffReport,
    ModelReport,
    ModelsReport,
    VerifyLine,
    VerifyReport,
)
from margincalc.answers.passage_results import PassageLine, PassageReport
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
from margincalc.answers.view_results import (
    CompareReport,
    Comparison,
    FirstToGo,
    GreekLine,
    GreeksReport,
    Refusal,
    ScenarioLine,
    ScenariosReport,
)
from margincalc.answers.waterfall_results import (
    LedgerLine,
    PolicyLine,
    WaterfallReport,
    WinnerLine,
)
from margincalc.report import Report

AS_OF = "2026-11-20T08:00:00Z"
SCAN = ModelInfo("generic-portfolio", "2026-11-01", "own", "ab" * 32)
STANDARD = ModelInfo("generic-standard", "2026-11-01", "own", "cd" * 32)


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
        "as_of": AS_OF,
        "currency": "USD",
        "model": SCAN,
        "mode": "portfolio",
        "pricer": "numpy",
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

COMPARE = CompareReport(
    "desk",
    AS_OF,
    "USD",
    "isolated",
    "portfolio",
    (
        Comparison(
            "isolated",
            replace(ISOLATED, status="restricted", margin_ratio=0.93377),
            0.0,
            0.0,
            (
                FirstToGo("ETH-PERPETUAL", 0.0, 2375.45),
                FirstToGo("BTC-26MAR27-120000-C", 0.01772, 37344.16),
                FirstToGo("unallocated", None, 20475.86),
            ),
        ),
        Comparison(
            "cross",
            replace(VENUES, liquidation={"BTC": Liquidation(100000.0, 18302.7, None)}),
            0.0,
            None,
            (FirstToGo("BTC-25DEC26-95000-P", None, 45000.0),),
        ),
        Comparison(
            "portfolio",
            STRANGLE,
            14114.717,
            0.0762694,
            (
                FirstToGo("BTC-25DEC26-95000-P", None, 44139.59),
                FirstToGo("BTC-25DEC26-85000-P", None, -57191.55),
            ),
        ),
    ),
)

MODELS_COMPARED = replace(
    COMPARE,
    base="generic-portfolio",
    cheapest="derive-pm",
    columns=tuple(
        Comparison(name, replace(STRANGLE, initial_margin=initial), 0.0, initial / 1e6, ())
        for name, initial in (
            ("generic-portfolio", 128512.3),
            ("deribit-pm", 141000.0),
            ("derive-pm", 99000.0),
            ("okx-portfolio-margin", 151000.0),
            ("reg-t", 1234567.0),
        )
    ),
    refused=(
        Refusal("occ-tims", "it margins listed equity options only, and this book holds BTC"),
        Refusal("span", "needs risk arrays"),
    ),
)

GREEKS = GreeksReport(
    "desk",
    AS_OF,
    "USD",
    SCAN,
    "portfolio",
    "numpy",
    (
        GreekLine("underlying", "BTC", "BTC", None, 2.423, -9.83e-05, -108440.0, 109463.5, -1e4),
        GreekLine("expiry", "2026-12-25T08:00:00Z", "BTC", None, 1.2, -9.83e-05, 1.0, 0.0, 0.5),
        GreekLine("expiry", "collateral", "BTC", None, 1.2, 0.0, 0.0, 0.0, 0.0),
        GreekLine("position", "BTC-25DEC26-95000-P", "BTC", -6.5, 2.07, 1e-9, -68660.0, 2e5, 22460),
    ),
    (),
)  # fmt: skip

_GRID = [
    (spot, volatility, 1.0) for spot in (-0.1125, 0.0, 0.1125) for volatility in (-0.25, 0, 0.5)
]
_TAILS = [(-0.66, 0.5, 0.15 / 0.66), (2.0, 0.5, 0.075)]


def _scenario(underlying: str, index: int, worst: int) -> ScenarioLine:
    spot, volatility, weight = [*_GRID, *_TAILS][index]
    days = 1.0 if underlying == "ETH" and index == 10 else 0.0
    pnl = -52345.678 * (spot + volatility)
    return ScenarioLine(
        underlying, index, f"spot {spot}", spot, volatility, weight, days,
        pnl, pnl * weight, index == worst,
    )  # fmt: skip


SCENARIOS = ScenariosReport(
    "desk",
    AS_OF,
    "USD",
    SCAN,
    "portfolio",
    "numpy",
    "relative",
    tuple(
        _scenario(underlying, index, worst)
        for underlying, worst in (("BTC", 8), ("ETH", 10))
        for index in range(11)
    ),
    ("ETH has no volatility of its own",),
)

MODEL = ModelReport(
    name="generic-portfolio",
    title="Generic portfolio margin, with a title that is longer than a line has room for",
    family="scan",
    mode="portfolio",
    effective="2026-11-01",
    effective_dates=("2025-01-01", "2026-11-01"),
    proof="own",
    parameters_sha256="ab" * 32,
    sources=({"what": "range", "url": "https://example.org", "read": None},),
    notes=("parameters changed: factors.initial=1.3",),
    parameters={"grid": {"spot": [-0.15, 0.15]}, "factors": {"initial": 1.25}},
    text='name = "generic-portfolio"\n\n[parameters.factors]\ninitial = 1.25 # of maintenance\n',
)

MODELS = ModelsReport((MODEL, replace(MODEL, name="okx-pm", family="charges", title="OKX")))

_MATCH = VerifyLine(
    "deribit-pm",
    "strangle-1",
    "independent",
    "initial_margin",
    1234.5,
    1234.5,
    0.0,
    1e-9,
    True,
    None,
)
VERIFY = VerifyReport(
    (
        _MATCH,
        _MATCH._replace(path="components.scenario_loss", computed=1234.5004, error=4e-4),
        _MATCH._replace(example="perpetual-2", strength="fitted", computed=1230.0, error=4.5,
                        matches=False),
        _MATCH._replace(example="orders-3", computed=None, error=None, matches=False,
                        problem="open orders are not margined by this model"),
    ),
    ("generic-portfolio", "generic-standard"),
    2,
)  # fmt: skip

DIFF = DiffReport(
    "deribit-pm 2024-06-17",
    "deribit-pm 2026-02-01",
    (
        DiffLine("underlyings.ETH.a_parameter_with_a_long_name.volatility_shock", 0.16, None),
        DiffLine("grid.spot", [round(-0.16 + 0.02 * step, 2) for step in range(17)], []),
        DiffLine("grid.volatility_rule", "absolute", "relative"),
    ),
)

CHECK = CheckReport(
    account="desk",
    as_of=AS_OF,
    currency="USD",
    model=SCAN,
    mode="portfolio",
    pricer="numpy",
    status="healthy",
    margin_ratio=0.800004,
    excess=1234567.891,
    above=0.8,
    failed=True,
    notes=(),
)

ENGINE = EngineReport(
    account="desk",
    as_of=AS_OF,
    currency="USD",
    engine=SCAN._replace(name="incremental"),
    model=SCAN,
    mode="portfolio",
    pricer="numpy",
    slippage="square root, volume 1,000,000,000 and 4.00% a day",
    pools=(
        PoolRun(
            pool="desk",
            end="bankrupt",
            reason="others paid for its loss",
            acted=True,
            status_before="liquidatable",
            status_after="healthy",
            equity_before=43_954.79,
            initial_before=180_026.65,
            maintenance_before=144_021.32,
            equity_after=0.0,
            initial_after=0.0,
            maintenance_after=0.0,
            seconds=12.0,
            cost=43_954.79,
            market=50_000.0,
            liquidator=1_000.0,
            fund=-5_000.0,
            others=-2_045.21,
            steps=(
                StepLine(1, 1.0, "reduce", (TradeLine("BTC-PERPETUAL", -0.1, 1e5, 99_991.57),),
                         None, -0.84, 0.84, 0.0, 0.0, 0.0, 43_953.95, 142_421.32),
                StepLine(2, 12.0, "insolvent bid", (TradeLine("BTC-25DEC26-80000-P", 12.0, 700.0,
                         None), TradeLine("BTC-PERPETUAL", -0.9, 1e5, None)), -7_045.21,
                         -43_953.95, 49_999.16, 1_000.0, -5_000.0, -2_045.21, 0.0, 0.0),
            ),
            left=(),
            loan=LoanLine(9_900.0, 9_500.0, 0.8, 0.8337, 0.9596, 0.1, 0.9091, True,
                          (4_000.0, 2_200.0), 2.5e9),
            optimum=OptimumLine((TradeLine("BTC-PERPETUAL", -0.004166, 1e5, None),), 0.01, 117.61),
        ),
    ),
    notes=(),
)  # fmt: skip

_WINNER = WinnerLine(
    "short-5x", "BTC-PERPETUAL", 0.32394, 0.2, 17_250.0, 7_264.9, 0.421154, 132_000.0, 110_795.18,
    0.839357,
)  # fmt: skip
WATERFALL = WaterfallReport(
    currency="USD",
    policy="bitmex",
    unit="positions",
    accounts=1_000_008,
    liquidated=3,
    bankrupt=2,
    lost=45_000.0,
    slippage=1_234.5,
    surplus=99.0,
    fund_before=5_000.0,
    fund_after=0.0,
    ledger=(
        LedgerLine("trader equity", 29_850.0, 0.66333),
        LedgerLine("insurance fund", 5_000.0, 0.11111),
        LedgerLine("auto-deleveraging", 10_149.99, 0.22555),
        LedgerLine("socialised loss", 0.01, 2e-7),
        LedgerLine("unpaid", 0.0, 0.0),
    ),
    least_haircut=0.28,
    profit_haircut=0.28,
    notional_haircut=0.352,
    winners=(
        _WINNER,
        _WINNER._replace(account="a-name-of-sixty-characters-so-that-it-is-as-long-as-any-name",
                         score=None, quintile=None, profit=0.0, profit_haircut=None),
    ),
    policies=(
        PolicyLine("bitmex", "positions", 2, 10_150.0, 0.721, 0.71576, 4_200.0, 154_795.18, 0.0),
        PolicyLine("pro-rata", "profit", 4, 10_150.0, 0.28, 0.47586, 0.0, 0.0, 0.0),
    ),
)  # fmt: skip

_PUT = GreekTerms(-31_087.12, -14_131.41, -19_178.94, 210.5, -4_090.1, 120.2, 5_320.84)
_CALL = GreekTerms(20_175.99, -5_782.11, -17_527.32, 180.0, 3_300.2, -99.0, 327.05)
_BOTH = GreekTerms(*(one + other for one, other in zip(_PUT, _CALL, strict=True)))
EXPLAIN = ExplainReport(
    account="strangle",
    as_of=AS_OF,
    currency="USD",
    model=SCAN,
    mode="portfolio",
    pricer="numpy",
    maintenance_margin=102_809.84,
    standalone=187_534.13,
    hedge_benefit=84_724.29,
    worst_pnl=-62_835.97,
    terms=_BOTH,
    seed=1,
    positions=(
        ExplainLine(
            "strangle", "BTC-25DEC26-90000-P", -10.0, 82_883.94, 80_000.0, 85_767.88, 51_000.0,
            0.0, 62_883.94, 85_066.39, -62_836.03, _PUT,
        ),
        ExplainLine(
            "strangle", "BTC-25DEC26-115000-C", -10.0, 19_925.9, 19_925.9, 19_925.9, 51_809.84,
            812.4, 20_285.28, 102_467.74, 574.81, _CALL,
        ),
    ),
    pools=(
        ExplainPool(
            "strangle", 102_809.84, 187_534.13, 84_724.29, "euler", 0, 0,
            WorstScenario(3, "BTC spot -15 %, IV +50 %", -0.15, 0.5, -62_835.97),
            -62_835.97, _BOTH,
        ),
    ),
    notes=(),
)  # fmt: skip

CHANGE = ChangeReport(
    account="strangle",
    old_as_of="2026-11-19T08:00:00Z",
    as_of=AS_OF,
    currency="USD",
    model=SCAN,
    mode="portfolio",
    pricer="numpy",
    old={"equity": 250_000.0, "initial_margin": 125_000.0, "maintenance_margin": 100_000.0,
         "excess": 150_000.0},
    new={"equity": 251_000.0, "initial_margin": 128_512.3, "maintenance_margin": 102_809.84,
         "excess": 148_190.16},
    lines=(
        ChangeLine("time", "1 days", 1_500.0, 500.0, 400.0, 1_100.0),
        ChangeLine("spot", "BTC", -2_500.0, 3_012.3, 2_409.84, -4_909.84),
        ChangeLine("trade", "BTC-25DEC26-90000-P", 2_000.0, 0.0, 0.0, 2_000.0),
    ),
    notes=("in order",),
)  # fmt: skip

PASSAGE = PassageReport(
    account="strangle",
    as_of=AS_OF,
    currency="USD",
    model=SCAN,
    mode="portfolio",
    pricer="numpy",
    horizon_days=7.0,
    dynamics="gbm",
    volatility={"BTC": 0.58, "ETH": 0.71},
    drift=0.0,
    correlation=0.8,
    poll_hours=None,
    steps=28,
    paths=50_000,
    seed=1,
    low=0.0635,
    high=0.0636,
    pools=(
        PassageLine(
            "strangle", ("BTC",), "simulation", 0.0635, 0.00105, 0.06144, 0.06556,
            {"0.1": 2.34, "0.5": 5.0, "0.9": 6.7}, 178_946.58, 162_372.4, 0.0, 0.0,
        ),
        PassageLine(
            "hedge", ("BTC", "ETH"), "closed form", 0.0001, 0.0, 0.0001, 0.0001,
            {"0.1": None, "0.5": None, "0.9": None}, None, None, 0.0, 0.0,
        ),
    ),
    notes=(),
)  # fmt: skip

_BTC = RegionLine(
    "BTC", 100_000.0, {"BTC": 1.0}, (0.05, 20.0),
    (Interval(None, 0.78528, None, 78_528.0), Interval(1.1558, None, 115_580.0, None)),
    (
        Crossing(78_528.0, 0.78528, -0.21472, -6.84, "spot -15 %, IV +50 %",
                 Drifts(-0.1525, 9_372.0, -64.08, {"BTC-25DEC26-90000-P": -1_204.5})),
        Crossing(115_580.0, 1.1558, 0.1558, 4.96, None, None),
    ),
    (), True, None, 0.0, {"below": True, "above": True}, 12_345,
)  # fmt: skip
_TOGETHER = RegionLine(
    None, None, {"BTC": 1.0, "ETH": 1.3}, (0.2315, 20.0),
    (Interval(0.6, 0.8123, None, None),),
    (
        Crossing(None, 0.6, -0.4, None, "BTC spot -15 %, IV +50 %; ETH spot +15 %", None),
        Crossing(None, 0.8123, -0.1877, -4.7, None, None),
    ),
    (Interval(1.2, 1.2, None, None),), False,
    "options that may be exercised early have no closed formula", 0.02,
    {"below": True, "above": False}, 571,
)  # fmt: skip
LIQUIDATION = LiquidationReport(
    account="two-pools",
    as_of=AS_OF,
    currency="USD",
    model=SCAN,
    mode="isolated",
    pricer="numpy",
    status="liquidatable",
    pools=(
        PoolLiquidation(
            "strangle", None, "healthy", 250_000.0, 102_809.84, 147_190.16, (_BTC, _TOGETHER),
            {"down": None, "up": 1.5313},
            (
                FrontierReport(
                    "BTC",
                    (
                        FrontierLine(1.0, _BTC.intervals, (0, 1), True),
                        FrontierLine(1.8, (Interval(None, None, None, None),), (0,), True),
                    ),
                    LikelyPoint(115_351.0, 0.15351, 0.948, 3.62),
                ),
                FrontierReport(None, (FrontierLine(1.0, (), (), False),), None),
            ),
            28.5,
        ),
        PoolLiquidation(
            "a-pool-with-a-long-name-that-is-cut-in-narrow-tables", "deribit", "liquidatable",
            -50.0, 100.0, -150.0,
            (_BTC._replace(intervals=(Interval(None, None, None, None),), crossings=()),),
            {"down": None, "up": None}, (), None,
        ),
    ),
    cliffs=(
        CliffLine("strangle", 35.0, ("BTC-25DEC26-90000-P", "BTC-25DEC26-115000-C"), 147_190.16,
                  262_340.55, 102_809.84, 0.0),
    ),
    horizon_days=35.0,
    largest_gap_days=2.9,
    daily={"spot": 0.04, "volatility": 0.06, "correlation": -0.4},
    notes=("4 frontiers left out",),
)  # fmt: skip

REPORTS: dict[str, Report] = {
    "liquidation": LIQUIDATION,
    "passage": PASSAGE,
    "explain": EXPLAIN,
    "change": CHANGE,
    "strangle": STRANGLE,
    "calendar": CALENDAR,
    "coin": COIN,
    "isolated": ISOLATED,
    "venues": VENUES,
    "many": MANY,
    "empty": EMPTY,
    "compare": COMPARE,
    "compare_models": MODELS_COMPARED,
    "greeks": GREEKS,
    "scenarios": SCENARIOS,
    "model": MODEL,
    "models": MODELS,
    "verify": VERIFY,
    "check": CHECK,
    "diff": DIFF,
    "engine": ENGINE,
    "waterfall": WATERFALL,
}
