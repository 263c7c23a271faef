"""How far it is to liquidation, what a margin is made of, and what changed it."""

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
from margincalc.answers.passage_results import PassageLine, PassageReport
from margincalc.answers.results import WorstScenario
from tests.report.by_hand.accounts import HEAD

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
    **{**HEAD, "mode": "isolated"},
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

PASSAGE = PassageReport(
    account="strangle",
    **HEAD,
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

_PUT = GreekTerms(-31_087.12, -14_131.41, -19_178.94, 210.5, -4_090.1, 120.2, 5_320.84)

_CALL = GreekTerms(20_175.99, -5_782.11, -17_527.32, 180.0, 3_300.2, -99.0, 327.05)

_BOTH = GreekTerms(*(one + other for one, other in zip(_PUT, _CALL, strict=True)))

EXPLAIN = ExplainReport(
    account="strangle",
    **HEAD,
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
    **HEAD,
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
