"""What comes after a margin call."""

from margincalc.answers.engine_results import (
    EngineReport,
    LoanLine,
    OptimumLine,
    PoolRun,
    StepLine,
    TradeLine,
)
from margincalc.answers.waterfall_results import LedgerLine, PolicyLine, WaterfallReport, WinnerLine
from tests.report.by_hand.accounts import AS_OF, SCAN

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
