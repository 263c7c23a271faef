"""Comparisons, Greeks, scenarios, and what is said of models."""

from dataclasses import replace

from margincalc.answers.model_results import (
    DiffLine,
    DiffReport,
    ModelReport,
    ModelsReport,
    VerifyLine,
    VerifyReport,
)
from margincalc.answers.results import Liquidation
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
from tests.report.by_hand.accounts import AS_OF, ISOLATED, SCAN, STRANGLE, VENUES

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
