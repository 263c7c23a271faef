"""Real days: margin over 2020 to 2025, and the evening of 10 October 2025 with its own book.

MARGINCALC_DATA names a folder with `history/`: daily bars of BTC and ETH (Coinbase), BTC marks by
minute and the depth of the BTC book of 9 and 10 October 2025 (Binance).
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.accounts import Source
from margincalc.answers.dynamic import DynamicTerms
from margincalc.answers.oracle import OracleTerms
from margincalc.answers.study import Study
from margincalc.files.columns import read_columns
from margincalc.files.prices import one_history, read_prices
from margincalc.simulation.events import MARCH_2020, OCTOBER_2025

HISTORY = Path(os.environ["MARGINCALC_DATA"]) / "history"
DAILY = next(HISTORY.glob("coinbase_daily_*.csv.gz"))
MARKS = next(HISTORY.glob("binance_btcusd_perp_mark_1m_*.csv.gz"))
BOOK = next(HISTORY.glob("binance_btcusdt_book_depth_*.csv.gz"))
BEFORE, CRASH = "2025-10-10 20:30", ("2025-10-10 21:18", "2025-10-10 21:22")


@pytest.fixture(scope="module")
def study() -> Study:
    return mc.dynamic(DAILY, DynamicTerms(window=60), symbol="BTC/USD")


def rule(study: Study, name: str) -> dict[str, Any]:
    return next(row for row in study["rules"] if row["rule"] == name)


def test_tools_buy_calm_margins_with_cost(study: Study) -> None:
    raw = rule(study, "ewma")
    for tool in ("floor", "stress", "buffer"):
        tamed = rule(study, tool)
        assert tamed["mean"] > raw["mean"]
        assert tamed["peak_to_trough"] < raw["peak_to_trough"]
        assert tamed["rise_5"] <= raw["rise_5"] * 1.001
        assert tamed["breaches"] <= raw["breaches"]
    assert raw["kupiec_p"] < 0.01  # normal tails are too thin for bitcoin
    assert study["days"] > 2000


def test_the_twelfth_of_march_2020_is_a_breach_of_every_dynamic_range(study: Study) -> None:
    day = next(row for row in study["path"] if row["date"] == "2020-03-12")
    assert MARCH_2020.holds("btc_fall_24h", day["move"])
    assert all(day["move"] > day[name] for name in ("ewma", "stress", "buffer", "static"))


def test_written_ranges_margin_a_portfolio(tmp_path: Path) -> None:
    text = mc.dynamic_model(DAILY, DynamicTerms(window=60), rule="floor", name="mine")
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    sample = Path(__file__).parents[2] / "sample_portfolios" / "btc_short_strangle.yaml"
    report = mc.margin(mc.load(sample), model=str(path))
    assert report.model.name == "mine"
    assert report.maintenance_margin > 0.0


def depth(moment: str, until: str | None = None) -> float:
    """Return the money within 5 % below the price, the median of the time."""
    table = read_columns(BOOK)
    time = np.array(table.texts("timestamp"))
    level, money = table.numbers("percentage"), table.numbers("notional")
    rows = (time >= moment) & (level == -5.0)
    rows &= time < (until or f"{moment}:59")
    return float(np.median(money[rows]))


def test_the_book_lost_what_was_reported() -> None:
    lost = 100.0 * (1.0 - depth(*CRASH) / depth("2025-10-10 00:00", "2025-10-10 01:00"))
    assert OCTOBER_2025.holds("depth_collapse_pct", lost)
    marks = one_history(MARKS)
    day = marks.price[marks.moments() >= np.datetime64("2025-10-10")]
    fall = 100.0 * (1.0 - float(np.min(day)) / float(np.max(day)))
    assert OCTOBER_2025.holds("btc_peak_trough_pct", fall)


def test_the_same_shock_goes_further_in_the_book_of_that_minute() -> None:
    marks = one_history(MARKS)
    before = int(np.searchsorted(marks.moments(), np.datetime64("2025-10-10T21:00")))
    source = Source(accounts=20_000, seed=10, spot=float(marks.price[before]))
    calm, thin = (
        mc.cascade(source, depth=f"5%={money:.0f}", shocks="-0.2:0:81")
        for money in (depth("2025-10-10 00:00", "2025-10-10 01:00"), depth(*CRASH))
    )
    for one, other in zip(calm["curve"], thin["curve"], strict=True):
        assert other["move"] <= one["move"] + 1e-12
        assert other["bad_debt"] >= one["bad_debt"]
    assert calm["critical_fall"] is None
    assert -0.15 < thin["critical_fall"] < -0.03


def test_late_prices_cost_more_that_evening() -> None:
    found = mc.oracle(MARKS, Source(accounts=5_000, seed=10), OracleTerms(lag=60.0))
    rows = {row["feed"].split()[0]: row for row in found["feeds"]}
    assert rows["true"]["false"] == rows["true"]["late"] == rows["true"]["missed"] == 0
    assert rows["lag"]["bad_debt"] > rows["true"]["bad_debt"]
    assert rows["average"]["bad_debt"] > rows["lag"]["bad_debt"]
    assert rows["average"]["missed"] > 0
    assert rows["lag"]["buffer"] > rows["lag"]["model_buffer"]  # that evening was no normal one


def test_every_symbol_is_read() -> None:
    assert [each.symbol for each in read_prices(DAILY)] == ["BTC/USD", "ETH/USD"]
