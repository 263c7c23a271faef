"""A population is a book like any other: each account is margined as if it were alone."""

from pathlib import Path

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.accounts import Margins, Source, accounts_of
from margincalc.answers.cascade import run_of
from margincalc.answers.contagion import ended_after
from margincalc.answers.stress import Terms, law_of, shocks_of
from margincalc.errors import InputError
from margincalc.liquidation.moved import excess_at
from margincalc.margin.load import load_model
from margincalc.portfolio import MarketSnapshot
from margincalc.risk import equity, now
from margincalc.simulation.drawn import drawn
from margincalc.simulation.linear_accounts import line_of
from margincalc.simulation.population import Held, Rows, isolated, populate

SPOTS = {"BTC": 100_000.0, "ETH": 4_000.0}
MARKET = {
    "as_of": "2026-11-20T08:00:00Z",
    "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}, "ETH": {"spot": 4_000.0}},
}
HELD = Held(("BTC-25DEC26-90000-P", "BTC-PERPETUAL", "ETH-PERPETUAL"), ("BTC", "USD"))
NAN = float("nan")


def test_each_account_is_margined_as_if_it_were_alone() -> None:
    account = np.array([0, 0, 1, 1, 1, 2, 2, 0, 2])
    held = np.array([0, 4, 1, 2, 4, 1, 3, 4, 1])
    quantity = np.array([-2.0, 30e3, 1.5, -20.0, 25e3, 0.5, 0.25, 5e3, 0.5])
    entry = np.array([NAN, NAN, 98e3, 4.1e3, NAN, NAN, NAN, NAN, 101e3])
    rows = Rows(account, held, quantity, entry, ("a", "b", "c"))
    population = populate(MarketSnapshot.model_validate(MARKET), HELD, rows)
    model = load_model("generic-portfolio", np.datetime64("2026-11-20").astype(object)).model
    together = model.margin(population.book)
    for number in range(3):
        own = [
            (name, float(quantity[row]), entry[row])
            for row in np.flatnonzero(account == number).tolist()
            for name in [(*HELD.instruments, *HELD.assets)[held[row]]]
        ]
        alone = mc.margin(mc.Portfolio.model_validate(_written(own)), mode="portfolio")
        assert together.equity[number] == pytest.approx(alone.equity, rel=1e-12)
        assert together.maintenance[number] == pytest.approx(alone.maintenance_margin, rel=1e-12)


def _written(own: list[tuple[str, float, float]]) -> dict[str, object]:
    positions = [
        {"instrument": name, "quantity": size, **({} if np.isnan(at) else {"entry_price": at})}
        for name, size, at in own
        if "-" in name
    ]
    deposits = [{"asset": name, "quantity": size} for name, size, _ in own if "-" not in name]
    return {**MARKET, "positions": positions, "collateral": deposits}


def test_the_same_seed_draws_the_same_accounts() -> None:
    one, same, other = (drawn(50, seed, "two-assets", SPOTS).book for seed in (3, 3, 4))
    assert np.array_equal(one.quantity, same.quantity)
    assert not np.array_equal(one.quantity, other.quantity)


def test_liquidation_prices_are_where_the_margin_path_has_them() -> None:
    population = drawn(40, 5, "perpetuals", SPOTS)
    model = load_model("generic-standard", np.datetime64("2026-11-20").astype(object)).model
    line = line_of(population.book, model)
    price = np.where(np.isnan(line.below), line.above, line.below)
    rows = np.flatnonzero(~np.isnan(price))
    assert len(rows) > 30
    factor = (price[rows] / 100_000.0)[:, None]
    excess = excess_at(population.book, model, rows, factor)
    assert excess == pytest.approx(np.zeros(len(rows)), abs=1e-6)
    moved = population.book.copies(rows, (line.bankrupt[rows] / 100_000.0)[:, None])
    assert equity(moved, now(moved)) == pytest.approx(np.zeros(len(rows)), abs=1e-6)


def test_isolated_pools_share_out_all_that_an_account_has() -> None:
    population = drawn(60, 6, "two-assets", SPOTS)
    model = load_model("generic-standard", np.datetime64("2026-11-20").astype(object)).model
    alone, owner = isolated(population, model)
    whole, parts = model.margin(population.book), model.margin(alone.book)
    shared = np.bincount(owner, weights=parts.equity, minlength=60)
    assert shared == pytest.approx(whole.equity, rel=1e-12)
    needed = np.bincount(owner, weights=parts.maintenance, minlength=60)
    assert needed == pytest.approx(whole.maintenance, rel=1e-12)


def test_shocks_are_decimals_or_percentages() -> None:
    assert shocks_of("-5%, -0.08").tolist() == [-0.08, -0.05]
    assert shocks_of("-20%:0.2:9").tolist() == shocks_of("-0.2:0.2:9").tolist()
    with pytest.raises(InputError, match="--shocks"):
        shocks_of("-5%%")


def test_rounds_of_one_asset_are_the_sorted_cascade() -> None:
    accounts = accounts_of(Source(accounts=300, seed=8), Margins())
    law = law_of("1%=3e5")
    shocks = shocks_of("-0.2:0.2:9")
    run = run_of(accounts, Terms(shocks, law))
    for shock, row in zip(
        np.sort(shocks).tolist(), sorted(run.curve, key=lambda r: r[1]), strict=True
    ):
        ended, owed = ended_after(accounts, Terms(shocks, law), shock)
        assert ended.factor[0] - 1.0 == pytest.approx(row[6], abs=1e-9)
        assert owed == pytest.approx(row[8], rel=1e-9, abs=1e-6)


def test_a_list_of_prices_and_one_of_positions_are_read(tmp_path: Path) -> None:
    folder = tmp_path
    prices = folder / "prices.csv"
    prices.write_text("account,price,size\na,98,10\nb,96,20\nc,95,15\nd,90,40\n")
    study = mc.cascade(Source(file=prices, spot=100.0), shocks="-0.025,-0.04", depth="1%=1000")
    assert [row["price"] for row in study["curve"]] == pytest.approx([91.5, 96.5])
    assert [row["liquidated"] for row in study["curve"]] == [3, 1]
    market = folder / "market.yaml"
    market.write_text("as_of: 2026-11-20T08:00:00Z\nmarket: {BTC: {spot: 100000}}\n")
    held = folder / "held.csv"
    held.write_text(
        "account,instrument,asset,quantity,entry_price\n"
        "a,BTC-PERPETUAL,,1,99000\na,,USD,20000,\nb,BTC-PERPETUAL,,-1,\nb,,USD,20000,\n"
    )
    study = mc.cascade(Source(file=held, market=market), shocks="-0.3,0.3", depth="1%=1e12")
    assert {row["account"] for row in study["first"]} == {"a", "b"}
    assert [row["liquidated"] for row in study["curve"]] == [1, 1]
