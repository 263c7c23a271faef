"""The commands of systemic studies: formats, the same bytes again, errors that say what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli import ROOT
from tests.cli.conftest import Run, run

__all__ = ["run"]

SAMPLES = ROOT / "sample_portfolios"
DAILY, MINUTES = str(SAMPLES / "daily_prices.csv"), str(SAMPLES / "minute_prices.csv")
VENUES, LONG = str(SAMPLES / "two_venues.yaml"), str(SAMPLES / "long_only.yaml")
GAP = str(SAMPLES / "venue_gap.yaml")
DRAWN = ("--accounts", "60", "--seed", "3")
FEEDS = "--attack +20% --interval 0.1% --max-age 5min --jumps 10,6%,6%"
WORK = {
    "cascade": ("cascade", *DRAWN, "--depth-left", "0.001"),
    "monitor": ("monitor", *DRAWN, "--fund", "1e4"),
    "oracle": ("oracle", MINUTES, *DRAWN, *FEEDS.split()),
    "dynamic": ("dynamic", DAILY),
    "transfer": ("transfer", VENUES, "--halt", "okx=100min"),
    "collateral": ("collateral", LONG, "--loop", "3"),
}


@pytest.mark.parametrize("name", WORK)
def test_every_format_twice(run: Run, name: str) -> None:
    texts = {}
    for format in ("table", "json", "csv"):
        one, other = (run("simulate", *WORK[name], "--format", format) for _ in range(2))
        assert (one.status, one.err) == (0, "")
        assert one.out == other.out
        texts[format] = one.out
    found = json.loads(texts["json"], parse_constant=pytest.fail)
    assert next(iter(found)) == "schema"
    assert found["schema"] == f"margincalc.{name}/1"
    assert max(map(len, texts["table"].splitlines())) <= 80
    assert texts["csv"].count("\n") > 1


def test_a_volatility_response_makes_an_option_cascade_worse(run: Run) -> None:
    work = ("cascade", *DRAWN, "--kind", "options", "--shocks", "-0.1,-0.2", "--format", "json")
    calm, wild = (
        json.loads(run("simulate", *work, "--volatility-response", text).out)["curve"]
        for text in ("0", "1e4")
    )
    pairs = list(zip(calm, wild, strict=True))
    assert all(two["liquidated"] >= one["liquidated"] for one, two in pairs)
    assert any(two["liquidated"] > one["liquidated"] for one, two in pairs)


def test_isolated_pools_break_before_the_accounts_that_share(run: Run) -> None:
    work = ("cascade", *DRAWN, "--kind", "two-assets", "--shocks", "-0.1,-0.2")
    out = run("simulate", *work, "--against-isolated", "--format", "json").out
    rows = json.loads(out)["modes"]
    for cross, alone in zip(rows[::2], rows[1::2], strict=True):
        assert (cross["mode"], alone["mode"]) == ("cross", "isolated")
        assert alone["pools"] >= cross["pools"]
        assert cross["whole"] in (None, 1.0)


FAULTS = (
    (("cascade", "nowhere.csv"), "nowhere.csv"),
    (("cascade", DAILY), "unknown column 'date'"),
    (("cascade", LONG), "wanted a CSV or Parquet table"),
    (("cascade", "--shocks", "nan"), "--shocks"),
    (("cascade", "--shocks", "inf:0.3:5"), "--shocks"),
    (("cascade", "--shocks", "-0.3:0.3:1000000000000"), "--shocks"),
    (("cascade", "--depth", "5%=1,1%=2"), "--depth"),
    (("cascade", "--depth-left", "0"), "--depth-left"),
    (("cascade", "--accounts", "0"), "--accounts"),
    (("cascade", "--spot", "nan"), "--spot"),
    (("cascade", "--fund", "nan"), "--fund\n    found nan; wanted an amount"),
    (("cascade", "--seed", "-1"), "--seed"),
    (("cascade", *DRAWN, "--model", "reg-t"), "reg-t: it has no rules for perpetuals"),
    (("cascade", "--accounts", "9", "--volatility-response", "nan"), "--volatility-response"),
    (("monitor", *DRAWN, "--model", "reg-t"), "reg-t: it has no rules for perpetuals"),
    (("oracle", MINUTES, *DRAWN, "--model", "reg-t"), "reg-t: it has no rules for perpetuals"),
    (("oracle", MINUTES, "--lag", "soon"), "'--lag': found 'soon'; wanted a time"),
    (("oracle", MINUTES, "--lag", "1e400"), "'--lag': found '1e400'; wanted a time"),
    (("transfer", VENUES, "--route", "x"), "'--route': found 'x'; wanted a pair"),
    (("waterfall", GAP, "--mark", "nan"), "error: --mark\n    found nan; wanted a price"),
    (("oracle", MINUTES, "--kind", "options", "--accounts", "9"), "linear positions"),
    (("oracle", MINUTES, "--symbol", "X"), "--symbol"),
    (("oracle", MINUTES, "--reject", "2"), "--reject"),
    (("oracle", MINUTES, "--deviation", "2"), "--deviation"),
    (("oracle", MINUTES, "--twap", "9999d"), "--twap"),
    (("oracle", MINUTES, "--max-age", "old"), "--max-age"),
    (("oracle", MINUTES, "--jumps", "10,6%"), "--jumps"),
    (("oracle", MINUTES, "--jumps", "10,nan,6%"), "--jumps"),
    (("dynamic", DAILY, "--decay", "2"), "--decay"),
    (("dynamic", DAILY, "--window", "2000"), "--window"),
    (("transfer", VENUES, "--halt", "x=3h"), "--halt"),
    (("transfer", VENUES, "--probability", "2"), "--probability"),
    (("collateral", LONG, "--queue", "X=1%"), "--queue"),
    (("collateral", LONG, "--queue", "X"), "found 'X'; wanted an asset and its discount"),
    (("collateral", LONG, "--loop", "nan"), "--loop"),
)


@pytest.mark.parametrize(("work", "said"), FAULTS)
def test_faults_are_sentences(run: Run, work: tuple[str, ...], said: str) -> None:
    outcome = run("simulate", *work)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_prices_however_far_are_one_level(run: Run, tmp_path: Path) -> None:
    listed = tmp_path / "prices.csv"
    listed.write_text("price,size\n1e15,1\n1e9,1\n90000,2\n")
    outcome = run("simulate", "monitor", str(listed), "--spot", "100000", "--format", "json")
    assert json.loads(outcome.out)["bunched"] == 0.5  # two of them far away, as large as the third


def test_shares_of_deposits_are_of_one_currency(run: Run, tmp_path: Path) -> None:
    book = tmp_path / "book.yaml"
    book.write_text(
        """
as_of: 2026-11-20T08:00:00Z
currency: BTC
market: {BTC: {spot: 100000, settlement: inverse, volatility: 0.6}}
positions: [{instrument: BTC-25DEC26-90000-P, quantity: -1}]
collateral:
  - {asset: BTC, quantity: 1.5, haircut: 0.1}
  - {asset: USDC, quantity: 10000, price: 0.00001, haircut: 0.05}
"""
    )
    said = json.loads(run("simulate", "collateral", str(book), "--format", "json").out)
    coin, money = said["deposits"]
    assert [coin["share"], money["share"]] == pytest.approx([1.5 / 1.6, 0.1 / 1.6])
    assert [coin["haircut"], money["haircut"]] == pytest.approx([0.15, 0.005])
    whole, fallen = said["joint"][:2]
    assert (whole["deposits"], fallen["deposits"]) == (1.0, 0.97)
    assert whole["equity"] - fallen["equity"] == pytest.approx(0.003)


def studied(run: Run, *arguments: str) -> dict[str, Any]:
    """Return the JSON of a study of deposits."""
    found: dict[str, Any] = json.loads(
        run("simulate", "collateral", *arguments, "--format", "json").out
    )
    return found


@pytest.mark.parametrize("model", ["generic-portfolio", "derive-pm2", "paradex-pm", "okx-pm"])
def test_haircuts_of_deposits_are_those_of_the_margin(run: Run, tmp_path: Path, model: str) -> None:
    """With tiers and caps, by the account's own model."""
    book = tmp_path / "book.yaml"
    tiers = "[{up_to: 50000, haircut: 0.05}, {haircut: 0.3}]"
    book.write_text(
        f"""
as_of: 2026-11-20T08:00:00Z
market: {{BTC: {{spot: 100000, volatility: 0.6}}}}
positions: [{{instrument: BTC-PERPETUAL, quantity: -1}}]
collateral:
  - {{asset: BTC, quantity: 2, tiers: {tiers}}}
  - {{asset: USDC, quantity: 100000, haircut: 0.02, cap: 80000}}
"""
    )
    margin = json.loads(run("margin", str(book), "--model", model, "--format", "json").out)
    parts = [margin["components"].get(name, 0.0) for name in ("collateral_haircut", "balances")]
    found = studied(run, str(book), "--model", model)["deposits"]
    assert sum(row["haircut"] for row in found) == pytest.approx(sum(parts), rel=1e-12)
    assert sum(parts) > 0.0
    if model == "generic-portfolio":
        wanted = [0.05 * 50_000 + 0.3 * 150_000, 100_000 - 0.98 * 80_000]
        assert [row["haircut"] for row in found] == pytest.approx(wanted)


def test_a_debt_is_no_deposit(run: Run, tmp_path: Path) -> None:
    book = tmp_path / "loan.yaml"
    loan = (SAMPLES / "loan.yaml").read_text("utf-8").replace("-80000", "-60000")
    book.write_text(loan, "utf-8")
    found = studied(run, str(book), "--model", "generic-standard")
    assert [(row["asset"], row["share"]) for row in found["deposits"]] == [("ETH", 1.0)]
    (debt,) = found["debts"]
    assert (debt["asset"], debt["owed"], debt["charge"]) == ("USDC", 60_000.0, 1_200.0)
    # 99,000 less 20 %, as much as the debt and 2 % of it once it has risen.
    assert debt["rise"] == pytest.approx(79_200.0 / (1.02 * 60_000.0) - 1.0, rel=1e-12)
    assert {row["deposits"] for row in found["joint"]} == {1.0}  # no money is deposited
    table = run("simulate", "collateral", str(book)).out
    assert "-60,000" not in table
    refused = run("simulate", "collateral", str(book), "--queue", "USDC=1%")
    assert "a deposit: ETH" in refused.err


def test_a_volatility_that_is_assumed_is_said(run: Run, tmp_path: Path) -> None:
    book = tmp_path / "book.yaml"
    book.write_text(
        """
as_of: 2026-11-20T08:00:00Z
market: {BTC: {spot: 100000}}
positions: [{instrument: BTC-PERPETUAL, quantity: 1}]
collateral: [{asset: USDC, quantity: 50000}]
"""
    )
    assumed = "no volatility is stated of BTC: 60% a year stands for it"
    notes = [
        json.loads(run("simulate", "transfer", str(book), "--format", "json", *more).out)["notes"]
        for more in ((), ("--volatility", "0.8"))
    ]
    assert (assumed in notes[0], assumed in notes[1]) == (True, False)
